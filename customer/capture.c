/*
 * capture.c - see capture.h.
 */
#include "capture.h"

#include <event2/buffer.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct capture_item {
	TAILQ_ENTRY(capture_item)	 next;
	enum proto_form			 form;	/* OUTPUT, SCREEN, HISTORY or
						 * SIZE */
	unsigned int			 cols, rows;
	bool				 gap;
	bool				 begun;	/* its first part has left */
	bool				 kept;	/* history, and what goes with
						 * it: is not dropped */
	struct evbuffer			*data;	/* NULL for SIZE */
};

void
capture_init(struct capture *c, const struct capture_ops *ops, void *arg)
{
	memset(c, 0, sizeof *c);
	c->ops = ops;
	c->arg = arg;
	TAILQ_INIT(&c->queue);
	credit_init(&c->credit);
}

static void
item_free(struct capture *c, struct capture_item *it)
{
	TAILQ_REMOVE(&c->queue, it, next);
	if (it->data != NULL) {
		c->queued -= evbuffer_get_length(it->data);
		if (it->kept)
			c->kept -= evbuffer_get_length(it->data);
		evbuffer_free(it->data);
	}
	free(it);
}

/* Append an item; one with data gets an empty buffer.  NULL: no memory. */
static struct capture_item *
item_add(struct capture *c, enum proto_form form)
{
	struct capture_item *it = calloc(1, sizeof *it);

	if (it == NULL)
		return NULL;
	it->form = form;
	if (form != PROTO_SIZE && (it->data = evbuffer_new()) == NULL) {
		free(it);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&c->queue, it, next);
	return it;
}

void
capture_release(struct capture *c)
{
	struct capture_item *it;

	while ((it = TAILQ_FIRST(&c->queue)) != NULL)
		item_free(c, it);
}

/* Drop what waits, but not the rest of a set that has begun, nor what was asked
 * for by somebody who would wait for it in vain. */
static void
drop(struct capture *c)
{
	struct capture_item *it, *next;

	for (it = TAILQ_FIRST(&c->queue); it != NULL; it = next) {
		next = TAILQ_NEXT(it, next);
		if (it->begun || it->kept)
			continue;
		if (it->form == PROTO_SIZE)
			c->cols = c->rows = 0;	/* has to be told again */
		item_free(c, it);
	}
	c->gap = true;
	c->asked = false;
}

void
capture_up(struct capture *c)
{
	capture_release(c);
	credit_init(&c->credit);
	c->up = true;
	c->cols = c->rows = 0;
	drop(c);
}

void
capture_down(struct capture *c)
{
	capture_release(c);
	c->up = false;
}

/*
 * What may wait: about what the link carries in two seconds, and on a slow one
 * in one: there what waits is what a keystroke's echo stands behind.
 */
static size_t
queue_bound(const struct capture *c)
{
	size_t limit = c->credit.limit;
	size_t bound = limit < CREDIT_START ? 2 * limit : 4 * limit;

	return bound < CAPTURE_QUEUE_MIN ? CAPTURE_QUEUE_MIN :
	    bound > CAPTURE_QUEUE_MAX ? CAPTURE_QUEUE_MAX : bound;
}

void
capture_output(struct capture *c, const void *data, size_t len)
{
	struct capture_item *last = TAILQ_LAST(&c->queue, capture_queue);

	if (!c->up || c->gap || len == 0)
		return;
	if (c->queued - c->kept + len > queue_bound(c)) {
		drop(c);
		return;
	}
	if (last == NULL || last->form != PROTO_OUTPUT)
		last = item_add(c, PROTO_OUTPUT);
	if (last == NULL || evbuffer_add(last->data, data, len) == -1) {
		drop(c);
		return;
	}
	c->queued += len;
}

/* Queue a set of FORM, drained from OCTETS. */
static struct capture_item *
add_set(struct capture *c, enum proto_form form, struct evbuffer *octets,
    bool kept)
{
	struct capture_item *it = item_add(c, form);

	if (it == NULL)
		return NULL;
	it->kept = kept;
	if (kept)
		c->kept += evbuffer_get_length(octets);
	c->queued += evbuffer_get_length(octets);
	(void)evbuffer_add_buffer(it->data, octets);
	return it;
}

void
capture_screen(struct capture *c, unsigned int cols, unsigned int rows,
    bool gap, struct evbuffer *octets)
{
	bool resized = cols != c->cols || rows != c->rows;
	struct capture_item *size = NULL, *it;
	bool kept;

	if (!c->up)
		return;
	if (c->queued - c->kept > queue_bound(c)) {
		drop(c);	/* the older screens in it are of no use now */
		resized = cols != c->cols || rows != c->rows;
	}
	it = TAILQ_LAST(&c->queue, capture_queue);
	kept = it != NULL && it->form == PROTO_HISTORY;
	if (resized)
		size = item_add(c, PROTO_SIZE);
	it = add_set(c, PROTO_SCREEN, octets, kept);
	if (it == NULL || (resized && size == NULL)) {
		drop(c);
		return;
	}
	it->cols = c->cols = cols;
	it->rows = c->rows = rows;
	it->gap = gap || c->gap || resized;
	if (size != NULL) {
		size->kept = kept;
		size->cols = cols;
		size->rows = rows;
	}
	c->gap = c->asked = false;
}

void
capture_history(struct capture *c, struct evbuffer *octets)
{
	struct capture_item *it, *next;

	if (!c->up)
		return;
	/* at most one, and a newer one is better */
	for (it = TAILQ_FIRST(&c->queue); it != NULL; it = next) {
		next = TAILQ_NEXT(it, next);
		if (it->begun || !it->kept)
			continue;
		if (it->form == PROTO_HISTORY) {
			item_free(c, it);
			continue;
		}
		if (it->data != NULL)
			c->kept -= evbuffer_get_length(it->data);
		it->kept = false;
	}
	if (add_set(c, PROTO_HISTORY, octets, true) == NULL)
		drop(c);
}

int
capture_acked(struct capture *c, uint64_t total, uint64_t now_ms)
{
	return credit_acked(&c->credit, total, now_ms);
}

/* "80 24 end gap", "more", … */
static const char *
item_args(const struct capture_item *it, bool last, char *out, size_t cap)
{
	const char *end = last ? "end" : "more";

	if (it->form == PROTO_SIZE)
		(void)snprintf(out, cap, "%u %u", it->cols, it->rows);
	else if (it->form == PROTO_SCREEN)
		(void)snprintf(out, cap, "%u %u %s%s", it->cols, it->rows, end,
		    it->gap ? " gap" : "");
	else
		(void)snprintf(out, cap, "%s",
		    it->form == PROTO_HISTORY ? end : "");
	return out;
}

/*
 * Send the item, or as much of it as credit allows.  Returns false if it (or
 * its rest) has to wait.
 */
static bool
item_send(struct capture *c, struct capture_item *it, uint64_t now_ms)
{
	size_t len = it->data != NULL ? evbuffer_get_length(it->data) : 0;
	size_t n = credit_free(&c->credit);
	char args[64];

	if (n > CAPTURE_CHUNK)
		n = CAPTURE_CHUNK;
	if (n >= len)
		n = len;
	else if (n < CREDIT_MIN / 4)	/* no crumbs */
		return false;
	c->ops->frame_cb(c->arg, it->form,
	    item_args(it, n == len, args, sizeof args),
	    it->data == NULL ? NULL : n == 0 ? "" :
	    (void *)evbuffer_pullup(it->data, (ev_ssize_t)n), n);
	if (it->data != NULL) {
		(void)evbuffer_drain(it->data, n);
		c->queued -= n;
		if (it->kept)
			c->kept -= n;
		credit_sent(&c->credit, (uint32_t)n, now_ms);
	}
	it->begun = it->form == PROTO_SCREEN || it->form == PROTO_HISTORY;
	return n == len;
}

/* Ask for a screen once the link has room for one that is still fresh. */
static void
resync(struct capture *c)
{
	if (!c->gap || c->asked || !TAILQ_EMPTY(&c->queue) ||
	    credit_free(&c->credit) < c->credit.limit / 2)
		return;
	c->asked = true;
	c->ops->resync_cb(c->arg);
}

int
capture_pump(struct capture *c, uint64_t now_ms)
{
	struct capture_item *it;

	if (!c->up)
		return -1;
	while ((it = TAILQ_FIRST(&c->queue)) != NULL) {
		if (it->form == PROTO_OUTPUT) {
			if (now_ms - c->sent_ms < CAPTURE_COALESCE_MS &&
			    c->queued < CAPTURE_CHUNK)
				return CAPTURE_COALESCE_MS;
			c->sent_ms = now_ms;
		}
		if (!item_send(c, it, now_ms)) {
			if (it->form == PROTO_OUTPUT && c->queued > 0 &&
			    credit_free(&c->credit) >= CREDIT_MIN / 4)
				continue;
			break;
		}
		item_free(c, it);
	}
	credit_waiting(&c->credit, c->gap || !TAILQ_EMPTY(&c->queue), now_ms);
	resync(c);
	return -1;
}
