/*
 * snapshot_demo.c - the customer's tmux side without a relay, by orders.
 *
 * usage: snapshot_demo DIR
 *
 * DIR has a tmux server's socket, tmux.sock, with a session linbit-demo; what
 * its default-command starts is the shell pane.  Orders, one a line, on stdin:
 *
 *	shoot FILE [LINES]	write a screen to FILE, and what is above it to
 *				FILE.history
 *	keys TEXT		type TEXT and a carriage return
 *	type FILE		type what is in FILE as fast as it is taken; "stuck"
 *				if for two seconds none of it was
 *	resize COLS ROWS	wish a size
 *	zoom
 *
 * Each is answered on stdout when it is done; the first line is "ready".
 */
#include <event2/buffer.h>
#include <event2/event.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../customer/panes.h"
#include "../../customer/pipe.h"
#include "../../customer/tmuxcaps.h"
#include "log.h"

struct demo {
	struct event_base	*base;
	struct panes		*panes;
	struct tmuxcaps		 tmux;
	struct sessiondir	 sd;
	char			 file[256];
	struct event		*typing;
	int			 typed;		/* the file that is */
	unsigned int		 waits;		/* in a row */
};

static void
answer(const char *text)
{
	(void)printf("%s\n", text);
	(void)fflush(stdout);
}

static void
save(const char *path, struct evbuffer *octets)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd == -1)
		fatal("%s", path);
	while (evbuffer_get_length(octets) > 0)
		if (evbuffer_write(octets, fd) <= 0)
			fatal("%s", path);
	close(fd);
}

static void
ready_cb(void *arg)
{
	(void)arg;
	answer("ready");
}

static void
output_cb(void *arg, const char *data, size_t len)
{
	(void)arg;
	(void)data;
	(void)len;
}

static void
shot_cb(void *arg, const struct panes_shot *shot)
{
	struct demo *d = arg;
	char path[300], text[64];

	if (shot == NULL) {
		answer("failed");
		return;
	}
	if (!shot->asked)
		return;
	save(d->file, shot->screen);
	if (shot->history != NULL) {
		(void)snprintf(path, sizeof path, "%s.history", d->file);
		save(path, shot->history);
	}
	(void)snprintf(text, sizeof text, "shot %u %u", shot->cols,
	    shot->rows);
	answer(text);
}

static void
changed_cb(void *arg)
{
	(void)arg;
}

static void
stale_cb(void *arg)
{
	(void)arg;
}

static void
end_cb(void *arg, bool tmux)
{
	struct demo *d = arg;

	answer(tmux ? "tmux ended" : "shell ended");
	(void)event_base_loopexit(d->base, NULL);
}

static const struct panes_ops ops = { ready_cb, output_cb, shot_cb, changed_cb,
    stale_cb, end_cb };

/* Type on, until all is typed or nothing was taken for a while. */
static void
typing_cb(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval tv = { 0, 20000 };
	struct demo *d = arg;
	char buf[16384];
	ssize_t n = 1;

	(void)fd;
	(void)what;
	while (!panes_busy(d->panes) && (n = read(d->typed, buf,
	    sizeof buf)) > 0) {
		panes_keys(d->panes, buf, (size_t)n);
		d->waits = 0;
	}
	if (n > 0 && ++d->waits < 100) {
		(void)event_add(d->typing, &tv);
		return;
	}
	close(d->typed);
	answer(n > 0 ? "stuck" : "done");
}

static void
order(struct demo *d, char *line)
{
	unsigned int a = 0, b = 0;

	if (sscanf(line, "shoot %255s %u", d->file, &a) >= 1) {
		panes_shoot(d->panes, a);
		return;
	}
	if (sscanf(line, "type %255s", d->file) == 1) {
		d->typed = open(d->file, O_RDONLY | O_CLOEXEC);
		d->waits = 0;
		event_active(d->typing, EV_TIMEOUT, 0);
		return;
	}
	if (strncmp(line, "keys ", 5) == 0) {
		panes_keys(d->panes, line + 5, strlen(line + 5));
		panes_keys(d->panes, "\r", 1);
	} else if (sscanf(line, "resize %u %u", &a, &b) == 2)
		panes_resize(d->panes, a, b);
	else if (strcmp(line, "zoom") == 0)
		panes_zoom(d->panes);
	else
		fatalx("no such order: %s", line);
	answer("done");
}

static void
stdin_cb(evutil_socket_t fd, short what, void *arg)
{
	struct demo *d = arg;
	char line[512];

	(void)fd;
	(void)what;
	if (fgets(line, sizeof line, stdin) == NULL) {
		(void)event_base_loopexit(d->base, NULL);
		return;
	}
	line[strcspn(line, "\n")] = '\0';
	order(d, line);
}

static void
child_cb(evutil_socket_t fd, short what, void *arg)
{
	struct demo *d = arg;

	(void)fd;
	(void)what;
	panes_reap(d->panes);
}

int
main(int argc, char **argv)
{
	static struct demo d;
	struct event *in, *child;

	if (argc == 3 && strcmp(argv[1], "@chat") == 0) {
		(void)pause();		/* the chat pane */
		return 0;
	}
	if (argc == 4 && strcmp(argv[1], "@pipe") == 0)
		return pipe_main(argv[2], argv[3]);
	if (argc != 2 || strlen(argv[1]) >= sizeof d.sd.path)
		fatalx("usage: snapshot_demo DIR");
	log_init("snapshot_demo", 1, 0);
	(void)setvbuf(stdin, NULL, _IONBF, 0);	/* one order an event */
	(void)snprintf(d.sd.path, sizeof d.sd.path, "%s", argv[1]);
	(void)snprintf(d.sd.hash, sizeof d.sd.hash, "demo");
	if (tmuxcaps_load(&d.tmux, getenv("TUNL_TMUX_CAPS")) == -1)
		fatal("tmux -V");
	d.base = event_base_new();
	d.panes = panes_new(d.base, &d.sd, &d.tmux, &ops, &d);
	if (d.base == NULL || d.panes == NULL)
		fatal("cannot start");
	in = event_new(d.base, 0, EV_READ | EV_PERSIST, stdin_cb, &d);
	d.typing = evtimer_new(d.base, typing_cb, &d);
	child = evsignal_new(d.base, SIGCHLD, child_cb, &d);
	(void)event_add(in, NULL);
	(void)event_add(child, NULL);
	(void)event_base_dispatch(d.base);
	event_free(in);
	event_free(d.typing);
	event_free(child);
	panes_free(d.panes);
	event_base_free(d.base);
	return 0;
}
