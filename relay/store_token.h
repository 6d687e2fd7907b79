/*
 * store_token.h - what the relay remembers of one-time tokens, and of wrong
 * ones.
 *
 * A token is a number of six digits that an engineer reads out; only its MAC
 * (secret.h) is ever here.  It is outstanding until it is used, revoked,
 * expired, or burnt by wrong ones; store_claim() uses it, once, in the same
 * transaction in which it claims the session.  One that is bound to a pending
 * session is good together with that session's ID only, and from then on that
 * ID alone claims nothing.
 *
 * All MACs are compared, and each in the same time.
 */
#ifndef STORE_TOKEN_H
#define STORE_TOKEN_H

#include "store.h"

/* Wrong tokens for a session that has one of its own, before that is burnt. */
#define STORE_TOKEN_WRONG	5

struct store_token {
	const char	*session;	/* the ID that it is bound to, or NULL */
	const char	*case_id, *customer;	/* of the session it starts */
	bool		 ad_hoc;
	int64_t		 created_at;
	int64_t		 expires_at;
};

typedef void	 store_token_cb(void *arg, const struct store_token *t);

/*
 * Add one, in place of an older one of the same session; it does not outlive
 * that.  At most MAX are outstanding: else STORE_EXHAUSTED.  STORE_NONE if
 * nobody can claim the session; STORE_CONFLICT if MAC is known: draw another.
 */
enum store_result store_token_add(struct store *st,
		    const unsigned char mac[STORE_KEY_LEN],
		    const struct store_token *t, int64_t now, int64_t max);

/* One that is outstanding: STORE_OK, STORE_NONE. */
enum store_result store_token_get(struct store *st,
		    const unsigned char mac[STORE_KEY_LEN], int64_t now,
		    store_token_cb *cb, void *arg);
enum store_result store_token_revoke(struct store *st,
		    const unsigned char mac[STORE_KEY_LEN], int64_t now);

/* Forget what is over; a used one is known for REPEAT seconds. */
enum store_result store_token_expire(struct store *st, int64_t now,
		    int64_t repeat);

/* ---- failed attempts ---- */

enum store_kind {
	STORE_BY_ID = 1,	/* a session ID, or a token with one */
	STORE_BY_TOKEN		/* a token alone */
};

/*
 * Note one from SOURCE (throttle.h; "" if that is not known), of a token that
 * came with the session ID unless ID is NULL.  It takes as long whether there
 * is such a session or not.
 */
enum store_result store_failure_add(struct store *st, enum store_kind kind,
		    const char *source, const char *id, int64_t now);

/*
 * When the NTH (1…) newest of KIND was, from SOURCE or, if that is NULL, in
 * all: STORE_OK, STORE_NONE.
 */
enum store_result store_failure_get(struct store *st, enum store_kind kind,
		    const char *source, uint32_t nth, int64_t *at);

/* Each source, at most MAX, with COUNT failures of one kind after SINCE. */
enum store_result store_failing(struct store *st, int64_t since,
		    uint32_t count, uint32_t max, store_id_cb *cb, void *arg);

/* Forget those before BEFORE, and, but for the newest, those by ID. */
enum store_result store_failure_expire(struct store *st, int64_t before,
		    int64_t now);

#endif
