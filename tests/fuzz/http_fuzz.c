/*
 * http_fuzz.c - the HTTP client's parser: says the same however the octets
 * arrive, and never takes more than there is.
 */
#include <string.h>

#include "http.h"
#include "fuzz.h"

#define SPLIT_MAX	2048	/* try every split of inputs up to this */

static void
check_splits(const char *s, size_t size, enum http_answer whole,
    const struct http_response *r)
{
	struct http_response part;
	enum http_answer a;
	size_t len;

	for (len = 0; len < size && len < SPLIT_MAX; len++) {
		a = http_response(s, len, &part);
		if (a == HTTP_MORE)
			continue;
		must(a == whole);
		must(a == HTTP_BAD || (len >= r->used &&
		    memcmp(&part, r, sizeof part) == 0));
		return;
	}
	must(whole != HTTP_DONE || size >= SPLIT_MAX || r->used == size);
}

/* The octets as a target: taken only if they cannot break the request. */
static void
check_request(const char *s, size_t size)
{
	char target[256], out[512];
	int n;

	if (size >= sizeof target)
		return;
	memcpy(target, s, size);
	target[size] = '\0';
	n = http_request(out, sizeof out, "GET", target, NULL, 0);
	if (n == -1)
		return;
	must(strcspn(target, " \r\n\t") == strlen(target));
	must(memcmp(out, "GET ", 4) == 0);
	must(memcmp(out + n - 4, "\r\n\r\n", 4) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *s = (const char *)data;
	struct http_response r;
	enum http_answer a;

	if (size == 0)
		return 0;
	a = http_response(s, size, &r);
	if (a == HTTP_DONE) {
		must(r.used <= size && r.status >= 100 && r.status <= 599);
		must(r.body_len <= HTTP_BODY_MAX);
		must(r.body >= s && r.body + r.body_len == s + r.used);
	}
	check_splits(s, size, a, &r);
	check_request(s, size);
	return 0;
}
