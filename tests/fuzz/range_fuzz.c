/*
 * range_fuzz.c - Range and Content-Range: what is taken lies in the file.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../relay/range.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t first = 0, last = 0, whole = 0;
	char field[256];

	if (size < 1 || size >= sizeof field)
		return 0;
	memcpy(field, data + 1, size - 1);
	field[size - 1] = '\0';
	if (range_parse(field, data[0], &first, &last) == RANGE_PART &&
	    (first > last || last >= data[0]))
		abort();
	if (range_parse_content(field, &first, &last, &whole) == 0 &&
	    (first > last || last >= whole || whole > INT64_MAX))
		abort();
	return 0;
}
