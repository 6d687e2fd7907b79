/*
 * num.h - the one strict reader of decimal numbers.
 *
 * Whatever arrives from a peer, a file, a flag or a child is read by this and
 * nothing else: the first octet is a digit, no sign, no blank, no leading
 * zero but "0" itself, no octet after the number, and the value is in bounds.
 * What it accepts has exactly one spelling, so a number can be compared as
 * text and written back unchanged.
 *
 * Header-only; depends on the C library alone.
 */
#ifndef NUM_H
#define NUM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Read the LEN octets at S as a number in [MIN, MAX] into *OUT.
 * Returns 0, or -1 (and *OUT untouched) if they are anything else.
 */
static inline int
num_parse(const char *s, size_t len, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	size_t i;

	if (len == 0 || len > 20 || (s[0] == '0' && len > 1))
		return -1;
	for (i = 0; i < len; i++) {
		unsigned int d = (unsigned char)s[i] - (unsigned int)'0';

		if (d > 9 || v > (UINT64_MAX - d) / 10)
			return -1;
		v = v * 10 + d;
	}
	if (v < min || v > max)
		return -1;
	*out = v;
	return 0;
}

/* The same for a NUL-terminated string. */
static inline int
num_parse_str(const char *s, uint64_t min, uint64_t max, uint64_t *out)
{
	return num_parse(s, strlen(s), min, max, out);
}

#endif
