/*
 * sid.c - see sid.h.
 */
#include "sid.h"

#include <sys/random.h>

#include <errno.h>
#include <stdio.h>

#include "sha256.h"
#include "words.h"

#define WORD_MIN	2
#define WORD_MAX	12
#define WORDS		4

bool
sid_is_valid(const char *s, size_t len)
{
	unsigned int words = 1;
	size_t i, letters = 0;

	for (i = 0; i < len; i++) {
		if (s[i] >= 'a' && s[i] <= 'z') {
			if (++letters > WORD_MAX)
				return false;
			continue;
		}
		if (s[i] != '-' || letters < WORD_MIN || ++words > WORDS)
			return false;
		letters = 0;
	}
	return words == WORDS && letters >= WORD_MIN;
}

int
sid_generate(char out[SID_MAX + 1])
{
	unsigned char r[WORDS];		/* 256 words a list: no bias */
	ssize_t n;

	do
		n = getrandom(r, sizeof r, 0);
	while (n == -1 && errno == EINTR);
	if (n != (ssize_t)sizeof r)
		return -1;
	(void)snprintf(out, SID_MAX + 1, "%s-%s-%s-%s", words_adjective[r[0]],
	    words_actor[r[1]], words_verb[r[2]], words_thing[r[3]]);
	return 0;
}

void
sid_hash(const char *sid, char out[SID_HASH_LEN + 1])
{
	unsigned char digest[SHA256_LEN];

	sha256(sid, strlen(sid), digest);
	sha256_hex(digest, SID_HASH_LEN / 2, out);
}
