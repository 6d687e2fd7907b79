/*
 * penguess.c - see penguess.h.
 */
#include "penguess.h"

#include <string.h>

#include "vtmodes.h"

/*
 * The length of what S begins with: an escape sequence, a shift or a character;
 * its columns in *WIDTH.  0 if its width is not known, or at the end.
 */
static size_t
element(const char *s, const char *end, unsigned int *width)
{
	size_t left = (size_t)(end - s), n = 1;
	unsigned char c = left > 0 ? (unsigned char)s[0] : 0;

	*width = c >= 0x20 && c < 0x7f;
	if (left >= 2 && c == 0x1b) {
		while (n < left && s[n] != 'm')
			n++;
		return n < left ? n + 1 : 0;
	}
	if (*width == 1 || c == 0x0e || c == 0x0f)
		return left > 0;
	/* up to U+02FF all are one column wide */
	*width = 1;
	return left >= 2 && c >= 0xc2 && c < 0xcc ? 2 : 0;
}

bool
penguess(const char *screen, size_t len, unsigned int cx, unsigned int cy,
    struct vtpen *pen)
{
	const char *s = screen, *end = screen + len, *lf;
	unsigned int width = 0, x = 0;
	struct vtmodes vt;
	size_t n;

	vtmodes_init(&vt);
	for (; s < end && cy > 0; cy--, s = lf + 1) {
		lf = memchr(s, '\n', (size_t)(end - s));
		if (lf == NULL)
			return false;
		vtmodes_feed(&vt, s, (size_t)(lf - s));
	}
	for (; x < cx; s += n, x += width) {
		n = element(s, end, &width);
		if (n == 0)
			return false;
		vtmodes_feed(&vt, s, n);
	}
	if (cx > 0) {
		*pen = vt.pen;
		pen->g0_lines = pen->g1_lines = pen->shift = false;
	}
	return cx > 0;
}
