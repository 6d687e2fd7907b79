/*
 * peer.c - see peer.h.
 */
#include "peer.h"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "files.h"
#include "log.h"
#include "mono.h"
#include "unix.h"

#define READ_MAX	65536u	/* octets taken from a peer at a time */
#define WRITE_TURNS	8	/* frames given to a peer at a time */
#define CTL_MAX		(PROTO_HEADER_MAX + ATTACH_MAX + 1)
#define SETTLE_MS	10u	/* tick while a peer leaves */
#define SETTLE_TICKS	5u	/* for sshd to send what it has read */
#define HANGUP_MS	1000u	/* a dead link must free its ports soon */

/* Why a peer's input is not read. */
#define HOLD_OWNER	0x1
#define HOLD_ANSWERS	0x2	/* it does not read them */
#define HOLD_ACTS	0x4	/* it did too much at a time */

static void	in_cb(evutil_socket_t fd, short what, void *arg);
static void	out_cb(evutil_socket_t fd, short what, void *arg);
static void	ctl_cb(evutil_socket_t fd, short what, void *arg);
static void	timer_cb(evutil_socket_t fd, short what, void *arg);

/* Input of whatever peer is being read; no peer keeps anything in it. */
static char	scratch[PROTO_FRAME_MAX + READ_MAX];

uint64_t
peer_clock(void)
{
	return (uint64_t)mono_ms();
}

static void
set_timer(struct peer *p, uint32_t ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	(void)evtimer_add(p->timer, &tv);
}

struct peer *
peer_new(struct event_base *base, const struct relayconf *conf, int ctl,
    const struct peer_ops *ops, void *owner)
{
	struct peer *p = calloc(1, sizeof *p);

	if (p == NULL) {
		close(ctl);
		return NULL;
	}
	p->ops = ops;
	p->owner = owner;
	p->conf = conf;
	p->base = base;
	p->ctl = ctl;
	p->in = p->out = p->pidfd = -1;
	p->heard_ms = peer_clock();
	p->ctl_ev = event_new(base, ctl, EV_READ | EV_PERSIST, ctl_cb, p);
	p->timer = evtimer_new(base, timer_cb, p);
	p->tx = evbuffer_new();
	p->queue = evbuffer_new();
	if (p->ctl_ev == NULL || p->timer == NULL || p->tx == NULL ||
	    p->queue == NULL || event_add(p->ctl_ev, NULL) == -1) {
		close(ctl);
		p->ctl = -1;
		p->state = PEER_DEAD;
		peer_free(p);
		return NULL;
	}
	set_timer(p, conf->attach_ms);
	return p;
}

static void
free_event(struct event *ev)
{
	if (ev != NULL)
		event_free(ev);
}

void
peer_free(struct peer *p)
{
	free_event(p->ctl_ev);
	free_event(p->in_ev);
	free_event(p->out_ev);
	free_event(p->timer);
	if (p->tx != NULL)
		evbuffer_free(p->tx);
	if (p->queue != NULL)
		evbuffer_free(p->queue);
	free(p->ctl_buf);
	free(p->rest);
	free(p);
}

static void
close_fd(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

static void
stop_event(struct event *ev)
{
	if (ev != NULL)
		(void)event_del(ev);
}

/* Everything of it is closed; memory stays until it is reaped. */
static void
die(struct peer *p)
{
	if (p->state == PEER_DEAD)
		return;
	stop_event(p->ctl_ev);
	stop_event(p->in_ev);
	stop_event(p->out_ev);
	stop_event(p->timer);
	close_fd(&p->ctl);
	close_fd(&p->in);
	close_fd(&p->out);
	close_fd(&p->pidfd);
	while (p->nfds > 0)
		close(p->fds[--p->nfds]);
	p->state = PEER_DEAD;
	p->ops->dead_cb(p);
}

void
peer_drop(struct peer *p)
{
	die(p);
}

/* A frame for the leg itself.  It always fits, or the leg is stuck. */
static void
tell_leg(struct peer *p, enum proto_form form, int status, const char *words)
{
	char buf[PROTO_HEADER_MAX + sizeof p->words];
	size_t len = words != NULL ? strlen(words) : 0, n;

	if (p->ctl == -1)
		return;
	if (form == PROTO_END || form == PROTO_HANGUP)
		n = proto_put(buf, sizeof buf, form, words, len, "%d", status);
	else
		n = proto_put(buf, sizeof buf, form, words, len, NULL);
	if (n > 0 && send(p->ctl, buf, n, MSG_NOSIGNAL | MSG_DONTWAIT) == -1)
		log_debug("a leg cannot be told: %s", strerror(errno));
}

/* End the ssh connection of a customer whose leg is no more. */
static void
signal_sshd(const struct peer *p)
{
#ifdef SYS_pidfd_send_signal
	if (p->pidfd != -1)
		(void)syscall(SYS_pidfd_send_signal, p->pidfd, SIGTERM, NULL,
		    0);
#else
	(void)p;
#endif
}

void
peer_kill(struct peer *p, enum proto_form form, int status, const char *words)
{
	if (p->state == PEER_DEAD)
		return;
	tell_leg(p, form, status, words);
	die(p);
}

/* ---- output ------------------------------------------------------------- */

size_t
peer_queued(const struct peer *p)
{
	return evbuffer_get_length(p->tx) + evbuffer_get_length(p->queue);
}

void
peer_wake(struct peer *p)
{
	if (p->out_ev != NULL && p->state != PEER_DEAD)
		event_active(p->out_ev, EV_WRITE, 0);
}

void
peer_send(struct peer *p, enum proto_form form, const void *payload,
    size_t len, const char *fmt, ...)
{
	static char frame[PROTO_FRAME_MAX];
	va_list ap;
	size_t n;

	if (p->state != PEER_GREETING && p->state != PEER_UP)
		return;
	va_start(ap, fmt);
	n = proto_vput(frame, sizeof frame, form, payload, len, fmt, ap);
	va_end(ap);
	if (n == 0) {
		log_warnx("a %s frame could not be written",
		    proto_row(form)->verb);
		return;
	}
	if (peer_queued(p) + n > PEER_QUEUE_MAX ||
	    evbuffer_add(p->queue, frame, n) == -1) {
		p->ops->fault_cb(p, "too far behind");
		peer_kill(p, p->role == 0 ? PROTO_HANGUP : PROTO_END, 75,
		    "your connection is too slow to follow");
		return;
	}
	peer_wake(p);
}

/* True once sshd has read all that was written (and sent it, most likely). */
static bool
is_settled(struct peer *p)
{
	int n = 0;

	if (p->parting != PROTO_HANGUP)
		return true;
	if ((ioctl(p->out, FIONREAD, &n) == -1 || n == 0) &&
	    (ioctl(p->out, SIOCOUTQ, &n) == -1 || n == 0))
		p->settled++;
	return p->settled > SETTLE_TICKS;
}

/* The last frame is out: part with the leg. */
static void
part(struct peer *p)
{
	if (is_settled(p) || peer_clock() - p->leave_ms > HANGUP_MS)
		peer_kill(p, p->parting, p->status, p->words);
	else
		set_timer(p, SETTLE_MS);
}

static void
hold(struct peer *p, unsigned int why)
{
	if (p->in_ev == NULL || p->state == PEER_DEAD)
		return;
	p->holds |= why;
	(void)event_del(p->in_ev);
}

static void
release(struct peer *p, unsigned int why)
{
	if (p->in_ev == NULL || p->state == PEER_DEAD || (p->holds & why) == 0)
		return;
	p->holds &= ~why;
	if (p->holds != 0)
		return;
	p->heard_ms = peer_clock();
	(void)event_add(p->in_ev, NULL);
	event_active(p->in_ev, EV_READ, 0);	/* for what is kept */
}

/* Put the next thing to write into tx.  False: there is nothing. */
static bool
refill(struct peer *p)
{
	if (evbuffer_get_length(p->tx) > 0)
		return true;
	if (evbuffer_get_length(p->queue) > 0)
		return evbuffer_add_buffer(p->tx, p->queue) == 0;
	return p->state == PEER_UP && p->role == PROTO_VIEW &&
	    p->ops->stream_cb(p, p->tx);
}

/* Write as long as it is taken, within a turn.  False: the peer is dead. */
static bool
write_some(struct peer *p)
{
	unsigned int turns;

	for (turns = 0; turns < WRITE_TURNS && refill(p); turns++) {
		if (evbuffer_write(p->tx, p->out) == -1 && errno != EAGAIN &&
		    errno != EINTR) {
			peer_kill(p, p->role == 0 ? PROTO_HANGUP : PROTO_END,
			    75, "the connection was lost");
			return false;
		}
		if (evbuffer_get_length(p->tx) > 0)
			break;
	}
	/* stream_cb() may have found the peer at fault. */
	if (p->state == PEER_DEAD)
		return false;
	if (turns == WRITE_TURNS || evbuffer_get_length(p->tx) > 0)
		(void)event_add(p->out_ev, NULL);
	return true;
}

static void
out_cb(evutil_socket_t fd, short what, void *arg)
{
	struct peer *p = arg;

	(void)fd;
	(void)what;
	if (p->state == PEER_DEAD || !write_some(p))
		return;
	if (peer_queued(p) < PEER_HIGH / 4)
		release(p, HOLD_ANSWERS);
	if (p->high && peer_queued(p) < PEER_HIGH / 4) {
		p->high = false;
		p->ops->drained_cb(p);
	}
	if (p->state == PEER_LEAVING && peer_queued(p) == 0)
		part(p);
}

void
peer_leave(struct peer *p, enum proto_form form, int status,
    const char *words)
{
	if (p->state == PEER_DEAD || p->state == PEER_LEAVING)
		return;
	p->parting = form;
	p->status = status;
	(void)snprintf(p->words, sizeof p->words, "%s", words);
	if (p->out_ev == NULL) {
		peer_kill(p, form, status, words);
		return;
	}
	p->state = PEER_LEAVING;
	p->leave_ms = peer_clock();
	stop_event(p->in_ev);
	set_timer(p, form == PROTO_HANGUP ? HANGUP_MS : p->conf->hello_ms);
	peer_wake(p);
}

void
peer_fault(struct peer *p, const char *what)
{
	p->ops->fault_cb(p, what);
	peer_send(p, PROTO_ERROR, what, strlen(what), NULL);
	peer_leave(p, PROTO_END, 1, what);
}

/* ---- input -------------------------------------------------------------- */

static void
fault_frame(struct peer *p, const struct proto_frame *f, const char *why)
{
	char what[128];

	(void)snprintf(what, sizeof what, "%.*s: %s", (int)f->verb.len,
	    f->verb.s, why);
	peer_fault(p, what);
}

/* The only frame that a greeting peer may send. */
static void
take_hello(struct peer *p, const struct proto_frame *f)
{
	if (proto_num(f, 0) < 1) {
		fault_frame(p, f, "no such version");
		return;
	}
	p->state = PEER_UP;
	p->missed = 0;
	set_timer(p, p->conf->ping_ms);
	p->ops->up_cb(p, f);
	peer_wake(p);
}

/* What every peer may say, whoever it is. */
static void
take_known(struct peer *p, enum proto_form form, const struct proto_frame *f)
{
	switch (form) {
	case PROTO_HELLO:
		fault_frame(p, f, "a second time");
		break;
	case PROTO_PING:
		peer_send(p, PROTO_PONG, NULL, 0, "%llu",
		    (unsigned long long)proto_num(f, 0));
		break;
	case PROTO_PONG:
		break;
	case PROTO_ERROR:
		p->ops->fault_cb(p, "it says that we broke the protocol");
		peer_leave(p, PROTO_END, 1, "protocol error");
		break;
	default:
		p->ops->frame_cb(p, form, f);
		break;
	}
}

static void
take_frame(struct peer *p, const struct proto_frame *f)
{
	unsigned int path = p->role == 0 ? PROTO_C2B : PROTO_S2B;
	enum proto_form form;
	enum proto_rule rule;
	enum proto_verdict v = proto_check(f, path, p->role, &form, &rule);

	if (v == PROTO_WRONG) {
		fault_frame(p, f, proto_rule_text(rule));
	} else if (p->state == PEER_GREETING) {
		if (v == PROTO_GOOD && form == PROTO_HELLO)
			take_hello(p, f);
		else
			fault_frame(p, f, "before HELLO");
	} else if (v == PROTO_UNKNOWN) {
		char what[64];

		(void)snprintf(what, sizeof what, "unknown verb %.*s dropped",
		    (int)f->verb.len, f->verb.s);
		p->ops->fault_cb(p, what);
	} else
		take_known(p, form, f);
}

/*
 * After each frame: a peer that has done enough for now waits, and one that does
 * not read what it is answered (the customer's may be full of keystrokes).
 */
static void
restrain(struct peer *p)
{
	uint64_t now;

	if (p->role != 0 && peer_queued(p) >= PEER_HIGH)
		hold(p, HOLD_ANSWERS);
	if (p->acts < PEER_ACTS || p->state != PEER_UP)
		return;
	now = peer_clock();
	if (now - p->acts_ms < PEER_ACTS_MS) {
		hold(p, HOLD_ACTS);
		set_timer(p, PEER_ACTS_MS);
	}
	p->acts = 0;
	p->acts_ms = now;
}

/* Take the whole frames of the LEN octets at BUF.  Returns what they took. */
static size_t
take_frames(struct peer *p, const char *buf, size_t len)
{
	struct proto_frame f;
	enum proto_rule rule;
	char what[128];
	size_t off = 0, n;

	while (off < len && p->holds == 0 &&
	    (p->state == PEER_GREETING || p->state == PEER_UP)) {
		switch (proto_parse(buf + off, len - off, &f, &rule, &n)) {
		case PROTO_FRAME:
			take_frame(p, &f);
			restrain(p);
			off += n;
			break;
		case PROTO_MORE:
			return off;
		case PROTO_MALFORMED:
			(void)snprintf(what, sizeof what,
			    "malformed frame: %s (octet %zu)",
			    proto_rule_text(rule), n);
			peer_fault(p, what);
			return off;
		}
	}
	return off;
}

/* Keep the LEN octets at BUF for later.  0 or -1. */
static int
keep_rest(struct peer *p, const char *buf, size_t len)
{
	free(p->rest);
	p->rest = NULL;
	p->rest_len = 0;
	if (len == 0)
		return 0;
	p->rest = malloc(len);
	if (p->rest == NULL)
		return -1;
	memcpy(p->rest, buf, len);
	p->rest_len = len;
	return 0;
}

/* Its end of the stream is closed, or broken. */
static void
lost(struct peer *p)
{
	if (p->role == 0)
		signal_sshd(p);
	peer_kill(p, p->role == 0 ? PROTO_HANGUP : PROTO_END, 75,
	    "the connection was lost");
}

static void
in_cb(evutil_socket_t fd, short what, void *arg)
{
	struct peer *p = arg;
	size_t len = p->rest_len, used;
	ssize_t n;

	(void)what;
	if (p->state != PEER_GREETING && p->state != PEER_UP)
		return;
	if (len > 0)
		memcpy(scratch, p->rest, len);
	/* What was left is taken first: there may be no room for more. */
	errno = EAGAIN;
	n = p->left ? -1 : read(fd, scratch + len, READ_MAX);
	if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR)) {
		lost(p);
		return;
	}
	if (n > 0) {
		len += (size_t)n;
		p->heard_ms = peer_clock();
		p->missed = 0;
	}
	used = take_frames(p, scratch, len);
	if (p->state == PEER_DEAD)
		return;
	p->left = p->holds != 0;
	if (keep_rest(p, scratch + used, len - used) == -1)
		peer_kill(p, PROTO_END, 75, "the relay is out of memory");
}

void
peer_pause(struct peer *p, bool pause)
{
	if (pause)
		hold(p, HOLD_OWNER);
	else
		release(p, HOLD_OWNER);
}

bool
peer_is_paused(const struct peer *p)
{
	return (p->holds & HOLD_OWNER) != 0;
}

/* ---- the leg's socket --------------------------------------------------- */

/* A pipe or a socket that can be read, or written. */
static bool
is_stream(int fd, int mode)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL);

	if (flags == -1 || fstat(fd, &st) == -1 ||
	    !(S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
		return false;
	flags &= O_ACCMODE;
	return flags == O_RDWR || flags == mode;
}

/* Take over the descriptors that came.  NULL, or what is wrong with them. */
static const char *
adopt(struct peer *p, unsigned int role)
{
	if (p->nfds < 2 || (p->nfds > 2 && role != 0) ||
	    !is_stream(p->fds[0], O_RDONLY) || !is_stream(p->fds[1], O_WRONLY))
		return "not the descriptors of a connection";
	p->role = role;
	p->attached = true;
	p->in = p->fds[0];
	p->out = p->fds[1];
	p->pidfd = p->nfds > 2 ? p->fds[2] : -1;
	p->nfds = 0;
	if (fd_nonblock(p->in, 1) == -1 || fd_nonblock(p->out, 1) == -1)
		return strerror(errno);
	p->in_ev = event_new(p->base, p->in, EV_READ | EV_PERSIST, in_cb, p);
	p->out_ev = event_new(p->base, p->out, EV_WRITE, out_cb, p);
	if (p->in_ev == NULL || p->out_ev == NULL ||
	    event_add(p->in_ev, NULL) == -1)
		return "the relay is out of memory";
	return NULL;
}

static void
refuse(struct peer *p, const char *why)
{
	p->ops->fault_cb(p, why);
	peer_kill(p, PROTO_ERROR, 0, why);
}

static void
take_attach(struct peer *p, const struct proto_frame *f)
{
	const char *why;
	struct attach *a;

	if (f->payload.len > ATTACH_MAX || (a = malloc(sizeof *a)) == NULL) {
		refuse(p, "ATTACH: too large");
		return;
	}
	why = attach_parse(f->payload.s, f->payload.len, a);
	if (why == NULL)
		why = adopt(p, a->role);
	if (why == NULL) {
		p->state = PEER_GREETING;
		p->heard_ms = peer_clock();
		set_timer(p, p->conf->hello_ms);
		peer_send(p, PROTO_HELLO, NULL, 0, "%d", PROTO_VERSION);
		why = p->ops->attach_cb(p, a);
	}
	if (why != NULL)
		refuse(p, why);
	else
		tell_leg(p, PROTO_OK, 0, NULL);
	free(a);
}

/* More of the leg's first frame. */
static void
take_ctl(struct peer *p, const char *buf, size_t len)
{
	struct proto_frame f;
	enum proto_form form;
	enum proto_rule rule;
	size_t n;
	char *q;

	q = p->ctl_len + len > CTL_MAX ? NULL :
	    realloc(p->ctl_buf, p->ctl_len + len);
	if (q == NULL) {
		refuse(p, "ATTACH: too large");
		return;
	}
	memcpy(q + p->ctl_len, buf, len);
	p->ctl_buf = q;
	p->ctl_len += len;
	switch (proto_parse(p->ctl_buf, p->ctl_len, &f, &rule, &n)) {
	case PROTO_MORE:
		return;
	case PROTO_FRAME:
		if (proto_check(&f, PROTO_L2B, 0, &form, &rule) == PROTO_GOOD &&
		    form == PROTO_ATTACH) {
			take_attach(p, &f);
			break;
		}
		/* FALLTHROUGH */
	case PROTO_MALFORMED:
		refuse(p, "not an ATTACH");
		break;
	}
	free(p->ctl_buf);
	p->ctl_buf = NULL;
	p->ctl_len = 0;
}

static void
ctl_cb(evutil_socket_t fd, short what, void *arg)
{
	struct peer *p = arg;
	int fds[UNIX_FDS_MAX];
	unsigned int nfds, i;
	char buf[4096];
	ssize_t n;

	(void)what;
	n = unix_recv(fd, buf, sizeof buf, fds, &nfds);
	for (i = 0; n != -1 && i < nfds; i++) {
		if (p->state == PEER_NEW && p->nfds < 3)
			p->fds[p->nfds++] = fds[i];
		else
			close(fds[i]);
	}
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		/* The leg is no more, and so this is the end of its peer. */
		signal_sshd(p);
		die(p);
	} else if (p->state == PEER_NEW)
		take_ctl(p, buf, (size_t)n);
	/* What a leg says later is not for this broker. */
}

/* ---- deadlines ---------------------------------------------------------- */

/* Once every ping_ms: has it been heard? */
static void
check_alive(struct peer *p)
{
	uint64_t silent = peer_clock() - p->heard_ms;

	/* Who does not read does not see a PING either: that counts. */
	if ((p->holds & ~HOLD_ANSWERS) == 0 && silent >= p->conf->ping_ms) {
		if (p->missed++ >= p->conf->ping_missed) {
			p->ops->fault_cb(p, "does not answer");
			lost(p);
			return;
		}
		peer_send(p, PROTO_PING, NULL, 0, "%llu",
		    (unsigned long long)++p->ping);
	}
	set_timer(p, p->conf->ping_ms);
}

static void
timer_cb(evutil_socket_t fd, short what, void *arg)
{
	struct peer *p = arg;

	(void)fd;
	(void)what;
	switch (p->state) {
	case PEER_NEW:
		refuse(p, "no ATTACH in time");
		break;
	case PEER_GREETING:
		peer_fault(p, "no HELLO in time");
		break;
	case PEER_UP:
		if ((p->holds & HOLD_ACTS) != 0)
			p->acts_ms = peer_clock();
		release(p, HOLD_ACTS);
		check_alive(p);
		break;
	case PEER_LEAVING:
		/* Either a tick of part(), or it never took the last words. */
		if (peer_queued(p) == 0)
			part(p);
		else
			peer_kill(p, p->parting, p->status, p->words);
		break;
	case PEER_DEAD:
		break;
	}
}
