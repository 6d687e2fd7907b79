/*
 * chatkey_fuzz.c - any octets from a terminal, in pieces of any size: no key is
 * out of range, no more than a sequence is kept, and pieces do not matter.
 */
#include <stdlib.h>
#include <string.h>

#include "chatkey.h"
#include "fuzz.h"

#define MAX	1024

struct typed {
	uint32_t	keys[MAX * 2];	/* a key, then its character or 0 */
	size_t		n;
};

/* The octets from HAVE on are kept for the next piece. */
static size_t
drain(struct typed *t, char *buf, size_t have, bool *pasting)
{
	size_t used = 0, n;
	enum chatkey key;
	uint32_t cp = 0;

	while (used < have) {
		n = chatkey_next(buf + used, have - used, pasting, &key, &cp);
		if (n == 0)
			break;
		if (n > have - used || key >= CHATKEYS)
			abort();
		used += n;
		if (key == CHATKEY_NONE)
			continue;
		t->keys[t->n++] = key;
		t->keys[t->n++] = key == CHATKEY_CHAR ? cp : 0;
		if (key == CHATKEY_CHAR && (cp < 0x20 || cp == 0x7f))
			abort();
	}
	memmove(buf, buf + used, have - used);
	if (have - used > CHATKEY_MAX)
		abort();
	return have - used;
}

static void
type(struct typed *t, const uint8_t *data, size_t size, size_t step)
{
	char buf[MAX + CHATKEY_MAX];
	bool pasting = false;
	size_t have = 0, n;

	t->n = 0;
	for (; size > 0; data += n, size -= n) {
		n = size < step ? size : step;
		memcpy(buf + have, data, n);
		have = drain(t, buf, have + n, &pasting);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct typed pieces, single;

	if (size < 1 || size > MAX)
		return 0;
	type(&pieces, data + 1, size - 1, 1 + data[0] % 16);
	type(&single, data + 1, size - 1, 1);
	if (pieces.n != single.n || memcmp(pieces.keys, single.keys,
	    single.n * sizeof single.keys[0]) != 0)
		abort();
	return 0;
}
