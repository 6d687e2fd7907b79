/*
 * safetext.h - text of another machine, made fit for a terminal.
 *
 * UTF-8 in, UTF-8 out, one line: what acts on a terminal or reorders what is
 * read (control octets, C1, bidirectional overrides, line separators) and what
 * is no text at all (broken UTF-8) leaves as U+FFFD; a tab or a line end
 * leaves as one space.  Pure functions; the locale has no say.
 */
#ifndef SAFETEXT_H
#define SAFETEXT_H

#include <stddef.h>
#include <stdint.h>

/* Octets that safetext() needs at most for LEN of them, NUL included. */
#define SAFETEXT_SIZE(len)	(3 * (len) + 1)

/*
 * Copy the LEN octets at SRC to DST (CAP octets, at least 1, NUL included).
 * What does not fit is cut between characters.  Returns the length of DST
 * without its NUL.
 */
size_t	safetext(char *dst, size_t cap, const char *src, size_t len);

/*
 * Take one character off the LEN octets (at least 1) at S: the code point into
 * *CP, U+FFFD for a broken one.  Returns the octets it took, 1..4; of a broken
 * character those that could have begun a good one (Unicode 15, D93b).
 */
size_t	safetext_decode(const char *s, size_t len, uint32_t *cp);

/* Write CP, a Unicode scalar value, as UTF-8.  Returns its length, 1..4. */
size_t	safetext_encode(char out[4], uint32_t cp);

/* What safetext() makes of the character CP. */
uint32_t safetext_map(uint32_t cp);

#endif
