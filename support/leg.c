/*
 * leg.c - see leg.h.
 *
 *	STARTING --HELLO--> UP --end of file--> ENDING --exit status--> WAITING
 *	    |                |                                           |   |
 *	    +----------------+--- no answer, bad frame ------------------+   |
 *	STARTING <----------------------- timer -----------------------------+
 *
 * and from everywhere, with CLOSED or an exit status that is final, to OVER.
 */
#include "leg.h"

#include <event2/buffer.h>
#include <event2/event.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "legproc.h"
#include "log.h"

#define IN_MAX		(2 * PROTO_FRAME_MAX)
#define OUT_MAX		(256u << 10)	/* octets that may wait for the relay */
#define START_MS	60000		/* to log in and hear HELLO */
#define REDIAL_MS	10000	/* the same, while a link is there */
#define END_MS		2000		/* between end of file and exit */
#define WHY_MAX		512		/* octets of a reason */
#define TICK_MS		1000
#define HEALTHY_MS	60000		/* after which backoff begins anew */
#define AWAY_MAX_MS	4000		/* retry where the customer is away */
#define EX_TEMPFAIL	75
#define EX_SSH		255

enum state { STARTING, UP, ENDING, WAITING, OVER };

struct leg {
	struct event_base	*base;
	struct relay		*relay;
	const struct leg_conf	*conf;
	const struct leg_ops	*ops;
	void			*arg;
	const char		*features;
	enum state		 state;
	bool			 greeted;	/* HELLO was heard */
	bool			 held;		/* LEG_HOLD was answered */
	bool			 eof;
	bool			 bad;		/* it broke the protocol */
	struct legproc		 proc;
	struct legproc		 last;		/* until its successor is up */
	char			*buf;		/* IN_MAX octets, LEN used */
	size_t			 len;
	struct evbuffer		*queue;
	struct event		*ev_in, *ev_out, *ev_err;
	struct event		*ev_child, *ev_timer, *ev_tick;
	int64_t			 up_at, heard_at, pinged_at;
	uint64_t		 pings;
	uint32_t		 backoff_ms;
	struct relay_stamp	 stamp;		/* the master it rides on */
};

/* The clock goes on while a laptop sleeps. */
static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void
timer_set(struct event *ev, unsigned int ms)
{
	const struct timeval tv = { .tv_sec = ms / 1000,
	    .tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	evtimer_add(ev, &tv);
}

/* ---- ends ----------------------------------------------------------------- */

static void
event_drop(struct event **ev)
{
	if (*ev != NULL)
		event_free(*ev);
	*ev = NULL;
}

/* Let go of the child and all that came of it. */
static void
teardown(struct leg *leg)
{
	event_drop(&leg->ev_in);
	event_drop(&leg->ev_out);
	event_drop(&leg->ev_err);
	legproc_stop(&leg->proc);
	legproc_stop(&leg->last);
	leg->len = 0;
	leg->held = false;
	evbuffer_drain(leg->queue, evbuffer_get_length(leg->queue));
	evtimer_del(leg->ev_timer);
	evtimer_del(leg->ev_tick);
}

static void
over(struct leg *leg, const char *why)
{
	teardown(leg);
	leg->state = OVER;
	log_debug("over: %s", why);
	leg->ops->over_cb(leg->arg, why);
}

/* There is no link; try again in a while, MAX milliseconds at most. */
static void
down(struct leg *leg, const char *why, uint32_t max)
{
	uint32_t ms;

	if (leg->state == UP && now_ms() - leg->up_at > HEALTHY_MS)
		leg->backoff_ms = leg->relay->set->backoff_ms;
	teardown(leg);
	leg->state = WAITING;
	ms = leg->backoff_ms < max ? leg->backoff_ms : max;
	leg->backoff_ms = 2 * ms;
	ms -= (uint32_t)random() % (ms / 4 + 1);	/* not all at once */
	timer_set(leg->ev_timer, ms);
	log_debug("down: %s; again in %u ms", why, ms);
	leg->ops->down_cb(leg->arg, why, ms);
}

static void
lost(struct leg *leg, const char *why)
{
	char copy[WHY_MAX];

	(void)snprintf(copy, sizeof copy, "%s", why);
	down(leg, copy, leg->relay->set->backoff_max_ms);
}

/* The child is gone: what does it mean? */
static void
ended(struct leg *leg)
{
	char why[WHY_MAX];

	(void)snprintf(why, sizeof why, "%s", legproc_words(&leg->proc,
	    leg->proc.status == EX_TEMPFAIL ? "the customer is not connected" :
	    leg->proc.status == 1 ? "the relay gave no reason" :
	    "the connection to the relay broke"));
	if (leg->bad)
		lost(leg, why);
	else if (leg->proc.status == 0)
		over(leg, "the session has ended");
	else if (leg->proc.status == 1)
		over(leg, why);
	else
		down(leg, why, leg->proc.status == EX_TEMPFAIL ? AWAY_MAX_MS :
		    leg->relay->set->backoff_max_ms);
}

/* End of file, or the exit: wait for the other, but not for long. */
static void
ending(struct leg *leg)
{
	if (leg->eof && leg->proc.pid == -1) {
		ended(leg);
		return;
	}
	leg->state = ENDING;
	evtimer_del(leg->ev_tick);
	timer_set(leg->ev_timer, END_MS);
}

static void
child_cb(evutil_socket_t sig, short what, void *arg)
{
	struct leg *leg = arg;

	(void)sig;
	(void)what;
	if (legproc_reap(&leg->proc) && !leg->held)
		ending(leg);
}

/* ---- frames --------------------------------------------------------------- */

static void
queue_cb(evutil_socket_t fd, short what, void *arg)
{
	struct leg *leg = arg;

	(void)what;
	if (evbuffer_write(leg->queue, fd) == -1 && errno != EAGAIN &&
	    errno != EINTR) {
		/* the end of file on the other pipe tells the rest */
		evbuffer_drain(leg->queue, evbuffer_get_length(leg->queue));
		return;
	}
	if (evbuffer_get_length(leg->queue) > 0)
		event_add(leg->ev_in, NULL);
}

__attribute__((format(printf, 5, 0)))
static int
vsend(struct leg *leg, enum proto_form form, const void *payload, size_t len,
    const char *fmt, va_list ap)
{
	char frame[PROTO_FRAME_MAX];
	size_t n;

	if (leg->ev_in == NULL ||
	    evbuffer_get_length(leg->queue) + len > OUT_MAX)
		return -1;
	n = proto_vput(frame, sizeof frame, form, payload, len, fmt, ap);
	if (n == 0 || evbuffer_add(leg->queue, frame, n) == -1)
		return -1;
	queue_cb(leg->proc.in, 0, leg);
	return 0;
}

/* As leg_send(), HELLO too. */
__attribute__((format(printf, 5, 6)))
static int
put(struct leg *leg, enum proto_form form, const void *payload, size_t len,
    const char *fmt, ...)
{
	va_list ap;
	int rv;

	va_start(ap, fmt);
	rv = vsend(leg, form, payload, len, fmt, ap);
	va_end(ap);
	return rv;
}

int
leg_send(struct leg *leg, enum proto_form form, const void *payload,
    size_t len, const char *fmt, ...)
{
	va_list ap;
	int rv;

	if (!leg_is_up(leg))
		return -1;
	va_start(ap, fmt);
	rv = vsend(leg, form, payload, len, fmt, ap);
	va_end(ap);
	return rv;
}

/* The relay sent what it must not: say so, hear no more, and let it end. */
static void
broken(struct leg *leg, const char *rule)
{
	int n;

	(void)put(leg, PROTO_ERROR, rule, strlen(rule), NULL);
	n = snprintf(leg->proc.words, sizeof leg->proc.words,
	    "the relay broke the protocol: %s", rule);
	leg->proc.words_len = (size_t)n;
	leg->bad = leg->eof = true;
	event_drop(&leg->ev_in);
	event_drop(&leg->ev_out);
	event_drop(&leg->ev_err);
	legproc_hangup(&leg->proc);
	ending(leg);
}

/* The relay said that it is over. */
static void
closed(struct leg *leg, const struct proto_frame *f)
{
	char why[WHY_MAX];

	if (f->payload.len > 0)
		(void)snprintf(why, sizeof why, "%.*s", (int)f->payload.len,
		    f->payload.s);
	else
		(void)snprintf(why, sizeof why, "the session is over (%.*s)",
		    (int)f->args[0].len, f->args[0].s);
	over(leg, why);
}

static void
hello(struct leg *leg, const struct proto_frame *f)
{
	if (leg->greeted) {
		broken(leg, "a second HELLO");
		return;
	}
	if (proto_num(f, 0) < PROTO_VERSION) {
		broken(leg, "unknown protocol version");
		return;
	}
	leg->greeted = true;
	if (leg->state != STARTING)
		return;		/* its last words */
	leg->state = UP;
	legproc_stop(&leg->last);
	leg->up_at = now_ms();
	evtimer_del(leg->ev_timer);
	timer_set(leg->ev_tick, TICK_MS);
	relay_stamp(leg->relay, &leg->stamp);
	log_debug("up");
	leg->ops->up_cb(leg->arg);
}

/* One good frame. */
static enum leg_taken
take(struct leg *leg, enum proto_form form, const struct proto_frame *f)
{
	log_debug("< %s", proto_row(form)->verb);
	switch (form) {
	case PROTO_HELLO:
		hello(leg, f);
		break;
	case PROTO_CLOSED:
		closed(leg, f);
		break;
	case PROTO_ERROR:
		/* as if it had been said on stderr: the end comes next */
		leg->proc.words_len = f->payload.len < LEGPROC_WORDS - 1 ?
		    f->payload.len : LEGPROC_WORDS - 1;
		memcpy(leg->proc.words, f->payload.s, leg->proc.words_len);
		break;
	case PROTO_PING:
		(void)put(leg, PROTO_PONG, NULL, 0, "%llu",
		    (unsigned long long)proto_num(f, 0));
		break;
	case PROTO_PONG:
		break;
	default:
		if (!leg->greeted)
			broken(leg, "a frame before HELLO");
		else
			return leg->ops->frame_cb(leg->arg, form, f);
	}
	return LEG_DONE;
}

/* Look at the frame at AT.  True if the next one may be looked at. */
static bool
frame_next(struct leg *leg, size_t *at)
{
	struct proto_frame f;
	enum proto_rule rule;
	enum proto_form form;
	size_t n;

	switch (proto_parse(leg->buf + *at, leg->len - *at, &f, &rule, &n)) {
	case PROTO_MORE:
		return false;
	case PROTO_MALFORMED:
		broken(leg, proto_rule_text(rule));
		return false;
	case PROTO_FRAME:
		break;
	}
	switch (proto_check(&f, PROTO_B2S, leg->conf->role, &form, &rule)) {
	case PROTO_WRONG:
		broken(leg, proto_rule_text(rule));
		return false;
	case PROTO_UNKNOWN:
		log_debug("unknown verb dropped");
		break;
	case PROTO_GOOD:
		leg->held = take(leg, form, &f) == LEG_HOLD;
		break;
	}
	if (leg->ev_out == NULL || leg->held)
		return false;
	*at += n;
	return true;
}

/* Take the frames in the buffer. */
static void
frames(struct leg *leg)
{
	size_t at = 0;

	while (frame_next(leg, &at))
		;
	if (leg->ev_out == NULL)
		return;		/* torn down meanwhile */
	leg->len -= at;
	memmove(leg->buf, leg->buf + at, leg->len);
	if (leg->held)
		event_del(leg->ev_out);
}

static void
read_cb(evutil_socket_t fd, short what, void *arg)
{
	struct leg *leg = arg;
	ssize_t n;

	(void)what;
	n = read(fd, leg->buf + leg->len, IN_MAX - leg->len);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		event_del(leg->ev_out);
		leg->eof = true;
		ending(leg);
		return;
	}
	leg->heard_at = now_ms();
	leg->len += (size_t)n;
	frames(leg);
}

static void
err_cb(evutil_socket_t fd, short what, void *arg)
{
	struct leg *leg = arg;

	(void)fd;
	(void)what;
	if (!legproc_listen(&leg->proc))
		event_del(leg->ev_err);
}

/* ---- start and timers ----------------------------------------------------- */

static void
start(struct leg *leg)
{
	char why[128];

	leg->eof = leg->bad = leg->greeted = false;
	leg->state = STARTING;
	if (legproc_start(&leg->proc, leg->conf, leg->relay) == -1) {
		(void)snprintf(why, sizeof why, "cannot start ssh: %s",
		    strerror(errno));
		lost(leg, why);
		return;
	}
	leg->ev_in = event_new(leg->base, leg->proc.in, EV_WRITE, queue_cb,
	    leg);
	leg->ev_out = event_new(leg->base, leg->proc.out, EV_READ | EV_PERSIST,
	    read_cb, leg);
	leg->ev_err = event_new(leg->base, leg->proc.err, EV_READ | EV_PERSIST,
	    err_cb, leg);
	if (leg->ev_in == NULL || leg->ev_out == NULL || leg->ev_err == NULL)
		fatalx("out of memory");
	event_add(leg->ev_out, NULL);
	event_add(leg->ev_err, NULL);
	leg->heard_at = leg->pinged_at = now_ms();
	timer_set(leg->ev_timer, START_MS);
	(void)put(leg, PROTO_HELLO, NULL, 0, "%d%s%s", PROTO_VERSION,
	    leg->features != NULL ? " " : "",
	    leg->features != NULL ? leg->features : "");
}

static void
timer_cb(evutil_socket_t fd, short what, void *arg)
{
	struct leg *leg = arg;

	(void)fd;
	(void)what;
	switch (leg->state) {
	case WAITING:
		start(leg);
		break;
	case STARTING:
		lost(leg, "the relay does not answer");
		break;
	case ENDING:
		if (leg->proc.pid != -1)
			leg->proc.status = EX_SSH;
		ended(leg);
		break;
	case UP:
	case OVER:
		break;
	}
}

/* Nothing was heard for so long that the link is dead, master and all. */
static void
silent(struct leg *leg)
{
	struct relay_stamp stamp = leg->stamp;
	char why[64];

	(void)snprintf(why, sizeof why, "nothing heard for %lld s",
	    (long long)(leg_silent_ms(leg) / 1000));
	lost(leg, why);
	relay_drop(leg->relay, &stamp);
}

static void
tick_cb(evutil_socket_t fd, short what, void *arg)
{
	struct leg *leg = arg;
	const struct settings *set = leg->relay->set;
	int64_t now = now_ms();

	(void)fd;
	(void)what;
	if (leg->held)
		leg->heard_at = now;	/* it is we who do not listen */
	else if (now - leg->heard_at >=
	    (int64_t)set->ping_ms * set->ping_missed) {
		silent(leg);
		return;
	} else if (now - leg->heard_at >= set->ping_ms &&
	    now - leg->pinged_at >= set->ping_ms) {
		leg->pinged_at = now;
		(void)put(leg, PROTO_PING, NULL, 0, "%llu",
		    (unsigned long long)++leg->pings);
	}
	timer_set(leg->ev_tick, set->ping_ms < TICK_MS ? set->ping_ms :
	    TICK_MS);
}

/* ---- interface ------------------------------------------------------------ */

struct leg *
leg_new(struct event_base *base, struct relay *relay,
    const struct leg_conf *conf, const struct leg_ops *ops, void *arg)
{
	struct leg *leg = calloc(1, sizeof *leg);

	if (leg == NULL)
		return NULL;
	leg->base = base;
	leg->relay = relay;
	leg->conf = conf;
	leg->ops = ops;
	leg->arg = arg;
	legproc_init(&leg->proc);
	legproc_init(&leg->last);
	leg->state = WAITING;
	leg->backoff_ms = relay->set->backoff_ms;
	leg->buf = malloc(IN_MAX);
	leg->queue = evbuffer_new();
	leg->ev_child = evsignal_new(base, SIGCHLD, child_cb, leg);
	leg->ev_timer = evtimer_new(base, timer_cb, leg);
	leg->ev_tick = evtimer_new(base, tick_cb, leg);
	if (leg->buf == NULL || leg->queue == NULL || leg->ev_child == NULL ||
	    leg->ev_timer == NULL || leg->ev_tick == NULL) {
		leg_free(leg);
		errno = ENOMEM;
		return NULL;
	}
	srandom((unsigned int)getpid());
	event_add(leg->ev_child, NULL);
	timer_set(leg->ev_timer, 0);
	return leg;
}

void
leg_free(struct leg *leg)
{
	if (leg == NULL)
		return;
	if (leg->queue != NULL && leg->ev_timer != NULL && leg->ev_tick != NULL)
		teardown(leg);
	event_drop(&leg->ev_child);
	event_drop(&leg->ev_timer);
	event_drop(&leg->ev_tick);
	if (leg->queue != NULL)
		evbuffer_free(leg->queue);
	free(leg->buf);
	free(leg);
}

void
leg_features(struct leg *leg, const char *features)
{
	leg->features = features;
}

void
leg_resume(struct leg *leg)
{
	if (!leg->held)
		return;
	leg->held = false;
	event_add(leg->ev_out, NULL);
	frames(leg);
	if (leg->proc.pid == -1 && leg->ev_out != NULL && !leg->held &&
	    leg->state != OVER)
		ending(leg);	/* it ended while we did not listen */
}

void
leg_retry(struct leg *leg)
{
	if (leg->state == WAITING)
		timer_set(leg->ev_timer, 0);
}

/* What is sent while a successor starts goes behind its HELLO. */
bool
leg_is_up(const struct leg *leg)
{
	return leg->state == UP ||
	    (leg->state == STARTING && leg->last.pid != -1);
}

int
leg_redial(struct leg *leg)
{
	if (leg->state != UP || evbuffer_get_length(leg->queue) > 0)
		return -1;
	event_drop(&leg->ev_in);
	event_drop(&leg->ev_out);
	event_drop(&leg->ev_err);
	evtimer_del(leg->ev_tick);
	leg->last = leg->proc;
	leg->len = 0;
	leg->held = false;
	start(leg);
	if (leg->state == STARTING)
		timer_set(leg->ev_timer, REDIAL_MS);
	return 0;
}

int64_t
leg_silent_ms(const struct leg *leg)
{
	return now_ms() - leg->heard_at;
}
