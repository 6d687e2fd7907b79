/*
 * pipe.c - see pipe.h.
 */
#include "pipe.h"

#include <sys/ioctl.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <linux/sockios.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "context.h"
#include "files.h"
#include "log.h"
#include "mono.h"
#include "tmux.h"
#include "unix.h"

#define TOKEN_LEN	16		/* hexadecimal digits */
#define GUESTS_MAX	4		/* helpers that have not spoken yet */
#define GUEST_SECS	5		/* until they have */
#define READ_MAX	65536		/* octets of one read() */
#define TURN_READS	4		/* of them before others have a turn */
#define DRAIN_READS	32		/* of them for an empty pipe */
#define BURST		2048		/* octets of one turn … */
#define BURST_MS	2		/* … so soon after another: wait so long
					 * and read more at once */

/* A connection, perhaps of the helper. */
struct guest {
	LIST_ENTRY(guest)	 next;
	struct pipe		*owner;
	struct event		*ev;
};

struct pipe {
	struct event_base	*base;
	const struct pipe_ops	*ops;
	void			*arg;
	char			 path[SESSIONDIR_PATH_MAX]; /* of its directory */
	char			 exe[PATH_MAX];	/* ours, where it was at first */
	int			 listener;
	struct event		*accept;
	LIST_HEAD(guest_list, guest) guests;
	unsigned int		 nguests;

	char			 token[TOKEN_LEN + 1];	/* "": nobody is due */
	int			 next[2];	/* of a helper that came before
						 * pipe_switch(); -1 */
	bool			 due;		/* pipe_switch() before it */

	int			 in, out;	/* the open pipe; -1 */
	struct event		*readable, *writable;
	struct event		*rested;	/* read on */
	struct evbuffer		*unsent;
	int64_t			 read_ms;	/* the last turn */
	uint64_t		 total;		/* octets ever read */
};

static void
close_two(int fds[2])
{
	int i;

	for (i = 0; i < 2; i++) {
		if (fds[i] != -1)
			close(fds[i]);
		fds[i] = -1;
	}
}

/* ---- the open pipe -------------------------------------------------------- */

static void
shut(struct pipe *pp)
{
	int fds[2] = { pp->in, pp->out };

	struct event *evs[3] = { pp->readable, pp->writable, pp->rested };
	size_t i;

	for (i = 0; i < 3; i++)
		if (evs[i] != NULL)
			event_free(evs[i]);
	pp->readable = pp->writable = pp->rested = NULL;
	close_two(fds);
	pp->in = pp->out = -1;
	(void)evbuffer_drain(pp->unsent, evbuffer_get_length(pp->unsent));
}

/* Returns what read() did; -1 with EAGAIN when the pipe is empty. */
static ssize_t
read_once(struct pipe *pp)
{
	static char buf[READ_MAX];
	ssize_t n;

	do
		n = read(pp->in, buf, sizeof buf);
	while (n == -1 && errno == EINTR);
	if (n > 0) {
		pp->total += (uint64_t)n;
		pp->ops->output_cb(pp->arg, buf, (size_t)n);
	}
	return n;
}

static bool
is_end(ssize_t n)
{
	return n == 0 || (n == -1 && errno != EAGAIN);
}

static void
rested_cb(evutil_socket_t fd, short what, void *arg)
{
	struct pipe *pp = arg;

	(void)fd;
	(void)what;
	(void)event_add(pp->readable, NULL);
}

/* In a flood tmux writes some 4 KiB at a time, and waking up for each is what
 * would cost most. */
static void
rest(struct pipe *pp, uint64_t got)
{
	const struct timeval tv = { 0, BURST_MS * 1000 };
	int64_t now = mono_ms();

	if (got >= BURST && now - pp->read_ms <= 2 * BURST_MS) {
		(void)event_del(pp->readable);
		(void)event_add(pp->rested, &tv);
	}
	pp->read_ms = now;
}

static void
readable_cb(evutil_socket_t fd, short what, void *arg)
{
	struct pipe *pp = arg;
	uint64_t before = pp->total;
	ssize_t n = 0;
	int i;

	(void)fd;
	(void)what;
	for (i = 0; i < TURN_READS && pp->in != -1; i++) {
		n = read_once(pp);
		if (n < READ_MAX)
			break;
	}
	if (pp->in != -1 && is_end(n)) {
		shut(pp);
		pp->ops->end_cb(pp->arg);
	} else if (pp->in != -1)
		rest(pp, pp->total - before);
}

static void
send_unsent(struct pipe *pp)
{
	while (evbuffer_get_length(pp->unsent) > 0)
		if (evbuffer_write(pp->unsent, pp->out) <= 0)
			break;
	/* whoever reads sees the end, and tells */
	if (evbuffer_get_length(pp->unsent) > 0)
		(void)event_add(pp->writable, NULL);
}

static void
writable_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	send_unsent(arg);
}

static void
open_next(struct pipe *pp)
{
	pp->in = pp->next[0];
	pp->out = pp->next[1];
	pp->next[0] = pp->next[1] = -1;
	pp->due = false;
	pp->readable = event_new(pp->base, pp->in, EV_READ | EV_PERSIST,
	    readable_cb, pp);
	pp->writable = event_new(pp->base, pp->out, EV_WRITE, writable_cb, pp);
	pp->rested = evtimer_new(pp->base, rested_cb, pp);
	if (pp->readable == NULL || pp->writable == NULL || pp->rested == NULL ||
	    fd_nonblock(pp->in, 1) == -1 || fd_nonblock(pp->out, 1) == -1) {
		shut(pp);	/* the end of the pipe is noticed by its timer */
		return;
	}
	(void)event_add(pp->readable, NULL);
	pp->ops->open_cb(pp->arg);
}

void
pipe_switch(struct pipe *pp)
{
	if (pp->in != -1) {
		(void)pipe_drain(pp, NULL);
		shut(pp);
	}
	pp->due = true;
	if (pp->next[0] != -1)
		open_next(pp);
}

bool
pipe_is_open(const struct pipe *pp)
{
	return pp->in != -1;
}

uint64_t
pipe_drain(struct pipe *pp, bool *more)
{
	ssize_t n = 0;
	int i;

	for (i = 0; i < DRAIN_READS && pp->in != -1; i++)
		if ((n = read_once(pp)) <= 0)
			break;
	if (more != NULL)
		*more = n > 0;
	return pp->total;
}

void
pipe_write(struct pipe *pp, const void *data, size_t len)
{
	(void)evbuffer_add(pp->unsent, data, len);
	send_unsent(pp);
}

size_t
pipe_unread(const struct pipe *pp)
{
	int under_way = 0;

	if (pp->out != -1)
		(void)ioctl(pp->out, SIOCOUTQ, &under_way);
	return evbuffer_get_length(pp->unsent) + (size_t)under_way;
}

/* ---- helpers -------------------------------------------------------------- */

static void
guest_free(struct guest *g)
{
	int s = event_get_fd(g->ev);

	LIST_REMOVE(g, next);
	g->owner->nguests--;
	event_free(g->ev);
	close(s);
	free(g);
}

/* Only the helper that is due knows the token, and it comes once. */
static void
let_in(struct pipe *pp, int s, int fds[2])
{
	pp->token[0] = '\0';
	close_two(pp->next);
	pp->next[0] = fds[0];
	pp->next[1] = fds[1];
	fds[0] = fds[1] = -1;
	(void)send(s, "+", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (pp->due)
		open_next(pp);
}

static void
guest_cb(evutil_socket_t s, short what, void *arg)
{
	struct guest *g = arg;
	struct pipe *pp = g->owner;
	int fds[UNIX_FDS_MAX];
	unsigned int nfds = 0, i;
	char text[TOKEN_LEN + 1];
	ssize_t n = -1;

	if ((what & EV_READ) != 0)
		n = unix_recv(s, text, sizeof text, fds, &nfds);
	if (n == TOKEN_LEN && nfds == 2 && pp->token[0] != '\0' &&
	    memcmp(text, pp->token, TOKEN_LEN) == 0)
		let_in(pp, s, fds);
	else
		log_info("a pipe's helper came too late");
	for (i = 0; i < nfds; i++)
		if (fds[i] != -1)
			close(fds[i]);
	guest_free(g);
}

static void
accept_cb(evutil_socket_t listener, short what, void *arg)
{
	const struct timeval tv = { GUEST_SECS, 0 };
	struct pipe *pp = arg;
	struct guest *g = NULL;
	uid_t uid;
	pid_t pid;
	int s = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)what;
	if (s == -1)
		return;
	if (pp->nguests < GUESTS_MAX && unix_peer(s, &uid, &pid) == 0 &&
	    uid == geteuid())
		g = calloc(1, sizeof *g);
	if (g != NULL)
		g->ev = event_new(pp->base, s, EV_READ, guest_cb, g);
	if (g == NULL || g->ev == NULL) {
		free(g);
		close(s);
		return;
	}
	g->owner = pp;
	LIST_INSERT_HEAD(&pp->guests, g, next);
	pp->nguests++;
	(void)event_add(g->ev, &tv);
}

/* tmux expands the text, and a shell reads it: no octet of it may mean anything
 * to either. */
static bool
is_plain(const char *path)
{
	return context_is_made_of(path, strlen(path), "/._+-,@");
}

int
pipe_command(struct pipe *pp, char out[PIPE_COMMAND_MAX])
{
	char text[PIPE_COMMAND_MAX - 2];
	uint64_t r;

	if (!is_plain(pp->exe) || !is_plain(pp->path)) {
		errno = EINVAL;
		return -1;
	}
	if (getrandom(&r, sizeof r, 0) != sizeof r)
		return -1;
	close_two(pp->next);
	pp->due = false;
	(void)snprintf(pp->token, sizeof pp->token, "%016llx",
	    (unsigned long long)r);
	(void)snprintf(text, sizeof text, "exec %s @pipe %s %s", pp->exe,
	    pp->path, pp->token);
	return tmux_quote(out, PIPE_COMMAND_MAX, text) == -1 ? -1 : 0;
}

/* ---- life ----------------------------------------------------------------- */

struct pipe *
pipe_new(struct event_base *base, const struct sessiondir *sd,
    const struct pipe_ops *ops, void *arg)
{
	struct pipe *pp = calloc(1, sizeof *pp);
	char path[SESSIONDIR_PATH_MAX];

	if (pp == NULL)
		return NULL;
	pp->base = base;
	pp->ops = ops;
	pp->arg = arg;
	pp->listener = pp->in = pp->out = pp->next[0] = pp->next[1] = -1;
	LIST_INIT(&pp->guests);
	(void)snprintf(pp->path, sizeof pp->path, "%s", sd->path);
	if (readlink("/proc/self/exe", pp->exe, sizeof pp->exe - 1) == -1) {
		free(pp);
		return NULL;
	}
	pp->unsent = evbuffer_new();
	pp->listener = unix_listen(sessiondir_file(sd, FILE_PIPE, path), 0600);
	if (pp->listener != -1)
		pp->accept = event_new(base, pp->listener, EV_READ | EV_PERSIST,
		    accept_cb, pp);
	if (pp->unsent == NULL || pp->accept == NULL) {
		pipe_free(pp);
		return NULL;
	}
	(void)event_add(pp->accept, NULL);
	return pp;
}

void
pipe_free(struct pipe *pp)
{
	struct guest *g;

	if (pp->unsent != NULL) {
		shut(pp);
		evbuffer_free(pp->unsent);
	}
	close_two(pp->next);
	while ((g = LIST_FIRST(&pp->guests)) != NULL)
		guest_free(g);
	if (pp->accept != NULL)
		event_free(pp->accept);
	if (pp->listener != -1)
		close(pp->listener);
	free(pp);
}
