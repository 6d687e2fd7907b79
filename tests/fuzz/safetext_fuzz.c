/*
 * safetext_fuzz.c - whatever comes in, what goes out is UTF-8 that does nothing,
 * and falls into rows.
 */
#include <string.h>

#include "chatwrap.h"
#include "proto.h"
#include "safetext.h"
#include "fuzz.h"

#define MAX	2048

static void
check_safe(const char *s, size_t len)
{
	size_t i = 0;
	uint32_t cp;

	must(proto_is_utf8(s, len));
	while (i < len) {
		i += safetext_decode(s + i, len - i, &cp);
		must(cp >= 0x20 && (cp < 0x7f || cp > 0x9f) &&
		    (cp < 0x202a || cp > 0x202e) &&
		    (cp < 0x2066 || cp > 0x2069));
	}
	must(i == len);
}

/* All of it is in the rows, but for the spaces where they end. */
static void
check_rows(const wchar_t *t, size_t len, int width)
{
	size_t at, n, next;

	for (at = 0; at < len; at += next) {
		n = chatwrap_row(t + at, len - at, width, &next);
		must(n >= 1 && n <= len - at && next >= n && next <= n + 1);
		must(next == n || t[at + n] == L' ');
		must(chatwrap_columns(t + at, n) <= width ||
		    chatwrap_columns(t + at + 1, n - 1) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char out[SAFETEXT_SIZE(MAX)];
	static wchar_t text[MAX];
	size_t n, cap;
	int width;

	if (size < 2 || size > MAX)
		return 0;
	width = 1 + data[0] % 80;
	cap = 1 + data[1] % 64;
	n = safetext(out, cap, (const char *)data, size);
	must(n < cap && out[n] == '\0');
	check_safe(out, n);
	n = safetext(out, sizeof out, (const char *)data, size);
	must(n < sizeof out && strlen(out) == n);
	check_safe(out, n);
	check_rows(text, chatwrap_decode(text, MAX, out, n), width);
	return 0;
}
