/*
 * store_impl.h - what store.c and its sisters, one a noun, share.
 */
#ifndef STORE_IMPL_H
#define STORE_IMPL_H

#include "sql.h"
#include "store.h"
#include "store_token.h"

struct store {
	struct db	*db;
};

/* Session NUMBER was heard of at the monotonic time MONO. */
enum store_result store_seen(struct store *st, int64_t number, int64_t mono);

/* The grant of session NUMBER, and the nonce of its resume secret unless that
 * is NULL.  STORE_OK, STORE_NONE. */
enum store_result store_grant_of(struct store *st, int64_t number,
		    struct grant *g, unsigned char nonce[STORE_KEY_LEN]);

/*
 * The session to be claimed by C as it says, in *NUMBER: STORE_OK;  STORE_AGAIN
 * if its key has claimed it just now; STORE_REFUSED.  TOKEN tells that the
 * session's own token is there.
 */
enum store_result store_claimable(struct store *st,
		    const struct store_claim *c, const char *id, bool token,
		    int64_t now, int64_t *number);

/*
 * Use up C's token.  As store_claimable(); STORE_CONFLICT if there is a session
 * C->fresh.
 */
enum store_result store_token_use(struct store *st,
		    const struct store_claim *c, int64_t now, int64_t *number);

#endif
