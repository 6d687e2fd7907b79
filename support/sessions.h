/*
 * sessions.h - the relay's records of sessions, and finding the one that is
 * meant.
 */
#ifndef SESSIONS_H
#define SESSIONS_H

#include <stdbool.h>

#include "relaycall.h"
#include "sid.h"

struct cJSON;

/*
 * All active, and all pending sessions: arrays that the caller deletes, newest
 * first.  NULL with r->err.  *WARNINGS, unless WARNINGS is NULL, is an array of
 * {"code", "message", "until"} or NULL, and the caller's as well.
 */
struct cJSON	*sessions_active(struct relay *r, struct cJSON **warnings);
struct cJSON	*sessions_pending(struct relay *r);

/* A text or a number of RECORD; NULL or FALLBACK if it has none. */
const char	*record_text(const struct cJSON *record, const char *name);
long long	 record_number(const struct cJSON *record, const char *name,
		    long long fallback);

struct session {
	char		 sid[SID_MAX + 1];
	bool		 pending;
	struct cJSON	*record;	/* session_clear() deletes it */
};

void	session_clear(struct session *s);

/* Which sessions may be meant. */
#define SESSION_ACTIVE	0x1
#define SESSION_PENDING	0x2
#define SESSION_ANY	0x3

/*
 * Ask for the session with exactly this valid SID (closed ones too).  Returns
 * 1 and fills S, 0 if there is none, or -1 with r->err.
 */
int	session_get(struct relay *r, const char *sid, struct session *s);

/*
 * Find the session that ARG names: whole, or by a prefix that only one has.
 * With ARG NULL: the only one there is, or of several the one that is chosen
 * from a menu; that needs a terminal.  Returns 0 with S filled, or -1 after
 * saying why not.
 */
int	session_find(struct relay *r, const char *arg, unsigned int kinds,
	    struct session *s);

/* Print JSON, readable and with nothing in it that acts on a terminal. */
void	json_print(const struct cJSON *json);

#endif
