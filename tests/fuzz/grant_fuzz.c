/*
 * grant_fuzz.c - grant files: what is read has one spelling.
 */
#include <string.h>

#include "../../relay/grant.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char again[GRANT_SIZE_MAX];
	struct grant g;

	if (grant_parse((const char *)data, size, &g) == -1)
		return 0;
	must(sid_is_valid(g.sid, strlen(g.sid)));
	must(g.serial_first >= 1 && g.serial_first <= g.serial_last);
	must(g.nports >= 1 && g.nports <= GRANT_PORTS_MAX);
	must(grant_format(&g, again, sizeof again) == size);
	must(memcmp(again, data, size) == 0);
	return 0;
}
