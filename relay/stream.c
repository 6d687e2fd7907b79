/*
 * stream.c - the customer's screen on its way to the viewers.
 *
 * What the customer's shell prints goes into one ring; each viewer has a cursor
 * in it and a flow credit.  A viewer that has just come, or whose cursor fell
 * out of the ring, waits for a SCREEN and goes on from exactly there.  Screens
 * are asked of the customer with SNAPSHOT, not too often, one for all who wait.
 * No octet of the stream is interpreted.
 */
#include <event2/buffer.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "broker.h"
#include "log.h"

#define CHUNK		32768u	/* octets in one frame */
#define CRUMB		1024u	/* less is not sent if more is to come */
#define ACK_AT		4096u	/* unacknowledged octets that do not wait */
#define SET_MAX		(1u << 20)	/* octets of one HISTORY or SCREEN */
#define HISTORY_LINES	2000u
#define VIEW_BLOBS	3	/* one half sent, HISTORY, SCREEN */

/* Where a viewer is in the stream. */
struct view {
	struct credit		 credit;
	struct ring_cursor	 cursor;
	struct blob		*blobs[VIEW_BLOBS];	/* go before the cursor */
	unsigned int		 nblobs;
	size_t			 done;		/* octets sent of the first */
	bool			 waiting;	/* for a SCREEN */
	uint32_t		 history;	/* lines wanted before it */
	bool			 gap;		/* it was skipped ahead: its next
						 * screen says so, */
	bool			 set_gap;	/* and this one did */
};

static void	ask_cb(evutil_socket_t fd, short what, void *arg);
static void	ack_cb(evutil_socket_t fd, short what, void *arg);

int
stream_init(struct broker *b)
{
	struct stream *st = &b->stream;

	ring_init(&st->ring);
	st->ask_ev = evtimer_new(b->base, ask_cb, b);
	st->ack_ev = evtimer_new(b->base, ack_cb, b);
	return st->ask_ev == NULL || st->ack_ev == NULL ? -1 : 0;
}

static void
drop_sets(struct stream *st)
{
	blob_unref(st->history);
	blob_unref(st->screen);
	st->history = st->screen = NULL;
	st->history_done = false;
}

void
stream_release(struct broker *b)
{
	struct stream *st = &b->stream;

	drop_sets(st);
	ring_release(&st->ring);
	if (st->ask_ev != NULL)
		event_free(st->ask_ev);
	if (st->ack_ev != NULL)
		event_free(st->ack_ev);
}

static void
set_timer(struct event *ev, uint64_t ms)
{
	struct timeval tv = { (time_t)(ms / 1000),
	    (suseconds_t)(ms % 1000 * 1000) };

	(void)evtimer_add(ev, &tv);
}

/* ---- asking for screens ------------------------------------------------- */

/*
 * Is there a viewer who can take a screen now; how much history at most?  One
 * who reads nothing is not asked for, or it would be every second.
 */
static bool
somebody_waits(struct broker *b, uint32_t *lines)
{
	bool waits = false;
	struct peer *p;

	*lines = 0;
	TAILQ_FOREACH(p, &b->peers, entry) {
		if (p->view == NULL || p->state != PEER_UP ||
		    !p->view->waiting || p->view->nblobs > 0 ||
		    credit_free(&p->view->credit) < CRUMB)
			continue;
		waits = true;
		if (p->view->history > *lines)
			*lines = p->view->history;
	}
	return waits;
}

/* A SNAPSHOT was never answered: do without history. */
static void
give_up_history(struct broker *b)
{
	struct peer *p;

	TAILQ_FOREACH(p, &b->peers, entry)
		if (p->view != NULL)
			p->view->history = 0;
}

/*
 * Ask for a screen if somebody waits for one, unless one is on its way or the
 * last was asked for just now; then look again later.
 */
static void
ask(struct broker *b)
{
	struct stream *st = &b->stream;
	uint64_t now = peer_clock(), since = now - st->asked_ms;
	uint32_t wait = st->asked ? b->conf->hello_ms : b->conf->screen_ms;
	uint32_t lines;

	if (b->producer == NULL || b->producer->state != PEER_UP ||
	    !somebody_waits(b, &lines))
		return;
	if (st->asked_ms != 0 && since < wait) {
		set_timer(st->ask_ev, wait - since);
		return;
	}
	if (st->asked) {
		give_up_history(b);
		lines = 0;
	}
	if (lines > 0)
		peer_send(b->producer, PROTO_SNAPSHOT, NULL, 0, "%u", lines);
	else
		peer_send(b->producer, PROTO_SNAPSHOT, NULL, 0, NULL);
	st->asked = true;
	st->asked_lines = lines;
	st->asked_ms = now;
	set_timer(st->ask_ev, b->conf->hello_ms);
}

static void
ask_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	ask(arg);
}

/* ---- from the customer -------------------------------------------------- */

static void
ack_cb(evutil_socket_t fd, short what, void *arg)
{
	struct broker *b = arg;
	struct stream *st = &b->stream;

	(void)fd;
	(void)what;
	if (st->acked == st->taken || b->producer == NULL)
		return;
	st->acked = st->taken;
	peer_send(b->producer, PROTO_ACK, NULL, 0, "%llu",
	    (unsigned long long)st->taken);
}

/* Acknowledge N more octets, soon; a whole read makes one ACK. */
static void
acknowledge(struct broker *b, size_t n)
{
	struct stream *st = &b->stream;

	if (n == 0)
		return;
	st->taken += n;
	if (st->taken - st->acked >= ACK_AT)
		event_active(st->ack_ev, EV_TIMEOUT, 0);
	else if (!evtimer_pending(st->ack_ev, NULL))
		set_timer(st->ack_ev, b->conf->ack_ms);
}

/* Make a viewer wait for a screen; a set that it has half of it gets whole. */
static void
make_wait(struct view *v)
{
	while (v->nblobs > (v->done > 0 ? 1u : 0u))
		blob_unref(v->blobs[--v->nblobs]);
	v->waiting = true;
}

/* Forget what all viewers have got. */
static void
trim(struct broker *b)
{
	uint64_t lowest = b->stream.ring.head;
	struct peer *p;

	TAILQ_FOREACH(p, &b->peers, entry)
		if (p->view != NULL && !p->view->waiting &&
		    p->view->cursor.at < lowest)
			lowest = p->view->cursor.at;
	ring_trim(&b->stream.ring, lowest);
}

void
stream_restart(struct broker *b)
{
	struct stream *st = &b->stream;
	struct peer *p;

	drop_sets(st);
	st->taken = st->acked = 0;
	st->asked = false;
	st->asked_ms = 0;
	TAILQ_FOREACH(p, &b->peers, entry)
		if (p->view != NULL) {
			make_wait(p->view);
			p->view->gap = p->view->credit.sent > 0;
		}
	trim(b);
	ask(b);
}

/* Wake the viewers that are in the ring; false: there are none. */
static bool
wake_readers(struct broker *b)
{
	bool any = false;
	struct peer *p;

	TAILQ_FOREACH(p, &b->peers, entry)
		if (p->view != NULL && !p->view->waiting) {
			peer_wake(p);
			any = true;
		}
	return any;
}

/* There is no memory for the ring: everybody in it starts over. */
static void
ring_failed(struct broker *b)
{
	struct peer *p;

	log_warnx("no memory for the stream");
	TAILQ_FOREACH(p, &b->peers, entry)
		if (p->view != NULL && !p->view->waiting) {
			make_wait(p->view);
			p->view->gap = true;
		}
	ask(b);
}

/* Give a viewer a screen, after its history if it wants one. */
static void
give(struct broker *b, struct peer *p, struct blob *history,
    struct blob *screen)
{
	struct view *v = p->view;

	make_wait(v);
	if (history != NULL && v->history > 0)
		v->blobs[v->nblobs++] = blob_ref(history);
	v->blobs[v->nblobs++] = blob_ref(screen);
	v->waiting = false;
	v->history = 0;
	ring_join(&b->stream.ring, &v->cursor);
	peer_wake(p);
}

/*
 * Is this screen the one that the waiting V needs?  Who wants history waits
 * for the answer to its own question, unless that is long overdue.
 */
static bool
is_awaited(const struct broker *b, const struct view *v,
    const struct blob *screen)
{
	const struct stream *st = &b->stream;

	if (v->history == 0 || st->history_done)
		return true;
	return !screen->gap && st->asked_lines > 0;
}

/* A whole SCREEN has come. */
static void
screen_done(struct broker *b)
{
	struct stream *st = &b->stream;
	struct blob *screen = st->screen;
	struct blob *history = st->history_done ? st->history : NULL;
	struct peer *p;

	st->screen = NULL;
	/* Only with a gap does it concern those who have the stream anyway. */
	if (screen->gap && wake_readers(b) &&
	    ring_screen(&st->ring, screen) == -1)
		ring_failed(b);
	TAILQ_FOREACH(p, &b->peers, entry)
		if (p->view != NULL && p->view->waiting &&
		    is_awaited(b, p->view, screen))
			give(b, p, history, screen);
	/* the answer may have a gap; else it is still to come, with history */
	if (!screen->gap || history != NULL || st->asked_lines == 0)
		st->asked = false;
	blob_unref(screen);
	drop_sets(st);
	trim(b);
	ask(b);
}

/* One frame of a HISTORY or SCREEN that is *SET so far. */
static const char *
take_part(struct blob **set, const struct proto_frame *f, uint64_t cols,
    uint64_t rows, bool gap)
{
	struct blob *b = *set;

	if (b == NULL) {
		b = *set = blob_new();
		if (b == NULL)
			return "the relay is out of memory";
		b->cols = (uint16_t)cols;
		b->rows = (uint16_t)rows;
		b->gap = gap;
	} else if (b->cols != cols || b->rows != rows || b->gap != gap)
		return "not the next frame of its set";
	if (b->len + f->payload.len > SET_MAX)
		return "a set of more than 1 MiB";
	if (blob_add(b, f->payload.s, f->payload.len) == -1)
		return "the relay is out of memory";
	return NULL;
}

static const char *
take_screen(struct broker *b, const struct proto_frame *f)
{
	const char *wrong;

	wrong = take_part(&b->stream.screen, f, proto_num(f, 0),
	    proto_num(f, 1), f->nargs > 3);
	if (wrong != NULL)
		return wrong;
	acknowledge(b, f->payload.len);
	if (proto_is(f->args[2], "end"))
		screen_done(b);
	return NULL;
}

static const char *
take_history(struct broker *b, const struct proto_frame *f)
{
	struct stream *st = &b->stream;
	const char *wrong;

	if (st->history_done) {		/* of a SCREEN that never came */
		blob_unref(st->history);
		st->history = NULL;
		st->history_done = false;
	}
	wrong = take_part(&st->history, f, 0, 0, false);
	if (wrong != NULL)
		return wrong;
	acknowledge(b, f->payload.len);
	st->history_done = proto_is(f->args[0], "end");
	return NULL;
}

static void
take_output(struct broker *b, const struct proto_frame *f)
{
	acknowledge(b, f->payload.len);
	if (wake_readers(b) && ring_output(&b->stream.ring, f->payload.s,
	    f->payload.len) == -1)
		ring_failed(b);
}

static void
take_size(struct broker *b, const struct proto_frame *f)
{
	if (wake_readers(b) && ring_size(&b->stream.ring,
	    (uint16_t)proto_num(f, 0), (uint16_t)proto_num(f, 1)) == -1)
		ring_failed(b);
}

const char *
stream_take(struct broker *b, enum proto_form form,
    const struct proto_frame *f)
{
	struct stream *st = &b->stream;

	if ((st->screen != NULL && form != PROTO_SCREEN) ||
	    (st->history != NULL && !st->history_done && form != PROTO_HISTORY))
		return "inside a set of frames";
	switch (form) {
	case PROTO_SCREEN:
		return take_screen(b, f);
	case PROTO_HISTORY:
		return take_history(b, f);
	case PROTO_SIZE:
		take_size(b, f);
		return NULL;
	default:
		take_output(b, f);
		return NULL;
	}
}

/* ---- to a viewer -------------------------------------------------------- */

int
stream_open(struct broker *b, struct peer *p, uint32_t history)
{
	struct view *v = calloc(1, sizeof *v);

	if (v == NULL)
		return -1;
	credit_init(&v->credit);
	v->waiting = true;
	v->history = history < HISTORY_LINES ? history : HISTORY_LINES;
	p->view = v;
	ask(b);
	return 0;
}

void
stream_close(struct broker *b, struct peer *p)
{
	struct view *v = p->view;

	if (v == NULL)
		return;
	p->view = NULL;
	while (v->nblobs > 0)
		blob_unref(v->blobs[--v->nblobs]);
	free(v);
	trim(b);
}

int
stream_acked(struct peer *p, uint64_t total)
{
	if (p->view == NULL ||
	    credit_acked(&p->view->credit, total, peer_clock()) == -1)
		return -1;
	peer_wake(p);
	return 0;
}

/* Write one frame straight into OUT. */
static bool
put_frame(struct evbuffer *out, enum proto_form form, const char *data,
    size_t len, const char *args)
{
	struct evbuffer_iovec v;
	size_t n;

	if (evbuffer_reserve_space(out, (ev_ssize_t)(len + PROTO_HEADER_MAX),
	    &v, 1) != 1)
		return false;
	if (args[0] != '\0')
		n = proto_put(v.iov_base, v.iov_len, form, data, len, "%s",
		    args);
	else
		n = proto_put(v.iov_base, v.iov_len, form, data, len, NULL);
	v.iov_len = n;
	return n > 0 && evbuffer_commit_space(out, &v, 1) == 0;
}

/* How many of LEN octets may go now; 0: wait for credit. */
static size_t
allowance(struct view *v, size_t len)
{
	size_t n = credit_free(&v->credit);

	n = n < CHUNK ? n : CHUNK;
	n = n < len ? n : len;
	if (n < len && n < CRUMB) {
		credit_waiting(&v->credit, true, peer_clock());
		return 0;
	}
	return n;
}

/* The next frame of the first blob. */
static bool
next_of_blob(struct view *v, struct evbuffer *out)
{
	struct blob *blob = v->blobs[0];
	bool screen = blob->cols > 0, last;
	size_t left = blob->len - v->done, n;
	char args[64];

	n = allowance(v, left);
	if (n == 0 && left > 0)
		return false;
	last = n == left;
	if (screen && v->done == 0) {	/* the frames of a set are alike */
		v->set_gap = blob->gap || v->gap;
		v->gap = false;
	}
	if (screen)
		(void)snprintf(args, sizeof args, "%u %u %s%s", blob->cols,
		    blob->rows, last ? "end" : "more",
		    v->set_gap ? " gap" : "");
	else
		(void)snprintf(args, sizeof args, "%s", last ? "end" : "more");
	if (!put_frame(out, screen ? PROTO_SCREEN : PROTO_HISTORY,
	    n > 0 ? blob->data + v->done : "", n, args))
		return false;
	credit_sent(&v->credit, (uint32_t)n, peer_clock());
	v->done += n;
	if (last) {
		v->done = 0;
		v->nblobs--;
		memmove(v->blobs, v->blobs + 1,
		    v->nblobs * sizeof v->blobs[0]);
		blob_unref(blob);
	}
	return true;
}

/* The next frame out of the ring. */
static bool
next_of_ring(struct broker *b, struct view *v, struct evbuffer *out)
{
	static char buf[CHUNK];
	struct ring *r = &b->stream.ring;
	struct ring_item it;
	char args[32];
	size_t n;

	if (!ring_peek(r, &v->cursor, &it)) {
		credit_waiting(&v->credit, false, 0);
		return false;
	}
	if (it.kind == RING_SCREEN) {
		v->blobs[v->nblobs++] = blob_ref(it.blob);
		ring_pass(r, &v->cursor);
		return next_of_blob(v, out);
	}
	if (it.kind == RING_SIZED) {
		ring_pass(r, &v->cursor);
		(void)snprintf(args, sizeof args, "%u %u", it.cols, it.rows);
		return put_frame(out, PROTO_SIZE, NULL, 0, args);
	}
	n = allowance(v, it.len);
	if (n == 0)
		return false;
	n = ring_take(r, &v->cursor, buf, n);
	credit_sent(&v->credit, (uint32_t)n, peer_clock());
	return put_frame(out, PROTO_OUTPUT, buf, n, "");
}

bool
stream_next(struct peer *p, struct evbuffer *out)
{
	struct broker *b = p->owner;
	struct view *v = p->view;
	bool more;

	if (v == NULL)
		return false;
	if (!v->waiting && ring_lost(&b->stream.ring, &v->cursor)) {
		v->gap = true;
		make_wait(v);
		if (ring_skip(&b->stream.ring, &v->cursor))
			v->waiting = false;
	}
	if (v->nblobs > 0)
		return next_of_blob(v, out);
	if (v->waiting) {
		credit_waiting(&v->credit, false, 0);
		ask(b);
		return false;
	}
	more = next_of_ring(b, v, out);
	trim(b);
	return more;
}

void
stream_idle(struct broker *b)
{
	ring_idle(&b->stream.ring);
}
