/*
 * casttext.c - see casttext.h.
 */
#include "casttext.h"

#include <stdio.h>
#include <string.h>

#include "num.h"
#include "safetext.h"

#define REPLACEMENT	"\xef\xbf\xbd"

static const char header_begin[] = "{\"version\": 2, \"width\": ";

/* ---- text --------------------------------------------------------------- */

/* Octets that stand for themselves in a JSON string, DEL not among them. */
static inline bool
is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* True if each of the eight octets of W is_plain(). */
static inline bool
are_plain(uint64_t w)
{
	const uint64_t ones = 0x0101010101010101u, high = ones << 7;
	uint64_t quote = w ^ ones * '"', slash = w ^ ones * '\\';

	/*
	 * A sum or difference carries into the high bit of an octet exactly if
	 * that octet is out of range, as long as none below it is; and one that
	 * is below makes the answer no all the same.
	 */
	return ((w | (w - ones * 0x20) | (w + ones) | (quote - ones) |
	    (slash - ones)) & high) == 0;
}

/* The length of the run of plain octets at S. */
static size_t
plain_run(const char *s, size_t len)
{
	size_t i = 0;
	uint64_t w;

	for (; i + sizeof w <= len; i += sizeof w) {
		memcpy(&w, s + i, sizeof w);
		if (!are_plain(w))
			break;
	}
	while (i < len && is_plain((unsigned char)s[i]))
		i++;
	return i;
}

static inline bool
is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/*
 * The length of the run at S of characters of two and three octets that stand
 * for themselves; the lead octets that need a closer look end it.
 */
static size_t
wide_run(const char *s, size_t len)
{
	size_t i = 0;

	while (len - i >= 3) {
		unsigned char c = (unsigned char)s[i];

		if (c >= 0xc3 && c <= 0xdf && is_continuation(s[i + 1]))
			i += 2;
		else if (c >= 0xe1 && c <= 0xef && c != 0xed &&
		    is_continuation(s[i + 1]) && is_continuation(s[i + 2]) &&
		    !(c == 0xe2 && (unsigned char)s[i + 1] == 0x80))
			i += 3;
		else
			break;
	}
	return i;
}

/* The length of the run at S of what stands for itself. */
static size_t
run(const char *s, size_t len)
{
	size_t i = 0, n;

	do {
		n = plain_run(s + i, len - i);
		n += wide_run(s + i + n, len - i - n);
		i += n;
	} while (n > 0 && i < len);
	return i;
}

/* How many octets a character has that begins with C; 1: it begins none. */
static size_t
char_length(unsigned char c)
{
	return c < 0xc2 || c > 0xf4 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

/* One character as JSON.  Returns 1 to 6. */
static size_t
put_char(char *out, uint32_t cp)
{
	static const char hex[] = "0123456789abcdef";
	static const char shorts[] = "\0\0\0\0\0\0\0\0btn\0fr";

	if (cp >= 0x20 && (cp < 0x7f || cp > 0x9f) && cp != '"' &&
	    cp != '\\' && cp != 0x2028 && cp != 0x2029)
		return safetext_encode(out, cp);
	out[0] = '\\';
	out[1] = cp < sizeof shorts ? shorts[cp] :
	    cp == '"' || cp == '\\' ? (char)cp : '\0';
	if (out[1] != '\0')
		return 2;
	out[1] = 'u';
	out[2] = hex[cp >> 12 & 15];
	out[3] = hex[cp >> 8 & 15];
	out[4] = hex[cp >> 4 & 15];
	out[5] = hex[cp & 15];
	return 6;
}

/* One more octet for the character in T.  Returns what was written. */
static size_t
complete(struct cast_text *t, const char **s, size_t *len, char *out)
{
	uint32_t cp;
	size_t n;

	t->part[t->n] = **s;
	n = safetext_decode(t->part, t->n + 1, &cp);
	if (n == t->n) {	/* it does not go on so: a maximal subpart */
		t->n = 0;
		return put_char(out, cp);
	}
	++*s;
	--*len;
	if (++t->n < char_length((unsigned char)t->part[0]))
		return 0;
	t->n = 0;
	return put_char(out, cp);
}

/* The next character at S, or the beginning of one into T. */
static size_t
convert(struct cast_text *t, const char **s, size_t *len, char *out)
{
	uint32_t cp;
	size_t n = safetext_decode(*s, *len, &cp);
	bool half = n == *len && n < char_length((unsigned char)**s);

	if (half) {
		memcpy(t->part, *s, n);
		t->n = (unsigned int)n;
	}
	*s += n;
	*len -= n;
	return half ? 0 : put_char(out, cp);
}

size_t
cast_escape(struct cast_text *t, const char **s, size_t *len, char *out,
    size_t cap)
{
	size_t o = 0, n;

	while (*len > 0 && cap - o >= CAST_CHAR_MAX) {
		if (t->n > 0) {
			o += complete(t, s, len, out + o);
			continue;
		}
		n = run(*s, *len < cap - o ? *len : cap - o);
		memcpy(out + o, *s, n);
		o += n;
		*s += n;
		*len -= n;
		if (*len > 0 && cap - o >= CAST_CHAR_MAX)
			o += convert(t, s, len, out + o);
	}
	return o;
}

size_t
cast_escape_end(struct cast_text *t, char out[3])
{
	if (t->n == 0)
		return 0;
	t->n = 0;
	memcpy(out, REPLACEMENT, 3);
	return 3;
}

/* ---- lines -------------------------------------------------------------- */

size_t
cast_header(char out[CAST_HEADER_MAX], unsigned int cols, unsigned int rows,
    time_t when, const char *title)
{
	struct cast_text t = { .n = 0 };
	size_t len = strlen(title), n;

	n = (size_t)snprintf(out, CAST_HEADER_MAX, "%s%u, \"height\": %u, "
	    "\"timestamp\": %lld, \"title\": \"", header_begin, cols, rows,
	    (long long)when);
	n += cast_escape(&t, &title, &len, out + n, CAST_HEADER_MAX - n - 8);
	n += cast_escape_end(&t, out + n);
	memcpy(out + n, "\"}\n", 3);
	return n + 3;
}

/* Pass over TEXT; false if it is not what follows. */
static bool
expect(const char **s, const char *end, const char *text)
{
	size_t n = strlen(text);

	if ((size_t)(end - *s) < n || memcmp(*s, text, n) != 0)
		return false;
	*s += n;
	return true;
}

static bool
expect_number(const char **s, const char *end, uint64_t max, uint64_t *v)
{
	const char *p = *s;

	while (p < end && *p >= '0' && *p <= '9')
		p++;
	if (num_parse(*s, (size_t)(p - *s), 0, max, v) == -1)
		return false;
	*s = p;
	return true;
}

size_t
cast_read_header(const char *s, size_t len, time_t *when)
{
	size_t max = len < CAST_HEADER_MAX ? len : CAST_HEADER_MAX;
	const char *lf = memchr(s, '\n', max), *p = s;
	uint64_t v;

	if (lf == NULL || lf - s < 2 || lf[-1] != '}' ||
	    !expect(&p, lf, header_begin) ||
	    !expect_number(&p, lf, UINT32_MAX, &v) ||
	    !expect(&p, lf, ", \"height\": ") ||
	    !expect_number(&p, lf, UINT32_MAX, &v) ||
	    !expect(&p, lf, ", \"timestamp\": ") ||
	    !expect_number(&p, lf, CAST_TIME_MAX / 1000000, &v))
		return 0;
	*when = (time_t)v;
	return (size_t)(lf - s) + 1;
}

bool
cast_is_header_begun(const char *s, size_t len)
{
	size_t n = sizeof header_begin - 1;

	return memcmp(s, header_begin, len < n ? len : n) == 0;
}

bool
cast_read_event(const char *s, size_t len, uint64_t *us)
{
	const char *end = s + len, *dot;
	uint64_t secs, v = 0;

	if (!expect(&s, end, "[") ||
	    !expect_number(&s, end, CAST_TIME_MAX / 1000000, &secs))
		return false;
	dot = s;
	if (!expect(&s, end, "."))
		return false;
	for (; s < end && *s >= '0' && *s <= '9' && s - dot <= 6; s++)
		v = v * 10 + (uint64_t)(*s - '0');
	*us = secs * 1000000 + v;
	return s - dot == 7 && (expect(&s, end, ", \"o\", \"") ||
	    expect(&s, end, ", \"r\", \"") || expect(&s, end, ", \"m\", \"")) &&
	    end - s >= 2 && memcmp(end - 2, "\"]", 2) == 0;
}
