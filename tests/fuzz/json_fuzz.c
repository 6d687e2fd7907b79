/*
 * json_fuzz.c - request bodies: what is taken is what the fields say.
 */
#include <string.h>

#include <cjson/cJSON.h>

#include "../../relay/json.h"
#include "fuzz.h"

enum { TEXT, NUMBER, FLAG, LIST, FIELDS };

static const struct json_field fields[FIELDS] = {
	[TEXT] = { "text", JSON_TEXT, JSON_REQUIRED, 1, 16, NULL, "a text" },
	[NUMBER] = { "number", JSON_NUMBER, JSON_NULLABLE, -1000, 1000, NULL,
	    NULL },
	[FLAG] = { "flag", JSON_BOOL, 0, 0, 0, NULL, NULL },
	[LIST] = { "list", JSON_TEXTS, 0, 1, 16, NULL, "a text" },
};

static void
check_text(const char *s)
{
	size_t len = strlen(s);

	must(len >= 1 && len <= 16 && json_is_plain(s, len));
	must(strpbrk(s, "\n\r\t\x1b\x7f") == NULL);
}

static void
check(const struct json_body *b)
{
	const struct json_value *v = b->value;
	const cJSON *e;

	check_text(v[TEXT].text);
	must(v[NUMBER].number >= -1000 && v[NUMBER].number <= 1000);
	must(v[FLAG].number == 0 || v[FLAG].number == 1);
	must(v[LIST].list == NULL ||
	    cJSON_GetArraySize(v[LIST].list) <= JSON_LIST_MAX);
	cJSON_ArrayForEach(e, v[LIST].list)
		check_text(e->valuestring);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_body b;
	char err[160] = "";

	if (json_read(&b, (const char *)data, size, fields, FIELDS, err,
	    sizeof err) == JSON_OK) {
		check(&b);
		json_clear(&b);
		return 0;
	}
	must(b.root == NULL && json_is_plain(err, strlen(err)));
	must(err[0] != '\0');
	return 0;
}
