/*
 * forwarded_fuzz.c - whatever a proxy says, an address has one name.
 */
#include <string.h>

#include "../../relay/forwarded.h"
#include "fuzz.h"

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
		must(out[0] == '\0');
		return 0;
	}
	must(out[0] != '\0' && strlen(out) <= THROTTLE_SOURCE_MAX);
	out[strcspn(out, "/")] = '\0';
	must(throttle_source(out, strlen(out), again));
	must(strncmp(out, again, strlen(out)) == 0);
	return 0;
}
