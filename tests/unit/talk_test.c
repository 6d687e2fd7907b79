/*
 * talk_test.c - the chat's ring, and the relay's word on who watches.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../customer/info.h"
#include "../../customer/talk.h"

static void
lines_and_doubles(void **state)
{
	struct talk t;

	(void)state;
	talk_init(&t);
	assert_non_null(talk_add(&t, TALK_PEER, "00000001.1", 5, "Ann", "hi",
	    2));
	assert_null(talk_add(&t, TALK_PEER, "00000001.1", 5, "Ann", "hi", 2));
	assert_non_null(talk_add(&t, TALK_NOTICE, NULL, 6, NULL, "x", 1));
	assert_non_null(talk_add(&t, TALK_NOTICE, NULL, 6, NULL, "x", 1));
	assert_string_equal(talk_at(&t, TALK_LINES - 3)->text, "hi");
	assert_string_equal(talk_at(&t, TALK_LINES - 3)->name, "Ann");
	assert_null(talk_at(&t, 0));
	talk_release(&t);
}

static void
pending_until_kept(void **state)
{
	char id[TALK_ID_MAX];
	struct talk t;
	int i;

	(void)state;
	talk_init(&t);
	for (i = 0; i < TALK_PENDING; i++) {
		(void)snprintf(id, sizeof id, "00000001.%d", i);
		assert_true(talk_add(&t, TALK_MINE, id, 1, NULL, "m",
		    1)->pending);
	}
	assert_null(talk_add(&t, TALK_MINE, "00000001.99", 1, NULL, "m", 1));
	assert_true(talk_kept(&t, "00000001.3"));
	assert_false(talk_kept(&t, "00000001.3"));
	assert_false(talk_kept(&t, "00000002.3"));
	assert_non_null(talk_add(&t, TALK_MINE, "00000001.99", 1, NULL, "m",
	    1));
	talk_release(&t);
}

static void
the_oldest_goes(void **state)
{
	struct talk t;
	char text[16];
	int i;

	(void)state;
	talk_init(&t);
	assert_non_null(talk_add(&t, TALK_MINE, "00000001.1", 1, NULL, "m",
	    1));
	for (i = 0; i < TALK_LINES; i++) {
		(void)snprintf(text, sizeof text, "%d", i);
		assert_non_null(talk_add(&t, TALK_NOTICE, NULL, 1, NULL, text,
		    strlen(text)));
	}
	assert_int_equal(t.pending, 0);
	assert_string_equal(talk_at(&t, 0)->text, "0");
	assert_string_equal(talk_at(&t, TALK_LINES - 1)->text, "255");
	talk_release(&t);
}

static int
parse(struct info *info, const char *json)
{
	return info_parse(info, json, strlen(json));
}

static void
viewers(void **state)
{
	struct info info;
	char out[200];

	(void)state;
	assert_int_equal(parse(&info, "{\"viewers\":[]}"), 0);
	assert_string_equal(info_summary(&info, false, out, sizeof out),
	    "nobody watches");
	assert_int_equal(parse(&info, "{\"viewers\":[{\"n\":1,\"name\":\"Ann\","
	    "\"key\":\"a SHA256:x\",\"ro\":false},{\"n\":7,\"name\":\"Ben\","
	    "\"ro\":true}],\"mode\":\"share\"}"), 0);
	assert_int_equal(info.count, 2);
	assert_string_equal(info_find(&info, 1)->key, "a SHA256:x");
	assert_true(info_find(&info, 7)->ro);
	assert_null(info_find(&info, 2));
	assert_string_equal(info_summary(&info, false, out, sizeof out),
	    "2 watch: Ann, Ben (read-only)");
	assert_string_equal(info_summary(&info, true, out, sizeof out),
	    "2 watch: Ann, Ben");
	(void)info_summary(&info, false, out, 12);
	assert_string_equal(out, "2 watch: An");
}

static void
hostile_json(void **state)
{
	static const char *const bad[] = { "", "[]", "{", "\"x\"", "null",
	    "{\"viewers\":[" };
	struct info info;
	char json[8192];
	size_t at, i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(parse(&info, bad[i]), -1);
		assert_int_equal(info.count, 0);
	}
	assert_int_equal(parse(&info, "{\"viewers\":{\"n\":1}}"), 0);
	assert_int_equal(parse(&info, "{\"viewers\":[1,null,{\"n\":-1},"
	    "{\"n\":1e99},{\"n\":\"2\"},{\"n\":3,\"name\":5}]}"), 0);
	assert_int_equal(info.count, 1);
	assert_string_equal(info.viewers[0].name, "support");
	assert_int_equal(parse(&info, "{\"viewers\":[{\"n\":3,\"name\":"
	    "\"\\u001b[31mx\\n\"}]}"), 0);
	assert_null(strchr(info.viewers[0].name, 033));
	at = (size_t)snprintf(json, sizeof json, "{\"viewers\":[{\"n\":0}");
	for (i = 1; i < 100; i++)
		at += (size_t)snprintf(json + at, sizeof json - at,
		    ",{\"n\":%zu}", i);
	(void)snprintf(json + at, sizeof json - at, "]}");
	assert_int_equal(parse(&info, json), 0);
	assert_int_equal(info.count, INFO_VIEWERS);
	assert_int_equal(info.more, 100 - INFO_VIEWERS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_and_doubles),
		cmocka_unit_test(pending_until_kept),
		cmocka_unit_test(the_oldest_goes),
		cmocka_unit_test(viewers),
		cmocka_unit_test(hostile_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
