/*
 * forwarded_fuzz.c - whatever a proxy says, an address has one name.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../relay/forwarded.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char field[512], out[THROTTLE_SOURCE_MAX + 1],
	    again[THROTTLE_SOURCE_MAX + 1];

	if (size >= sizeof field)
		return 0;
	memcpy(field, data, size);
	field[size] = '\0';
	if (!forwarded_source(field, out)) {
		if (out[0] != '\0')
			abort();
		return 0;
	}
	if (out[0] == '\0' || strlen(out) > THROTTLE_SOURCE_MAX)
		abort();
	out[strcspn(out, "/")] = '\0';
	if (!throttle_source(out, strlen(out), again) ||
	    strncmp(out, again, strlen(out)) != 0)
		abort();
	return 0;
}
