/*
 * info_fuzz.c - SESSION_INFO from a hostile relay: bounded, printable.
 */
#include <stdlib.h>
#include <string.h>

#include "../../customer/info.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct info info;
	char out[100];
	size_t i;

	(void)info_parse(&info, (const char *)data, size);
	if (info.count > INFO_VIEWERS)
		abort();
	(void)info_summary(&info, false, out, sizeof out);
	for (i = 0; i < sizeof out && out[i] != '\0'; i++)
		if ((unsigned char)out[i] < 0x20)
			abort();
	if (i == sizeof out)
		abort();
	return 0;
}
