/*
 * chatwrap_test.c - text in columns: rows, cuts, and the scrolled input line.
 */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

#include <cmocka.h>

#include "chatwrap.h"

static int
utf8_locale(void **state)
{
	(void)state;
	return setlocale(LC_CTYPE, "C.UTF-8") == NULL ? -1 : 0;
}

/* The rows of S, joined by "|" into OUT. */
static void
rows_of(const wchar_t *s, int width, wchar_t out[128])
{
	size_t len = wcslen(s), at = 0, next, n, o = 0;

	do {
		n = chatwrap_row(s + at, len - at, width, &next);
		wmemcpy(out + o, s + at, n);
		o += n;
		at += next;
		if (at < len)
			out[o++] = L'|';
	} while (at < len);
	out[o] = L'\0';
}

static void
rows(void **state)
{
	static const struct {
		const wchar_t	*text;
		int		 width;
		const wchar_t	*rows;
	} cases[] = {
		{ L"", 5, L"" },
		{ L"hello", 5, L"hello" },
		{ L"hello world", 5, L"hello|world" },
		{ L"hello world", 8, L"hello|world" },
		{ L"hello world", 11, L"hello world" },
		{ L"abcdefgh ij", 3, L"abc|def|gh|ij" },
		{ L"a  b", 2, L"a |b" },
		{ L" abc", 3, L" ab|c" },
		{ L"\u65e5\u672c\u8a9e", 4, L"\u65e5\u672c|\u8a9e" },
		{ L"\u65e5\u672c\u8a9e", 5, L"\u65e5\u672c|\u8a9e" },
		{ L"\u65e5\u672c", 1, L"\u65e5|\u672c" },	/* too wide */
		{ L"abe\u0301f", 3, L"abe\u0301|f" },
		{ L"e\u0301\u0302x", 1, L"e\u0301\u0302|x" },
		{ L"ab", 1, L"a|b" },
		{ L"a b c", 1, L"a|b|c" },
	};
	wchar_t out[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		rows_of(cases[i].text, cases[i].width, out);
		assert_int_equal(wcscmp(out, cases[i].rows), 0);
	}
}

static void
fits_and_columns(void **state)
{
	const wchar_t *s = L"a\u65e5e\u0301x";

	(void)state;
	assert_int_equal(chatwrap_columns(s, 5), 5);
	assert_int_equal(chatwrap_columns(s, 0), 0);
	assert_int_equal(chatwrap_fit(s, 5, 0), 0);
	assert_int_equal(chatwrap_fit(s, 5, -3), 0);
	assert_int_equal(chatwrap_fit(s, 5, 1), 1);
	assert_int_equal(chatwrap_fit(s, 5, 2), 1);
	assert_int_equal(chatwrap_fit(s, 5, 3), 2);
	assert_int_equal(chatwrap_fit(s, 5, 4), 4);
	assert_int_equal(chatwrap_fit(s, 5, 100), 5);
}

static void
decoding(void **state)
{
	/* a family joined into one emoji, a selector, a cut character */
	const char *in = "\360\237\221\250\342\200\215\360\237\221\251"
	    "\342\234\202\357\270\217\033\303";
	wchar_t out[16];

	(void)state;
	assert_int_equal(chatwrap_decode(out, 16, in, strlen(in)), 5);
	assert_int_equal(wmemcmp(out, L"\U0001f468\U0001f469\u2702\ufffd\ufffd",
	    5), 0);
	assert_int_equal(chatwrap_decode(out, 2, in, strlen(in)), 2);
	assert_int_equal(chatwrap_decode(out, 16, NULL, 0), 0);
	assert_int_equal(chatwrap_map(L'a'), L'a');
	assert_int_equal(chatwrap_map(0x200d), 0);
	assert_int_equal(chatwrap_map(0x0378), 0xfffd);	/* unassigned */
}

static void
input_scrolls(void **state)
{
	const wchar_t *s = L"0123456789012345678901234567890123456789";
	size_t start;

	(void)state;
	assert_int_equal(chatwrap_scroll(s, 9, 9, 5, 10), 0);	/* all fits */
	assert_int_equal(chatwrap_scroll(s, 40, 9, 0, 10), 0);
	start = chatwrap_scroll(s, 40, 10, 0, 10);
	assert_in_range(start, 1, 10);
	/* stays while the cursor is in sight */
	assert_int_equal(chatwrap_scroll(s, 40, start, start, 10), start);
	assert_int_equal(chatwrap_scroll(s, 40, start + 9, start, 10), start);
	/* and to the left again */
	assert_in_range(chatwrap_scroll(s, 40, start - 1, start, 10), 0,
	    start - 1);
	assert_int_equal(chatwrap_scroll(s, 40, 0, 30, 10), 0);
	/* the text became shorter than the start was */
	assert_in_range(chatwrap_scroll(s, 20, 20, 35, 10), 11, 20);
}

/* For any cursor, any start and any width the cursor's column is in sight. */
static void
input_cursor_is_in_sight(void **state)
{
	const wchar_t *s = L"ab\u65e5\u672ce\u0301e\u0301fgh\u65e5ij\u0301k";
	size_t len = wcslen(s), cursor, from, start;
	int width, column;

	(void)state;
	for (width = 2; width < 20; width++)
		for (cursor = 0; cursor <= len; cursor++)
			for (from = 0; from <= len + 2; from++) {
				start = chatwrap_scroll(s, len, cursor, from,
				    width);
				assert_true(start <= cursor);
				column = chatwrap_columns(s + start,
				    cursor - start);
				assert_true(column < width);
			}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows),
		cmocka_unit_test(fits_and_columns),
		cmocka_unit_test(decoding),
		cmocka_unit_test(input_scrolls),
		cmocka_unit_test(input_cursor_is_in_sight),
	};

	return cmocka_run_group_tests(tests, utf8_locale, NULL);
}
