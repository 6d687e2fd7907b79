/*
 * chatui_demo.c - the chat screen on its own, driven by what is typed into it.
 *
 * usage: chatui_demo [OUTFILE]
 *
 * A line that is entered is shown as from "me", and written to OUTFILE with a
 * line feed.  Lines that begin with a slash are orders (see the table), the
 * means to put octets on the screen that no keyboard sends.
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "chatui.h"
#include "files.h"
#include "num.h"

struct demo {
	struct event_base *base;
	struct chatui	*ui;
	unsigned int	 last;		/* the last line of "me" */
	unsigned int	 ticks;
	int		 out;		/* -1: none */
	int		 gone;
};

#define NOON	43200	/* lines carry a time that a test can know */

static void
say(struct demo *d, const char *who, const char *text)
{
	(void)chatui_line(d->ui, NOON, CHATUI_NORMAL, who, text);
}

static void
order_fill(struct demo *d, const char *arg)
{
	uint64_t n, i;
	char text[32];

	if (num_parse_str(arg, 0, 100000, &n) == -1)
		return;
	for (i = 1; i <= n; i++) {
		(void)snprintf(text, sizeof text, "line %u", (unsigned int)i);
		say(d, "peer", text);
	}
}

static void
order_hostile(struct demo *d, const char *arg)
{
	(void)arg;
	say(d, "ev\033[31mil", "a\033]0;owned\007b\033[2Jc\302\2331md\177e"
	    "\342\200\256f\377g\nh");
	(void)chatui_line(d->ui, NOON, CHATUI_NORMAL, NULL, "end of hostile");
}

static void
order_peer(struct demo *d, const char *arg)
{
	say(d, "J\303\274rgen", arg);
}

static void
order_mark(struct demo *d, const char *arg)
{
	chatui_mark(d->ui, d->last, strcmp(arg, "on") == 0);
}

static void
order_notice(struct demo *d, const char *arg)
{
	chatui_notice(d->ui, CHATUI_WARN, *arg != '\0' ? arg : NULL, 0);
}

static void
order_lapse(struct demo *d, const char *arg)
{
	chatui_notice(d->ui, CHATUI_WARN, arg, 2);
}

static void
order_bad(struct demo *d, const char *arg)
{
	chatui_header(d->ui, 0, CHATUI_BAD, arg);
}

static void
order_readonly(struct demo *d, const char *arg)
{
	chatui_readonly(d->ui, arg);
}

static void
order_quit(struct demo *d, const char *arg)
{
	(void)arg;
	chatui_free(d->ui);
	d->ui = NULL;
	event_base_loopbreak(d->base);
}

static const struct {
	const char	*name;
	void		(*run)(struct demo *d, const char *arg);
} orders[] = {
	{ "/fill ", order_fill },		/* lines from a peer */
	{ "/hostile", order_hostile },
	{ "/peer ", order_peer },
	{ "/mark ", order_mark },		/* on: not delivered */
	{ "/notice ", order_notice },
	{ "/lapse ", order_lapse },		/* a notice for two seconds */
	{ "/bad ", order_bad },
	{ "/readonly ", order_readonly },
	{ "/quit", order_quit },		/* from inside the callback */
};

static int
submit_cb(void *arg, const char *text)
{
	struct demo *d = arg;
	size_t i, n;

	for (i = 0; i < sizeof orders / sizeof orders[0]; i++) {
		n = strlen(orders[i].name);
		if (strncmp(text, orders[i].name, n) == 0) {
			orders[i].run(d, text + n);
			return 0;
		}
	}
	if (strcmp(text, "/refuse") == 0)
		return -1;
	d->last = chatui_line(d->ui, NOON, CHATUI_NORMAL, "me", text);
	if (d->out != -1 && (write_all(d->out, text, strlen(text)) == -1 ||
	    write_all(d->out, "\n", 1) == -1))
		return -1;
	return 0;
}

static void
tick_cb(void *arg)
{
	struct demo *d = arg;
	char text[64];

	(void)snprintf(text, sizeof text, "up for %u s", ++d->ticks);
	chatui_header(d->ui, 1, CHATUI_GOOD, text);
}

static void
eof_cb(void *arg, int terminal_gone)
{
	struct demo *d = arg;

	d->gone = terminal_gone;
	event_base_loopbreak(d->base);
}

/* SIGTERM ends it; SIGUSR1 brings a line that nobody here has typed. */
static void
signal_cb(evutil_socket_t signo, short what, void *arg)
{
	struct demo *d = arg;

	(void)what;
	if (signo == SIGUSR1)
		say(d, "peer", "while away");
	else
		event_base_loopbreak(d->base);
}

int
main(int argc, char **argv)
{
	static const struct chatui_ops ops = { submit_cb, tick_cb, eof_cb };
	struct demo d = { .out = -1 };
	struct event *term, *line;

	if (setenv("TZ", "UTC", 1) == -1)
		return 1;
	if (argc > 1)
		d.out = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
		    0600);
	d.base = event_base_new();
	if (d.base == NULL)
		return 1;
	d.ui = chatui_new(d.base, &ops, &d, "> ");
	if (d.ui == NULL) {
		(void)fprintf(stderr, "chatui_demo: %s\n", strerror(errno));
		event_base_free(d.base);
		return 1;
	}
	term = evsignal_new(d.base, SIGTERM, signal_cb, &d);
	line = evsignal_new(d.base, SIGUSR1, signal_cb, &d);
	if (term != NULL && line != NULL && evsignal_add(term, NULL) == 0 &&
	    evsignal_add(line, NULL) == 0) {
		chatui_header(d.ui, 0, CHATUI_NORMAL, "[DEMO] top row");
		chatui_header(d.ui, 1, CHATUI_GOOD, "up for 0 s");
		(void)event_base_dispatch(d.base);
	}
	chatui_free(d.ui);
	event_free(term);
	event_free(line);
	event_base_free(d.base);
	if (d.out != -1)
		close(d.out);
	(void)printf("demo over%s\n", d.gone ? ", terminal gone" : "");
	return 0;
}
