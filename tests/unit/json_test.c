/*
 * json_test.c - request bodies, read strictly.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <cjson/cJSON.h>

#include "../../relay/json.h"

enum { TEXT, NUMBER, FLAG, LIST, FIELDS };

static const struct json_field fields[FIELDS] = {
	[TEXT] = { "text", JSON_TEXT, JSON_REQUIRED, 1, 8, NULL, "a text" },
	[NUMBER] = { "number", JSON_NUMBER, JSON_NULLABLE, -5, 5, NULL, NULL },
	[FLAG] = { "flag", JSON_BOOL, 0, 0, 0, NULL, NULL },
	[LIST] = { "list", JSON_TEXTS, 0, 1, 4, NULL, "a text" },
};

static enum json_result
read_it(struct json_body *body, const char *s, char err[160])
{
	err[0] = '\0';
	return json_read(body, s, strlen(s), fields, FIELDS, err, 160);
}

static void
test_values(void **state)
{
	struct json_body b;
	char err[160];

	(void)state;
	assert_int_equal(read_it(&b, " { \"text\" : \"\\u00e4\\n\" } ", err),
	    JSON_REFUSED);
	assert_int_equal(read_it(&b, "{\"text\":\"\\u00e4 b\",\"number\":-5,"
	    "\"flag\":true,\"list\":[\"x\",\"yz\"]}\n", err), JSON_OK);
	assert_string_equal(b.value[TEXT].text, "\xc3\xa4 b");
	assert_int_equal(b.value[NUMBER].number, -5);
	assert_int_equal(b.value[FLAG].number, 1);
	assert_int_equal(cJSON_GetArraySize(b.value[LIST].list), 2);
	json_clear(&b);
	assert_int_equal(read_it(&b, "{\"number\":null,\"text\":\"x\"}", err),
	    JSON_OK);
	assert_true(b.value[NUMBER].present);
	assert_true(b.value[NUMBER].is_null);
	assert_false(b.value[FLAG].present);
	assert_null(b.value[LIST].list);
	json_clear(&b);
}

static void
test_malformed(void **state)
{
	static const char *const bad[] = {
		"", " ", "{", "}", "[]", "null", "\"text\"", "1", "{]", "[}",
		"{\"text\":\"x\"", "{\"text\":\"x\"} x", "{\"text\":\"x\"}{}",
		"{\"text\":\"x\",}", "{text:\"x\"}", "{'text':'x'}",
		"{\"text\":\"\\u0000\"}", "{\"text\":\"a\\u0000b\"}",
		"{\"te\\u0000xt\":\"x\"}", "{\"text\":\"\x01\"}",
		"{\"text\":\"\x7f\"}", "{\"text\":\"\xff\"}",
		"{\"text\":\"\xed\xa0\x80\"}", "{\"text\":\"\\ud800\"}",
		"{\"text\":\"\\x\"}", "{\"text\":\"x\",\"number\":01}",
		"{\"text\":\"x\",\"number\":-01}", "\x01{\"text\":\"x\"}",
		"\xef\xbb\xbf{\"text\":\"x\"}", "{\"text\":\"x\"}\x0b",
		"{\"text\":[[[[\"x\"]]]]}", "{\"text\":\"x\"}}",
	};
	struct json_body b;
	char err[160];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (read_it(&b, bad[i], err) != JSON_MALFORMED)
			fail_msg("not malformed: %s", bad[i]);
	/* A NUL is an octet like any other: not one of JSON's. */
	assert_int_equal(json_read(&b, "{\"text\":\"x\"}\0", 13, fields, FIELDS,
	    err, sizeof err), JSON_MALFORMED);
	assert_int_equal(json_read(&b, "{\"text\":\"x\0y\"}", 14, fields,
	    FIELDS, err, sizeof err), JSON_MALFORMED);
}

static void
test_refused(void **state)
{
	static const struct {
		const char	*text, *err;
	} bad[] = {
		{ "{}", "text: is missing" },
		{ "{\"text\":null}", "text: expected a text" },
		{ "{\"text\":1}", "text: expected" },
		{ "{\"text\":\"\"}", "text: expected" },
		{ "{\"text\":\"123456789\"}", "text: expected" },
		{ "{\"text\":\"\\u001b\"}", "text: expected" },
		{ "{\"text\":\"\\u009b\"}", "text: expected" },
		{ "{\"text\":\"\\u202e\"}", "text: expected" },
		{ "{\"text\":\"\\ufffd\"}", "text: expected" },
		{ "{\"text\":\"x\",\"text\":\"x\"}", "text: is there twice" },
		{ "{\"Text\":\"x\"}", "Text: is not a field" },
		{ "{\"\\u001b\":\"x\"}", "there is a field that is not known" },
		{ "{\"\":\"x\"}", "there is a field that is not known" },
		{ "{\"text\":\"x\",\"number\":6}", "number: expected a whole" },
		{ "{\"text\":\"x\",\"number\":0.5}", "number: expected" },
		{ "{\"text\":\"x\",\"number\":1e400}", "number: expected" },
		{ "{\"text\":\"x\",\"number\":\"1\"}", "number: expected" },
		{ "{\"text\":\"x\",\"number\":true}", "number: expected" },
		{ "{\"text\":\"x\",\"flag\":0}", "flag: expected" },
		{ "{\"text\":\"x\",\"flag\":null}", "flag: expected" },
		{ "{\"text\":\"x\",\"list\":\"x\"}", "list: expected an array" },
		{ "{\"text\":\"x\",\"list\":{\"a\":\"b\"}}", "list: expected" },
		{ "{\"text\":\"x\",\"list\":[1]}", "list: expected" },
		{ "{\"text\":\"x\",\"list\":[\"12345\"]}", "list: expected" },
		{ "{\"text\":\"x\",\"list\":[[]]}", "list: expected" },
	};
	struct json_body b;
	char err[160];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (read_it(&b, bad[i].text, err) != JSON_REFUSED)
			fail_msg("not refused: %s", bad[i].text);
		if (strstr(err, bad[i].err) == NULL)
			fail_msg("%s: %s", bad[i].text, err);
	}
}

static void
test_size(void **state)
{
	static char text[JSON_BODY_MAX + 1];
	struct json_body b;
	char err[160];

	(void)state;
	memset(text, ' ', sizeof text);
	memcpy(text, "{\"text\":\"x\"}", 12);
	assert_int_equal(json_read(&b, text, JSON_BODY_MAX, fields, FIELDS, err,
	    sizeof err), JSON_OK);
	json_clear(&b);
	assert_int_equal(json_read(&b, text, sizeof text, fields, FIELDS, err,
	    sizeof err), JSON_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
