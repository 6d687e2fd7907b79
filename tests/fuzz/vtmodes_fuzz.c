/*
 * vtmodes_fuzz.c - the terminal's modes: the same state however the stream is
 * cut, and what is written of it brings a fresh one to the same state.
 */
#include <stdlib.h>
#include <string.h>

#include "../../customer/vtmodes.h"
#include "fuzz.h"

static bool
same_pen(const struct vtpen *a, const struct vtpen *b)
{
	return a->attr == b->attr && a->underline == b->underline &&
	    a->fg == b->fg && a->bg == b->bg && a->us == b->us &&
	    a->g0_lines == b->g0_lines && a->g1_lines == b->g1_lines &&
	    a->shift == b->shift;
}

static void
check_same(const struct vtmodes *a, const struct vtmodes *b)
{
	if (!same_pen(&a->pen, &b->pen) || a->paste != b->paste ||
	    a->focus != b->focus || a->shape != b->shape)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vtmodes whole, cut, fresh;
	char out[VTMODES_TEXT_MAX];
	size_t i, n;

	vtmodes_init(&whole);
	vtmodes_feed(&whole, data, size);
	vtmodes_init(&cut);
	for (i = 0; i < size; i++)
		vtmodes_feed(&cut, data + i, 1);
	check_same(&whole, &cut);
	if (whole.npending != cut.npending || memcmp(whole.pending,
	    cut.pending, whole.npending) != 0)
		abort();
	n = vtmodes_set(&whole, out);
	if (n >= sizeof out)
		abort();
	vtmodes_init(&fresh);
	vtmodes_feed(&fresh, out, n);
	check_same(&whole, &fresh);
	return 0;
}
