/*
 * penguess_test.c - whose pen it is that the cell before the cursor has.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../customer/penguess.h"
#include "../../customer/vtmodes.h"

/* The pen before column X of row Y, as SGR; "" if it is not told. */
static void
check(const char *screen, unsigned int x, unsigned int y, const char *sgr)
{
	char out[VTMODES_TEXT_MAX + 1] = "";
	struct vtpen pen = { .attr = VT_BLINK };
	bool told = penguess(screen, strlen(screen), x, y, &pen);

	if (told)
		out[vtmodes_sgr(&pen, out)] = '\0';
	else
		assert_int_equal(pen.attr, VT_BLINK);
	assert_string_equal(out, sgr);
}

static void
the_cell_before_the_cursor_tells(void **state)
{
	(void)state;
	check("plain\n", 3, 0, "\033[0m");
	check("\033[31mred\033[0m no\n", 3, 0, "\033[0;31m");
	check("\033[31mred\033[0m no\n", 4, 0, "\033[0m");
	check("a\033[31m\nb\n", 1, 1, "\033[0;31m");
	check("\303\244\033[1mx", 2, 0, "\033[0;1m");
	check("\016qq\017\033[4mx", 3, 0, "\033[0;4m");
}

static void
where_nothing_is_nothing_is_told(void **state)
{
	(void)state;
	check("", 0, 0, "");
	check("\033[31mred\n", 0, 0, "");
	check("\033[31mred\n", 4, 0, "");
	check("\033[31mred\n", 1, 1, "");
	check("red", 1, 5, "");
	check("\346\227\245\033[31mx\n", 3, 0, "");	/* wide */
	check("x\314\201y\n", 2, 0, "");		/* combining */
	check("\033[31", 1, 0, "");
	check("\303", 1, 0, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_cell_before_the_cursor_tells),
		cmocka_unit_test(where_nothing_is_nothing_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
