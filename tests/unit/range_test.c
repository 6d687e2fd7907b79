/*
 * range_test.c - parts of files, as HTTP names them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../relay/range.h"

static void
test_range(void **state)
{
	static const struct {
		const char		*s;
		uint64_t		 size;
		enum range_result	 want;
		uint64_t		 first, last;
	} cases[] = {
		{ NULL, 10, RANGE_ALL, 0, 0 },
		{ "bytes=0-9", 10, RANGE_PART, 0, 9 },
		{ "bytes=0-0", 10, RANGE_PART, 0, 0 },
		{ "Bytes=3-", 10, RANGE_PART, 3, 9 },
		{ "bytes=3-99", 10, RANGE_PART, 3, 9 },
		{ "bytes=-3", 10, RANGE_PART, 7, 9 },
		{ "bytes=-99", 10, RANGE_PART, 0, 9 },
		{ "bytes=0-9223372036854775807", 10, RANGE_PART, 0, 9 },
		{ "bytes=9-9", 10, RANGE_PART, 9, 9 },
		{ "bytes=10-", 10, RANGE_NONE, 0, 0 },
		{ "bytes=10-20", 10, RANGE_NONE, 0, 0 },
		{ "bytes=-0", 10, RANGE_NONE, 0, 0 },
		{ "bytes=0-", 0, RANGE_NONE, 0, 0 },
		{ "bytes=-1", 0, RANGE_NONE, 0, 0 },
		{ "bytes=5-4", 10, RANGE_ALL, 0, 0 },
		{ "bytes=0-1,3-4", 10, RANGE_ALL, 0, 0 },
		{ "bytes=", 10, RANGE_ALL, 0, 0 },
		{ "bytes=-", 10, RANGE_ALL, 0, 0 },
		{ "bytes= 0-1", 10, RANGE_ALL, 0, 0 },
		{ "bytes=0-1 ", 10, RANGE_ALL, 0, 0 },
		{ "bytes=00-1", 10, RANGE_ALL, 0, 0 },
		{ "bytes=0-9223372036854775808", 10, RANGE_ALL, 0, 0 },
		{ "lines=0-1", 10, RANGE_ALL, 0, 0 },
		{ "", 10, RANGE_ALL, 0, 0 },
	};
	uint64_t first, last;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		first = last = 0;
		if (range_parse(cases[i].s, cases[i].size, &first, &last) !=
		    cases[i].want || first != cases[i].first ||
		    last != cases[i].last)
			fail_msg("case %zu: %s", i, cases[i].s);
	}
}

static void
test_content(void **state)
{
	static const char *const bad[] = { "", "bytes", "bytes ", "bytes 0-4/*",
	    "bytes */5", "bytes 0-5/5", "bytes 4-3/5", "bytes 0-4", "0-4/5",
	    "bytes=0-4/5", "bytes 0-4/5 ", "bytes  0-4/5", "bytes 0-4/05",
	    "bytes -4/5", "bytes 0-/5", "bytes 0-4/99999999999999999999",
	    "bytes 0-4/5, 0-4/5" };
	uint64_t first, last, size;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (range_parse_content(bad[i], &first, &last, &size) != -1)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(range_parse_content("bytes 3-4/5", &first, &last,
	    &size), 0);
	assert_int_equal(first, 3);
	assert_int_equal(last, 4);
	assert_int_equal(size, 5);
	assert_int_equal(range_parse_content("Bytes 0-0/9223372036854775807",
	    &first, &last, &size), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
