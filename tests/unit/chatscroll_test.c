/*
 * chatscroll_test.c - which rows are in sight, and that memory is bounded.
 */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <cmocka.h>

#include "chatscroll.h"

#define HEIGHT	4
#define WIDTH	12

struct screen {
	char	rows[32][64];	/* "?" for what is not ASCII */
	int	bold[32];	/* characters in bold */
	int	count;
	bool	pending;
};

static void
draw_cb(void *arg, int y, const struct chatrow *row)
{
	struct screen *s = arg;
	char *out = s->rows[y];
	size_t i;

	assert_in_range(y, 0, 31);
	assert_true(row->bold_from <= row->bold_to && row->bold_to <= row->len);
	s->count++;
	s->bold[y] = (int)(row->bold_to - row->bold_from);
	s->pending = row->pending;
	for (i = 0; i < row->len && i < 63; i++)
		out[i] = row->text[i] < 0x80 ? (char)row->text[i] : '?';
	out[i] = '\0';
}

static void
look(struct chatscroll *sc, int height, int width, struct screen *s)
{
	memset(s, 0, sizeof *s);
	chatscroll_draw(sc, height, width, draw_cb, s);
}

static int
setup(void **state)
{
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		return -1;
	*state = chatscroll_new();
	return *state == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	chatscroll_free(*state);
	return 0;
}

/* Lines "12:00 FROM" to "12:00 TO". */
static void
fill(struct chatscroll *sc, int from, int to)
{
	char text[16];

	for (; from <= to; from++) {
		(void)snprintf(text, sizeof text, "%d", from);
		assert_int_not_equal(chatscroll_add(sc, 0, "12:00", NULL, text),
		    0);
	}
}

static void
few_lines_stand_at_the_bottom(void **state)
{
	struct screen s;

	look(*state, HEIGHT, WIDTH, &s);
	assert_int_equal(s.count, 0);
	fill(*state, 1, 2);
	look(*state, HEIGHT, WIDTH, &s);
	assert_int_equal(s.count, 2);
	assert_string_equal(s.rows[2], "12:00 1");
	assert_string_equal(s.rows[3], "12:00 2");
	chatscroll_move(*state, -10, HEIGHT, WIDTH);
	look(*state, HEIGHT, WIDTH, &s);
	assert_string_equal(s.rows[3], "12:00 2");
}

static void
lines_wrap(void **state)
{
	struct screen s;

	(void)chatscroll_add(*state, 0, "12:00", "bob", "hello there all");
	look(*state, HEIGHT, WIDTH, &s);
	assert_int_equal(s.count, 3);
	assert_string_equal(s.rows[1], "12:00 <bob>");
	assert_string_equal(s.rows[2], "hello there");
	assert_string_equal(s.rows[3], "all");
	assert_int_equal(s.bold[1], 3);
	assert_int_equal(s.bold[2], 0);
	look(*state, 1, 40, &s);
	assert_string_equal(s.rows[0], "12:00 <bob> hello there all");
	look(*state, 32, 1, &s);	/* nothing is lost at any width */
	assert_int_equal(s.count, 23);
}

static void
paging(void **state)
{
	struct screen s;
	unsigned int new;

	fill(*state, 1, 20);
	chatscroll_move(*state, -3, HEIGHT, WIDTH);
	assert_true(chatscroll_below(*state, &new));
	assert_int_equal(new, 0);
	look(*state, HEIGHT, WIDTH, &s);
	assert_string_equal(s.rows[3], "12:00 17");
	fill(*state, 21, 25);			/* it stays where it is */
	assert_true(chatscroll_below(*state, &new));
	assert_int_equal(new, 5);
	look(*state, HEIGHT, WIDTH, &s);
	assert_string_equal(s.rows[3], "12:00 17");
	chatscroll_move(*state, -1000, HEIGHT, WIDTH);
	look(*state, HEIGHT, WIDTH, &s);
	assert_int_equal(s.count, HEIGHT);
	assert_string_equal(s.rows[0], "12:00 1");
	chatscroll_move(*state, 1, HEIGHT, WIDTH);
	look(*state, HEIGHT, WIDTH, &s);
	assert_string_equal(s.rows[0], "12:00 2");
	chatscroll_move(*state, 1000, HEIGHT, WIDTH);
	assert_false(chatscroll_below(*state, &new));
	fill(*state, 26, 26);			/* and follows again */
	look(*state, HEIGHT, WIDTH, &s);
	assert_string_equal(s.rows[3], "12:00 26");
}

static void
another_size_keeps_the_place(void **state)
{
	struct screen s;

	fill(*state, 1, 20);
	(void)chatscroll_add(*state, 0, "12:00", NULL, "aaaa bbbb cccc dddd");
	fill(*state, 21, 30);
	chatscroll_move(*state, -11, HEIGHT, 12);
	look(*state, HEIGHT, 12, &s);
	assert_string_equal(s.rows[3], "bbbb cccc");
	look(*state, HEIGHT, 60, &s);
	assert_string_equal(s.rows[3], "12:00 aaaa bbbb cccc dddd");
	look(*state, 1, 1, &s);
	assert_int_equal(s.count, 1);
	look(*state, 40 - 8, 60, &s);	/* all fits: nothing is below */
	assert_string_equal(s.rows[31], "12:00 30");
}

static void
view_of_lines_that_are_gone(void **state)
{
	struct screen s;

	fill(*state, 1, 20);
	chatscroll_move(*state, -10, HEIGHT, WIDTH);
	fill(*state, 21, 21 + CHATSCROLL_LINES);
	look(*state, HEIGHT, WIDTH, &s);
	assert_int_equal(s.count, HEIGHT);
	assert_string_equal(s.rows[0], "12:00 22");
	chatscroll_move(*state, 1, HEIGHT, WIDTH);
	look(*state, HEIGHT, WIDTH, &s);
	assert_string_equal(s.rows[0], "12:00 23");
	chatscroll_follow(*state);
	look(*state, HEIGHT, WIDTH, &s);
	assert_string_equal(s.rows[3], "12:00 2021");
}

static void
marks(void **state)
{
	struct screen s;
	unsigned int id;

	id = chatscroll_add(*state, 0, "12:00", NULL, "x");
	chatscroll_mark(*state, id, true);
	look(*state, 1, 40, &s);
	assert_string_equal(s.rows[0], "12:00 x ?");
	assert_true(s.pending);
	chatscroll_mark(*state, id, false);
	look(*state, 1, 40, &s);
	assert_string_equal(s.rows[0], "12:00 x");
	/* of no line, or of one that is gone */
	chatscroll_mark(*state, 0, true);
	chatscroll_mark(*state, id + 1, true);
	fill(*state, 1, CHATSCROLL_LINES);
	chatscroll_mark(*state, id, true);
	look(*state, 1, 40, &s);
	assert_false(s.pending);
}

/* The longest lines, many of them: the newest is whole, the rest is bounded. */
static void
long_lines(void **state)
{
	static char text[CHATSCROLL_TEXT_MAX * 2];
	struct screen s;
	int i, n = 0;

	memset(text, 'x', sizeof text - 1);
	for (i = 0; i < 500; i++)
		(void)chatscroll_add(*state, 0, "12:00", "someone", text);
	look(*state, 32, 60, &s);
	assert_int_equal(s.count, 32);
	chatscroll_move(*state, -1000000, 1, CHATSCROLL_TEXT_MAX);
	do {
		n++;
		chatscroll_move(*state, 1, 1, CHATSCROLL_TEXT_MAX);
	} while (chatscroll_below(*state, &(unsigned int){ 0 }));
	assert_in_range(n, 50, CHATSCROLL_OCTETS / CHATSCROLL_TEXT_MAX);
	memset(text, '\033', sizeof text - 1);	/* each three octets */
	(void)chatscroll_add(*state, 0, text, text, text);
	look(*state, 32, 1, &s);
	assert_int_equal(s.count, 32);
}

static void
hostile_text(void **state)
{
	struct screen s;

	(void)chatscroll_add(*state, 0, "12:00", "b\033]b", "\302\233x\ny\177");
	look(*state, 1, 40, &s);
	assert_string_equal(s.rows[0], "12:00 <b?]b> ?x y?");
	assert_int_equal(s.bold[0], 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(few_lines_stand_at_the_bottom,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(lines_wrap, setup, teardown),
		cmocka_unit_test_setup_teardown(paging, setup, teardown),
		cmocka_unit_test_setup_teardown(another_size_keeps_the_place,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(view_of_lines_that_are_gone,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(marks, setup, teardown),
		cmocka_unit_test_setup_teardown(long_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(hostile_text, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
