/*
 * enrollment.c - see enrollment.h.
 */
#include "enrollment.h"

#include <stdio.h>
#include <string.h>

#include "files.h"
#include "sid.h"
#include "token.h"

#define HEX	64	/* digits of a resume secret, and of a digest */

static bool
is_hex(const char *s, size_t len)
{
	return len == HEX && strspn(s, "0123456789abcdef") >= HEX;
}

/* Which part the word S is; NULL if it is none. */
static const char **
part_of(struct enroll_secret *out, const char **s, size_t len)
{
	if (token_is_valid(*s, len))
		return &out->token;
	if (is_hex(*s, len))
		return &out->resume;
	if (sid_is_valid(*s, len))
		return &out->session_id;
	if (len == 4 + HEX && strncmp(*s, "key=", 4) == 0 &&
	    is_hex(*s + 4, HEX)) {
		*s += 4;
		return &out->key;
	}
	return NULL;
}

int
enroll_parse(const char *s, size_t len, struct enroll_secret *out)
{
	const char **part, *word;
	char *p = out->text, *end;

	memset(out, 0, sizeof *out);
	if (len == 0 || len > ENROLL_SECRET_MAX || memchr(s, '\0', len) != NULL)
		return -1;
	memcpy(out->text, s, len);
	do {
		end = p + strcspn(p, " ");
		word = p;
		part = part_of(out, &word, (size_t)(end - p));
		if (part == NULL || *part != NULL)
			return -1;
		*part = word;
		p = end + (*end != '\0');
		len = (size_t)(*end);
		*end = '\0';
	} while (len != 0);
	return out->session_id == NULL && out->token == NULL &&
	    out->resume == NULL ? -1 : 0;
}

static void
forget(struct enroll_login *l)
{
	wipe(l, sizeof *l);
}

/* The one of CONNECTION; those that are over are forgotten on the way. */
static struct enroll_login *
find(struct enroll *e, const char *connection, int64_t now)
{
	struct enroll_login *found = NULL;
	size_t i;

	for (i = 0; i < ENROLL_MAX; i++) {
		if (e->login[i].connection[0] != '\0' &&
		    e->login[i].until <= now)
			forget(&e->login[i]);
		if (strcmp(e->login[i].connection, connection) == 0)
			found = &e->login[i];
	}
	return found;
}

/* A free place, or the one that is over first. */
static struct enroll_login *
place(struct enroll *e)
{
	struct enroll_login *l = &e->login[0];
	size_t i;

	for (i = 0; i < ENROLL_MAX; i++) {
		if (e->login[i].connection[0] == '\0')
			return &e->login[i];
		if (e->login[i].until < l->until)
			l = &e->login[i];
	}
	return l;
}

void
enroll_put(struct enroll *e, const char *connection, const char *secret,
    int64_t now, int64_t until)
{
	struct enroll_login *l = find(e, connection, now);

	if (l != NULL)
		forget(l);
	if (secret == NULL)
		return;
	l = place(e);
	(void)snprintf(l->connection, sizeof l->connection, "%s", connection);
	(void)snprintf(l->secret, sizeof l->secret, "%s", secret);
	l->until = until;
}

bool
enroll_take(struct enroll *e, const char *connection, int64_t now,
    char out[ENROLL_SECRET_MAX + 1])
{
	struct enroll_login *l = find(e, connection, now);

	if (l == NULL)
		return false;
	memcpy(out, l->secret, sizeof l->secret);
	forget(l);
	return true;
}

void
enroll_clear(struct enroll *e)
{
	wipe(e, sizeof *e);
}

bool
enroll_is_connection(const char *s, size_t len)
{
	size_t i, blanks = 0;

	for (i = 0; i < len; i++) {
		if (s[i] == ' ')
			blanks++;
		else if (s[i] == '\0' ||
		    strchr("0123456789abcdefABCDEF.:%", s[i]) == NULL)
			return false;
	}
	return blanks == 3 && len <= ENROLL_CONNECTION_MAX;
}
