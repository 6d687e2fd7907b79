/*
 * text.c - see text.h.
 */
#include "text.h"

#include <stdint.h>
#include <string.h>
#include <wchar.h>

#include "safetext.h"

static bool	text_utf8;

void
text_init(bool utf8)
{
	text_utf8 = utf8;
}

const char *
text_ellipsis(void)
{
	return text_utf8 ? "\xe2\x80\xa6" : "~";
}

char *
text_safe(char *dst, size_t cap, const char *src, size_t len)
{
	size_t i, o = 0, n = safetext(dst, cap, src, len);
	uint32_t cp;

	if (text_utf8)
		return dst;
	for (i = 0; i < n; o++) {
		i += safetext_decode(dst + i, n - i, &cp);
		dst[o] = cp < 0x80 ? (char)cp : '?';
	}
	dst[o] = '\0';
	return dst;
}

static size_t
char_width(uint32_t cp)
{
	int w = cp < 0x80 ? 1 : wcwidth((wchar_t)cp);

	return w > 0 ? (size_t)w : 0;
}

size_t
text_fit(const char *s, size_t cols)
{
	size_t len = strlen(s), i = 0, n, w;
	uint32_t cp;

	for (; i < len; i += n) {
		n = safetext_decode(s + i, len - i, &cp);
		w = char_width(cp);
		if (w > cols)
			break;
		cols -= w;
	}
	return i;
}

size_t
text_width(const char *s)
{
	size_t len = strlen(s), i = 0, w = 0;
	uint32_t cp;

	while (i < len) {
		i += safetext_decode(s + i, len - i, &cp);
		w += char_width(cp);
	}
	return w;
}
