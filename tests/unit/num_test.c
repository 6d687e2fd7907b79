/*
 * num_test.c - the strict reader of numbers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "num.h"

#define LEN(a)	(sizeof (a) / sizeof (a)[0])

static void
test_good(void **state)
{
	static const struct {
		const char	*s;
		uint64_t	 min, max, value;
	} good[] = {
		{ "0", 0, 0, 0 },
		{ "7", 0, 9, 7 },
		{ "10", 10, 10, 10 },
		{ "65535", 1, 65535, 65535 },
		{ "18446744073709551615", 0, UINT64_MAX, UINT64_MAX },
	};
	uint64_t v;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(good); i++) {
		assert_int_equal(num_parse_str(good[i].s, good[i].min,
		    good[i].max, &v), 0);
		assert_true(v == good[i].value);
	}
}

static void
test_bad(void **state)
{
	static const struct {
		const char	*s;
		uint64_t	 min, max;
	} bad[] = {
		{ "", 0, 9 }, { " 1", 0, 9 }, { "1 ", 0, 9 }, { "+1", 0, 9 },
		{ "-1", 0, 9 }, { "00", 0, 9 }, { "01", 0, 9 },
		{ "1x", 0, 9 }, { "0x1", 0, 9 }, { "1.0", 0, 9 },
		{ "1e1", 0, 99 }, { "/", 0, 9 }, { ":", 0, 9 },
		{ "\xd9\xa1", 0, 9 },	/* a digit, but an Arabic one */
		{ "0", 1, 9 }, { "10", 0, 9 },
		{ "18446744073709551616", 0, UINT64_MAX },
		{ "18446744073709551625", 0, UINT64_MAX },
		{ "99999999999999999999", 0, UINT64_MAX },
		{ "100000000000000000000", 0, UINT64_MAX },
	};
	uint64_t v = 42;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(bad); i++) {
		if (num_parse_str(bad[i].s, bad[i].min, bad[i].max, &v) != -1)
			fail_msg("%s was taken", bad[i].s);
		assert_int_equal(v, 42);
	}
}

static void
test_no_octet_beyond_the_length_is_read(void **state)
{
	uint64_t v;

	(void)state;
	assert_int_equal(num_parse("123", 2, 0, 99, &v), 0);
	assert_int_equal(v, 12);
	assert_int_equal(num_parse("1\0002", 3, 0, 999, &v), -1);
	assert_int_equal(num_parse(NULL, 0, 0, 9, &v), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_no_octet_beyond_the_length_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
