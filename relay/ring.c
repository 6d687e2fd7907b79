/*
 * ring.c - see ring.h.
 *
 * Positions only grow; an octet at position P lies at (P - base) % RING_SIZE.
 * An item is a struct item (anywhere, so it is always copied) and, of an
 * OUTPUT, its octets.
 */
#include "ring.h"

#include <sys/mman.h>

#include <stdlib.h>
#include <string.h>

struct item {
	uint32_t	 len;		/* octets that follow */
	uint16_t	 kind;
	uint16_t	 cols, rows;
	struct blob	*blob;
};

static size_t	octets;		/* in all blobs */

size_t
blob_octets(void)
{
	return octets;
}

struct blob *
blob_new(void)
{
	struct blob *b = calloc(1, sizeof *b);

	if (b != NULL)
		b->refs = 1;
	return b;
}

int
blob_add(struct blob *b, const void *data, size_t len)
{
	size_t want = b->len + len, cap = b->cap;
	char *p;

	if (want > cap) {
		/* Double, so that many small frames cost linear time. */
		cap = want < 2 * cap ? 2 * cap : want;
		p = realloc(b->data, cap);
		if (p == NULL)
			return -1;
		b->data = p;
		b->cap = cap;
	}
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	octets += len;
	b->len = want;
	return 0;
}

struct blob *
blob_ref(struct blob *b)
{
	b->refs++;
	return b;
}

void
blob_unref(struct blob *b)
{
	if (b == NULL || --b->refs > 0)
		return;
	octets -= b->len;
	free(b->data);
	free(b);
}

void
ring_init(struct ring *r)
{
	memset(r, 0, sizeof *r);
}

/* Copy N octets at position AT out of the ring. */
static void
copy_out(const struct ring *r, uint64_t at, void *dst, size_t n)
{
	size_t off = (size_t)((at - r->base) % RING_SIZE);
	size_t first = RING_SIZE - off < n ? RING_SIZE - off : n;

	memcpy(dst, r->data + off, first);
	memcpy((char *)dst + first, r->data, n - first);
}

static void
copy_in(struct ring *r, uint64_t at, const void *src, size_t n)
{
	size_t off = (size_t)((at - r->base) % RING_SIZE);
	size_t first = RING_SIZE - off < n ? RING_SIZE - off : n;

	if (n == 0)
		return;
	memcpy(r->data + off, src, first);
	memcpy(r->data, (const char *)src + first, n - first);
	if (r->touched < off + first)
		r->touched = off + first;
}

/* Let the oldest item fall out. */
static void
drop_oldest(struct ring *r)
{
	struct item it;

	copy_out(r, r->tail, &it, sizeof it);
	if (it.blob != NULL) {
		r->blobs -= it.blob->len;
		if (r->has_screen && r->screen == r->tail)
			r->has_screen = false;
		blob_unref(it.blob);
	}
	r->tail += sizeof it + it.len;
}

void
ring_trim(struct ring *r, uint64_t lowest)
{
	struct item it;

	while (r->tail < r->head) {
		copy_out(r, r->tail, &it, sizeof it);
		if (r->tail + sizeof it + it.len > lowest)
			break;
		drop_oldest(r);
	}
	if (r->tail == r->head)
		r->base = r->head;	/* begin at the first octet again */
}

void
ring_idle(struct ring *r)
{
	if (r->tail != r->head || r->touched == 0)
		return;
	(void)madvise(r->data, RING_SIZE, MADV_DONTNEED);
	r->touched = 0;
}

void
ring_release(struct ring *r)
{
	while (r->tail < r->head)
		drop_oldest(r);
	if (r->data != NULL)
		(void)munmap(r->data, RING_SIZE);
	memset(r, 0, sizeof *r);
}

/* Make room for N octets beside BLOBS octets of a new screen. */
static int
make_room(struct ring *r, size_t n, size_t blobs)
{
	if (r->data == NULL) {
		r->data = mmap(NULL, RING_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (r->data == MAP_FAILED) {
			r->data = NULL;
			return -1;
		}
	}
	while (r->tail < r->head && (r->head - r->tail + n > RING_SIZE ||
	    (blobs > 0 && r->blobs + blobs > RING_SIZE)))
		drop_oldest(r);
	return 0;
}

static int
put(struct ring *r, const struct item *it, const void *data)
{
	if (make_room(r, sizeof *it + it->len,
	    it->blob != NULL ? it->blob->len : 0) == -1)
		return -1;
	r->last = r->head;
	r->sealed = false;
	copy_in(r, r->head, it, sizeof *it);
	copy_in(r, r->head + sizeof *it, data, it->len);
	r->head += sizeof *it + it->len;
	return 0;
}

/* Lengthen the newest item by N octets if it is an OUTPUT. */
static bool
extend(struct ring *r, const void *data, size_t n)
{
	struct item it;

	if (r->tail == r->head || r->sealed)
		return false;
	copy_out(r, r->last, &it, sizeof it);
	/* Items fall out as a whole, so they stay small. */
	if (it.kind != RING_OUTPUT || it.len + n > RING_SIZE / 16 ||
	    r->head - r->tail + n > RING_SIZE)
		return false;
	it.len += (uint32_t)n;
	copy_in(r, r->last, &it, sizeof it);
	copy_in(r, r->head, data, n);
	r->head += n;
	return true;
}

int
ring_output(struct ring *r, const void *data, size_t len)
{
	struct item it = { .len = (uint32_t)len, .kind = RING_OUTPUT };

	if (len == 0 || extend(r, data, len))
		return 0;
	return put(r, &it, data);
}

int
ring_size(struct ring *r, uint16_t cols, uint16_t rows)
{
	struct item it = { .kind = RING_SIZED, .cols = cols, .rows = rows };

	return put(r, &it, "");
}

int
ring_screen(struct ring *r, struct blob *b)
{
	struct item it = { .kind = RING_SCREEN, .blob = b };

	if (put(r, &it, "") == -1)
		return -1;
	blob_ref(b);
	r->blobs += b->len;
	r->screen = r->last;
	r->has_screen = true;
	return 0;
}

void
ring_join(struct ring *r, struct ring_cursor *c)
{
	c->at = r->head;
	c->done = 0;
	r->sealed = true;
}

bool
ring_lost(const struct ring *r, const struct ring_cursor *c)
{
	return c->at < r->tail;
}

bool
ring_skip(const struct ring *r, struct ring_cursor *c)
{
	if (!r->has_screen)
		return false;
	c->at = r->screen;
	c->done = 0;
	return true;
}

bool
ring_peek(const struct ring *r, const struct ring_cursor *c,
    struct ring_item *out)
{
	struct item it;

	if (ring_lost(r, c) || c->at == r->head)
		return false;
	copy_out(r, c->at, &it, sizeof it);
	out->kind = (enum ring_kind)it.kind;
	out->cols = it.cols;
	out->rows = it.rows;
	out->blob = it.blob;
	out->len = it.len - c->done;
	return true;
}

/* Step over the item of LEN octets. */
static void
step(struct ring *r, struct ring_cursor *c, size_t len)
{
	c->at += sizeof(struct item) + len;
	c->done = 0;
	if (c->at == r->head)
		r->sealed = true;
}

void
ring_pass(struct ring *r, struct ring_cursor *c)
{
	struct item it;

	if (ring_lost(r, c) || c->at == r->head)
		return;
	copy_out(r, c->at, &it, sizeof it);
	step(r, c, it.len);
}

size_t
ring_take(struct ring *r, struct ring_cursor *c, char *buf, size_t cap)
{
	struct item it;
	size_t n;

	if (ring_lost(r, c) || c->at == r->head)
		return 0;
	copy_out(r, c->at, &it, sizeof it);
	n = it.len - c->done < cap ? it.len - c->done : cap;
	copy_out(r, c->at + sizeof it + c->done, buf, n);
	c->done += n;
	if (c->done == it.len)
		step(r, c, it.len);
	return n;
}
