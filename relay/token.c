/*
 * token.c - see token.h.
 */
#include "token.h"

#include <sys/random.h>

#include <errno.h>
#include <stdio.h>

#define TOKENS	1000000u

bool
token_is_valid(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	return len == TOKEN_LEN;
}

bool
token_of(uint32_t n, char token[TOKEN_LEN + 1])
{
	/* 2^32 is no multiple of them: the rest would favour the low ones. */
	if (n >= UINT32_MAX / TOKENS * TOKENS)
		return false;
	(void)snprintf(token, TOKEN_LEN + 1, "%06u", n % TOKENS);
	return true;
}

int
token_draw(char token[TOKEN_LEN + 1])
{
	uint32_t n;
	ssize_t got;

	do {
		got = getrandom(&n, sizeof n, 0);
		if (got == -1 && errno != EINTR)
			return -1;
	} while (got != sizeof n || !token_of(n, token));
	return 0;
}
