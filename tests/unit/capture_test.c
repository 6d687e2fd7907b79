/*
 * capture_test.c - the uplink's queue: order, credit, and what is dropped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <event2/buffer.h>

#include "../../customer/capture.h"

struct sink {
	char		 log[4096];	/* "VERB args(len);" */
	size_t		 len;
	uint64_t	 octets;
	unsigned int	 resyncs;
	size_t		 largest;
};

static void
frame_cb(void *arg, enum proto_form form, const char *args,
    const void *payload, size_t len)
{
	struct sink *s = arg;
	int n;

	n = snprintf(s->log + s->len, sizeof s->log - s->len, "%s%s%s",
	    proto_row(form)->verb, args[0] != '\0' ? " " : "", args);
	assert_true(n > 0 && (size_t)n < sizeof s->log - s->len);
	s->len += (size_t)n;
	if (payload != NULL)
		s->len += (size_t)snprintf(s->log + s->len,
		    sizeof s->log - s->len, "(%zu)", len);
	s->len += (size_t)snprintf(s->log + s->len, sizeof s->log - s->len,
	    ";");
	s->octets += payload != NULL ? len : 0;
	if (len > s->largest)
		s->largest = len;
}

static void
resync_cb(void *arg)
{
	((struct sink *)arg)->resyncs++;
}

static const struct capture_ops ops = { frame_cb, resync_cb };

/* What was sent since the last look. */
static void
sent(struct sink *s, const char *want)
{
	s->log[s->len] = '\0';
	assert_string_equal(s->log, want);
	s->len = 0;
	s->log[0] = '\0';
}

static void
screen(struct capture *c, unsigned int cols, unsigned int rows, size_t len)
{
	struct evbuffer *b = evbuffer_new();
	char *octets = calloc(1, len + 1);

	(void)evbuffer_add(b, octets, len);
	capture_screen(c, cols, rows, false, b);
	evbuffer_free(b);
	free(octets);
}

/* A capture whose link is up and whose first screen is through. */
static void
begin(struct capture *c, struct sink *s)
{
	memset(s, 0, sizeof *s);
	capture_init(c, &ops, s);
	capture_up(c);
	assert_int_equal(capture_pump(c, 1000), -1);
	assert_int_equal(s->resyncs, 1);
	screen(c, 80, 24, 10);
	(void)capture_pump(c, 1000);
	sent(s, "SIZE 80 24;SCREEN 80 24 end gap(10);");
	assert_int_equal(capture_acked(c, s->octets, 1001), 0);
}

static void
the_first_screen(void **state)
{
	struct capture c;
	struct sink s;

	(void)state;
	begin(&c, &s);
	capture_release(&c);
	/* nothing is kept while the link is down */
	capture_down(&c);
	capture_output(&c, "x", 1);
	assert_int_equal(capture_pump(&c, 2000), -1);
	sent(&s, "");
	capture_release(&c);
}

static void
output_leaves_at_once_when_idle(void **state)
{
	struct capture c;
	struct sink s;

	(void)state;
	begin(&c, &s);
	capture_output(&c, "abc", 3);
	assert_int_equal(capture_pump(&c, 2000), -1);
	sent(&s, "OUTPUT(3);");
	/* more at once waits a moment, and goes in one frame */
	capture_output(&c, "d", 1);
	assert_true(capture_pump(&c, 2001) > 0);
	capture_output(&c, "ef", 2);
	assert_true(capture_pump(&c, 2001) > 0);
	sent(&s, "");
	assert_int_equal(capture_pump(&c, 2010), -1);
	sent(&s, "OUTPUT(3);");
	capture_release(&c);
}

static void
order_is_kept(void **state)
{
	struct evbuffer *b = evbuffer_new();
	struct capture c;
	struct sink s;

	(void)state;
	begin(&c, &s);
	capture_output(&c, "abc", 3);
	(void)evbuffer_add(b, "old", 3);
	capture_history(&c, b);
	screen(&c, 80, 24, 7);
	capture_output(&c, "de", 2);
	screen(&c, 60, 20, 5);
	(void)capture_pump(&c, 2000);
	(void)capture_pump(&c, 2010);
	sent(&s, "OUTPUT(3);HISTORY end(3);SCREEN 80 24 end(7);OUTPUT(2);"
	    "SIZE 60 20;SCREEN 60 20 end gap(5);");
	evbuffer_free(b);
	capture_release(&c);
}

/* However much scrollback there is: neither it nor its screen is dropped. */
static void
long_history_keeps_its_screen(void **state)
{
	static char lines[3 * CAPTURE_QUEUE_MIN];
	struct evbuffer *b = evbuffer_new();
	struct capture c;
	struct sink s;
	uint64_t now = 2000;
	int i;

	(void)state;
	begin(&c, &s);
	for (i = 0; i < 2; i++) {	/* of two, the newer */
		(void)evbuffer_add(b, lines, sizeof lines);
		capture_history(&c, b);
	}
	screen(&c, 80, 24, 7);
	capture_output(&c, "abc", 3);
	for (i = 0; i < 20; i++, now += 10) {
		(void)capture_pump(&c, now);
		(void)capture_acked(&c, s.octets, now);
	}
	assert_non_null(strstr(s.log, "HISTORY end("));
	assert_non_null(strstr(s.log, "SCREEN 80 24 end(7);OUTPUT(3);"));
	assert_null(strstr(s.log, "gap"));
	evbuffer_free(b);
	capture_release(&c);
}

static void
no_more_than_credit(void **state)
{
	static char flood[20000];
	struct capture c;
	struct sink s;
	uint64_t before;

	(void)state;
	begin(&c, &s);
	before = s.octets;
	capture_output(&c, flood, sizeof flood);
	(void)capture_pump(&c, 2000);
	assert_int_equal(s.octets - before, CREDIT_START);
	assert_true(s.largest <= CAPTURE_CHUNK);
	assert_int_equal(capture_acked(&c, s.octets, 2001), 0);
	(void)capture_pump(&c, 2004);
	assert_int_equal(s.octets - before, sizeof flood);
	/* an acknowledgement of what was not sent, or less than before */
	assert_int_equal(capture_acked(&c, s.octets + 1, 2002), -1);
	assert_int_equal(capture_acked(&c, 1, 2002), -1);
	capture_release(&c);
}

static void
a_large_screen_is_split(void **state)
{
	struct capture c;
	struct sink s;

	(void)state;
	begin(&c, &s);
	screen(&c, 80, 24, 40000);
	(void)capture_pump(&c, 2000);
	sent(&s, "SCREEN 80 24 more(16384);");
	(void)capture_acked(&c, s.octets, 2001);
	(void)capture_pump(&c, 2001);
	sent(&s, "SCREEN 80 24 more(16384);");
	(void)capture_acked(&c, s.octets, 2002);
	(void)capture_pump(&c, 2002);
	sent(&s, "SCREEN 80 24 end(7232);");
	capture_release(&c);
}

/* Over the bound everything goes, and one screen is asked for when the link
 * can take it. */
static void
a_flood_is_skipped(void **state)
{
	static char flood[30000];
	struct capture c;
	struct sink s;
	int i;

	(void)state;
	begin(&c, &s);
	s.resyncs = 0;
	for (i = 0; i < 100; i++) {
		capture_output(&c, flood, sizeof flood);
		(void)capture_pump(&c, 2000);
		assert_true(c.queued <= CAPTURE_QUEUE_MAX);
	}
	assert_true(c.gap);
	assert_int_equal(s.resyncs, 0);
	s.len = 0;
	(void)capture_acked(&c, s.octets, 2100);
	(void)capture_pump(&c, 2100);
	assert_int_equal(s.resyncs, 1);
	/* asked for once */
	(void)capture_pump(&c, 2200);
	assert_int_equal(s.resyncs, 1);
	screen(&c, 80, 24, 9);
	capture_output(&c, "on", 2);
	(void)capture_pump(&c, 2300);
	sent(&s, "SCREEN 80 24 end gap(9);OUTPUT(2);");
	capture_release(&c);
}

/* The rest of a set that has begun still goes. */
static void
a_set_is_not_torn(void **state)
{
	static char flood[400000];
	struct capture c;
	struct sink s;

	(void)state;
	begin(&c, &s);
	screen(&c, 80, 24, 20000);
	(void)capture_pump(&c, 2000);
	sent(&s, "SCREEN 80 24 more(16384);");
	capture_output(&c, flood, sizeof flood);
	(void)capture_acked(&c, s.octets, 2001);
	(void)capture_pump(&c, 2001);
	sent(&s, "SCREEN 80 24 end(3616);");
	capture_release(&c);
}

static void
a_relay_that_only_asks(void **state)
{
	struct capture c;
	struct sink s;
	int i;

	(void)state;
	begin(&c, &s);
	for (i = 0; i < 1000; i++) {
		screen(&c, 80, 24, 10000);
		(void)capture_pump(&c, 2000);
	}
	assert_true(c.queued <= CAPTURE_QUEUE_MAX + 10000);
	capture_release(&c);
}

static void
history(struct capture *c, size_t len)
{
	struct evbuffer *b = evbuffer_new();
	char *octets = calloc(1, len);

	(void)evbuffer_add(b, octets, len);
	capture_history(c, b);
	evbuffer_free(b);
	free(octets);
}

/* Let out all that there is, as a link would.  Returns the octets. */
static uint64_t
let_out(struct capture *c, struct sink *s, uint64_t now)
{
	uint64_t before = s->octets, last;

	do {
		last = s->octets;
		s->len = 0;
		(void)capture_pump(c, now += 10);
		assert_int_equal(capture_acked(c, s->octets, now), 0);
	} while (s->octets > last);
	return s->octets - before;
}

/* Whoever asked for it would wait in vain. */
static void
history_that_was_asked_for_is_not_skipped(void **state)
{
	static char flood[CAPTURE_QUEUE_MAX];
	struct capture c;
	struct sink s;

	(void)state;
	begin(&c, &s);
	history(&c, 2 * CAPTURE_QUEUE_MAX);
	screen(&c, 60, 20, 5000);
	assert_false(c.gap);
	capture_output(&c, flood, 1000);
	assert_false(c.gap);
	capture_output(&c, flood, sizeof flood);
	assert_true(c.gap);
	assert_int_equal(let_out(&c, &s, 2000), 2 * CAPTURE_QUEUE_MAX + 5000);
	assert_int_equal(c.kept, 0);
	assert_int_equal(c.queued, 0);
	assert_int_equal(s.resyncs, 2);
	s.len = 0;
	screen(&c, 60, 20, 3);
	(void)capture_pump(&c, 9000);
	sent(&s, "SCREEN 60 20 end gap(3);");
	capture_release(&c);
}

static void
a_relay_that_only_asks_for_history(void **state)
{
	struct capture c;
	struct sink s;
	int i;

	(void)state;
	begin(&c, &s);
	for (i = 0; i < 100; i++) {
		history(&c, 100000);
		screen(&c, 80, 24, 10000);
		(void)capture_pump(&c, 2000);
	}
	assert_true(c.queued <= CAPTURE_QUEUE_MAX + 3 * 110000);
	capture_release(&c);
	assert_int_equal(c.kept, 0);
	assert_int_equal(c.queued, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_screen),
		cmocka_unit_test(output_leaves_at_once_when_idle),
		cmocka_unit_test(order_is_kept),
		cmocka_unit_test(long_history_keeps_its_screen),
		cmocka_unit_test(no_more_than_credit),
		cmocka_unit_test(a_large_screen_is_split),
		cmocka_unit_test(a_flood_is_skipped),
		cmocka_unit_test(a_set_is_not_torn),
		cmocka_unit_test(a_relay_that_only_asks),
		cmocka_unit_test(history_that_was_asked_for_is_not_skipped),
		cmocka_unit_test(a_relay_that_only_asks_for_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
