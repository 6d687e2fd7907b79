/*
 * range.c - see range.h.
 */
#include "range.h"

#include <string.h>
#include <strings.h>

#include "num.h"

/* A number at *S, up to the octet END, behind which *S goes. */
static int
take_number(const char **s, char end, uint64_t *n)
{
	size_t len = strspn(*s, "0123456789");

	if ((*s)[len] != end || num_parse(*s, len, 0, INT64_MAX, n) == -1)
		return -1;
	*s += len + (end != '\0');
	return 0;
}

/* `-N`: the last N octets. */
static enum range_result
parse_suffix(const char *s, uint64_t size, uint64_t *first, uint64_t *last)
{
	uint64_t n;

	if (take_number(&s, '\0', &n) == -1)
		return RANGE_ALL;
	if (n == 0 || size == 0)
		return RANGE_NONE;
	*first = n < size ? size - n : 0;
	*last = size - 1;
	return RANGE_PART;
}

enum range_result
range_parse(const char *s, uint64_t size, uint64_t *first, uint64_t *last)
{
	uint64_t a, b = INT64_MAX;

	if (s == NULL || strncasecmp(s, "bytes=", 6) != 0)
		return RANGE_ALL;
	s += 6;
	if (*s == '-')
		return parse_suffix(s + 1, size, first, last);
	if (take_number(&s, '-', &a) == -1 ||
	    (*s != '\0' && take_number(&s, '\0', &b) == -1) || b < a)
		return RANGE_ALL;
	if (a >= size)
		return RANGE_NONE;
	*first = a;
	*last = b < size ? b : size - 1;
	return RANGE_PART;
}

int
range_parse_content(const char *s, uint64_t *first, uint64_t *last,
    uint64_t *size)
{
	if (strncasecmp(s, "bytes ", 6) != 0)
		return -1;
	s += 6;
	if (take_number(&s, '-', first) == -1 ||
	    take_number(&s, '/', last) == -1 ||
	    take_number(&s, '\0', size) == -1)
		return -1;
	return *first <= *last && *last < *size ? 0 : -1;
}
