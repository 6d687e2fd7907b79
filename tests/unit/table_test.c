/*
 * table_test.c - tables fit, words of others do no harm in them, and ages are
 * short.
 */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../support/table.h"
#include "../../support/text.h"

static const struct table_column columns[] = { { "ID", 0 },
    { "HOST", TABLE_CUT }, { "CASE", TABLE_CUT }, { "AGE", 0 } };

/* What a table of one row prints; the caller frees it. */
static char *
printed(const char *const *cells, size_t width)
{
	struct table *t = table_new(columns, 4);
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	table_row(t, cells);
	table_print(t, f, width);
	table_free(t);
	(void)fclose(f);
	return text;
}

static void
expect(const char *const *cells, size_t width, const char *want)
{
	char *text = printed(cells, width);

	assert_string_equal(text, want);
	free(text);
}

static void
columns_are_as_wide_as_they_must(void **state)
{
	const char *cells[] = { "a-b-c-d", "db1", NULL, "12m" };

	(void)state;
	expect(cells, 0, "ID       HOST  CASE  AGE\n"
	    "a-b-c-d  db1   -     12m\n");
	expect(cells, 80, "ID       HOST  CASE  AGE\n"
	    "a-b-c-d  db1   -     12m\n");
	cells[1] = "";
	expect(cells, 0, "ID       HOST  CASE  AGE\n"
	    "a-b-c-d  -     -     12m\n");
}

static void
the_widest_is_cut_first(void **state)
{
	const char *cells[] = { "a-b-c-d", "host-number-one", "CASE-4711",
	    "12m" };

	(void)state;
	text_init(false);
	expect(cells, 34, "ID       HOST       CASE       AGE\n"
	    "a-b-c-d  host-num~  CASE-4711  12m\n");
	/* never to nothing, and never the ID */
	expect(cells, 10, "ID       HOST      CASE      AGE\n"
	    "a-b-c-d  host-nu~  CASE-47~  12m\n");
}

static void
words_of_others_do_no_harm(void **state)
{
	const char *cells[] = { "x", "\033[31mred\302\2332J", "a\nb\tc",
	    "\377" };

	(void)state;
	text_init(false);
	expect(cells, 0, "ID  HOST         CASE   AGE\n"
	    "x   ?[31mred?2J  a b c  ?\n");
}

static void
wide_characters_count_twice(void **state)
{
	const char *cells[] = { "x", "\344\270\226\347\225\214\344\270\226"
	    "\347\225\214\344\270\226\347\225\214", "e\314\201", "1s" };

	(void)state;
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		return;
	text_init(true);
	expect(cells, 0, "ID  HOST          CASE  AGE\n"
	    "x   \344\270\226\347\225\214\344\270\226\347\225\214\344\270\226"
	    "\347\225\214  e\314\201     1s\n");
	/* eight columns: three characters, the mark, and one left free */
	expect(cells, 20, "ID  HOST      CASE  AGE\n"
	    "x   \344\270\226\347\225\214\344\270\226\342\200\246   e\314\201"
	    "     1s\n");
	assert_int_equal(text_width("\344\270\226e\314\201"), 3);
	assert_int_equal(text_fit("\344\270\226x", 1), 0);
	(void)setlocale(LC_CTYPE, "C");
}

static void
ages_have_one_unit(void **state)
{
	static const struct {
		time_t		 secs;
		const char	*want;
	} cases[] = { { -5, "0s" }, { 0, "0s" }, { 59, "59s" }, { 60, "1m" },
	    { 3599, "59m" }, { 3600, "1h" }, { 86399, "23h" }, { 86400, "1d" },
	    { 8640000, "100d" } };
	char buf[16];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		table_age(cases[i].secs, buf, sizeof buf);
		assert_string_equal(buf, cases[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_as_wide_as_they_must),
		cmocka_unit_test(the_widest_is_cut_first),
		cmocka_unit_test(words_of_others_do_no_harm),
		cmocka_unit_test(wide_characters_count_twice),
		cmocka_unit_test(ages_have_one_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
