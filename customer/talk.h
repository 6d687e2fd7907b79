/*
 * talk.h - the last lines of chat, and which of ours the relay does not have
 * yet.  Pure: a ring in memory.
 */
#ifndef TALK_H
#define TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "proto.h"

#define TALK_LINES	256
#define TALK_PENDING	64	/* lines of ours that may wait for the relay */
#define TALK_ID_MAX	20	/* octets of a chat id, NUL included */

enum talk_style {
	TALK_NOTICE,	/* ours: what happens */
	TALK_WARN,	/* ours: what the customer should know */
	TALK_MINE,	/* the customer's */
	TALK_PEER	/* an engineer's */
};

struct talk_line {
	enum talk_style	 style;
	bool		 pending;
	char		 id[TALK_ID_MAX];	/* "-" for one of ours */
	time_t		 when;
	char		 name[PROTO_NAME_MAX + 1];
	char		*text;			/* UTF-8; NULL: unused */
};

struct talk {
	struct talk_line	 lines[TALK_LINES];
	unsigned int		 next;		/* where the next one goes */
	unsigned int		 pending;
};

void	talk_init(struct talk *t);
void	talk_release(struct talk *t);

/*
 * Add a line; the oldest goes.  ID and NAME may be NULL.  Returns it, or NULL
 * if the ID is there already, there is no memory, or too many of ours wait.
 */
struct talk_line	*talk_add(struct talk *t, enum talk_style style,
	    const char *id, time_t when, const char *name, const char *text,
	    size_t len);

/* The relay has our line ID.  False if it was not waiting. */
bool	talk_kept(struct talk *t, const char *id);

/* The line that is the I-th from the oldest, or NULL; I < TALK_LINES. */
const struct talk_line	*talk_at(const struct talk *t, unsigned int i);

#endif
