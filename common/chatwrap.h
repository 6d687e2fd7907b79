/*
 * chatwrap.h - columns: how text falls into rows of a terminal.
 *
 * Pure functions over wide characters; widths are wcwidth(3)'s, so LC_CTYPE
 * must be a UTF-8 locale for anything but ASCII.  Knows nothing of curses.
 */
#ifndef CHATWRAP_H
#define CHATWRAP_H

#include <stddef.h>
#include <wchar.h>

/* The columns that C takes: 0 (combining), 1 or 2. */
int	chatwrap_width(wchar_t c);

/* The columns that the LEN characters at S take together. */
int	chatwrap_columns(const wchar_t *s, size_t len);

/*
 * Decode the LEN octets of safe text at SRC (see safetext.h) into at most CAP
 * characters at DST.  A character that has no width here becomes U+FFFD;
 * joiners and variation selectors are left out, as terminals disagree on how
 * wide they make their neighbours.  Returns how many.
 */
size_t	chatwrap_decode(wchar_t *dst, size_t cap, const char *src, size_t len);

/* What chatwrap_decode() makes of C, or 0 if it leaves it out. */
wchar_t	chatwrap_map(wchar_t c);

/*
 * Of the LEN characters at S, how many go into a row of WIDTH (1 or more)
 * columns; at least one if there are any, even if that one is too wide.  Rows
 * end at a space where there is one, else in the middle of a word, never before
 * a combining character.  *NEXT is where the next row begins: behind the space.
 */
size_t	chatwrap_row(const wchar_t *s, size_t len, int width, size_t *next);

/*
 * How many of the LEN characters at S fit into WIDTH columns, combining ones
 * behind the last included.
 */
size_t	chatwrap_fit(const wchar_t *s, size_t len, int width);

/*
 * An input line of LEN characters is shown from character START on in WIDTH
 * columns, the last of which is only for the cursor.  Returns the START that
 * shows CURSOR (0..LEN): the same if it does, else one that leaves some room
 * around it.  Never in front of a combining character.
 */
size_t	chatwrap_scroll(const wchar_t *s, size_t len, size_t cursor,
	    size_t start, int width);

#endif
