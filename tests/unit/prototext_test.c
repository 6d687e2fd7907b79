/*
 * prototext_test.c - text inside frames: UTF-8, percent-encoding, names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto.h"

#define LEN(a)	(sizeof (a) / sizeof (a)[0])

static void
test_utf8(void **state)
{
	static const char *const good[] = {
		"", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
		"\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
		"\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "a\xc3\xa9z",
	};
	static const char *const bad[] = {
		"\x80", "\xbf", "\xfe", "\xff",
		"\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf",
		"\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf",	/* not shortest */
		"\xed\xa0\x80", "\xed\xbf\xbf",		/* surrogates */
		"\xf4\x90\x80\x80", "\xf5\x80\x80\x80",	/* > U+10FFFF */
		"\xc2", "\xc2" "a", "\xe2\x82", "\xe2\x82" "a", "\xe2" "a",
		"\xf0\x9f\x98", "\xf0\x9f\x98" "a", "\xc2\xc2\x80",
		"\xe2\x82\xac\x80",
	};
	size_t i;

	(void)state;
	for (i = 0; i < LEN(good); i++)
		assert_true(proto_is_utf8(good[i], strlen(good[i])));
	for (i = 0; i < LEN(bad); i++)
		if (proto_is_utf8(bad[i], strlen(bad[i])))
			fail_msg("row %zu was taken", i);
	assert_true(proto_is_utf8("a\0b", 3));
	assert_false(proto_is_utf8("\xe2\x82\xac", 2));
}

static void
test_percent_round_trip(void **state)
{
	char in[2], code[8], back[8];
	int c, n;

	(void)state;
	in[1] = '\0';
	for (c = 1; c < 256; c++) {
		in[0] = (char)c;
		n = proto_pct_encode(in, 1, code, sizeof code);
		assert_int_equal(n, strlen(code));
		assert_int_equal(n, proto_is_plain((unsigned char)c) ? 1 : 3);
		assert_int_equal(proto_pct_decode(code, (size_t)n, back,
		    sizeof back), 1);
		assert_string_equal(back, in);
	}
	assert_int_equal(proto_pct_encode("a b%\xc3\xa9", 6, code, 8), -1);
	assert_int_equal(proto_pct_encode("", 0, code, sizeof code), 0);
	assert_string_equal(code, "");
}

static void
test_percent_has_one_spelling(void **state)
{
	static const char *const bad[] = {
		"%", "%4", "a%2", "%2g", "%g2", "%2f", "%2F", "%41", "%2D",
		"%00", "%c3%a9", "a b", "a=b", "a+b", "\xc3\xa9", "a\n",
		"% 1", "%+1", "%-1", "%%20",
	};
	char out[64];
	size_t i;

	(void)state;
	for (i = 0; i < LEN(bad); i++)
		if (proto_pct_decode(bad[i], strlen(bad[i]), out,
		    sizeof out) != -1)
			fail_msg("%s was taken", bad[i]);
	assert_int_equal(proto_pct_decode("a\0b", 3, out, sizeof out), -1);
	assert_int_equal(proto_pct_decode("a%20b", 3, out, sizeof out), -1);
	assert_int_equal(proto_pct_decode("a%20%25b", 8, out, sizeof out), 4);
	assert_string_equal(out, "a %b");
}

static void
test_percent_keeps_within_its_buffer(void **state)
{
	char out[4];

	(void)state;
	assert_int_equal(proto_pct_encode("abc", 3, out, 4), 3);
	assert_int_equal(proto_pct_encode("abcd", 4, out, 4), -1);
	assert_int_equal(proto_pct_encode(" ", 1, out, 4), 3);
	assert_int_equal(proto_pct_encode(" ", 1, out, 3), -1);
	assert_int_equal(proto_pct_encode("", 0, out, 0), -1);
	assert_int_equal(proto_pct_decode("abc", 3, out, 4), 3);
	assert_int_equal(proto_pct_decode("abcd", 4, out, 4), -1);
	assert_int_equal(proto_pct_decode("%20%20%20", 9, out, 4), 3);
	assert_int_equal(proto_pct_decode("", 0, out, 0), -1);
}

static void
test_names(void **state)
{
	char arg[3 * PROTO_NAME_MAX + 1], name[PROTO_NAME_MAX + 1];
	static const char *const names[][2] = {
		{ "", "-" }, { "-", "_" }, { "_", "_" }, { "--", "--" },
		{ "Al", "Al" }, { "Ren\xc3\xa9", "Ren%C3%A9" },
		{ "a b", "a%20b" }, { "+1", "%2B1" },
	};
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < LEN(names); i++) {
		n = proto_name_encode(names[i][0], arg, sizeof arg);
		assert_int_equal(n, strlen(names[i][1]));
		assert_string_equal(arg, names[i][1]);
		n = proto_name_decode((struct proto_str){ arg, (size_t)n },
		    name, sizeof name);
		assert_int_equal(n, strlen(name));
		assert_string_equal(name, i == 1 ? "_" : names[i][0]);
	}
}

static void
test_name_limits(void **state)
{
	char arg[3 * PROTO_NAME_MAX + 1], name[PROTO_NAME_MAX + 2];
	struct proto_str a = { arg, 0 };

	(void)state;
	memset(name, ' ', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	assert_int_equal(proto_name_encode(name, arg, sizeof arg), -1);
	name[PROTO_NAME_MAX] = '\0';
	assert_int_equal(proto_name_encode(name, arg, sizeof arg),
	    3 * PROTO_NAME_MAX);
	a.len = 3 * PROTO_NAME_MAX;
	assert_int_equal(proto_name_decode(a, name, sizeof name),
	    PROTO_NAME_MAX);
	assert_int_equal(proto_name_encode("\xff", arg, sizeof arg), -1);
	assert_int_equal(proto_name_decode((struct proto_str){ "%FF", 3 }, name,
	    sizeof name), -1);
	memset(arg, 'a', PROTO_NAME_MAX + 1);
	a.len = PROTO_NAME_MAX + 1;
	assert_int_equal(proto_name_decode(a, name, sizeof name), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_percent_round_trip),
		cmocka_unit_test(test_percent_has_one_spelling),
		cmocka_unit_test(test_percent_keeps_within_its_buffer),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_name_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
