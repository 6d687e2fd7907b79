/*
 * request.c - see request.h.
 */
#include "request.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "api.h"
#include "files.h"
#include "json.h"
#include "range.h"

static const char json_type[] = "application/json";

/* What is sent when there is no memory for anything else. */
static const char no_memory[] =
	"{\"error\":{\"code\":\"unavailable\",\"message\":\"out of memory\"}}";

/* The word for a status that we send as an error. */
static const char *
error_code(unsigned int status)
{
	static const struct {
		unsigned int	 status;
		const char	*code;
	} codes[] = {
		{ 400, "bad_request" }, { 401, "unauthorized" },
		{ 403, "forbidden" }, { 404, "not_found" },
		{ 405, "method_not_allowed" }, { 409, "conflict" },
		{ 410, "gone" }, { 411, "length_required" },
		{ 413, "too_large" }, { 415, "unsupported_media_type" },
		{ 422, "invalid" }, { 429, "too_many_requests" },
		{ 503, "unavailable" }, { 507, "insufficient_storage" },
	};
	size_t i;

	for (i = 0; i < sizeof codes / sizeof codes[0]; i++)
		if (codes[i].status == status)
			return codes[i].code;
	return "internal";
}

void
request_resume(struct request *rq)
{
	if (rq->resume_cb != NULL)
		rq->resume_cb(rq);
}

void
request_header(struct request *rq, const char *name, const char *value)
{
	struct request_header *h = &rq->header[rq->nheader];

	if (rq->answered || rq->nheader == REQUEST_HEADERS_MAX)
		return;
	h->name = name;
	(void)snprintf(h->value, sizeof h->value, "%s", value);
	rq->nheader++;
}

static void
answer(struct request *rq, unsigned int status, const char *type, char *reply,
    uint64_t len)
{
	if (rq->answered) {	/* once is enough */
		free(reply);
		return;
	}
	rq->answered = true;
	if (rq->api != NULL && status / 100 < API_CLASSES)
		rq->api->answers[status / 100]++;
	rq->status = status;
	rq->type = type;
	rq->reply = reply;
	rq->reply_len = len;
	if (rq->answered_cb != NULL)
		rq->answered_cb(rq);
}

void
request_json(struct request *rq, unsigned int status, struct cJSON *object)
{
	char *text = object != NULL ? cJSON_PrintUnformatted(object) : NULL;

	cJSON_Delete(object);
	if (text == NULL) {
		status = 503;
		text = strdup(no_memory);
	}
	answer(rq, status, json_type, text, text != NULL ? strlen(text) : 0);
}

void
request_text(struct request *rq, char *text, size_t len)
{
	request_text_of(rq, "text/plain; charset=utf-8", text, len);
}

void
request_text_of(struct request *rq, const char *type, char *text, size_t len)
{
	answer(rq, 200, type, text, len);
}

void
request_file(struct request *rq, int fd, uint64_t size, const char *type)
{
	char value[64];
	uint64_t first = 0, last = size - 1;
	enum range_result r;

	request_header(rq, "Accept-Ranges", "bytes");
	r = range_parse(rq->range, size, &first, &last);
	if (r == RANGE_NONE) {
		(void)snprintf(value, sizeof value, "bytes */%" PRIu64, size);
		request_header(rq, "Content-Range", value);
		request_fail(rq, 416, "there are %" PRIu64 " octets", size);
		close(fd);
		return;
	}
	if (r == RANGE_PART) {
		(void)snprintf(value, sizeof value, "bytes %" PRIu64 "-%" PRIu64
		    "/%" PRIu64, first, last, size);
		request_header(rq, "Content-Range", value);
	}
	rq->file = fd;
	rq->has_file = true;
	rq->file_at = first;
	answer(rq, r == RANGE_PART ? 206 : 200, type, NULL,
	    size == 0 ? 0 : last - first + 1);
}

void
request_nothing(struct request *rq)
{
	answer(rq, 204, NULL, NULL, 0);
}

void
request_fail(struct request *rq, unsigned int status, const char *fmt, ...)
{
	char message[256];
	cJSON *object = cJSON_CreateObject();
	cJSON *error = cJSON_AddObjectToObject(object, "error");
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(message, sizeof message, fmt, ap);
	va_end(ap);
	(void)cJSON_AddStringToObject(error, "code", error_code(status));
	(void)cJSON_AddStringToObject(error, "message", message);
	request_json(rq, status, object);
}

void
request_unauthorized(struct request *rq)
{
	request_fail(rq, 401, "this is not, or no longer, a valid claim; "
	    "ask support for a new one");
}

void
request_clear(struct request *rq)
{
	if (rq->body != NULL)		/* it may hold a secret */
		wipe(rq->body, rq->body_len);
	free(rq->body);
	free(rq->reply);
	rq->body = rq->reply = NULL;
	if (rq->has_file)
		close(rq->file);
	rq->has_file = false;
}

/* ---- query ---- */

const char *
request_query(const struct request *rq, const char *name)
{
	unsigned int i;

	for (i = 0; i < rq->nquery; i++)
		if (strcmp(rq->query[i].name, name) == 0)
			return rq->query[i].value;
	return NULL;
}

/* Is NAME (LEN octets) one of the words in LIST? */
static bool
is_listed(const char *list, const char *name, size_t len)
{
	size_t n;

	for (; *list != '\0'; list += n, list += strspn(list, " ")) {
		n = strcspn(list, " ");
		if (n == len && memcmp(list, name, n) == 0)
			return true;
	}
	return false;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decode the LEN octets at S into a plain text; false if it is none. */
static bool
decode_value(const char *s, size_t len, char out[REQUEST_VALUE_MAX + 1])
{
	size_t i, n = 0;

	for (i = 0; i < len && n < REQUEST_VALUE_MAX; i++) {
		if (s[i] != '%') {
			out[n++] = s[i];
			continue;
		}
		if (len - i < 3 || hex_digit(s[i + 1]) == -1 ||
		    hex_digit(s[i + 2]) == -1)
			return false;
		out[n++] = (char)(hex_digit(s[i + 1]) << 4 |
		    hex_digit(s[i + 2]));
		i += 2;
	}
	out[n] = '\0';
	return i == len && json_is_plain(out, n);
}

/* One pair of LEN octets; what is wrong with it, or NULL. */
static const char *
take_pair(struct request *rq, const char *s, size_t len, const char *allowed)
{
	struct request_query *q = &rq->query[rq->nquery];
	const char *eq = memchr(s, '=', len);
	size_t n;

	if (eq == NULL)
		return "expected name=value";
	n = (size_t)(eq - s);
	if (n >= sizeof q->name || !is_listed(allowed, s, n))
		return "there is a parameter that is not known here";
	memcpy(q->name, s, n);
	q->name[n] = '\0';
	if (request_query(rq, q->name) != NULL)
		return "a parameter is there twice";
	if (!decode_value(eq + 1, len - n - 1, q->value))
		return "a value is not well-formed";
	rq->nquery++;
	return NULL;
}

bool
request_take_query(struct request *rq, const char *s, const char *allowed)
{
	const char *wrong;
	size_t len;

	for (;; s += len + 1) {
		len = strcspn(s, "&");
		wrong = rq->nquery == REQUEST_QUERY_MAX ?
		    "there are too many parameters" :
		    take_pair(rq, s, len, allowed);
		if (wrong != NULL) {
			request_fail(rq, 400, "query: %s", wrong);
			return false;
		}
		if (s[len] == '\0')
			return true;
	}
}

/* ---- body ---- */

bool
request_take_body(struct request *rq, struct json_body *body,
    const struct json_field *fields, size_t count)
{
	char err[160];

	switch (json_read(body, rq->body, rq->body_len, fields, count, err,
	    sizeof err)) {
	case JSON_OK:
		return true;
	case JSON_MALFORMED:
		request_fail(rq, 400, "%s", err);
		return false;
	case JSON_REFUSED:
		break;
	}
	request_fail(rq, 422, "%s", err);
	return false;
}
