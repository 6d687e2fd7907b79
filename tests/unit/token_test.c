/*
 * token_test.c - tokens: their form, and that all are equally likely.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../relay/token.h"

#define KINDS	1000000u

static void
test_form(void **state)
{
	static const char *const wrong[] = { "", "12345", "1234567", "12345a",
	    "12 345", "-12345", "+12345", "１２３４５６", "12345\n" };
	size_t i;

	(void)state;
	assert_true(token_is_valid("000000", 6));
	assert_true(token_is_valid("482917", 6));
	for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_false(token_is_valid(wrong[i], strlen(wrong[i])));
	assert_false(token_is_valid("12345\0", 6));
}

/* Each token stands for the same count of numbers. */
static void
test_no_bias(void **state)
{
	uint32_t last = UINT32_MAX / KINDS * KINDS;
	char token[TOKEN_LEN + 1];

	(void)state;
	assert_true(token_of(0, token));
	assert_string_equal(token, "000000");
	assert_true(token_of(KINDS - 1, token));
	assert_string_equal(token, "999999");
	assert_true(token_of(KINDS, token));
	assert_string_equal(token, "000000");
	assert_true(token_of(last - 1, token));
	assert_string_equal(token, "999999");
	assert_false(token_of(last, token));
	assert_false(token_of(UINT32_MAX, token));
}

/* 60,000 digits: each one comes 6,000 times, give or take 7 sigma. */
static void
test_draw(void **state)
{
	unsigned int count[10] = { 0 };
	char token[TOKEN_LEN + 1];
	int i, j;

	(void)state;
	for (i = 0; i < 10000; i++) {
		assert_int_equal(token_draw(token), 0);
		assert_true(token_is_valid(token, strlen(token)));
		for (j = 0; j < TOKEN_LEN; j++)
			count[token[j] - '0']++;
	}
	for (i = 0; i < 10; i++)
		assert_in_range(count[i], 5485, 6515);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_no_bias),
		cmocka_unit_test(test_draw),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
