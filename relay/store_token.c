/*
 * store_token.c - see store_token.h.
 */
#include <string.h>

#include "store_impl.h"

/* A token that was looked up. */
struct token {
	int64_t		number;
	int64_t		session;	/* 0: none yet */
	bool		bound;
	bool		outstanding;
	int64_t		used_at;	/* 0: not used */
	unsigned char	used_key[STORE_KEY_LEN];
};

/* Says nothing by the time it takes. */
static bool
same(const unsigned char *a, const unsigned char *b)
{
	volatile unsigned char diff = 0;
	size_t i;

	for (i = 0; i < STORE_KEY_LEN; i++)
		diff = (unsigned char)(diff | (a[i] ^ b[i]));
	return diff == 0;
}

static void
read_token(struct sqlite3_stmt *s, struct token *t)
{
	t->number = db_get_int(s, 0);
	t->session = db_get_int(s, 2);
	t->bound = db_get_int(s, 3) != 0;
	db_get_octets(s, 4, t->used_key);
	t->used_at = db_get_int(s, 5);
	t->outstanding = db_get_int(s, 6) != 0;
}

/* Look at every token there is, used ones included: STORE_OK, STORE_NONE. */
static enum store_result
find(struct store *st, const unsigned char *mac, int64_t now, struct token *t)
{
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_TOKENS);
	unsigned char m[STORE_KEY_LEN] = { 0 };
	enum store_result r;
	bool found = false;

	memset(t, 0, sizeof *t);
	db_int(s, 1, now);
	db_int(s, 2, STORE_TOKEN_WRONG);
	while ((r = db_next(st->db, s)) == STORE_OK) {
		db_get_octets(s, 1, m);
		if (same(m, mac)) {
			read_token(s, t);
			found = true;
		}
	}
	return found && r == STORE_NONE ? STORE_OK : r;
}

static enum store_result
find_outstanding(struct store *st, const unsigned char *mac, int64_t now,
    struct token *t)
{
	enum store_result r = find(st, mac, now, t);

	return r == STORE_OK && !t->outstanding ? STORE_NONE : r;
}

/* ---- the engineer's side ---- */

static enum store_result
is_room(struct store *st, int64_t now, int64_t max)
{
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_COUNT_TOKENS);
	enum store_result r;

	db_int(s, 1, now);
	db_int(s, 2, STORE_TOKEN_WRONG);
	r = db_next(st->db, s);
	if (r != STORE_OK)
		return r;
	if (db_get_int(s, 0) >= max)
		r = STORE_EXHAUSTED;
	db_reset(s);
	return r;
}

/* Run N, which wants a number and nothing else. */
static enum store_result
run_on(struct store *st, int n, int64_t number)
{
	struct sqlite3_stmt *s = db_stmt(st->db, n);

	db_int(s, 1, number);
	return db_run(st->db, s, NULL);
}

/* From now on a token is needed for session ID: which, and how long. */
static enum store_result
bind(struct store *st, const char *id, int64_t now, int64_t *number,
    int64_t *until)
{
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_BINDABLE);
	enum store_result r;

	db_int(s, 1, now);
	db_text(s, 2, id);
	r = db_next(st->db, s);
	if (r != STORE_OK)
		return r;
	*number = db_get_int(s, 0);
	if (db_get_int(s, 1) < *until)
		*until = db_get_int(s, 1);
	db_reset(s);
	r = run_on(st, SQL_BIND, *number);
	return r == STORE_OK ? run_on(st, SQL_REPLACE_TOKENS, *number) : r;
}

static enum store_result
add(struct store *st, const unsigned char *mac, const struct store_token *t,
    int64_t now, int64_t max)
{
	int64_t session = 0, until = t->expires_at;
	enum store_result r = STORE_OK;
	struct sqlite3_stmt *s;
	int added = 0;

	if (t->session != NULL)
		r = bind(st, t->session, now, &session, &until);
	if (r == STORE_OK)
		r = is_room(st, now, max);
	if (r != STORE_OK)
		return r;
	s = db_stmt(st->db, SQL_ADD_TOKEN);
	db_octets(s, 1, mac);
	db_some(s, 2, session);
	db_text(s, 3, t->case_id);
	db_text(s, 4, t->customer);
	db_int(s, 5, t->ad_hoc);
	db_int(s, 6, now);
	db_int(s, 7, until);
	r = db_run(st->db, s, &added);
	return r == STORE_OK && added != 1 ? STORE_CONFLICT : r;
}

enum store_result
store_token_add(struct store *st, const unsigned char mac[STORE_KEY_LEN],
    const struct store_token *t, int64_t now, int64_t max)
{
	enum store_result r;

	if ((r = db_begin(st->db)) != STORE_OK)
		return r;
	return db_finish(st->db, add(st, mac, t, now, max));
}

enum store_result
store_token_get(struct store *st, const unsigned char mac[STORE_KEY_LEN],
    int64_t now, store_token_cb *cb, void *arg)
{
	struct sqlite3_stmt *s;
	struct store_token row;
	struct token t;
	enum store_result r;

	r = find_outstanding(st, mac, now, &t);
	if (r != STORE_OK)
		return r;
	s = db_stmt(st->db, SQL_TOKEN);
	db_int(s, 1, t.number);
	r = db_next(st->db, s);
	if (r != STORE_OK)
		return r;
	row = (struct store_token){
		.session = db_get_text(s, 0),
		.case_id = db_get_text(s, 1),
		.customer = db_get_text(s, 2),
		.ad_hoc = db_get_int(s, 3) != 0,
		.created_at = db_get_int(s, 4),
		.expires_at = db_get_int(s, 5),
	};
	cb(arg, &row);
	db_reset(s);
	return STORE_OK;
}

enum store_result
store_token_revoke(struct store *st, const unsigned char mac[STORE_KEY_LEN],
    int64_t now)
{
	struct token t;
	enum store_result r = find_outstanding(st, mac, now, &t);

	return r == STORE_OK ? run_on(st, SQL_DROP_TOKEN, t.number) : r;
}

enum store_result
store_token_expire(struct store *st, int64_t now, int64_t repeat)
{
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_EXPIRE_TOKENS);

	db_int(s, 1, now);
	db_int(s, 2, now - repeat);
	return db_run(st->db, s, NULL);
}

/* ---- the customer's side ---- */

/* The session that the token T, which names none, starts. */
static enum store_result
start_session(struct store *st, const struct store_claim *c,
    const struct token *t, int64_t now)
{
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_TOKEN_SESSION);
	enum store_result r;
	int added = 0;

	db_int(s, 1, t->number);
	db_text(s, 2, c->fresh);
	db_int(s, 3, now);
	db_int(s, 4, c->fresh_until);
	r = db_run(st->db, s, &added);
	return r == STORE_OK && added != 1 ? STORE_CONFLICT : r;
}

/* The session that the outstanding token T is for. */
static enum store_result
choose_session(struct store *st, const struct store_claim *c,
    const struct token *t, int64_t now, int64_t *number)
{
	const char *id = c->id != NULL ? c->id : c->fresh;
	enum store_result r = STORE_OK;

	if (c->id == NULL)
		r = t->bound ? STORE_REFUSED : start_session(st, c, t, now);
	if (r == STORE_OK)
		r = store_claimable(st, c, id, t->bound, now, number);
	if (r == STORE_AGAIN || (r == STORE_OK && t->bound &&
	    *number != t->session))
		r = STORE_REFUSED;
	return r;
}

/* T was used: is this the same customer, whose answer was lost? */
static enum store_result
use_again(struct store *st, const struct store_claim *c, const struct token *t,
    int64_t now, int64_t *number)
{
	*number = t->session;
	if (t->used_at < now - c->repeat || !same(t->used_key, c->key))
		return STORE_REFUSED;
	if (c->id == NULL)
		return STORE_AGAIN;
	return store_claimable(st, c, c->id, true, now, number) ==
	    STORE_AGAIN && *number == t->session ? STORE_AGAIN : STORE_REFUSED;
}

static enum store_result
use(struct store *st, const struct store_claim *c, const struct token *t,
    int64_t now, int64_t *number)
{
	enum store_result r = choose_session(st, c, t, now, number);
	struct sqlite3_stmt *s;
	int changed = 0;

	if (r != STORE_OK)
		return r;
	s = db_stmt(st->db, SQL_USE_TOKEN);
	db_int(s, 1, t->number);
	db_int(s, 2, now);
	db_octets(s, 3, c->key);
	db_int(s, 4, *number);
	r = db_run(st->db, s, &changed);
	return r == STORE_OK && changed != 1 ? STORE_REFUSED : r;
}

enum store_result
store_token_use(struct store *st, const struct store_claim *c, int64_t now,
    int64_t *number)
{
	struct token t;
	enum store_result r = find(st, c->token, now, &t);

	if (r == STORE_NONE)
		return STORE_REFUSED;
	if (r != STORE_OK)
		return r;
	if (t.used_at != 0)
		return use_again(st, c, &t, now, number);
	return t.outstanding ? use(st, c, &t, now, number) : STORE_REFUSED;
}
