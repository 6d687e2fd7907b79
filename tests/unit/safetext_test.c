/*
 * safetext_test.c - nothing that acts on a terminal gets through, and text does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto.h"
#include "safetext.h"

#define R	"\357\277\275"	/* U+FFFD */

static void
plain_text_is_kept(void **state)
{
	static const char *const texts[] = { "", "plain ASCII ~!",
	    "Gr\303\274\303\237e", "\346\227\245\346\234\254", "e\314\201",
	    "\360\237\230\200", "\327\251\327\234\327\225\327\235",
	    "\357\277\275 itself", "\342\200\246" };
	char out[SAFETEXT_SIZE(32)];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		assert_int_equal(safetext(out, sizeof out, texts[i],
		    strlen(texts[i])), strlen(texts[i]));
		assert_string_equal(out, texts[i]);
	}
}

static void
hostile_text_is_replaced(void **state)
{
	static const struct {
		const char	*in, *out;
	} cases[] = {
		{ "\033[2J", R "[2J" },
		{ "\033]52;c;aGk=\007", R "]52;c;aGk=" R },
		{ "a\302\2333Jb", "a" R "3Jb" },		/* C1 CSI */
		{ "a\2333Jb", "a" R "3Jb" },			/* the raw octet */
		{ "\177\b\016\017", R R R R },
		{ "x\342\200\256y\342\200\254", "x" R "y" R },	/* override */
		{ "\342\201\246\342\201\251", R R },		/* isolates */
		{ "a\342\200\250b", "a" R "b" },		/* line separator */
		{ "\363\240\201\201", R },			/* a tag */
		{ "\357\277\276\357\267\220", R R },		/* nonchars */
		{ "a\tb\nc\r\nd\re", "a b c d e" },
		{ "\n\n", "  " },
	};
	char out[SAFETEXT_SIZE(32)];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		(void)safetext(out, sizeof out, cases[i].in,
		    strlen(cases[i].in));
		assert_string_equal(out, cases[i].out);
	}
}

static void
broken_utf8_is_replaced(void **state)
{
	static const struct {
		const char	*in, *out;
	} cases[] = {
		{ "a\377b", "a" R "b" },
		{ "\300\200", R R },			/* overlong NUL */
		{ "\340\200\200", R R R },		/* overlong */
		{ "\355\240\200", R R R },		/* a surrogate */
		{ "\364\220\200\200", R R R R },	/* over U+10FFFF */
		{ "\360\237\230", R },			/* cut: one part */
		{ "\360\237\230x", R "x" },
		{ "\346\227", R },
		{ "\303", R },
		{ "\303\303\274", R "\303\274" },
		{ "\200", R },
	};
	char out[SAFETEXT_SIZE(32)];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		(void)safetext(out, sizeof out, cases[i].in,
		    strlen(cases[i].in));
		assert_string_equal(out, cases[i].out);
	}
	assert_int_equal(safetext(out, sizeof out, "a\0b", 3), 5);
	assert_string_equal(out, "a" R "b");
}

static void
it_is_cut_between_characters(void **state)
{
	const char *in = "a\303\274\346\227\245\033";
	char out[16];
	size_t cap, n;

	(void)state;
	for (cap = 1; cap < sizeof out; cap++) {
		memset(out, 'z', sizeof out);
		n = safetext(out, cap, in, strlen(in));
		assert_true(n < cap);
		assert_int_equal(strlen(out), n);
		assert_true(proto_is_utf8(out, n));
	}
	assert_int_equal(safetext(out, 3, in, strlen(in)), 1);
	assert_int_equal(safetext(out, 4, in, strlen(in)), 3);
	assert_int_equal(safetext(out, 10, in, strlen(in)), 9);
}

/* Every code point: what is refused, and that the codec turns back. */
static void
every_code_point(void **state)
{
	char buf[4], out[SAFETEXT_SIZE(4)];
	uint32_t cp, back;
	size_t n;

	(void)state;
	for (cp = 1; cp <= 0x10ffff; cp++) {
		if (cp >= 0xd800 && cp <= 0xdfff)
			continue;
		n = safetext_encode(buf, cp);
		assert_true(proto_is_utf8(buf, n));
		assert_int_equal(safetext_decode(buf, n, &back), n);
		assert_int_equal(back, cp);
		(void)safetext(out, sizeof out, buf, n);
		(void)safetext_decode(out, strlen(out), &back);
		assert_int_equal(back, safetext_map(cp));
		if ((cp < 0x20 && !strchr("\t\n\r", (int)cp)) ||
		    (cp >= 0x7f && cp < 0xa0) ||
		    (cp >= 0x202a && cp <= 0x202e) ||
		    (cp >= 0x2066 && cp <= 0x2069))
			assert_int_equal(back, 0xfffd);
	}
}

/* Made safe twice is made safe once. */
static void
safe_text_stays(void **state)
{
	char in[512], once[SAFETEXT_SIZE(512)], twice[SAFETEXT_SIZE(512 * 3)];
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof in; i++)
		in[i] = (char)(i * 7 + i / 5);
	n = safetext(once, sizeof once, in, sizeof in);
	assert_int_equal(safetext(twice, sizeof twice, once, n), n);
	assert_string_equal(once, twice);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text_is_kept),
		cmocka_unit_test(hostile_text_is_replaced),
		cmocka_unit_test(broken_utf8_is_replaced),
		cmocka_unit_test(it_is_cut_between_characters),
		cmocka_unit_test(every_code_point),
		cmocka_unit_test(safe_text_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
