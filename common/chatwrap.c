/*
 * chatwrap.c - see chatwrap.h.
 */
#include "chatwrap.h"

#include <stdint.h>

#include "safetext.h"

#define REPLACEMENT	((wchar_t)0xfffd)
#define JOINER		((wchar_t)0x200d)
#define SELECTOR_FIRST	((wchar_t)0xfe00)
#define SELECTOR_LAST	((wchar_t)0xfe0f)

int
chatwrap_width(wchar_t c)
{
	int n = wcwidth(c);

	return n < 0 ? 1 : n;
}

int
chatwrap_columns(const wchar_t *s, size_t len)
{
	int n = 0;

	while (len-- > 0)
		n += chatwrap_width(*s++);
	return n;
}

wchar_t
chatwrap_map(wchar_t c)
{
	if (c == JOINER || (c >= SELECTOR_FIRST && c <= SELECTOR_LAST))
		return 0;
	return wcwidth(c) < 0 ? REPLACEMENT : c;
}

size_t
chatwrap_decode(wchar_t *dst, size_t cap, const char *src, size_t len)
{
	size_t i = 0, o = 0;
	uint32_t cp;

	while (i < len && o < cap) {
		i += safetext_decode(src + i, len - i, &cp);
		dst[o] = chatwrap_map((wchar_t)safetext_map(cp));
		if (dst[o] != 0)
			o++;
	}
	return o;
}

size_t
chatwrap_fit(const wchar_t *s, size_t len, int width)
{
	size_t n;

	for (n = 0; n < len; n++) {
		width -= chatwrap_width(s[n]);
		if (width < 0)
			break;
	}
	return n;
}

size_t
chatwrap_row(const wchar_t *s, size_t len, int width, size_t *next)
{
	size_t n = chatwrap_fit(s, len, width), space;

	if (n == 0 && len > 0)
		n = 1 + chatwrap_fit(s + 1, len - 1, 0);
	*next = n;
	if (n == len)
		return n;
	for (space = n; space > 0; space--)
		if (s[space] == L' ')
			break;
	if (space > 0) {
		n = space;
		*next = space + 1;
	}
	return n;
}

/* The start that puts character I at most COLUMNS to the right. */
static size_t
start_before(const wchar_t *s, size_t i, int columns)
{
	while (i > 0) {
		columns -= chatwrap_width(s[i - 1]);
		if (columns < 0)
			break;
		i--;
	}
	return i;
}

size_t
chatwrap_scroll(const wchar_t *s, size_t len, size_t cursor, size_t start,
    int width)
{
	if (chatwrap_columns(s, len) < width)
		return 0;
	if (start > len)
		start = len;
	if (cursor < start)
		start = start_before(s, cursor, width / 3);
	else if (chatwrap_columns(s + start, cursor - start) >= width)
		start = start_before(s, cursor, width - 1 - width / 3);
	while (start > 0 && start < cursor && chatwrap_width(s[start]) == 0)
		start++;
	return start;
}
