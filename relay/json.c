/*
 * json.c - see json.h.
 */
#include "json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "safetext.h"

#define EXACT_MAX	9007199254740992.0	/* 2^53: doubles are exact */

/* ---- what may be in a text ---- */

bool
json_is_plain(const char *s, size_t len)
{
	uint32_t cp;
	size_t n;

	for (; len > 0; s += n, len -= n) {
		n = safetext_decode(s, len, &cp);
		if (cp == 0xfffd || safetext_map(cp) != cp)
			return false;
	}
	return true;
}

/* Could this be a field's name?  Then it may be quoted in a message. */
static bool
is_name(const char *s)
{
	size_t len = strspn(s, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	return len > 0 && len <= 32 && s[len] == '\0';
}

/* ---- before cJSON ---- */

struct scan {
	bool		in_string, escaped;
	bool		number;		/* the last octet was a number's */
	unsigned int	depth;
};

/* One octet of a string; AT is where it is.  False if we refuse it. */
static bool
scan_string(struct scan *sc, const char *at, const char *end)
{
	unsigned char c = (unsigned char)*at;

	if (c < 0x20 || c == 0x7f)
		return false;
	if (sc->escaped) {
		sc->escaped = false;
		/* \u0000 would end the text early. */
		return c != 'u' || end - at < 5 ||
		    memcmp(at + 1, "0000", 4) != 0;
	}
	if (c == '\\')
		sc->escaped = true;
	else if (c == '"')
		sc->in_string = false;
	return true;
}

/* One octet between strings. */
static bool
scan_plain(struct scan *sc, const char *at, const char *end)
{
	bool was_number = sc->number;
	char c = *at;

	sc->number = (c >= '0' && c <= '9') ||
	    (was_number && strchr(".eE+-", c) != NULL);
	if (c == '0' && !was_number && at + 1 < end && at[1] >= '0' &&
	    at[1] <= '9')
		return false;
	if (c == '"')
		sc->in_string = true;
	else if (c == '{' || c == '[')
		return ++sc->depth <= JSON_DEPTH_MAX;
	else if ((c == '}' || c == ']') && sc->depth-- == 0)
		return false;
	return c >= ' ' ? c < 0x7f : c == '\t' || c == '\n' || c == '\r';
}

/* Strict UTF-8, U+FFFD included. */
static bool
is_utf8(const char *s, size_t len)
{
	uint32_t cp;
	size_t n;

	for (; len > 0; s += n, len -= n) {
		n = safetext_decode(s, len, &cp);
		if (cp == 0xfffd && (n != 3 || memcmp(s, "\xef\xbf\xbd", 3)))
			return false;
	}
	return true;
}

static bool
is_strict(const char *s, size_t len)
{
	struct scan sc = { .depth = 0 };
	const char *end = s + len, *at;

	for (at = s; at < end; at++)
		if (!(sc.in_string ? scan_string : scan_plain)(&sc, at, end))
			return false;
	return len <= JSON_BODY_MAX && is_utf8(s, len);
}

static bool
is_blank(const char *s, const char *end)
{
	while (s < end && (*s == ' ' || *s == '\t' || *s == '\n' || *s == '\r'))
		s++;
	return s == end;
}

/* ---- after cJSON ---- */

struct reading {
	struct json_body		*body;
	const struct json_field		*fields;
	size_t				 count;
	char				*err;
	size_t				 cap;
};

__attribute__((format(printf, 2, 3)))
static bool
refuse(struct reading *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(r->err, r->cap, fmt, ap);
	va_end(ap);
	return false;
}

/* Is ITEM a text that FIELD may have? */
static bool
text_fits(const struct json_field *f, const cJSON *item)
{
	json_check *check = f->check != NULL ? f->check : json_is_plain;
	size_t len;

	if (!cJSON_IsString(item))
		return false;
	len = strlen(item->valuestring);
	return (int64_t)len >= f->min && (int64_t)len <= f->max &&
	    check(item->valuestring, len);
}

static bool
read_text(struct reading *r, const struct json_field *f, const cJSON *item,
    struct json_value *v)
{
	if (!text_fits(f, item))
		return refuse(r, "%s: expected %s", f->name, f->want);
	v->text = item->valuestring;
	return true;
}

static bool
read_number(struct reading *r, const struct json_field *f, const cJSON *item,
    struct json_value *v)
{
	double d = cJSON_IsNumber(item) ? item->valuedouble : 0.5;

	if (!(d >= -EXACT_MAX && d <= EXACT_MAX) || d != (double)(int64_t)d ||
	    (int64_t)d < f->min || (int64_t)d > f->max)
		return refuse(r, "%s: expected a whole number from %lld to "
		    "%lld", f->name, (long long)f->min, (long long)f->max);
	v->number = (int64_t)d;
	return true;
}

static bool
read_texts(struct reading *r, const struct json_field *f, const cJSON *item,
    struct json_value *v)
{
	const cJSON *e;
	int64_t n = 0;
	bool good = cJSON_IsArray(item);

	cJSON_ArrayForEach(e, item)
		good = good && text_fits(f, e) && ++n <= JSON_LIST_MAX;
	if (!good)
		return refuse(r, "%s: expected an array of at most %d texts, "
		    "each %s", f->name, JSON_LIST_MAX, f->want);
	v->list = item;
	return true;
}

static bool
read_field(struct reading *r, const struct json_field *f, const cJSON *item,
    struct json_value *v)
{
	if (v->present)
		return refuse(r, "%s: is there twice", f->name);
	v->present = true;
	if (cJSON_IsNull(item)) {
		v->is_null = true;
		if ((f->flags & JSON_NULLABLE) != 0)
			return true;
	}
	switch (f->kind) {
	case JSON_TEXT:
		return read_text(r, f, item, v);
	case JSON_NUMBER:
		return read_number(r, f, item, v);
	case JSON_BOOL:
		if (!cJSON_IsBool(item))
			return refuse(r, "%s: expected true or false", f->name);
		v->number = cJSON_IsTrue(item);
		return true;
	case JSON_TEXTS:
		return read_texts(r, f, item, v);
	}
	return false;
}

/* Find the field and read it. */
static bool
read_member(struct reading *r, const cJSON *item)
{
	size_t i;

	for (i = 0; i < r->count; i++)
		if (strcmp(r->fields[i].name, item->string) == 0)
			return read_field(r, &r->fields[i], item,
			    &r->body->value[i]);
	if (!is_name(item->string))
		return refuse(r, "there is a field that is not known here");
	return refuse(r, "%s: is not a field that is known here", item->string);
}

static bool
read_object(struct reading *r)
{
	const cJSON *item;
	size_t i;

	cJSON_ArrayForEach(item, r->body->root)
		if (!read_member(r, item))
			return false;
	for (i = 0; i < r->count; i++)
		if ((r->fields[i].flags & JSON_REQUIRED) != 0 &&
		    !r->body->value[i].present)
			return refuse(r, "%s: is missing", r->fields[i].name);
	return true;
}

enum json_result
json_read(struct json_body *body, const char *s, size_t len,
    const struct json_field *fields, size_t count, char *err, size_t cap)
{
	struct reading r = { body, fields, count, err, cap };
	const char *end = s;

	memset(body, 0, sizeof *body);
	if (is_strict(s, len))
		body->root = cJSON_ParseWithLengthOpts(s, len, &end, 0);
	/* Behind the object there may be blanks only. */
	if (!cJSON_IsObject(body->root) || !is_blank(end, s + len)) {
		(void)refuse(&r, "the body is not a JSON object");
		json_clear(body);
		return JSON_MALFORMED;
	}
	if (read_object(&r))
		return JSON_OK;
	json_clear(body);
	return JSON_REFUSED;
}

void
json_clear(struct json_body *body)
{
	cJSON_Delete(body->root);
	memset(body, 0, sizeof *body);
}
