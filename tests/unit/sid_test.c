/*
 * sid_test.c - session IDs and the word lists they are drawn from.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sid.h"
#include "words.h"

#define LEN(a)	(sizeof (a) / sizeof (a)[0])

static const char *const *const lists[] = {
	words_adjective, words_actor, words_verb, words_thing,
};

static void
test_form(void **state)
{
	static const char *const good[] = {
		"swift-fox-jumps-barrel", "aa-bb-cc-dd",
		"abcdefghijkl-abcdefghijkl-abcdefghijkl-abcdefghijkl",
	};
	static const char *const bad[] = {
		"", "-", "---", "swift", "swift-fox-jumps",
		"swift-fox-jumps-barrel-now", "swift-fox-jumps-barrel-",
		"-swift-fox-jumps-barrel", "swift--jumps-barrel",
		"swift-fox-jumps-b", "s-fox-jumps-barrel",
		"abcdefghijklm-fox-jumps-barrel",
		"swift-fox-jumps-abcdefghijklm", "Swift-fox-jumps-barrel",
		"swift-fox-jumps-barrel\n", "swift fox jumps barrel",
		"swift-fox-jumps-barre1", "../-fox-jumps-barrel",
		"swift-fox-jumps-b\xc3\xa4rrel",
	};
	size_t i;

	(void)state;
	for (i = 0; i < LEN(good); i++)
		assert_true(sid_is_valid(good[i], strlen(good[i])));
	for (i = 0; i < LEN(bad); i++)
		if (sid_is_valid(bad[i], strlen(bad[i])))
			fail_msg("%s was taken", bad[i]);
	assert_int_equal(strlen(good[2]), SID_MAX);
	assert_false(sid_is_valid("swift-fox-jumps-barrel\0x", 24));
	assert_false(sid_is_valid("swift-fox-jumps-barrel", 16));
	assert_true(sid_is_valid("swift-fox-jumps-barrel", 18));
}

static void
test_every_word_has_the_form(void **state)
{
	char sid[SID_MAX + 1];
	size_t i, l;

	(void)state;
	for (l = 0; l < LEN(lists); l++)
		for (i = 0; i < WORDS_LEN; i++) {
			assert_non_null(lists[l][i]);
			assert_in_range(strlen(lists[l][i]), 2, 12);
			(void)snprintf(sid, sizeof sid, "%s-aa-bb-cc",
			    lists[l][i]);
			if (!sid_is_valid(sid, strlen(sid)))
				fail_msg("\"%s\"", lists[l][i]);
		}
}

static void
test_words_are_sorted_and_distinct(void **state)
{
	size_t i, j, l;

	(void)state;
	for (l = 0; l < LEN(lists); l++)
		for (i = 1; i < WORDS_LEN; i++)
			if (strcmp(lists[l][i - 1], lists[l][i]) >= 0)
				fail_msg("\"%s\"", lists[l][i]);
	for (i = 0; i < WORDS_LEN; i++)
		for (j = 0; j < WORDS_LEN; j++)
			assert_string_not_equal(words_actor[i],
			    words_thing[j]);
}

/* True if A becomes B by changing, adding or taking out one letter. */
static int
is_near(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b), head = 0, tail = 0;

	while (a[head] != '\0' && a[head] == b[head])
		head++;
	while (tail < la - head && tail < lb - head &&
	    a[la - 1 - tail] == b[lb - 1 - tail])
		tail++;
	return la - head - tail <= 1 && lb - head - tail <= 1;
}

static void
test_words_are_not_easily_misheard(void **state)
{
	size_t i, j, l;

	(void)state;
	assert_true(is_near("cat", "car") && is_near("cat", "cart"));
	assert_false(is_near("cat", "cow"));
	for (l = 0; l < LEN(lists); l++)
		for (i = 0; i < WORDS_LEN; i++)
			for (j = 0; j < i; j++)
				if (is_near(lists[l][i], lists[l][j]))
					fail_msg("%s %s", lists[l][i],
					    lists[l][j]);
	for (i = 0; i < WORDS_LEN; i++)
		for (j = 0; j < WORDS_LEN; j++)
			if (is_near(words_actor[i], words_thing[j]))
				fail_msg("%s %s", words_actor[i],
				    words_thing[j]);
}

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void
test_drawn_ones_differ(void **state)
{
	static char sids[256][SID_MAX + 1];
	size_t i, alike = 0;

	(void)state;
	for (i = 0; i < LEN(sids); i++) {
		assert_int_equal(sid_generate(sids[i]), 0);
		assert_true(sid_is_valid(sids[i], strlen(sids[i])));
	}
	/* Two alike of 2^32 happen, once in 130,000 runs; four do not. */
	qsort(sids, LEN(sids), sizeof sids[0], compare);
	for (i = 1; i < LEN(sids); i++)
		alike += strcmp(sids[i - 1], sids[i]) == 0;
	assert_in_range(alike, 0, 1);
}

static void
test_hash(void **state)
{
	char hash[SID_HASH_LEN + 1];

	(void)state;
	/* printf swift-fox-jumps-barrel | sha256sum | cut -c1-12 */
	sid_hash("swift-fox-jumps-barrel", hash);
	assert_string_equal(hash, "0f05bf25e11e");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_every_word_has_the_form),
		cmocka_unit_test(test_words_are_sorted_and_distinct),
		cmocka_unit_test(test_words_are_not_easily_misheard),
		cmocka_unit_test(test_drawn_ones_differ),
		cmocka_unit_test(test_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
