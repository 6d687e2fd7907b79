/*
 * ring_fuzz.c - the shared stream under any order of writing, reading, joining
 * and skipping: a cursor that is not lost gets every octet in order.
 *
 * An octet of output is its own position in the stream, modulo 251, so a cursor
 * that knows where it joined knows what must come.
 */
#include <string.h>

#include "../../relay/ring.h"
#include "fuzz.h"

#define CURSORS	4

struct reader {
	struct ring_cursor	c;
	uint64_t		next;	/* octet of the stream that must come */
	bool			in;
};

static uint64_t	written;

static void
output(struct ring *r, size_t n)
{
	static char buf[65536];
	size_t i;

	for (i = 0; i < n; i++)
		buf[i] = (char)((written + i) % 251);
	must(ring_output(r, buf, n) == 0);
	written += n;
}

/* A screen says where in the stream it stands. */
static void
screen(struct ring *r, size_t len)
{
	static char fill[65536];
	struct blob *b = blob_new();

	must(b != NULL);
	b->cols = b->rows = 1;
	must(blob_add(b, &written, sizeof written) == 0);
	must(blob_add(b, fill, len) == 0);
	must(ring_screen(r, b) == 0);
	must(b->refs == 2);
	blob_unref(b);
}

static void
take(struct ring *r, struct reader *rd, size_t cap)
{
	static char buf[65536];
	struct ring_item it;
	size_t n, i;

	if (!rd->in || ring_lost(r, &rd->c) || !ring_peek(r, &rd->c, &it))
		return;
	if (it.kind == RING_SCREEN)
		must(memcmp(it.blob->data, &rd->next, sizeof rd->next) == 0);
	if (it.kind != RING_OUTPUT) {
		ring_pass(r, &rd->c);
		return;
	}
	n = ring_take(r, &rd->c, buf, cap);
	must(n > 0 && n <= it.len && n <= cap);
	for (i = 0; i < n; i++)
		must(buf[i] == (char)((rd->next + i) % 251));
	rd->next += n;
}

static void
skip(struct ring *r, struct reader *rd)
{
	struct ring_item it;

	if (!rd->in || !ring_skip(r, &rd->c))
		return;
	must(!ring_lost(r, &rd->c));
	must(ring_peek(r, &rd->c, &it) && it.kind == RING_SCREEN);
	memcpy(&rd->next, it.blob->data, sizeof rd->next);
}

static void
trim(struct ring *r, const struct reader *readers)
{
	uint64_t lowest = r->head;
	int i;

	for (i = 0; i < CURSORS; i++)
		if (readers[i].in && readers[i].c.at < lowest)
			lowest = readers[i].c.at;
	ring_trim(r, lowest);
	ring_idle(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader readers[CURSORS], *rd;
	struct ring r;
	size_t i, n;

	memset(readers, 0, sizeof readers);
	written = 0;
	ring_init(&r);
	for (i = 0; i + 1 < size && i < 2048; i += 2) {
		rd = &readers[data[i] >> 4 & (CURSORS - 1)];
		n = (size_t)data[i + 1] * (data[i] & 0x80 ? 257 : 1);
		switch (data[i] & 7) {
		case 0:
		case 1:
			output(&r, n);
			break;
		case 2:
			must(ring_size(&r, 1, 1) == 0);
			break;
		case 3:
			screen(&r, n);
			break;
		case 4:
			/* Where another stands, as who is given a kept screen;
			 * or behind all that is there. */
			if ((n & 8) != 0) {
				*rd = readers[n & (CURSORS - 1)];
				break;
			}
			ring_join(&r, &rd->c);
			rd->next = written;
			rd->in = true;
			break;
		case 5:
			take(&r, rd, n + 1);
			break;
		case 6:
			skip(&r, rd);
			break;
		case 7:
			trim(&r, readers);
			break;
		}
		must(r.head - r.tail <= RING_SIZE);
		must(r.blobs <= RING_SIZE || r.blobs <= 65536 + 8);
	}
	ring_release(&r);
	return 0;
}
