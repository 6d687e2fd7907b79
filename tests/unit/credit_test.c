/*
 * credit_test.c - the flow credit on links of all kinds, played through on a
 * clock of our own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "credit.h"

#define LEN(a)	(sizeof (a) / sizeof (a)[0])

static void
test_bounds(void **state)
{
	struct credit c;

	(void)state;
	credit_init(&c);
	assert_int_equal(credit_free(&c), CREDIT_START);
	credit_sent(&c, 1000, 0);
	assert_int_equal(credit_free(&c), CREDIT_START - 1000);
	credit_sent(&c, CREDIT_START - 1000, 0);
	assert_int_equal(credit_free(&c), 0);
	assert_int_equal(credit_acked(&c, 500, 1), 0);
	assert_int_equal(credit_free(&c), 500);
	assert_int_equal(credit_acked(&c, 500, 1), 0);		/* again */
	assert_int_equal(credit_acked(&c, 499, 1), -1);		/* less */
	assert_int_equal(credit_acked(&c, CREDIT_START + 1, 1), -1);
	assert_int_equal(credit_acked(&c, UINT64_MAX, 1), -1);
	assert_int_equal(credit_acked(&c, CREDIT_START, 1), 0);
	assert_int_equal(credit_free(&c), CREDIT_START);
}

/*
 * A link of RATE octets a second and a round trip of TRIP ms, with always more
 * to send, for MS.  The octets that arrived are acknowledged every 10 ms.
 */
static void
play(struct credit *c, uint64_t rate, uint64_t trip, uint64_t ms,
    uint64_t *now)
{
	uint64_t end = *now + ms, sent_at[4096], mark[4096], n = 0, k = 0;
	uint64_t carried = c->acked, arrived;

	for (; *now < end; *now += 10) {
		carried += rate / 100;
		if (carried > c->sent)
			carried = c->sent;
		sent_at[n % 4096] = *now;	/* it has left the link then */
		mark[n++ % 4096] = carried;
		for (arrived = c->acked; k < n &&
		    sent_at[k % 4096] + trip <= *now; k++)
			arrived = mark[k % 4096];
		if (arrived > c->acked)
			assert_int_equal(credit_acked(c, arrived, *now), 0);
		if (credit_free(c) > 0)
			credit_sent(c, credit_free(c), *now);
		credit_waiting(c, true, *now);
	}
}

/* Some typing on the empty link. */
static void
probe(struct credit *c, uint64_t trip, uint64_t *now)
{
	int i;

	for (i = 0; i < 30; i++) {
		credit_sent(c, 10, *now);
		*now += trip;
		assert_int_equal(credit_acked(c, c->sent, *now), 0);
	}
}

static void
test_links(void **state)
{
	static const struct {
		uint64_t	rate, trip;
		uint32_t	least, most;	/* of the credit in the end */
	} links[] = {
		{ 8000, 50, CREDIT_MIN, 5200 },		/* 64 kbit/s */
		{ 100000, 20, 45000, 65000 },
		{ 250000, 100, 120000, 200000 },
		{ 100000000, 1, CREDIT_MAX, CREDIT_MAX },
		/* a long way: not to be taken for a slow link */
		{ 1000000, 300, 240000, CREDIT_MAX },
		{ 1000000, 700, 100000, CREDIT_MAX },
	};
	struct credit c;
	uint64_t now;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(links); i++) {
		credit_init(&c);
		now = 1000;
		probe(&c, links[i].trip, &now);
		play(&c, links[i].rate, links[i].trip, 30000, &now);
		if (c.limit < links[i].least || c.limit > links[i].most)
			fail_msg("link %zu: credit %u", i, c.limit);
	}
}

/* A link that becomes slow, and fast again, is followed. */
static void
test_changes(void **state)
{
	struct credit c;
	uint64_t now = 0;

	(void)state;
	credit_init(&c);
	play(&c, 1000000, 20, 5000, &now);
	assert_true(c.limit > 200000);
	play(&c, 10000, 20, 60000, &now);
	assert_true(c.limit < 12000);
	play(&c, 1000000, 20, 10000, &now);
	assert_true(c.limit > 200000);
}

/* Little to send says nothing about the link. */
static void
test_idle_changes_nothing(void **state)
{
	struct credit c;
	uint64_t now = 0;
	int i;

	(void)state;
	credit_init(&c);
	play(&c, 100000, 20, 5000, &now);
	assert_int_equal(credit_acked(&c, c.sent, now), 0);
	credit_waiting(&c, false, now);

	uint32_t limit = c.limit;

	for (i = 0; i < 100; i++) {
		now += 1000;
		credit_sent(&c, 10, now);
		credit_waiting(&c, false, now);
		assert_int_equal(credit_acked(&c, c.sent, now + 500), 0);
	}
	assert_int_equal(c.limit, limit);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_idle_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
