/*
 * store_impl.h - what store.c and its sisters, one a noun, share.
 */
#ifndef STORE_IMPL_H
#define STORE_IMPL_H

#include "sql.h"
#include "store.h"

struct store {
	struct db	*db;
};

/* Session NUMBER was heard of at the monotonic time MONO. */
enum store_result store_seen(struct store *st, int64_t number, int64_t mono);

/* The grant of session NUMBER, and the nonce of its resume secret unless that
 * is NULL.  STORE_OK, STORE_NONE. */
enum store_result store_grant_of(struct store *st, int64_t number,
		    struct grant *g, unsigned char nonce[STORE_KEY_LEN]);

#endif
