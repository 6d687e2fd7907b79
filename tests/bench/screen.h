/*
 * screen.h - the text in what a terminal is sent, for matching: escape
 * sequences and control octets left out, in the order of arrival.
 */
#ifndef BENCH_SCREEN_H
#define BENCH_SCREEN_H

#include <stddef.h>

enum screen_state { TEXT, ESC, INTERMEDIATE, CSI, STRING, STRING_ESC };

/* What state follows C, which is not text, in state ST. */
static inline enum screen_state
screen_next(enum screen_state st, unsigned char c)
{
	switch (st) {
	case ESC:
		if (c == '[')
			return CSI;
		if (c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_' ||
		    c == 'k')
			return STRING;
		return c >= 0x20 && c < 0x30 ? INTERMEDIATE : TEXT;
	case INTERMEDIATE:
		return c >= 0x20 && c < 0x30 ? INTERMEDIATE : TEXT;
	case CSI:
		return c >= 0x40 && c < 0x7f ? TEXT : CSI;
	case STRING:
		return c == 0x07 ? TEXT : c == 0x1b ? STRING_ESC : STRING;
	case STRING_ESC:
		return c == '\\' ? TEXT : STRING;
	case TEXT:
		break;
	}
	return c == 0x1b ? ESC : TEXT;
}

/* Copy the text of the LEN octets at IN to OUT; returns its length. */
static inline size_t
screen_text(enum screen_state *st, const char *in, size_t len, char *out)
{
	size_t n = 0, i;

	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)in[i];

		if (*st == TEXT && c >= 0x20 && c != 0x7f)
			out[n++] = in[i];
		else
			*st = screen_next(*st, c);
	}
	return n;
}

#endif
