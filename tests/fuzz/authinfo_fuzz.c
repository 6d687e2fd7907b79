/*
 * authinfo_fuzz.c - what sshd says of a login, and the list of support keys:
 * what is taken is in bounds, and a key is found where it is put.
 */
#include <string.h>

#include "../../relay/authinfo.h"
#include "../../relay/keyfile.h"
#include "fuzz.h"

static void
check(const struct authinfo *ai, const char *text, size_t size)
{
	struct authinfo again;

	must(ai->key >= text && ai->key + ai->key_len <= text + size);
	must(strlen(ai->type) > 0 && strlen(ai->type) <= AUTHINFO_TYPE_MAX);
	must(strlen(ai->fingerprint) == AUTHINFO_FP_LEN);
	must(memchr(ai->key, '\n', ai->key_len) == NULL);
	must(ai->is_cert == (ai->key_id[0] != '\0'));
	must(strlen(ai->key_id) <= AUTHINFO_ID_MAX);
	must(authinfo_parse_key(ai->key, ai->key_len, &again) == 0);
	must(memcmp(ai, &again, sizeof again) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	char comment[KEYFILE_COMMENT_MAX + 1];
	struct authinfo ai;
	size_t half = size / 2;

	if (authinfo_parse(text, size, &ai) == 0) {
		check(&ai, text, size);
		must(keyfile_comment(ai.key, ai.key_len, ai.key, ai.key_len,
		    comment) == 0);
		must(comment[0] == '\0');
	}
	/* The rest as a list in which the first half is looked for. */
	if (keyfile_comment(text + half, size - half, text, half,
	    comment) == 0)
		must(strlen(comment) <= KEYFILE_COMMENT_MAX);
	return 0;
}
