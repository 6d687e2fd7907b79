/*
 * pubkey_fuzz.c - public keys of strangers: what is taken is one clean line.
 */
#include <string.h>

#include "../../relay/pubkey.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pubkey key, again;
	const char *space;

	if (pubkey_parse((const char *)data, size, &key) == -1)
		return 0;
	space = strchr(key.line, ' ');
	must(space != NULL && strspn(space + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/=") == strlen(space + 1));
	must(memcmp(key.line, data, strlen(key.line)) == 0);
	must(pubkey_parse(key.line, strlen(key.line), &again) == 0);
	must(strcmp(key.line, again.line) == 0);
	must(memcmp(key.digest, again.digest, sizeof key.digest) == 0);
	return 0;
}
