/*
 * keyfile.c - see keyfile.h.  sshd(8), AUTHORIZED_KEYS FILE FORMAT.
 */
#include "keyfile.h"

#include <stdbool.h>
#include <string.h>

#include "safetext.h"

static const char *
skip_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p;
}

/* The end of a word; blanks inside double quotes do not end an option. */
static const char *
word_end(const char *p, const char *end)
{
	bool quoted = false;

	for (; p < end && (quoted || (*p != ' ' && *p != '\t')); p++) {
		if (*p == '\\' && p + 1 < end && p[1] == '"')
			p++;
		else if (*p == '"')
			quoted = !quoted;
	}
	return p;
}

/* If KEY stands at P, as whole words, return what follows it, else NULL. */
static const char *
key_at(const char *p, const char *end, const char *key, size_t keylen)
{
	const char *space = memchr(key, ' ', keylen);
	size_t tlen = space == NULL ? 0 : (size_t)(space - key), blen;

	if (tlen == 0)
		return NULL;
	blen = keylen - tlen - 1;
	if ((size_t)(end - p) <= tlen || memcmp(p, key, tlen) != 0 ||
	    (p[tlen] != ' ' && p[tlen] != '\t'))
		return NULL;
	p = skip_blanks(p + tlen, end);
	if ((size_t)(end - p) < blen || memcmp(p, space + 1, blen) != 0)
		return NULL;
	p += blen;
	return p == end || *p == ' ' || *p == '\t' ? p : NULL;
}

/* The comment of the line if it holds KEY, else NULL. */
static const char *
line_comment(const char *p, const char *end, const char *key, size_t keylen)
{
	const char *after;

	p = skip_blanks(p, end);
	if (p == end || *p == '#')
		return NULL;
	after = key_at(p, end, key, keylen);
	if (after == NULL)	/* then options may stand before it */
		after = key_at(skip_blanks(word_end(p, end), end), end, key,
		    keylen);
	return after == NULL ? NULL : skip_blanks(after, end);
}

int
keyfile_comment(const char *text, size_t len, const char *key, size_t keylen,
    char comment[KEYFILE_COMMENT_MAX + 1])
{
	const char *end = text + len, *lf, *stop, *c;

	for (; text < end; text = lf + 1) {
		lf = memchr(text, '\n', (size_t)(end - text));
		if (lf == NULL)
			lf = end;
		for (stop = lf; stop > text && strchr(" \t\r", stop[-1]) !=
		    NULL && stop[-1] != '\0'; stop--)
			;
		c = line_comment(text, stop, key, keylen);
		if (c == NULL)
			continue;
		(void)safetext(comment, KEYFILE_COMMENT_MAX + 1, c,
		    (size_t)(stop - c));
		return 0;
	}
	return -1;
}
