/*
 * probe.c - a terminal with a program in it, and a stopwatch.
 *
 * usage: bench-probe COLSxROWS COMMAND [ARGUMENT...]
 *
 * Runs the command on a raw terminal of that size and always reads what it
 * prints, but between `pause` and `resume`.  Commands come as lines, one at a
 * time, each answered by a line; the first line is when the program was
 * started.  Times are those of clock.h; LIMIT is in milliseconds.
 *
 *	keys COUNT MIN MAX	type COUNT letters, MIN to MAX microseconds
 *				after the echo of the one before: how long each
 *				echo took, in nanoseconds
 *	wait LIMIT TEXT		until it is printed: TIME OCTETS
 *	poke LIMIT HEX TEXT	type it, and the same: SENT TIME OCTETS
 *	type HEX		type it: TIME
 *	stamp LIMIT AFTER	until a bench-pane's T= is AFTER or later, in
 *				microseconds: TIME STAMP
 *	pause | resume		stop reading, and go on: TIME
 *	quiet LIMIT MS		until nothing was printed for MS: TIME
 *	octets			how much was printed so far
 *	end LIMIT		until the program has ended: TIME STATUS
 *	tail			the last text printed
 *
 * OCTETS is how much was printed so far.  What cannot be had is answered with
 * `late`, or `ended` if the program is over.  End of file ends the program.
 */
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "clock.h"
#include "files.h"
#include "num.h"
#include "screen.h"
#include "spawn.h"

#define CHUNK		65536
#define TAIL		2048	/* octets of text that are kept */
#define STAMP_LEN	16
#define ECHO_LIMIT	5000
#define STOP_MS		2000

struct probe {
	int		 tty;		/* our end; -1 once it is over */
	pid_t		 child;
	int		 status;	/* -1 while it runs */
	bool		 paused;
	enum screen_state state;
	uint64_t	 octets;
	uint64_t	 last;		/* when something was printed */
	size_t		 len;
	char		 text[TAIL + CHUNK];	/* what came last, LEN octets */
	size_t		 fresh;		/* of them not looked at yet */
};

/* ---- the terminal --------------------------------------------------------- */

static void
ended(struct probe *p)
{
	close(p->tty);
	p->tty = -1;
	p->status = spawn_wait(p->child);
}

/* Take what is printed within MS milliseconds.  False if there was nothing. */
static bool
take(struct probe *p, int ms)
{
	struct pollfd pfd = { p->tty, POLLIN, 0 };
	char buf[CHUNK];
	ssize_t n;

	if (p->tty == -1 || poll(&pfd, 1, ms) <= 0)
		return false;
	n = read(p->tty, buf, sizeof buf);
	if (n <= 0) {
		ended(p);
		return false;
	}
	p->last = clock_ns();
	p->octets += (uint64_t)n;
	if (p->len > TAIL) {
		memmove(p->text, p->text + p->len - TAIL, TAIL);
		p->len = TAIL;
	}
	p->fresh = screen_text(&p->state, buf, (size_t)n, p->text + p->len);
	p->len += p->fresh;
	return true;
}

static void
start(struct probe *p, struct winsize *ws, char **argv)
{
	struct termios raw;

	memset(&raw, 0, sizeof raw);
	cfmakeraw(&raw);
	raw.c_cflag |= CREAD;
	raw.c_cc[VMIN] = 1;
	p->status = -1;
	p->child = forkpty(&p->tty, NULL, &raw, ws);
	if (p->child == -1)
		err(1, "forkpty");
	if (p->child == 0) {
		(void)signal(SIGPIPE, SIG_DFL);
		execvp(argv[0], argv);
		warn("%s", argv[0]);
		_exit(127);
	}
	p->last = clock_ns();
}

static void
type(struct probe *p, const char *keys, size_t len)
{
	if (p->tty != -1 && write_all(p->tty, keys, len) == -1)
		warn("the terminal");
}

/* ---- conditions ----------------------------------------------------------- */

/* True if TEXT is in what came, or began before and is complete now. */
static bool
has(struct probe *p, const char *text, size_t len)
{
	size_t back = p->fresh + len - 1;

	if (back > p->len)
		back = p->len;
	return memmem(p->text + p->len - back, back, text, len) != NULL;
}

static bool
is_late(uint64_t limit)
{
	return clock_ns() >= limit;
}

static uint64_t
limit_of(uint64_t ms)
{
	return clock_ns() + ms * 1000000;
}

/* Forget what came before. */
static void
arm(struct probe *p)
{
	p->len = p->fresh = 0;
}

/* Until TEXT is printed, or a word for why not. */
static const char *
await(struct probe *p, const char *text, size_t len, uint64_t limit)
{
	while (!is_late(limit)) {
		if (take(p, 100) && has(p, text, len))
			return NULL;
		if (p->tty == -1)
			return "ended";
	}
	return "late";
}

/* The newest T= that came whole, or 0. */
static uint64_t
newest_stamp(struct probe *p)
{
	size_t back = p->fresh + STAMP_LEN + 1;
	const char *s, *end = p->text + p->len;
	uint64_t newest = 0, v;
	size_t zeros;

	s = back > p->len ? p->text : end - back;
	while ((s = memmem(s, (size_t)(end - s), "T=", 2)) != NULL) {
		s += 2;
		if (end - s < STAMP_LEN)
			break;
		zeros = strspn(s, "0");
		if (zeros < STAMP_LEN && num_parse(s + zeros,
		    STAMP_LEN - zeros, 1, UINT64_MAX, &v) == 0 && v > newest)
			newest = v;
	}
	return newest;
}

/* ---- commands ------------------------------------------------------------- */

/* The next word of *LINE as a number; 0 if it is none. */
static uint64_t
number(char **line)
{
	size_t len = strcspn(*line, " ");
	uint64_t v = 0;

	(void)num_parse(*line, len, 0, UINT64_MAX, &v);
	*line += len + ((*line)[len] == ' ');
	return v;
}

/* The next word as octets in hexadecimal, into OUT; returns how many. */
static size_t
hex(char **line, char *out, size_t cap)
{
	size_t n = 0;
	unsigned int v;

	while (n < cap && sscanf(*line, "%2x", &v) == 1 && **line != ' ') {
		out[n++] = (char)v;
		*line += 2;
	}
	*line += **line == ' ';
	return n;
}

static void
do_wait(struct probe *p, char *line)
{
	uint64_t ms = number(&line);
	const char *why;

	arm(p);
	why = await(p, line, strlen(line), limit_of(ms));
	if (why != NULL)
		puts(why);
	else
		printf("%" PRIu64 " %" PRIu64 "\n", p->last, p->octets);
}

static void
do_poke(struct probe *p, char *line)
{
	uint64_t ms = number(&line), sent;
	const char *why;
	char keys[256];
	size_t n = hex(&line, keys, sizeof keys);

	arm(p);
	sent = clock_ns();
	type(p, keys, n);
	why = await(p, line, strlen(line), limit_of(ms));
	if (why != NULL)
		puts(why);
	else
		printf("%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", sent, p->last,
		    p->octets);
}

static void
do_type(struct probe *p, char *line)
{
	uint64_t now = clock_ns();
	char keys[256];

	type(p, keys, hex(&line, keys, sizeof keys));
	printf("%" PRIu64 "\n", now);
}

/* Take what is printed until LIMIT. */
static void
idle(struct probe *p, uint64_t limit)
{
	uint64_t now;

	while ((now = clock_ns()) < limit && p->tty != -1) {
		struct pollfd pfd = { p->tty, POLLIN, 0 };
		const struct timespec ts = { 0, (long)((limit - now) %
		    1000000000) };

		if (ppoll(&pfd, 1, &ts, NULL) > 0)
			(void)take(p, 0);
	}
}

/* How long the echo of KEY takes, in nanoseconds; 0 if it does not come. */
static uint64_t
echo_time(struct probe *p, char key)
{
	uint64_t sent;

	arm(p);
	sent = clock_ns();
	type(p, &key, 1);
	if (await(p, &key, 1, limit_of(ECHO_LIMIT)) != NULL)
		return 0;
	return p->last - sent;
}

static void
do_keys(struct probe *p, char *line)
{
	uint64_t count = number(&line), min = number(&line);
	uint64_t max = number(&line), i, took;

	if (max <= min)
		max = min + 1;
	for (i = 0; i < count; i++) {
		idle(p, clock_ns() + 1000 *
		    (min + (uint64_t)random() % (max - min)));
		took = echo_time(p, (char)('a' + i % 26));
		if (took == 0)
			break;
		printf("%" PRIu64 " ", took);
	}
	puts(i == count ? "" : "late");
}

static void
do_stamp(struct probe *p, char *line)
{
	uint64_t limit = limit_of(number(&line)), after = number(&line);
	uint64_t stamp;

	arm(p);
	while (!is_late(limit) && p->tty != -1) {
		if (!take(p, 100))
			continue;
		stamp = newest_stamp(p);
		if (stamp >= after && stamp != 0) {
			printf("%" PRIu64 " %" PRIu64 "\n", p->last, stamp);
			return;
		}
	}
	puts(p->tty == -1 ? "ended" : "late");
}

static void
do_pause(struct probe *p, char *line)
{
	(void)line;
	p->paused = true;
	printf("%" PRIu64 "\n", clock_ns());
}

static void
do_resume(struct probe *p, char *line)
{
	(void)line;
	p->paused = false;
	printf("%" PRIu64 "\n", clock_ns());
}

static void
do_quiet(struct probe *p, char *line)
{
	uint64_t limit = limit_of(number(&line)), ms = number(&line);

	while (!is_late(limit))
		if (!take(p, (int)ms)) {
			printf("%" PRIu64 "\n", clock_ns());
			return;
		}
	puts("late");
}

static void
do_octets(struct probe *p, char *line)
{
	(void)line;
	printf("%" PRIu64 "\n", p->octets);
}

static void
do_end(struct probe *p, char *line)
{
	uint64_t limit = limit_of(number(&line));

	while (p->tty != -1 && !is_late(limit))
		(void)take(p, 100);
	if (p->tty == -1)
		printf("%" PRIu64 " %d\n", clock_ns(), p->status);
	else
		puts("late");
}

static void
do_tail(struct probe *p, char *line)
{
	size_t n = p->len < TAIL ? p->len : TAIL, i;

	(void)line;
	for (i = p->len - n; i < p->len; i++)
		putchar(p->text[i] >= ' ' && p->text[i] <= '~' ?
		    p->text[i] : '?');
	putchar('\n');
}

static const struct {
	const char	*name;
	void		(*run)(struct probe *, char *);
} commands[] = {
	{ "keys", do_keys },
	{ "wait", do_wait },
	{ "poke", do_poke },
	{ "type", do_type },
	{ "stamp", do_stamp },
	{ "pause", do_pause },
	{ "resume", do_resume },
	{ "quiet", do_quiet },
	{ "octets", do_octets },
	{ "end", do_end },
	{ "tail", do_tail },
};

static void
obey(struct probe *p, char *line)
{
	size_t n = strcspn(line, " "), i;

	for (i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (strlen(commands[i].name) == n &&
		    strncmp(commands[i].name, line, n) == 0)
			break;
	if (i == sizeof commands / sizeof commands[0])
		puts("what?");
	else
		commands[i].run(p, line + n + (line[n] == ' '));
	(void)fflush(stdout);
}

/* ---- main ----------------------------------------------------------------- */

/* A command line, if one is there; the terminal is read meanwhile. */
static bool
next_command(struct probe *p, char *line, size_t cap)
{
	struct pollfd pfd[2] = { { STDIN_FILENO, POLLIN, 0 },
	    { -1, POLLIN, 0 } };

	for (;;) {
		pfd[1].fd = p->paused ? -1 : p->tty;
		if (poll(pfd, 2, -1) == -1 && errno != EINTR)
			err(1, "poll");
		if (pfd[1].revents != 0)
			(void)take(p, 0);
		if (pfd[0].revents != 0)
			return fgets(line, (int)cap, stdin) != NULL;
	}
}

static int
parse_size(const char *s, struct winsize *ws)
{
	size_t x = strcspn(s, "x");
	uint64_t cols, rows;

	if (s[x] == '\0' || num_parse(s, x, 1, 9999, &cols) == -1 ||
	    num_parse_str(s + x + 1, 1, 9999, &rows) == -1)
		return -1;
	memset(ws, 0, sizeof *ws);
	ws->ws_col = (unsigned short)cols;
	ws->ws_row = (unsigned short)rows;
	return 0;
}

int
main(int argc, char **argv)
{
	static struct probe p;
	struct winsize ws;
	char line[1024];

	if (argc < 3 || parse_size(argv[1], &ws) == -1)
		errx(1, "usage: bench-probe COLSxROWS COMMAND...");
	(void)signal(SIGPIPE, SIG_IGN);
	/* a line that is read is a line that is there */
	(void)setvbuf(stdin, NULL, _IONBF, 0);
	printf("%" PRIu64 "\n", clock_ns());
	(void)fflush(stdout);
	start(&p, &ws, argv + 2);
	while (next_command(&p, line, sizeof line)) {
		line[strcspn(line, "\n")] = '\0';
		obey(&p, line);
	}
	if (p.tty != -1) {
		(void)kill(p.child, SIGHUP);
		close(p.tty);
		spawn_stop(p.child, STOP_MS);
	}
	return 0;
}
