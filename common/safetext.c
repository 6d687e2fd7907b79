/*
 * safetext.c - see safetext.h.
 */
#include "safetext.h"

#include <stdbool.h>
#include <string.h>

#define REPLACEMENT	0xfffdu

/* Ranges that are never text; sorted. */
static const struct {
	uint32_t	first, last;
} refused[] = {
	{ 0x0000, 0x001f },	/* C0; tab and line ends are seen to before */
	{ 0x007f, 0x009f },	/* DEL and C1 */
	{ 0x2028, 0x202e },	/* line separators, bidirectional overrides */
	{ 0x2066, 0x206f },	/* bidirectional isolates, deprecated controls */
	{ 0xd800, 0xdfff },	/* surrogates */
	{ 0xfdd0, 0xfdef },	/* noncharacters */
	{ 0xfff9, 0xfffb },	/* interlinear annotation */
	{ 0xe0000, 0xe007f },	/* tags: invisible text */
	{ 0x110000, UINT32_MAX }
};

uint32_t
safetext_map(uint32_t cp)
{
	size_t i;

	if (cp == '\t' || cp == '\n' || cp == '\r')
		return ' ';
	if ((cp & 0xfffe) == 0xfffe)
		return REPLACEMENT;	/* the last two of every plane */
	for (i = 0; i < sizeof refused / sizeof refused[0]; i++)
		if (cp >= refused[i].first && cp <= refused[i].last)
			return REPLACEMENT;
	return cp;
}

/*
 * How many octets follow the lead octet C, and the range of the first of them
 * (RFC 3629, section 4).  Returns 0 if C leads nothing.
 */
static unsigned int
followers(unsigned char c, unsigned char *lo, unsigned char *hi)
{
	*lo = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	*hi = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
	if (c >= 0xc2 && c <= 0xdf)
		return 1;
	if (c >= 0xe0 && c <= 0xef)
		return 2;
	return c >= 0xf0 && c <= 0xf4 ? 3 : 0;
}

size_t
safetext_decode(const char *s, size_t len, uint32_t *cp)
{
	const unsigned char *p = (const unsigned char *)s;
	unsigned char lo, hi;
	unsigned int more, i;
	uint32_t v;

	if (p[0] < 0x80) {
		*cp = p[0];
		return 1;
	}
	*cp = REPLACEMENT;
	more = followers(p[0], &lo, &hi);
	if (more == 0)
		return 1;
	v = p[0] & (0x3fu >> more);
	for (i = 1; i <= more; i++) {
		if (i == len || p[i] < lo || p[i] > hi)
			return i;
		v = v << 6 | (p[i] & 0x3f);
		lo = 0x80;
		hi = 0xbf;
	}
	*cp = v;
	return i;
}

size_t
safetext_encode(char out[4], uint32_t cp)
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xc0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xe0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		out[2] = (char)(0x80 | (cp & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	out[3] = (char)(0x80 | (cp & 0x3f));
	return 4;
}

/* True if the character that ends before S[I] is a carriage return. */
static bool
ends_a_crlf(const char *s, size_t i)
{
	return i > 0 && s[i] == '\n' && s[i - 1] == '\r';
}

size_t
safetext(char *dst, size_t cap, const char *src, size_t len)
{
	size_t i = 0, o = 0, n, w;
	uint32_t cp;
	char out[4];

	while (i < len) {
		n = safetext_decode(src + i, len - i, &cp);
		if (!ends_a_crlf(src, i)) {
			w = safetext_encode(out, safetext_map(cp));
			if (o + w >= cap)
				break;
			memcpy(dst + o, out, w);
			o += w;
		}
		i += n;
	}
	dst[o] = '\0';
	return o;
}
