/*
 * pane.c - the program in the pane that is measured: prints what it is told to.
 *
 * usage: bench-pane SOCKET
 *
 * Listens on SOCKET for one caller at a time; a command is a line, and so is
 * its answer.  Times are those of clock.h.
 *
 *	size			COLS ROWS
 *	paint MARK		a full screen whose last row says MARK
 *	flood OCTETS MARK	that much output, then MARK on a line
 *	torrent MARK		output until SIGINT, then MARK on a line
 *	yes MARK		the same, of lines `y K=N.`: N keys so far
 *
 * The first two floods answer BEGIN END STALL OCTETS: when the first write began and the
 * last one ended, the longest that one write of CHUNK octets took, and how much
 * was written; torrent's END is when SIGINT came.  Some lines of a flood say
 * T= and when they were written, in microseconds.  The last answers BEGIN END.
 *
 * What is typed is echoed by the terminal, key by key, and thrown away.
 */
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <err.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "clock.h"
#include "files.h"
#include "num.h"
#include "unix.h"

#define LINE		80	/* octets, with the newline */
#define LINES		51
#define CHUNK		(LINE * LINES)
#define STAMPED		8	/* every so many lines have the time */
#define STAMP_AT	5	/* after the colour */
#define STAMP_LEN	16
#define FLOOD_MAX	(UINT64_C(1) << 40)

static volatile sig_atomic_t interrupted;
static uint64_t interrupted_at;

static void
on_interrupt(int sig)
{
	(void)sig;
	if (!interrupted)
		interrupted_at = clock_ns();
	interrupted = 1;
}

/* Echo, signals, but no lines: they would be at most 4095 octets long. */
static void
set_terminal(void)
{
	struct sigaction sa;
	struct termios t;

	if (tcgetattr(STDIN_FILENO, &t) == -1)
		err(1, "bench-pane needs a terminal");
	t.c_lflag &= (tcflag_t)~ICANON;
	t.c_lflag |= ECHO | ISIG;
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	if (tcsetattr(STDIN_FILENO, TCSANOW, &t) == -1)
		err(1, "tcsetattr");
	memset(&sa, 0, sizeof sa);
	sa.sa_handler = on_interrupt;
	sa.sa_flags = SA_RESTART;
	(void)sigaction(SIGINT, &sa, NULL);
}

static void
put(const char *s, size_t len)
{
	if (write_all(STDOUT_FILENO, s, len) == -1)
		err(1, "the terminal");
}

static void
put_line(const char *s)
{
	put(s, strlen(s));
	put("\n", 1);
}

/* Coloured text, as a log has it; each line in a colour of its own. */
static void
make_chunk(char *chunk)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t r = 1;
	char *p;
	int i, j;

	for (i = 0; i < LINES; i++) {
		p = chunk + i * LINE;
		for (j = 0; j < LINE; j++) {
			r = r * 1664525 + 1013904223;
			p[j] = letters[(r >> 16) % (sizeof letters - 1)];
		}
		memcpy(p, "\033[31m", 5);
		p[3] = (char)('1' + i % 7);
		memcpy(p + LINE - 5, "\033[0m\n", 5);
		if (i % STAMPED == 0) {
			memcpy(p + STAMP_AT, "T=", 2);
			p[STAMP_AT + 2 + STAMP_LEN] = ' ';
		}
	}
}

static void
stamp_chunk(char *chunk, uint64_t now)
{
	char digits[32];
	int i;

	(void)snprintf(digits, sizeof digits, "%016" PRIu64, now / 1000);
	for (i = 0; i < LINES; i += STAMPED)
		memcpy(chunk + i * LINE + STAMP_AT + 2, digits, STAMP_LEN);
}

/* Print OCTETS of it, or with 0 until SIGINT; the answer goes to OUT. */
static void
flood(uint64_t octets, const char *mark, FILE *out)
{
	static char chunk[CHUNK];
	uint64_t begin, before, now, stall = 0, done = 0;
	size_t n = CHUNK;

	make_chunk(chunk);
	interrupted = 0;
	begin = now = clock_ns();
	while (octets == 0 ? !interrupted : done < octets) {
		before = now;
		stamp_chunk(chunk, now);
		if (octets != 0 && octets - done < CHUNK)
			n = (size_t)(octets - done);
		put(chunk, n);
		done += n;
		now = clock_ns();
		if (now - before > stall)
			stall = now - before;
	}
	put_line("\033[0m");
	put_line(mark);
	fprintf(out, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
	    begin, octets == 0 ? interrupted_at : now, stall, done);
}

/* As yes(1), but that what is typed changes it. */
static void
yes(const char *mark, FILE *out)
{
	struct pollfd pfd = { STDIN_FILENO, POLLIN, 0 };
	char keys[64], chunk[CHUNK];
	uint64_t begin = clock_ns(), typed = 0;
	size_t len = 0;
	ssize_t n;

	interrupted = 0;
	while (!interrupted) {
		if (poll(&pfd, 1, 0) > 0 &&
		    (n = read(STDIN_FILENO, keys, sizeof keys)) > 0) {
			typed += (uint64_t)n;
			len = 0;
		}
		while (len < sizeof chunk - LINE)
			len += (size_t)snprintf(chunk + len, LINE,
			    "y K=%" PRIu64 ".\n", typed);
		put(chunk, len);
	}
	put_line(mark);
	fprintf(out, "%" PRIu64 " %" PRIu64 "\n", begin, interrupted_at);
}

static struct winsize
size(void)
{
	struct winsize ws = { .ws_row = 24, .ws_col = 80 };

	(void)ioctl(STDIN_FILENO, TIOCGWINSZ, &ws);
	return ws;
}

static void
paint(const char *mark)
{
	struct winsize ws = size();
	char row[LINE];
	int i;

	put("\033[H\033[2J", 7);
	for (i = 1; i < ws.ws_row; i++) {
		(void)snprintf(row, sizeof row, "\033[3%dm%3d of a full screen"
		    " of text\033[0m", 1 + i % 7, i);
		put_line(row);
	}
	put(mark, strlen(mark));
}

static void
obey(char *line, FILE *out)
{
	char *arg = line + strcspn(line, " "), *mark;
	uint64_t n;

	if (*arg != '\0')
		*arg++ = '\0';
	mark = arg + strcspn(arg, " ");
	if (*mark != '\0')
		*mark++ = '\0';
	if (strcmp(line, "size") == 0) {
		fprintf(out, "%d %d\n", size().ws_col, size().ws_row);
	} else if (strcmp(line, "paint") == 0) {
		paint(arg);
		fputs("done\n", out);
	} else if (strcmp(line, "torrent") == 0) {
		flood(0, arg, out);
	} else if (strcmp(line, "yes") == 0) {
		yes(arg, out);
	} else if (strcmp(line, "flood") == 0 &&
	    num_parse_str(arg, 1, FLOOD_MAX, &n) == 0) {
		flood(n, mark, out);
	} else
		fputs("what?\n", out);
	(void)fflush(out);
}

/* Serve one caller until it hangs up. */
static void
serve(int s)
{
	FILE *in = fdopen(s, "r"), *out = fdopen(dup(s), "w");
	char line[256];

	if (in == NULL || out == NULL)
		err(1, "fdopen");
	while (fgets(line, sizeof line, in) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		obey(line, out);
		(void)tcflush(STDIN_FILENO, TCIFLUSH);
	}
	(void)fclose(in);
	(void)fclose(out);
}

int
main(int argc, char **argv)
{
	struct pollfd pfd[2] = { { .events = POLLIN }, { .events = POLLIN } };
	char keys[4096];
	int s;

	if (argc != 2)
		errx(1, "usage: bench-pane SOCKET");
	(void)signal(SIGPIPE, SIG_IGN);
	set_terminal();
	pfd[0].fd = STDIN_FILENO;
	pfd[1].fd = unix_listen(argv[1], 0600);
	if (pfd[1].fd == -1)
		err(1, "%s", argv[1]);
	for (;;) {
		if (poll(pfd, 2, -1) == -1)
			continue;
		if (pfd[0].revents != 0 &&
		    read(STDIN_FILENO, keys, sizeof keys) <= 0)
			return 0;
		if (pfd[1].revents == 0)
			continue;
		s = accept4(pfd[1].fd, NULL, NULL, SOCK_CLOEXEC);
		if (s != -1)
			serve(s);
	}
}
