/*
 * penguess_fuzz.c - any rows, with the cursor anywhere: a pen, or none.
 */
#include "../../customer/penguess.h"
#include "../../customer/vtmodes.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vtpen pen = { .attr = 0 };
	char out[VTMODES_TEXT_MAX];

	if (size < 2)
		return 0;
	if (penguess((const char *)data + 2, size - 2, data[0], data[1] % 32,
	    &pen))
		must(vtmodes_sgr(&pen, out) < sizeof out);
	return 0;
}
