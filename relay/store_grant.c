/*
 * store_grant.c - see store.h: claims, certificates, resume secrets, and the
 * grants that follow from them.
 */
#include <sys/random.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_impl.h"

#define SERIALS_EACH	1000000		/* of one session: n000001, … */

/* ---- grants ---- */

static void
read_grant(struct sqlite3_stmt *s, struct grant *g)
{
	unsigned int i, base = (unsigned int)db_get_int(s, 3);
	const char *reason;

	memset(g, 0, sizeof *g);
	(void)snprintf(g->sid, sizeof g->sid, "%s", db_get_text(s, 1));
	g->serial_first = (uint64_t)db_get_int(s, 0) * SERIALS_EACH + 1;
	g->serial_last = (uint64_t)db_get_int(s, 2);
	g->nports = (unsigned int)db_get_int(s, 4);
	for (i = 0; i < g->nports; i++)
		g->ports[i] = (uint16_t)(base + i);
	reason = db_get_text(s, 7);
	if (reason != NULL && grant_reason_parse(reason, &g->reason) == 0) {
		g->state = GRANT_ENDED;
		g->until = db_get_int(s, 6);
	}
}

enum store_result
store_grant_of(struct store *st, int64_t number, struct grant *g,
    unsigned char nonce[STORE_KEY_LEN])
{
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_GRANT_OF);
	enum store_result r;

	db_int(s, 1, number);
	r = db_next(st->db, s);
	if (r != STORE_OK)
		return r;
	read_grant(s, g);
	if (nonce != NULL)
		db_get_octets(s, 5, nonce);
	db_reset(s);
	return STORE_OK;
}

enum store_result
store_grants(struct store *st, store_grant_cb *cb, void *arg)
{
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_GRANTS);
	struct grant g;
	enum store_result r;

	while ((r = db_next(st->db, s)) == STORE_OK) {
		read_grant(s, &g);
		cb(arg, &g);
	}
	return r == STORE_NONE ? STORE_OK : r;
}

/* Call back for each (id, serial) that S gives for the time NOW. */
static enum store_result
each_serial(struct store *st, struct sqlite3_stmt *s, int64_t now,
    store_serial_cb *cb, void *arg)
{
	enum store_result r;

	db_int(s, 1, now);
	while ((r = db_next(st->db, s)) == STORE_OK)
		cb(arg, db_get_text(s, 0),
		    (uint64_t)db_get_int(s, 1));
	return r == STORE_NONE ? STORE_OK : r;
}

enum store_result
store_serials(struct store *st, int64_t now, store_serial_cb *cb, void *arg)
{
	return each_serial(st, db_stmt(st->db, SQL_SERIALS), now, cb, arg);
}

enum store_result
store_expire_serials(struct store *st, int64_t now, store_serial_cb *cb,
    void *arg)
{
	struct sqlite3_stmt *s;
	enum store_result r;

	r = each_serial(st, db_stmt(st->db, SQL_OLD_SERIALS), now, cb, arg);
	if (r != STORE_OK)
		return r;
	s = db_stmt(st->db, SQL_DROP_SERIALS);
	db_int(s, 1, now);
	return db_run(st->db, s, NULL);
}

enum store_result
store_expire_grants(struct store *st, int64_t now, store_id_cb *cb, void *arg)
{
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_OLD_GRANTS);
	enum store_result r;

	db_int(s, 1, now);
	while ((r = db_next(st->db, s)) == STORE_OK)
		cb(arg, db_get_text(s, 0));
	if (r != STORE_NONE)
		return r;
	s = db_stmt(st->db, SQL_DROP_GRANTS);
	db_int(s, 1, now);
	return db_run(st->db, s, NULL);
}

/* ---- claims and certificates ---- */

/* Mark what live sessions hold in USED, a bit a port. */
static enum store_result
ports_in_use(struct store *st, unsigned char used[65536 / 8])
{
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_PORTS);
	enum store_result r;
	int64_t port, last;

	memset(used, 0, 65536 / 8);
	while ((r = db_next(st->db, s)) == STORE_OK) {
		port = db_get_int(s, 0);
		last = port + db_get_int(s, 1) - 1;
		for (; port <= last && port < 65536; port++)
			used[port / 8] |= (unsigned char)(1u << port % 8);
	}
	return r == STORE_NONE ? STORE_OK : r;
}

static bool
block_free(const unsigned char *used, unsigned int base, unsigned int n)
{
	for (; n > 0; n--, base++)
		if ((used[base / 8] & 1u << base % 8) != 0)
			return false;
	return true;
}

/*
 * Choose a block of ports: from a random place on, so that one that has just
 * become free, and may still have a listener for a moment, is rarely next.
 */
static enum store_result
choose_ports(struct store *st, const struct store_claim *c, unsigned int *base)
{
	unsigned char used[65536 / 8];
	unsigned int i, at, blocks, start = 0;
	enum store_result r;

	r = ports_in_use(st, used);
	if (r != STORE_OK)
		return r;
	(void)!getrandom(&start, sizeof start, 0);
	blocks = (c->port_last - c->port_first + 1) / c->ports;
	for (i = 0; i < blocks; i++) {
		at = c->port_first + (start % blocks + i) % blocks * c->ports;
		if (block_free(used, at, c->ports)) {
			*base = at;
			return STORE_OK;
		}
	}
	return STORE_EXHAUSTED;
}

/* Note that SERIAL of session NUMBER is to be made. */
static enum store_result
add_certificate(struct store *st, int64_t number, int64_t serial,
    int64_t expires_at)
{
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_ADD_CERTIFICATE);

	db_int(s, 1, serial);
	db_int(s, 2, number);
	db_int(s, 3, expires_at);
	return db_run(st->db, s, NULL);
}

/* The row of session NUMBER becomes the claimant's. */
static enum store_result
claim_first(struct store *st, const struct store_claim *c, int64_t now,
    int64_t number)
{
	struct sqlite3_stmt *s;
	enum store_result r;
	unsigned int base;
	int changed = 0;

	r = choose_ports(st, c, &base);
	if (r != STORE_OK)
		return r;
	s = db_stmt(st->db, SQL_CLAIM);
	db_int(s, 1, now);
	db_int(s, 2, number);
	db_octets(s, 3, c->key);
	db_octets(s, 4, c->nonce);
	db_octets(s, 5, c->mac);
	db_int(s, 6, base);
	db_int(s, 7, c->ports);
	r = db_run(st->db, s, &changed);
	if (r != STORE_OK)
		return r;
	if (changed != 1)
		return STORE_REFUSED;
	return add_certificate(st, number, number * SERIALS_EACH + 1,
	    c->expires_at);
}

/* What was signed for G's serial; STORE_NONE if that is over. */
static enum store_result
read_certificate(struct store *st, struct store_grant *g)
{
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_CERTIFICATE);
	const char *text;
	enum store_result r;

	db_int(s, 1, g->serial);
	r = db_next(st->db, s);
	if (r != STORE_OK)
		return r;
	text = db_get_text(s, 0);
	g->expires_at = db_get_int(s, 1);
	g->certificate = text != NULL ? strdup(text) : NULL;
	if (text != NULL && g->certificate == NULL)
		r = STORE_ERROR;
	db_reset(s);
	return r;
}

enum store_result
store_claimable(struct store *st, const struct store_claim *c, const char *id,
    bool token, int64_t now, int64_t *number)
{
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_CLAIMABLE);
	enum store_result r;

	db_int(s, 1, now);
	db_text(s, 2, id);
	db_octets(s, 3, c->key);
	db_int(s, 4, now - c->repeat);
	db_int(s, 5, token);
	r = db_next(st->db, s);
	if (r != STORE_OK)
		return r == STORE_NONE ? STORE_REFUSED : r;
	*number = db_get_int(s, 0);
	if (db_get_int(s, 1) != 0)
		r = STORE_AGAIN;
	db_reset(s);
	return r;
}

static enum store_result
claim(struct store *st, const struct store_claim *c, int64_t now, int64_t mono,
    struct store_grant *g)
{
	enum store_result r, result;

	result = c->token != NULL ? store_token_use(st, c, now, &g->number) :
	    store_claimable(st, c, c->id, false, now, &g->number);
	if (result != STORE_OK && result != STORE_AGAIN)
		return result;
	g->serial = g->number * SERIALS_EACH + 1;
	r = STORE_OK;
	if (result == STORE_OK)
		r = claim_first(st, c, now, g->number);
	if (r == STORE_OK)
		r = store_grant_of(st, g->number, &g->grant, g->nonce);
	if (r == STORE_OK)
		r = read_certificate(st, g);
	if (r == STORE_OK)
		r = store_seen(st, g->number, mono);
	return r == STORE_OK ? result : r == STORE_NONE ? STORE_REFUSED : r;
}

/* A grant for a failed transaction holds nothing. */
static enum store_result
finish_grant(struct store *st, enum store_result r, struct store_grant *g)
{
	r = db_finish(st->db, r);
	if (r != STORE_OK && r != STORE_AGAIN) {
		free(g->certificate);
		g->certificate = NULL;
	}
	return r;
}

enum store_result
store_claim(struct store *st, const struct store_claim *c, int64_t now,
    int64_t mono, struct store_grant *g)
{
	enum store_result r;

	memset(g, 0, sizeof *g);
	if ((r = db_begin(st->db)) != STORE_OK)
		return r;
	return finish_grant(st, claim(st, c, now, mono, g), g);
}

/* Take all of it back, whatever R it came to. */
static enum store_result
undo(struct store *st, enum store_result r, struct store_grant *g)
{
	free(g->certificate);
	(void)db_finish(st->db, STORE_CONFLICT);
	return r;
}

enum store_result
store_claim_try(struct store *st, const struct store_claim *c, int64_t now)
{
	struct store_grant g = { .number = 0 };
	enum store_result r;

	if ((r = db_begin(st->db)) != STORE_OK)
		return r;
	return undo(st, claim(st, c, now, 0, &g), &g);
}

static enum store_result
resume(struct store *st, const unsigned char *mac, const char *id,
    int64_t expires_at, int64_t mono, struct store_grant *g)
{
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_RESUMABLE);
	enum store_result r;
	int changed = 0;

	db_octets(s, 1, mac);
	db_text(s, 2, id);
	r = db_next(st->db, s);
	if (r != STORE_OK)
		return r == STORE_NONE ? STORE_REFUSED : r;
	g->number = db_get_int(s, 0);
	g->expires_at = expires_at;
	db_reset(s);
	s = db_stmt(st->db, SQL_NEXT_SERIAL);
	db_int(s, 1, g->number);
	r = db_run(st->db, s, &changed);
	if (r == STORE_OK && changed != 1)
		r = STORE_EXHAUSTED;
	if (r == STORE_OK)
		r = store_grant_of(st, g->number, &g->grant, g->nonce);
	g->serial = (int64_t)g->grant.serial_last;
	if (r == STORE_OK)
		r = add_certificate(st, g->number, g->serial, expires_at);
	return r == STORE_OK ? store_seen(st, g->number, mono) : r;
}

enum store_result
store_resume(struct store *st, const unsigned char mac[STORE_KEY_LEN],
    const char *id, int64_t expires_at, int64_t mono, struct store_grant *g)
{
	enum store_result r;

	memset(g, 0, sizeof *g);
	if ((r = db_begin(st->db)) != STORE_OK)
		return r;
	return finish_grant(st, resume(st, mac, id, expires_at, mono, g), g);
}

enum store_result
store_resume_try(struct store *st, const unsigned char mac[STORE_KEY_LEN],
    const char *id)
{
	struct store_grant g = { .number = 0 };
	enum store_result r;

	if ((r = db_begin(st->db)) != STORE_OK)
		return r;
	return undo(st, resume(st, mac, id, 1, 0, &g), &g);
}

enum store_result
store_certificate(struct store *st, struct store_grant *g,
    const char *certificate)
{
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_KEEP_CERTIFICATE);
	enum store_result r;

	free(g->certificate);
	g->certificate = NULL;
	db_int(s, 1, g->serial);
	db_text(s, 2, certificate);
	r = db_run(st->db, s, NULL);
	return r == STORE_OK ? read_certificate(st, g) : r;
}
