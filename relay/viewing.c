/*
 * viewing.c - the stream on its way out to one viewer.
 *
 * A viewer has a cursor in the ring and a flow credit, and before the cursor
 * perhaps a history and a screen.  No frame is larger than the free credit; one
 * whose cursor fell out of the ring goes on at a newer screen, and says so.
 */
#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

#include "broker.h"

#define CHUNK		32768u	/* octets in one frame */
#define HISTORY_LINES	2000u

void
view_wait(struct view *v)
{
	while (v->nblobs > (v->done > 0 ? 1u : 0u))
		blob_unref(v->blobs[--v->nblobs]);
	v->waiting = true;
}

void
view_forget(struct view *v)
{
	while (v->nblobs > 0)
		blob_unref(v->blobs[--v->nblobs]);
	v->waiting = true;
}

void
view_give(struct peer *p, struct blob *history, struct blob *screen,
    struct ring_cursor cursor)
{
	struct view *v = p->view;

	view_wait(v);
	if (history != NULL && v->history > 0)
		v->blobs[v->nblobs++] = blob_ref(history);
	v->blobs[v->nblobs++] = blob_ref(screen);
	v->waiting = false;
	v->history = 0;
	v->cursor = cursor;
	peer_wake(p);
}

int
stream_open(struct broker *b, struct peer *p, uint32_t history)
{
	struct view *v = calloc(1, sizeof *v);

	if (v == NULL)
		return -1;
	credit_init(&v->credit);
	v->heard_ms = peer_clock();
	v->waiting = true;
	v->history = history < HISTORY_LINES ? history : HISTORY_LINES;
	p->view = v;
	if (!stream_serve(b, p))
		stream_ask(b);
	return 0;
}

void
stream_close(struct broker *b, struct peer *p)
{
	struct view *v = p->view;

	if (v == NULL)
		return;
	p->view = NULL;
	view_forget(v);
	free(v);
	stream_trim(b);
}

int
stream_acked(struct peer *p, uint64_t total)
{
	struct view *v = p->view;

	if (v == NULL || credit_acked(&v->credit, total, peer_clock()) == -1)
		return -1;
	v->heard_ms = peer_clock();
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
	if (n < len && n < VIEW_CRUMB) {
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

/* A viewer that waits goes on from a screen that is there, if one is. */
static bool
resume(struct broker *b, struct peer *p)
{
	struct view *v = p->view;

	if (stream_serve(b, p))
		return true;
	if (v->history > 0 || v->nblobs > 0 ||
	    !ring_skip(&b->stream.ring, &v->cursor))
		return false;
	v->waiting = false;
	return true;
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
		view_wait(v);
	}
	if (v->nblobs > 0)
		return next_of_blob(v, out);
	if (v->waiting && !resume(b, p)) {
		credit_waiting(&v->credit, false, 0);
		stream_ask(b);
		return false;
	}
	if (v->nblobs > 0)
		return next_of_blob(v, out);
	more = next_of_ring(b, v, out);
	stream_trim(b);
	return more;
}
