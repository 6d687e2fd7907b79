/*
 * ring_test.c - the shared stream: order, cursors, what falls out, memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../relay/ring.h"

static struct blob *
screen(const char *text, bool gap)
{
	struct blob *b = blob_new();

	assert_non_null(b);
	assert_int_equal(blob_add(b, text, strlen(text)), 0);
	b->cols = 80;
	b->rows = 24;
	b->gap = gap;
	return b;
}

/* Everything at the cursor: octets as they are, <COLSxROWS>, [screen]. */
static char *
drain(struct ring *r, struct ring_cursor *c, size_t step)
{
	static char out[RING_SIZE + 1];
	struct ring_item it;
	size_t n = 0;

	while (ring_peek(r, c, &it)) {
		if (it.kind == RING_OUTPUT) {
			n += ring_take(r, c, out + n, step);
			continue;
		}
		if (it.kind == RING_SIZED)
			n += (size_t)snprintf(out + n, sizeof out - n,
			    "<%ux%u>", it.cols, it.rows);
		else
			n += (size_t)snprintf(out + n, sizeof out - n, "[%.*s]",
			    (int)it.blob->len, it.blob->data);
		ring_pass(r, c);
	}
	out[n] = '\0';
	return out;
}

static void
test_order(void **state)
{
	struct ring_cursor a, b;
	struct blob *s = screen("S", true);
	struct ring r;

	(void)state;
	ring_init(&r);
	ring_join(&r, &a);
	assert_string_equal(drain(&r, &a, 1), "");
	assert_int_equal(ring_output(&r, "one", 3), 0);
	assert_int_equal(ring_output(&r, "", 0), 0);
	assert_int_equal(ring_output(&r, "two", 3), 0);
	assert_int_equal(ring_size(&r, 100, 30), 0);
	assert_int_equal(ring_screen(&r, s), 0);
	assert_int_equal(s->refs, 2);
	ring_join(&r, &b);
	assert_int_equal(ring_output(&r, "three", 5), 0);
	assert_string_equal(drain(&r, &a, 2), "onetwo<100x30>[S]three");
	assert_string_equal(drain(&r, &b, 100), "three");
	assert_false(ring_lost(&r, &a));
	ring_trim(&r, a.at);
	assert_int_equal(s->refs, 1);
	assert_int_equal(r.tail, r.head);
	/* Go on after it was empty. */
	assert_int_equal(ring_output(&r, "x", 1), 0);
	assert_string_equal(drain(&r, &a, 1), "x");
	assert_string_equal(drain(&r, &b, 1), "x");
	blob_unref(s);
	ring_release(&r);
}

/* A cursor in the middle of an item sees what is added to it, once. */
static void
test_item_grows(void **state)
{
	struct ring_cursor a, b;
	struct ring r;
	char buf[16];

	(void)state;
	ring_init(&r);
	ring_join(&r, &a);
	assert_int_equal(ring_output(&r, "abc", 3), 0);
	assert_int_equal(ring_take(&r, &a, buf, 2), 2);
	assert_int_equal(ring_output(&r, "def", 3), 0);
	assert_string_equal(drain(&r, &a, 1), "cdef");
	/* One who joins now must not get what is there. */
	ring_join(&r, &b);
	assert_int_equal(ring_output(&r, "ghi", 3), 0);
	assert_string_equal(drain(&r, &b, 16), "ghi");
	assert_string_equal(drain(&r, &a, 16), "ghi");
	ring_release(&r);
}

/* Who goes on from where a screen was kept gets what followed it, as often as
 * somebody does. */
static void
test_kept_place(void **state)
{
	struct ring_cursor kept, reader, late;
	struct ring r;
	char buf[8];

	(void)state;
	ring_init(&r);
	ring_join(&r, &reader);
	assert_int_equal(ring_output(&r, "before", 6), 0);
	ring_join(&r, &kept);		/* a screen was complete here */
	assert_int_equal(ring_output(&r, "one", 3), 0);
	late = kept;
	assert_string_equal(drain(&r, &late, 2), "one");
	assert_int_equal(ring_take(&r, &reader, buf, 4), 4);
	ring_trim(&r, reader.at);
	assert_string_equal(drain(&r, &reader, 16), "reone");
	ring_trim(&r, kept.at);
	assert_int_equal(ring_output(&r, "two", 3), 0);
	assert_int_equal(ring_size(&r, 80, 24), 0);
	late = kept;
	assert_string_equal(drain(&r, &late, 1), "onetwo<80x24>");
	assert_string_equal(drain(&r, &reader, 1), "two<80x24>");
	/* When it is given up, the ring is empty and begins anew. */
	ring_trim(&r, reader.at);
	assert_true(ring_lost(&r, &kept));
	assert_int_equal(r.base, r.head);
	ring_release(&r);
}

/* A screen that the newest item is does not grow by output. */
static void
test_screen_last(void **state)
{
	struct blob *s = screen("S", true);
	struct ring_cursor a;
	struct ring r;

	(void)state;
	ring_init(&r);
	ring_join(&r, &a);
	assert_int_equal(ring_screen(&r, s), 0);
	assert_int_equal(ring_output(&r, "after", 5), 0);
	assert_string_equal(drain(&r, &a, 16), "[S]after");
	blob_unref(s);
	ring_release(&r);
}

static void
test_falls_out(void **state)
{
	struct ring_cursor slow, fast;
	struct blob *s = screen("S", true);
	char chunk[1000];
	struct ring r;
	size_t i;

	(void)state;
	memset(chunk, 'x', sizeof chunk);
	ring_init(&r);
	ring_join(&r, &slow);
	ring_join(&r, &fast);
	for (i = 0; i < 2 * RING_SIZE / sizeof chunk; i++) {
		assert_int_equal(ring_output(&r, chunk, sizeof chunk), 0);
		assert_int_equal(strlen(drain(&r, &fast, 4096)), sizeof chunk);
		assert_true(r.head - r.tail <= RING_SIZE);
	}
	assert_false(ring_lost(&r, &fast));
	assert_true(ring_lost(&r, &slow));
	assert_string_equal(drain(&r, &slow, 16), "");
	assert_false(ring_skip(&r, &slow));
	/* With a screen in the ring it can go on from there. */
	assert_int_equal(ring_screen(&r, s), 0);
	assert_int_equal(ring_output(&r, "new", 3), 0);
	assert_true(ring_skip(&r, &slow));
	assert_false(ring_lost(&r, &slow));
	assert_string_equal(drain(&r, &slow, 16), "[S]new");
	assert_string_equal(drain(&r, &fast, 16), "[S]new");
	/* Until that is gone too. */
	for (i = 0; i < 2 * RING_SIZE / sizeof chunk; i++)
		assert_int_equal(ring_output(&r, chunk, sizeof chunk), 0);
	assert_false(ring_skip(&r, &slow));
	assert_int_equal(s->refs, 1);
	blob_unref(s);
	ring_release(&r);
}

/* However large screens are, few of them are kept. */
static void
test_screens_are_bounded(void **state)
{
	struct ring_cursor c;
	struct ring r;
	char *text;
	int i;

	(void)state;
	text = malloc(1 << 20);
	memset(text, 'x', 1 << 20);
	ring_init(&r);
	ring_join(&r, &c);
	for (i = 0; i < 20; i++) {
		struct blob *b = blob_new();

		assert_int_equal(blob_add(b, text, 1 << 20), 0);
		assert_int_equal(ring_screen(&r, b), 0);
		assert_int_equal(b->refs, 2);
		assert_true(r.blobs <= 1 << 20);
		blob_unref(b);
	}
	for (i = 0; i < 20; i++) {
		struct blob *b = screen("small", true);

		assert_int_equal(ring_screen(&r, b), 0);
		blob_unref(b);
	}
	assert_int_equal(r.blobs, 100);
	ring_release(&r);
	free(text);
}

/* Every position of the wrap, with a model of what must come out. */
static void
test_wraps(void **state)
{
	struct ring_cursor c;
	struct ring r;
	char data[257], want;
	unsigned int seed = 1, i, k;
	uint64_t in = 0, out = 0;
	size_t n;

	(void)state;
	ring_init(&r);
	ring_join(&r, &c);
	for (i = 0; i < 20000; i++) {
		seed = seed * 1103515245 + 12345;
		n = seed >> 16 & 255;
		for (k = 0; k < n; k++)
			data[k] = (char)('a' + (in + k) % 26);
		assert_int_equal(ring_output(&r, data, n), 0);
		in += n;
		while (in - out > 20000) {
			n = ring_take(&r, &c, data, 256);
			for (k = 0; k < n; k++) {
				want = (char)('a' + out++ % 26);
				assert_int_equal(data[k], want);
			}
		}
		ring_trim(&r, c.at);
		assert_false(ring_lost(&r, &c));
	}
	ring_release(&r);
}

static void
test_memory_is_given_back(void **state)
{
	struct ring_cursor c;
	char chunk[4096] = "";
	struct ring r;
	int i;

	(void)state;
	ring_init(&r);
	ring_idle(&r);
	ring_join(&r, &c);
	for (i = 0; i < 40; i++)
		assert_int_equal(ring_output(&r, chunk, sizeof chunk), 0);
	assert_true(r.touched >= 40 * sizeof chunk);
	ring_idle(&r);		/* not while something is in it */
	assert_int_equal(ring_take(&r, &c, chunk, 1), 1);
	while (ring_take(&r, &c, chunk, sizeof chunk) > 0)
		;
	ring_trim(&r, c.at);
	ring_idle(&r);
	assert_int_equal(r.touched, 0);
	assert_int_equal(ring_output(&r, "again", 5), 0);
	assert_string_equal(drain(&r, &c, 16), "again");
	assert_true(r.touched < 4096);
	ring_release(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_item_grows),
		cmocka_unit_test(test_kept_place),
		cmocka_unit_test(test_screen_last),
		cmocka_unit_test(test_falls_out),
		cmocka_unit_test(test_screens_are_bounded),
		cmocka_unit_test(test_wraps),
		cmocka_unit_test(test_memory_is_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
