/*
 * control.c - see control.h.
 */
#include "control.h"

#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "log.h"
#include "spawn.h"
#include "tmux.h"
#include "tmuxcaps.h"

#define STOP_MS	1000

/* A line whose answers are due. */
struct line {
	TAILQ_ENTRY(line)	 next;
	control_reply_cb	*done;
	void			*arg;
	unsigned int		 commands;
	unsigned int		 n;
	struct control_answer	 answers[];	/* for each command */
};

struct control {
	const struct control_ops	*ops;
	void				*arg;
	struct bufferevent		*bev;	/* NULL: ended */
	struct tmux_parser		 parser;
	bool				 attached;
	struct evbuffer			*held;	/* what may only go then */
	TAILQ_HEAD(line_list, line)	 lines;
	unsigned int			 pending;	/* of them */
	pid_t				 pid;	/* -1: reaped */
};

static void
line_free(struct control *ct, struct line *ln)
{
	unsigned int i;

	TAILQ_REMOVE(&ct->lines, ln, next);
	ct->pending--;
	for (i = 0; i < ln->n; i++)
		free(ln->answers[i].s);
	free(ln);
}

static void
ended(struct control *ct)
{
	if (ct->bev == NULL)
		return;
	bufferevent_free(ct->bev);
	ct->bev = NULL;
	ct->ops->end_cb(ct->arg);
}

/* ---- what comes in -------------------------------------------------------- */

static void
output_cb(void *arg, unsigned int pane, const char *data, size_t len)
{
	struct control *ct = arg;

	ct->ops->output_cb(ct->arg, pane, data, len);
}

static void
notify_cb(void *arg, const char *name)
{
	struct control *ct = arg;

	ct->ops->notify_cb(ct->arg, name);
}

static bool
keep_answer(struct line *ln, const char *body, size_t len)
{
	char *copy = malloc(len + 1);

	if (copy == NULL)
		return false;
	memcpy(copy, body, len);
	copy[len] = '\0';
	ln->answers[ln->n].s = copy;
	ln->answers[ln->n++].len = len;
	return true;
}

/* One command of the oldest line was answered.  A failure ends its line: tmux
 * does not carry out what stands behind it.  The first answer of all is that to
 * attaching; a command that came sooner could be carried out before it, in the
 * place of another client. */
static void
reply_cb(void *arg, bool ok, bool ours, const char *body, size_t len)
{
	struct control *ct = arg;
	struct line *ln = TAILQ_FIRST(&ct->lines);

	if (!ours && !ct->attached) {
		ct->attached = true;
		(void)bufferevent_write_buffer(ct->bev, ct->held);
	}
	if (!ours || ln == NULL)
		return;
	if (!ok)
		log_info("tmux: %.*s", (int)strcspn(body, "\n"), body);
	if (!ok || !keep_answer(ln, body, len)) {
		if (ln->done != NULL)
			ln->done(ln->arg, false, ln->answers, ln->n);
	} else if (ln->n < ln->commands)
		return;
	else if (ln->done != NULL)
		ln->done(ln->arg, true, ln->answers, ln->n);
	line_free(ct, ln);
}

static void
read_cb(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct control *ct = arg;
	struct evbuffer_iovec v;

	while (evbuffer_peek(in, -1, NULL, &v, 1) > 0) {
		if (tmux_parser_feed(&ct->parser, v.iov_base, v.iov_len) ==
		    -1) {
			log_warn("what tmux says makes no sense");
			ended(ct);
			return;
		}
		if (ct->bev == NULL)
			return;
		(void)evbuffer_drain(in, v.iov_len);
	}
}

static void
event_cb(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
		ended(arg);
}

/* ---- what goes out -------------------------------------------------------- */

void
control_command(struct control *ct, unsigned int commands,
    control_reply_cb *done, void *arg, const char *fmt, ...)
{
	struct evbuffer *out;
	struct line *ln;
	va_list ap;

	if (ct->bev == NULL)
		return;
	out = ct->attached ? bufferevent_get_output(ct->bev) : ct->held;
	ln = calloc(1, sizeof *ln + commands * sizeof ln->answers[0]);
	if (ln == NULL) {
		ended(ct);
		return;
	}
	ln->commands = commands;
	ln->done = done;
	ln->arg = arg;
	TAILQ_INSERT_TAIL(&ct->lines, ln, next);
	ct->pending++;
	va_start(ap, fmt);
	(void)evbuffer_add_vprintf(out, fmt, ap);
	va_end(ap);
	(void)evbuffer_add(out, "\n", 1);
}

unsigned int
control_pending(const struct control *ct)
{
	return ct->pending;
}

/* ---- the client ----------------------------------------------------------- */

static pid_t
start_client(const struct tmuxcaps *caps, const char *socket,
    const char *session, bool output, int io)
{
	/* -u: or replies are not UTF-8 where the locale is not.  -E: the
	 * session's environment is not ours to change.  Never -r: it protects
	 * nothing, and makes send-keys fail from tmux 3.7 on. */
	const char *argv[] = { "tmux", "-u", "-S", socket, "-C",
	    "attach-session", "-E", "-t", session, NULL, NULL, NULL };
	struct spawn sp = SPAWN_INIT(argv);

	if (tmuxcaps_has(caps, TMUX_CLIENT_FLAGS)) {
		argv[9] = "-f";
		argv[10] = output ? "ignore-size" : "ignore-size,no-output";
	}
	sp.in = sp.out = io;
	sp.err = -1;
	sp.flags = SPAWN_DEATHSIG;
	return spawn_start(&sp);
}

static const struct tmux_events events = { output_cb, reply_cb, notify_cb };

struct control *
control_new(struct event_base *base, const struct tmuxcaps *caps,
    const char *socket, const char *session, bool output,
    const struct control_ops *ops, void *arg)
{
	struct control *ct = calloc(1, sizeof *ct);
	int fds[2], saved;

	if (ct == NULL)
		return NULL;
	ct->ops = ops;
	ct->arg = arg;
	ct->pid = -1;
	TAILQ_INIT(&ct->lines);
	tmux_parser_init(&ct->parser, &events, ct);
	ct->held = evbuffer_new();
	if (ct->held == NULL)
		goto fail;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == -1)
		goto fail;
	ct->pid = start_client(caps, socket, session, output, fds[1]);
	saved = errno;
	close(fds[1]);
	if (ct->pid == -1 || fd_nonblock(fds[0], 1) == -1 ||
	    (ct->bev = bufferevent_socket_new(base, fds[0],
	    BEV_OPT_CLOSE_ON_FREE)) == NULL) {
		close(fds[0]);
		errno = saved;
		goto fail;
	}
	bufferevent_setcb(ct->bev, read_cb, NULL, event_cb, ct);
	(void)bufferevent_enable(ct->bev, EV_READ | EV_WRITE);
	return ct;
fail:
	saved = errno;
	control_free(ct);
	errno = saved;
	return NULL;
}

void
control_free(struct control *ct)
{
	struct line *ln;

	if (ct->bev != NULL)
		bufferevent_free(ct->bev);
	if (ct->pid != -1)
		spawn_stop(ct->pid, STOP_MS);
	while ((ln = TAILQ_FIRST(&ct->lines)) != NULL)
		line_free(ct, ln);
	tmux_parser_release(&ct->parser);
	if (ct->held != NULL)
		evbuffer_free(ct->held);
	free(ct);
}

void
control_reap(struct control *ct)
{
	int status;

	if (ct->pid != -1 && waitpid(ct->pid, &status, WNOHANG) == ct->pid)
		ct->pid = -1;
}
