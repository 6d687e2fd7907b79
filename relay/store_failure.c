/*
 * store_failure.c - see store_token.h: failed attempts, for the throttle.
 */
#include "store_impl.h"

/*
 * How many attempts by ID are kept.  Whoever makes more, from ever new
 * addresses, is not stopped by remembering addresses; those with a token alone
 * are bounded by the throttle, as they count together.
 */
#define KEEP	10000

/* It burns the token that session ID has, at last. */
static enum store_result
wrong_token(struct store *st, const char *id)
{
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_WRONG_TOKEN);

	db_text(s, 1, id);
	return db_run(st->db, s, NULL);
}

static enum store_result
add(struct store *st, enum store_kind kind, const char *source, int64_t now)
{
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_ADD_FAILURE);

	db_int(s, 1, kind);
	db_text(s, 2, source);
	db_int(s, 3, now);
	return db_run(st->db, s, NULL);
}

/* One transaction: how long it takes is how often the disk is waited for. */
enum store_result
store_failure_add(struct store *st, enum store_kind kind, const char *source,
    const char *id, int64_t now)
{
	enum store_result r;

	if ((r = db_begin(st->db)) != STORE_OK)
		return r;
	if (id != NULL)
		r = wrong_token(st, id);
	if (r == STORE_OK)
		r = add(st, kind, source, now);
	return db_finish(st->db, r);
}

enum store_result
store_failure_get(struct store *st, enum store_kind kind, const char *source,
    uint32_t nth, int64_t *at)
{
	struct sqlite3_stmt *s = db_stmt(st->db, source != NULL ?
	    SQL_FAILURE_OF : SQL_FAILURE);
	enum store_result r;

	db_int(s, 1, kind);
	db_int(s, 2, (int64_t)nth - 1);
	if (source != NULL)
		db_text(s, 3, source);
	r = db_next(st->db, s);
	if (r == STORE_OK) {
		*at = db_get_int(s, 0);
		db_reset(s);
	}
	return r;
}

enum store_result
store_failing(struct store *st, int64_t since, uint32_t count, uint32_t max,
    store_id_cb *cb, void *arg)
{
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_FAILING);
	enum store_result r;

	db_int(s, 1, since);
	db_int(s, 2, count);
	db_int(s, 3, max);
	while ((r = db_next(st->db, s)) == STORE_OK)
		cb(arg, db_get_text(s, 0));
	return r == STORE_NONE ? STORE_OK : r;
}

enum store_result
store_failure_expire(struct store *st, int64_t before, int64_t now)
{
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_CLAMP_FAILURES);
	enum store_result r;

	db_int(s, 1, now);
	r = db_run(st->db, s, NULL);
	if (r != STORE_OK)
		return r;
	s = db_stmt(st->db, SQL_EXPIRE_FAILURES);
	db_int(s, 1, before);
	db_int(s, 2, STORE_BY_TOKEN);
	db_int(s, 3, KEEP);
	return db_run(st->db, s, NULL);
}
