/*
 * json.h - request bodies, read strictly: every field is declared, everything
 * else is refused.
 *
 * cJSON parses; what it forgives is refused before it sees the body: NUL and
 * control octets, broken UTF-8, \u0000, numbers with leading zeros, deep
 * nesting.  Refused after it: duplicate, unknown, missing fields, wrong types,
 * values out of bounds.
 */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_BODY_MAX	65536	/* octets */
#define JSON_DEPTH_MAX	4
#define JSON_FIELDS_MAX	16
#define JSON_LIST_MAX	64

struct cJSON;

enum json_kind {
	JSON_TEXT,
	JSON_NUMBER,		/* a whole number, min..max */
	JSON_BOOL,
	JSON_TEXTS		/* an array of at most JSON_LIST_MAX texts */
};

#define JSON_REQUIRED	0x1
#define JSON_NULLABLE	0x2	/* null is a value: present, but null */

/* True if the LEN octets at S are what a field may have. */
typedef bool	json_check(const char *s, size_t len);

struct json_field {
	const char	*name;
	enum json_kind	 kind;
	unsigned int	 flags;
	int64_t		 min, max;	/* of a number; octets of each text */
	json_check	*check;		/* of each text; NULL: json_is_plain */
	const char	*want;		/* what a text is, for messages */
};

struct json_value {
	bool		 present;	/* and not null, unless is_null */
	bool		 is_null;
	const char	*text;		/* NULL unless JSON_TEXT and there */
	int64_t		 number;	/* JSON_BOOL: 0 or 1 */
	const struct cJSON *list;	/* checked; NULL unless JSON_TEXTS */
};

struct json_body {
	struct cJSON		*root;
	struct json_value	 value[JSON_FIELDS_MAX]; /* as the fields are */
};

enum json_result {
	JSON_OK,
	JSON_MALFORMED,		/* not JSON, or not an object */
	JSON_REFUSED		/* an object, but not the one we asked for */
};

/*
 * Read the LEN octets at S, which the FIELDS (COUNT of them) describe.  With
 * JSON_OK free the body with json_clear(); else there is a message for the
 * sender in ERR (CAP octets), which names the field and quotes no value.
 */
enum json_result json_read(struct json_body *body, const char *s, size_t len,
	    const struct json_field *fields, size_t count, char *err,
	    size_t cap);
void	json_clear(struct json_body *body);

/* One line of UTF-8 without anything that acts on a terminal. */
bool	json_is_plain(const char *s, size_t len);

#endif
