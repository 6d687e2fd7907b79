/*
 * cast_fuzz.c - any octets, split anywhere, are JSON strings in UTF-8 that
 * decode to what the whole is in one piece, with U+FFFD for what is broken;
 * and a file's lines are read without a fault whatever is in them.
 *
 * The first octet says how the rest is split.
 */
#include <string.h>

#include "casttext.h"
#include "proto.h"
#include "fuzz.h"

#define MAX	1024

/* The four hexadecimal digits at S. */
static uint32_t
hex4(const char *s)
{
	uint32_t v = 0;
	int i;

	for (i = 0; i < 4; i++) {
		must((s[i] >= '0' && s[i] <= '9') ||
		    (s[i] >= 'a' && s[i] <= 'f'));
		v = v << 4 | (uint32_t)(s[i] <= '9' ? s[i] - '0' :
		    s[i] - 'a' + 10);
	}
	return v;
}

/* The UTF-8 of a code point below U+10000. */
static size_t
put(unsigned char *out, uint32_t cp)
{
	if (cp < 0x80) {
		out[0] = (unsigned char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (unsigned char)(0xc0 | cp >> 6);
		out[1] = (unsigned char)(0x80 | (cp & 63));
		return 2;
	}
	must(cp < 0xd800 || cp > 0xdfff);
	out[0] = (unsigned char)(0xe0 | cp >> 12);
	out[1] = (unsigned char)(0x80 | (cp >> 6 & 63));
	out[2] = (unsigned char)(0x80 | (cp & 63));
	return 3;
}

/* What follows the backslash at S.  Returns the octets it has. */
static size_t
unescape(const char *s, size_t len, unsigned char *out, size_t *o)
{
	static const char shorts[] = "b\bt\tn\nf\fr\r\"\"\\\\";
	const char *p;

	must(len >= 2);
	if (s[1] == 'u') {
		must(len >= 6);
		*o += put(out + *o, hex4(s + 2));
		return 6;
	}
	for (p = shorts; *p != '\0' && *p != s[1]; p += 2)
		;
	must(*p != '\0');
	out[(*o)++] = (unsigned char)p[1];
	return 2;
}

/* Decode the inside of a JSON string, strictly. */
static size_t
decode(const char *s, size_t len, unsigned char *out)
{
	size_t i = 0, o = 0;

	must(proto_is_utf8(s, len));
	while (i < len) {
		unsigned char c = (unsigned char)s[i];

		must(c >= 0x20 && c != 0x7f && c != '"');
		/* neither C1 nor a line separator stands for itself */
		must(c != 0xc2 || (unsigned char)s[i + 1] >= 0xa0);
		must(len - i < 3 || (memcmp(s + i, "\xe2\x80\xa8", 3) != 0 &&
		    memcmp(s + i, "\xe2\x80\xa9", 3) != 0));
		if (c == '\\') {
			i += unescape(s + i, len - i, out, &o);
		} else
			out[o++] = (unsigned char)s[i++];
	}
	return o;
}

/* How many octets, 1 to 4, the well-formed character at S has; else 0, and in
 * *SUB the length of the maximal subpart (Unicode 15, table 3-7, D93b). */
static size_t
well_formed(const unsigned char *s, size_t len, size_t *sub)
{
	static const struct {
		unsigned char	lo, hi, lo2, hi2;
		size_t		n;
	} rows[] = {
		{ 0x00, 0x7f, 0, 0, 1 },
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	size_t r, i;

	*sub = 1;
	for (r = 0; r < sizeof rows / sizeof rows[0]; r++) {
		if (s[0] < rows[r].lo || s[0] > rows[r].hi)
			continue;
		for (i = 1; i < rows[r].n; i++) {
			if (i == len || s[i] < (i == 1 ? rows[r].lo2 : 0x80) ||
			    s[i] > (i == 1 ? rows[r].hi2 : 0xbf))
				break;
		}
		*sub = i;
		return i == rows[r].n ? i : 0;
	}
	return 0;
}

/* What the octets must come out as. */
static size_t
expected(const unsigned char *s, size_t len, unsigned char *out)
{
	size_t o = 0, n, sub;

	for (; len > 0; s += sub, len -= sub) {
		n = well_formed(s, len, &sub);
		if (n > 0)
			memcpy(out + o, s, n);
		else
			memcpy(out + o, "\xef\xbf\xbd", 3);
		o += n > 0 ? n : 3;
	}
	return o;
}

/* In pieces of 1 to STEP octets, into room for CAP. */
static size_t
in_pieces(const uint8_t *data, size_t size, size_t step, size_t cap,
    unsigned char *out)
{
	char buf[64];
	struct cast_text t = { .n = 0 };
	size_t at, n, left, len, o = 0;
	const char *s;

	for (at = 0; at < size; at += n) {
		n = 1 + (at * 7 + step) % step;
		n = n < size - at ? n : size - at;
		s = (const char *)data + at;
		for (left = n; left > 0;) {
			len = cast_escape(&t, &s, &left, buf, cap);
			must(len <= cap);
			o += decode(buf, len, out + o);
		}
	}
	return o + decode(buf, cast_escape_end(&t, buf), out + o);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned char want[3 * MAX], got[3 * MAX];
	size_t n, step, cap;
	uint64_t us;
	time_t when;

	if (size < 1 || size > MAX)
		return 0;
	step = 1 + data[0] % 31;
	cap = CAST_CHAR_MAX + data[0] / 31;
	data++;
	size--;
	n = expected(data, size, want);
	must(in_pieces(data, size, step, cap, got) == n);
	must(memcmp(got, want, n) == 0);
	n = cast_read_header((const char *)data, size, &when);
	must(n <= size && (n == 0 || (data[n - 1] == '\n' && when >= 0)));
	if (cast_read_event((const char *)data, size, &us))
		must(size > 10 && us <= CAST_TIME_MAX + 1000000);
	return 0;
}
