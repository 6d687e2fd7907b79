/*
 * talk.c - see talk.h.
 */
#include "talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
talk_init(struct talk *t)
{
	memset(t, 0, sizeof *t);
}

void
talk_release(struct talk *t)
{
	unsigned int i;

	for (i = 0; i < TALK_LINES; i++)
		free(t->lines[i].text);
	memset(t, 0, sizeof *t);
}

static struct talk_line *
find(struct talk *t, const char *id)
{
	unsigned int i;

	for (i = 0; i < TALK_LINES; i++)
		if (t->lines[i].text != NULL && strcmp(t->lines[i].id, id) == 0)
			return &t->lines[i];
	return NULL;
}

/* Empty the slot of the oldest line. */
static void
forget(struct talk *t, struct talk_line *ln)
{
	if (ln->pending)
		t->pending--;
	free(ln->text);
	memset(ln, 0, sizeof *ln);
}

struct talk_line *
talk_add(struct talk *t, enum talk_style style, const char *id, time_t when,
    const char *name, const char *text, size_t len)
{
	struct talk_line *ln = &t->lines[t->next];
	char *copy;

	if ((id != NULL && find(t, id) != NULL) ||
	    (style == TALK_MINE && t->pending == TALK_PENDING))
		return NULL;
	copy = malloc(len + 1);
	if (copy == NULL)
		return NULL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	forget(t, ln);
	ln->style = style;
	ln->pending = style == TALK_MINE;
	t->pending += ln->pending;
	(void)snprintf(ln->id, sizeof ln->id, "%s", id != NULL ? id : "-");
	(void)snprintf(ln->name, sizeof ln->name, "%s",
	    name != NULL ? name : "");
	ln->when = when;
	ln->text = copy;
	t->next = (t->next + 1) % TALK_LINES;
	return ln;
}

bool
talk_kept(struct talk *t, const char *id)
{
	struct talk_line *ln = find(t, id);

	if (ln == NULL || !ln->pending)
		return false;
	ln->pending = false;
	t->pending--;
	return true;
}

const struct talk_line *
talk_at(const struct talk *t, unsigned int i)
{
	const struct talk_line *ln = &t->lines[(t->next + i) % TALK_LINES];

	return ln->text != NULL ? ln : NULL;
}
