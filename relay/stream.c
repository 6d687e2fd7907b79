/*
 * stream.c - the customer's screen on its way to the viewers.
 *
 * What the customer's shell prints goes into one ring, in which each viewer has
 * a cursor (viewing.c).  A viewer that has just come, or whose cursor fell out
 * of the ring, needs a SCREEN and goes on from exactly there: one that is kept,
 * with what followed it in the ring, or a new one.  Screens are asked of the
 * customer with SNAPSHOT, not too often, one for all who wait.  No octet of the
 * stream is interpreted.
 */
#include <event2/event.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "broker.h"
#include "log.h"

#define ACK_AT		4096u	/* unacknowledged octets that do not wait */
#define SET_MAX		(1u << 20)	/* octets of one HISTORY or SCREEN */
#define BLOBS_MAX	(5u << 19)	/* of all sets together */
#define KEEP_SET	(512u << 10)	/* of a screen and history kept */
#define KEEP_BEHIND	(64u << 10)	/* and of what followed them */

static void	ask_cb(evutil_socket_t fd, short what, void *arg);
static void	ack_cb(evutil_socket_t fd, short what, void *arg);
static void	keep_cb(evutil_socket_t fd, short what, void *arg);

int
stream_init(struct broker *b)
{
	struct stream *st = &b->stream;

	ring_init(&st->ring);
	st->ask_ev = evtimer_new(b->base, ask_cb, b);
	st->ack_ev = evtimer_new(b->base, ack_cb, b);
	st->keep_ev = evtimer_new(b->base, keep_cb, b);
	return st->ask_ev == NULL || st->ack_ev == NULL ||
	    st->keep_ev == NULL ? -1 : 0;
}

static void
drop_sets(struct stream *st)
{
	blob_unref(st->history);
	blob_unref(st->screen);
	st->history = st->screen = NULL;
	st->history_done = false;
}

static void
unkeep(struct kept *k)
{
	blob_unref(k->history);
	blob_unref(k->screen);
	memset(k, 0, sizeof *k);
}

static void
unkeep_all(struct stream *st)
{
	unsigned int i;

	for (i = 0; i < KEPT; i++)
		unkeep(&st->kept[i]);
}

void
stream_release(struct broker *b)
{
	struct stream *st = &b->stream;

	drop_sets(st);
	unkeep_all(st);
	ring_release(&st->ring);
	if (st->ask_ev != NULL)
		event_free(st->ask_ev);
	if (st->ack_ev != NULL)
		event_free(st->ack_ev);
	if (st->keep_ev != NULL)
		event_free(st->keep_ev);
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
	bool waits = recording_waits(b);
	struct peer *p;

	*lines = 0;
	TAILQ_FOREACH(p, &b->peers, entry) {
		if (p->view == NULL || p->state != PEER_UP ||
		    !p->view->waiting || p->view->nblobs > 0 ||
		    credit_free(&p->view->credit) < VIEW_CRUMB)
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

/* Not if one is on its way, or the last was asked for just now; then later. */
void
stream_ask(struct broker *b)
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
	stream_ask(arg);
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

void
stream_trim(struct broker *b)
{
	struct stream *st = &b->stream;
	uint64_t lowest = st->ring.head;
	unsigned int i;
	struct peer *p;

	for (i = 0; i < KEPT; i++)
		if (st->kept[i].screen != NULL &&
		    st->kept[i].cursor.at < lowest)
			lowest = st->kept[i].cursor.at;
	TAILQ_FOREACH(p, &b->peers, entry)
		if (p->view != NULL && !p->view->waiting &&
		    p->view->cursor.at < lowest)
			lowest = p->view->cursor.at;
	ring_trim(&st->ring, lowest);
}

/* ---- screens that are kept ---------------------------------------------- */

/* Drop what is too old, or too far behind to be of use. */
static void
check_kept(struct broker *b)
{
	struct stream *st = &b->stream;
	uint64_t now = 0;
	unsigned int i;

	for (i = 0; i < KEPT; i++) {
		struct kept *k = &st->kept[i];

		if (k->screen == NULL)
			continue;
		if (now == 0)
			now = peer_clock();
		if (now - k->ms >= b->conf->keep_ms ||
		    st->ring.head - k->cursor.at > KEEP_BEHIND ||
		    ring_lost(&st->ring, &k->cursor))
			unkeep(k);
	}
}

static bool
is_keeping(struct broker *b)
{
	const struct kept *kept = b->stream.kept;

	check_kept(b);
	return kept[KEPT_NEWEST].screen != NULL ||
	    kept[KEPT_FULL].screen != NULL;
}

static void
keep_cb(evutil_socket_t fd, short what, void *arg)
{
	struct broker *b = arg;

	(void)fd;
	(void)what;
	check_kept(b);
	stream_trim(b);
}

/* Keep a complete screen; what follows it is in the ring from here on. */
static void
keep(struct broker *b, struct blob *history, struct blob *screen)
{
	struct stream *st = &b->stream;
	struct kept new = { .history = history, .screen = screen,
	    .lines = st->asked_lines, .ms = peer_clock() };
	unsigned int i;

	unkeep(&st->kept[KEPT_NEWEST]);
	if (screen->len + (history != NULL ? history->len : 0) > KEEP_SET)
		return;
	ring_join(&st->ring, &new.cursor);
	for (i = 0; i < (history != NULL ? KEPT : KEPT_FULL); i++) {
		unkeep(&st->kept[i]);
		st->kept[i] = new;
		blob_ref(screen);
		if (history != NULL)
			blob_ref(history);
	}
	set_timer(st->keep_ev, b->conf->keep_ms);
}

bool
stream_serve(struct broker *b, struct peer *p)
{
	struct view *v = p->view;
	struct kept *k;

	check_kept(b);
	k = &b->stream.kept[v->history > 0 ? KEPT_FULL : KEPT_NEWEST];
	if (!v->waiting || v->nblobs > 0 || k->screen == NULL ||
	    k->lines < v->history || credit_free(&v->credit) < VIEW_CRUMB)
		return false;
	view_give(p, k->history, k->screen, k->cursor);
	return true;
}

/* Of those that hold a set which they got half of, the one silent longest. */
static struct peer *
laziest(struct broker *b)
{
	struct peer *p, *worst = NULL;

	TAILQ_FOREACH(p, &b->peers, entry)
		if (p->view != NULL && p->view->nblobs > 0 &&
		    (worst == NULL || p->view->heard_ms < worst->view->heard_ms))
			worst = p;
	return worst;
}

/* Everybody's screen that has not begun to leave goes; they wait for another. */
static void
take_back(struct broker *b)
{
	struct stream *st = &b->stream;
	struct peer *p;

	TAILQ_FOREACH(p, &b->peers, entry)
		if (p->view != NULL && !p->view->waiting) {
			p->view->gap = p->view->credit.sent > 0;
			view_wait(p->view);
		}
	ring_trim(&st->ring, st->ring.head);
}

/*
 * Make room for N octets of a set.  However many viewers stopped reading in the
 * middle of one each, all that they hold is not more than BLOBS_MAX.
 */
static void
relieve(struct broker *b, size_t n)
{
	struct peer *p;

	if (blob_octets() + n <= BLOBS_MAX)
		return;
	unkeep_all(&b->stream);
	if (blob_octets() + n > BLOBS_MAX)
		take_back(b);
	while (blob_octets() + n > BLOBS_MAX && (p = laziest(b)) != NULL) {
		broker_audit(b, p, "stop viewing", "too slow for such screens");
		view_forget(p->view);
		peer_kill(p, PROTO_END, 75,
		    "your connection is too slow to follow");
	}
}

/* ---- for the viewers ------------------------------------------------- */

void
stream_restart(struct broker *b)
{
	struct stream *st = &b->stream;
	struct peer *p;

	drop_sets(st);
	unkeep_all(st);
	st->taken = st->acked = 0;
	st->asked = false;
	st->asked_ms = 0;
	TAILQ_FOREACH(p, &b->peers, entry)
		if (p->view != NULL) {
			view_wait(p->view);
			p->view->gap = p->view->credit.sent > 0;
		}
	stream_trim(b);
	stream_ask(b);
}

/*
 * Wake the viewers that are in the ring.  False: there are none, nor a screen
 * that is kept, so that nothing needs to go into it.
 */
static bool
wake_readers(struct broker *b)
{
	bool any = is_keeping(b);
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
	unkeep_all(&b->stream);
	TAILQ_FOREACH(p, &b->peers, entry)
		if (p->view != NULL && !p->view->waiting) {
			view_wait(p->view);
			p->view->gap = true;
		}
	stream_ask(b);
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
	struct ring_cursor here;
	struct peer *p;

	st->used = true;
	st->screen = NULL;
	recording_screen(b, screen);
	/* Only with a gap does it concern those who have the stream anyway. */
	if (screen->gap && wake_readers(b) &&
	    ring_screen(&st->ring, screen) == -1)
		ring_failed(b);
	ring_join(&st->ring, &here);
	TAILQ_FOREACH(p, &b->peers, entry)
		if (p->view != NULL && p->view->waiting &&
		    is_awaited(b, p->view, screen))
			view_give(p, history, screen, here);
	keep(b, history, screen);
	/* the answer may have a gap; else it is still to come, with history */
	if (!screen->gap || history != NULL || st->asked_lines == 0)
		st->asked = false;
	blob_unref(screen);
	drop_sets(st);
	stream_trim(b);
	stream_ask(b);
}

/* One frame of a HISTORY or SCREEN that is *SET so far. */
static const char *
take_part(struct broker *b, struct blob **set, const struct proto_frame *f,
    uint64_t cols, uint64_t rows, bool gap)
{
	struct blob *s = *set;

	if (s == NULL) {
		s = *set = blob_new();
		if (s == NULL)
			return "the relay is out of memory";
		s->cols = (uint16_t)cols;
		s->rows = (uint16_t)rows;
		s->gap = gap;
	} else if (s->cols != cols || s->rows != rows || s->gap != gap)
		return "not the next frame of its set";
	if (s->len + f->payload.len > SET_MAX)
		return "a set of more than 1 MiB";
	relieve(b, f->payload.len);
	if (blob_add(s, f->payload.s, f->payload.len) == -1)
		return "the relay is out of memory";
	acknowledge(b, f->payload.len);
	return NULL;
}

static const char *
take_screen(struct broker *b, const struct proto_frame *f)
{
	const char *wrong;

	wrong = take_part(b, &b->stream.screen, f, proto_num(f, 0),
	    proto_num(f, 1), f->nargs > 3);
	if (wrong != NULL)
		return wrong;
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
	wrong = take_part(b, &st->history, f, 0, 0, false);
	if (wrong != NULL)
		return wrong;
	st->history_done = proto_is(f->args[0], "end");
	/* What nobody has asked for is of no use later. */
	if (st->history_done && (!st->asked || st->asked_lines == 0)) {
		blob_unref(st->history);
		st->history = NULL;
		st->history_done = false;
	}
	return NULL;
}

static void
take_output(struct broker *b, const struct proto_frame *f)
{
	if (f->payload.len == 0)
		return;
	acknowledge(b, f->payload.len);
	recording_output(b, f->payload);
	if (wake_readers(b) && ring_output(&b->stream.ring, f->payload.s,
	    f->payload.len) == -1)
		ring_failed(b);
}

static void
take_size(struct broker *b, const struct proto_frame *f)
{
	recording_size(b, proto_num(f, 0), proto_num(f, 1));
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

void
stream_idle(struct broker *b)
{
	struct stream *st = &b->stream;

	check_kept(b);
	stream_trim(b);
	ring_idle(&st->ring);
	if (!st->used || blob_octets() > 0)
		return;
	st->used = false;
#ifdef __GLIBC__
	(void)malloc_trim(0);	/* what sets and queues have left */
#endif
}
