/*
 * throttle_test.c - who waits, how long, and who is who.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../relay/forwarded.h"
#include "../../relay/throttle.h"

#define NOW	((int64_t)1800000000)

static void
test_wait(void **state)
{
	static const struct {
		int64_t	window, at, wait;
	} t[] = {
		{ 600, NOW, 600 },
		{ 600, NOW - 1, 599 },
		{ 600, NOW - 599, 1 },
		{ 600, NOW - 600, 0 },
		{ 600, NOW - 86400, 0 },
		{ 600, 0, 0 },
		/* the clock was set back: no longer than the window */
		{ 600, NOW + 1, 600 },
		{ 600, NOW + 86400, 600 },
		{ 600, INT64_MAX, 600 },
		{ 3600, NOW - 1200, 2400 },
		{ 1, NOW, 1 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		struct throttle_rule rule = { 5, t[i].window };

		assert_int_equal(throttle_wait(&rule, t[i].at, NOW), t[i].wait);
	}
}

static void
test_source(void **state)
{
	static const struct {
		const char	*address, *source;	/* "": none */
	} t[] = {
		{ "192.0.2.7", "192.0.2.7" },
		{ "::ffff:192.0.2.7", "192.0.2.7" },
		{ "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64" },
		{ "2001:DB8:1:2::", "2001:db8:1:2::/64" },
		{ "2001:db8:1:3::1", "2001:db8:1:3::/64" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		    "ffff:ffff:ffff:ffff::/64" },
		{ "::1", "::/64" },
		{ "fe80::1%eth0", "fe80::/64" },
		{ "192.0.2.7%eth0", "" },
		{ "192.0.2.007", "" },
		{ "192.0.2.256", "" },
		{ "192.0.2", "" },
		{ "192.0.2.7:80", "" },
		{ "[::1]", "" },
		{ "", "" },
		{ "localhost", "" },
		{ "192.0.2.7\n", "" },
		{ "1111:2222:3333:4444:5555:6666:123.123.123.1234567", "" },
	};
	char out[THROTTLE_SOURCE_MAX + 1];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		assert_int_equal(throttle_source(t[i].address,
		    strlen(t[i].address), out), t[i].source[0] != '\0');
		assert_string_equal(out, t[i].source);
	}
	assert_false(throttle_source("192.0.2.7\0x", 11, out));
}

static void
test_forwarded(void **state)
{
	char out[THROTTLE_SOURCE_MAX + 1];

	(void)state;
	assert_true(forwarded_source("192.0.2.7", out));
	assert_string_equal(out, "192.0.2.7");
	assert_true(forwarded_source("10.0.0.1, 192.0.2.7", out));
	assert_string_equal(out, "192.0.2.7");
	assert_true(forwarded_source("junk,\t 2001:db8::1 \t", out));
	assert_string_equal(out, "2001:db8::/64");
	assert_false(forwarded_source("192.0.2.7,", out));
	assert_false(forwarded_source("", out));
	assert_false(forwarded_source("192.0.2.7, unknown", out));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_source),
		cmocka_unit_test(test_forwarded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
