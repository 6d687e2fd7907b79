/*
 * fuzz.h - what every fuzz target begins with.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* The target: always returns 0 (libFuzzer's interface). */
int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What does not hold is a fault: of the code, as it is any input. */
static inline void
must(bool ok)
{
	if (!ok)
		abort();
}

#endif
