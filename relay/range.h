/*
 * range.h - parts of files, as HTTP names them (RFC 9110, 14).
 *
 * Pure; one range at a time.
 */
#ifndef RANGE_H
#define RANGE_H

#include <stdint.h>

enum range_result {
	RANGE_ALL,		/* no range, or one that we may ignore */
	RANGE_PART,
	RANGE_NONE		/* nothing of it is in the file */
};

/*
 * What S, the value of a Range field or NULL, asks for of a file of SIZE
 * octets.  FIRST and LAST are set with RANGE_PART only.
 */
enum range_result range_parse(const char *s, uint64_t size, uint64_t *first,
	    uint64_t *last);

/*
 * Read S, the value of a Content-Range field: `bytes FIRST-LAST/SIZE`, all of
 * them there, in order and less than 2^63.  Returns 0, or -1.
 */
int	range_parse_content(const char *s, uint64_t *first, uint64_t *last,
	    uint64_t *size);

#endif
