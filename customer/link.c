/*
 * link.c - see link.h.
 */
#include "link.h"

#include <sys/random.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "child.h"
#include "credentials.h"
#include "files.h"
#include "log.h"
#include "safetext.h"

#define UNSENT_MAX	(1u << 20)	/* octets that ssh does not take */
#define HEALTHY_MS	60000		/* up so long: forget the backoff */
#define BYE_MS		2000		/* the relay's answer to BYE */
#define WHY_MAX		256

struct link {
	struct event_base	*base;
	const struct sessiondir	*sd;
	const struct settings	*set;
	const char		*tmux;
	const struct link_ops	*ops;
	void			*arg;
	enum link_state		 state;

	struct child		 child;
	struct bufferevent	*bev;		/* the protocol; NULL: none */
	char			 why[WHY_MAX];	/* why it ends, or "" */

	struct event		*timer;		/* next try, HELLO, BYE */
	struct event		*ping;
	struct event		*healthy;
	uint64_t		 ping_number;
	uint32_t		 pings_missed;
	unsigned int		 tries;		/* since it was healthy */
	bool			 said_hello;	/* the relay has */
	bool			 leaving;	/* BYE was sent or is due */
	bool			 away;		/* … with "away" */
	bool			 renew;		/* the certificate was refused */
	bool			 renewed;	/* and is a new one now */
	char			 closed[16];	/* CLOSED's word, or "" */
};

static void	link_try(struct link *l);

/* ---- states --------------------------------------------------------------- */

static void
set_state(struct link *l, enum link_state state, const char *why)
{
	l->state = state;
	l->ops->state_cb(l->arg, state, why);
}

static void
arm(struct event *ev, uint32_t ms)
{
	struct timeval tv = { ms / 1000, (suseconds_t)(ms % 1000) * 1000 };

	(void)event_add(ev, &tv);
}

/* The wait before the next try: doubled, bounded, and a quarter either way. */
static uint32_t
backoff(struct link *l)
{
	uint64_t ms = l->set->backoff_ms;
	unsigned int i;
	uint32_t r = 0;

	for (i = 0; i < l->tries && ms < l->set->backoff_max_ms; i++)
		ms *= 2;
	if (ms > l->set->backoff_max_ms)
		ms = l->set->backoff_max_ms;
	l->tries++;
	if (getrandom(&r, sizeof r, GRND_NONBLOCK) != sizeof r)
		r = 512;	/* the middle */
	return (uint32_t)(ms * 3 / 4 + (ms / 2) * (r % 1024) / 1024);
}

static void
try_later(struct link *l, const char *why)
{
	arm(l->timer, backoff(l));
	set_state(l, LINK_WAITING, why);
}

static void
drop_protocol(struct link *l)
{
	if (l->bev != NULL)
		bufferevent_free(l->bev);
	l->bev = NULL;
	(void)event_del(l->timer);
	(void)event_del(l->ping);
	(void)event_del(l->healthy);
}

/* End the child, if there is one; link_reap() goes on from there. */
static void
end_child(struct link *l, const char *why)
{
	if (l->why[0] == '\0')
		(void)snprintf(l->why, sizeof l->why, "%s", why);
	drop_protocol(l);
	child_stop(&l->child);
}

/* ---- the protocol --------------------------------------------------------- */

void
link_send(struct link *l, enum proto_form form, const void *payload,
    size_t len, const char *fmt, ...)
{
	static char frame[PROTO_FRAME_MAX];
	va_list ap;
	size_t n;

	if (l->bev == NULL || !l->said_hello)
		return;
	va_start(ap, fmt);
	n = proto_vput(frame, sizeof frame, form, payload, len, fmt, ap);
	va_end(ap);
	if (n == 0) {
		log_warnx("a %s frame could not be formed",
		    proto_row(form)->verb);
		return;
	}
	(void)bufferevent_write(l->bev, frame, n);
	if (evbuffer_get_length(bufferevent_get_output(l->bev)) > UNSENT_MAX)
		end_child(l, "the link does not move");
}

/* Our HELLO goes out before anything is known of the other side. */
static void
send_hello(struct link *l)
{
	char frame[PROTO_HEADER_MAX];
	size_t n;

	n = proto_put(frame, sizeof frame, PROTO_HELLO, NULL, 0, "%d tmux=%s",
	    PROTO_VERSION, l->tmux);
	(void)bufferevent_write(l->bev, frame, n);
}

static void
on_hello(struct link *l)
{
	l->said_hello = true;
	l->renewed = false;
	l->pings_missed = 0;
	(void)event_del(l->timer);
	arm(l->ping, l->set->ping_ms);
	arm(l->healthy, HEALTHY_MS);
	set_state(l, LINK_UP, "");
}

static void
on_closed(struct link *l, const struct proto_frame *f)
{
	(void)snprintf(l->closed, sizeof l->closed, "%.*s",
	    (int)f->args[0].len, f->args[0].s);
	(void)safetext(l->why, sizeof l->why, f->payload.s, f->payload.len);
	log_info("the relay closed the session: %s: %s", l->closed, l->why);
	end_child(l, l->closed);
}

static void
on_frame(struct link *l, const struct proto_frame *f)
{
	enum proto_form form;
	enum proto_rule rule;
	char why[WHY_MAX];

	switch (proto_check(f, PROTO_B2C, 0, &form, &rule)) {
	case PROTO_UNKNOWN:
		log_debug("unknown verb from the relay");
		return;
	case PROTO_WRONG:
		log_warnx("bad frame from the relay: %s", proto_rule_text(rule));
		end_child(l, "the relay does not keep to the protocol");
		return;
	case PROTO_GOOD:
		break;
	}
	l->pings_missed = 0;
	if (!l->said_hello && form != PROTO_HELLO && form != PROTO_CLOSED &&
	    form != PROTO_ERROR)
		end_child(l, "the relay does not keep to the protocol");
	else if (form == PROTO_HELLO && !l->said_hello)
		on_hello(l);
	else if (form == PROTO_PING)
		link_send(l, PROTO_PONG, NULL, 0, "%.*s",
		    (int)f->args[0].len, f->args[0].s);
	else if (form == PROTO_CLOSED)
		on_closed(l, f);
	else if (form == PROTO_ERROR) {
		(void)safetext(why, sizeof why, f->payload.s, f->payload.len);
		end_child(l, why);
	} else if (form != PROTO_PONG && form != PROTO_HELLO)
		l->ops->frame_cb(l->arg, form, f);
}

static void
read_cb(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct link *l = arg;
	struct proto_frame f;
	enum proto_rule rule;
	size_t n;

	/* a frame may end the connection, or the link with it */
	while (l->bev == bev && evbuffer_get_length(in) > 0) {
		switch (proto_parse(evbuffer_pullup(in, -1),
		    evbuffer_get_length(in), &f, &rule, &n)) {
		case PROTO_MORE:
			return;
		case PROTO_MALFORMED:
			log_warnx("malformed frame from the relay: %s",
			    proto_rule_text(rule));
			end_child(l, "the relay does not keep to the protocol");
			return;
		case PROTO_FRAME:
			on_frame(l, &f);
			if (l->bev == bev)
				(void)evbuffer_drain(in, n);
			break;
		}
	}
}

/* Take what is still in the socket of an ssh that ends. */
static void
drain_protocol(struct link *l)
{
	struct bufferevent *bev = l->bev;
	struct evbuffer *in;

	if (bev == NULL)
		return;
	in = bufferevent_get_input(bev);
	(void)evbuffer_unfreeze(in, 0);
	do
		read_cb(bev, l);
	while (l->bev == bev &&
	    evbuffer_read(in, bufferevent_getfd(bev), PROTO_FRAME_MAX) > 0);
}

static void
event_cb(struct bufferevent *bev, short what, void *arg)
{
	struct link *l = arg;

	(void)bev;
	if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) == 0)
		return;
	drain_protocol(l);
	if (l->bev != NULL)
		end_child(l, "");
}

void
link_hold(struct link *l, bool hold)
{
	if (l->bev != NULL && hold)
		(void)bufferevent_disable(l->bev, EV_READ);
	else if (l->bev != NULL)
		(void)bufferevent_enable(l->bev, EV_READ);
}

static void
ping_cb(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;

	(void)fd;
	(void)what;
	if (l->pings_missed >= l->set->ping_missed) {
		end_child(l, "the relay does not answer");
		return;
	}
	l->pings_missed++;
	link_send(l, PROTO_PING, NULL, 0, "%llu",
	    (unsigned long long)l->ping_number++);
	arm(l->ping, l->set->ping_ms);
}

static void
healthy_cb(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;

	(void)fd;
	(void)what;
	l->tries = 0;
}

/* ---- children ------------------------------------------------------------- */

static void
connect_ssh(struct link *l)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == -1) {
		try_later(l, strerror(errno));
		return;
	}
	if (child_start_ssh(&l->child, fds[1]) == -1) {
		log_warn("cannot start ssh");
		try_later(l, errno == ENOENT ? "ssh was not found; install "
		    "the OpenSSH client" : strerror(errno));
		close(fds[0]);
		close(fds[1]);
		return;
	}
	close(fds[1]);
	(void)fd_nonblock(fds[0], 1);
	l->why[0] = '\0';
	l->said_hello = false;
	l->bev = bufferevent_socket_new(l->base, fds[0],
	    BEV_OPT_CLOSE_ON_FREE);
	if (l->bev == NULL) {
		close(fds[0]);
		end_child(l, "out of memory");
		return;
	}
	bufferevent_setcb(l->bev, read_cb, NULL, event_cb, l);
	bufferevent_setwatermark(l->bev, EV_READ, 0, 2 * PROTO_FRAME_MAX);
	(void)bufferevent_enable(l->bev, EV_READ | EV_WRITE);
	send_hello(l);
	arm(l->timer, l->set->connect_ms + l->set->hello_ms);
}

static void
renew(struct link *l)
{
	if (l->renew)
		(void)unlinkat(l->sd->fd, FILE_CERT, 0);
	l->renew = false;
	l->renewed = true;
	l->why[0] = '\0';
	if (child_start_renew(&l->child) == -1)
		try_later(l, strerror(errno));
}

static void
link_try(struct link *l)
{
	set_state(l, LINK_CONNECTING, "");
	if (l->state != LINK_CONNECTING)
		return;
	if (l->renew || !credentials_valid(l->sd))
		renew(l);
	else
		connect_ssh(l);
}

/* ---- ends ----------------------------------------------------------------- */

static void
renew_ended(struct link *l, int status)
{
	if (status == 0)
		connect_ssh(l);
	else if (status == EX_TEMPFAIL)
		try_later(l, l->child.last);
	else {
		(void)snprintf(l->closed, sizeof l->closed, "refused");
		set_state(l, LINK_OVER, l->child.last);
	}
}

/* ssh's own words for the reasons that can be told better. */
static const char *
explain(struct link *l, int status)
{
	const char *last = l->child.last;

	if (strstr(last, "Permission denied") != NULL && !l->renewed) {
		l->renew = true;
		return "the relay wants a new certificate";
	}
	if (strstr(last, "Host key verification failed") != NULL ||
	    strstr(last, "host key is known") != NULL)
		return "the relay's host key is not the one that is trusted "
		    "here; tell support";
	if (last[0] != '\0')
		return last;
	return status == EX_TEMPFAIL ? "the relay is restarting" :
	    "the connection was lost";
}

static void
ssh_ended(struct link *l, int status)
{
	log_info("ssh ended with status %d", status);
	if (l->closed[0] != '\0' || (l->leaving && !l->away))
		set_state(l, LINK_OVER, l->why);
	else if (l->leaving)
		set_state(l, LINK_AWAY, "");
	else
		try_later(l, l->why[0] != '\0' ? l->why : explain(l, status));
}

void
link_reap(struct link *l)
{
	enum child_kind what = l->child.kind;
	int status = child_reap(&l->child);

	if (status == -1)
		return;
	drain_protocol(l);
	drop_protocol(l);
	if (what == CHILD_SSH)
		ssh_ended(l, status);
	else if (l->leaving)
		set_state(l, l->away ? LINK_AWAY : LINK_OVER, "");
	else
		renew_ended(l, status);
}

static void
timer_cb(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;

	(void)fd;
	(void)what;
	if (l->state == LINK_WAITING)
		link_try(l);
	else
		end_child(l, l->leaving ? "" : "the relay does not answer");
}

static void
leave(struct link *l, bool away)
{
	l->leaving = true;
	l->away = away;
	if (l->state == LINK_UP) {
		if (away)
			link_send(l, PROTO_BYE, NULL, 0, "away");
		else
			link_send(l, PROTO_BYE, NULL, 0, NULL);
		arm(l->timer, BYE_MS);
	} else if (l->child.kind != CHILD_NONE)
		end_child(l, "");
	else {
		(void)event_del(l->timer);
		if (l->state != LINK_OVER)
			set_state(l, away ? LINK_AWAY : LINK_OVER, "");
	}
}

void
link_away(struct link *l)
{
	if (l->state != LINK_OVER && l->state != LINK_AWAY && !l->leaving)
		leave(l, true);
}

void
link_bye(struct link *l)
{
	leave(l, false);
}

void
link_start(struct link *l)
{
	if (l->child.kind != CHILD_NONE || l->state == LINK_WAITING)
		return;
	l->leaving = l->away = false;
	l->closed[0] = '\0';
	l->tries = 0;
	link_try(l);
}

enum link_state
link_state(const struct link *l)
{
	return l->state;
}

const char *
link_closed(const struct link *l)
{
	return l->closed;
}

struct link *
link_new(struct event_base *base, const struct sessiondir *sd,
    const struct settings *s, const char *tmux, const struct link_ops *ops,
    void *arg)
{
	struct link *l = calloc(1, sizeof *l);

	if (l == NULL)
		return NULL;
	l->base = base;
	l->sd = sd;
	l->set = s;
	l->tmux = tmux;
	l->ops = ops;
	l->arg = arg;
	l->timer = evtimer_new(base, timer_cb, l);
	l->ping = evtimer_new(base, ping_cb, l);
	l->healthy = evtimer_new(base, healthy_cb, l);
	if (child_init(&l->child, base, sd, s) == -1 || l->timer == NULL ||
	    l->ping == NULL || l->healthy == NULL) {
		link_free(l);
		return NULL;
	}
	return l;
}

void
link_free(struct link *l)
{
	struct event *timers[] = { l->timer, l->ping, l->healthy };
	size_t i;

	if (l->bev != NULL)
		bufferevent_free(l->bev);
	child_release(&l->child);
	for (i = 0; i < sizeof timers / sizeof timers[0]; i++)
		if (timers[i] != NULL)
			event_free(timers[i]);
	free(l);
}
