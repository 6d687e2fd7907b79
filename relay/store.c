/*
 * store.c - see store.h.  All SQL of the project is here, in prepared
 * statements; values reach them by binding only.  Works with SQLite 3.26.
 */
#include "store.h"

#include <sys/random.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"

#define APPLICATION_ID	0x54554e4c		/* "TUNL" */
#define SERIALS_EACH	1000000		/* of one session: n000001, … */

/* One script a version; the last one is what this program works with. */
static const char *const migrations[] = {
	"CREATE TABLE sessions ("
	" number INTEGER PRIMARY KEY AUTOINCREMENT,"
	" id TEXT NOT NULL UNIQUE CHECK (length(id) BETWEEN 11 AND 51"
	"  AND id NOT GLOB '*[^-a-z]*'),"
	" status TEXT NOT NULL"
	"  CHECK (status IN ('pending', 'active', 'closed', 'archived')),"
	" case_id TEXT, customer TEXT,"
	" ad_hoc INTEGER NOT NULL CHECK (ad_hoc IN (0, 1)),"
	" created_at INTEGER NOT NULL CHECK (typeof(created_at) = 'integer'),"
	" expires_at INTEGER NOT NULL CHECK (typeof(expires_at) = 'integer'),"
	/* the claim: all of it or none */
	" claimed_at INTEGER"
	"  CHECK (typeof(claimed_at) IN ('integer', 'null')),"
	" claim_key BLOB CHECK (length(claim_key) = 32),"
	" resume_nonce BLOB CHECK (length(resume_nonce) = 32),"
	" resume_mac BLOB UNIQUE CHECK (length(resume_mac) = 32),"
	" serial_last INTEGER CHECK (serial_last / 1000000 = number),"
	" port_base INTEGER CHECK (port_base BETWEEN 1 AND 65535),"
	" port_count INTEGER CHECK (port_count BETWEEN 1 AND 16),"
	/* the record */
	" registered_at INTEGER"
	"  CHECK (typeof(registered_at) IN ('integer', 'null')),"
	" mode TEXT CHECK (mode IN"
	"  ('share', 'no-tunnel', 'restricted', 'tunnel')),"
	" tunnel_port INTEGER CHECK (tunnel_port BETWEEN port_base"
	"  AND port_base + port_count - 1),"
	" host TEXT, ips TEXT, nets TEXT, dns TEXT, user TEXT, remote_ip TEXT,"
	" closed_at INTEGER"
	"  CHECK (typeof(closed_at) IN ('integer', 'null')),"
	" reason TEXT CHECK (reason IN"
	"  ('ended', 'terminated', 'cancelled', 'lost')),"
	" grant_until INTEGER,"
	" CHECK ((claimed_at IS NULL) = (claim_key IS NULL)"
	"  AND (claimed_at IS NULL) = (resume_nonce IS NULL)"
	"  AND (claimed_at IS NULL) = (resume_mac IS NULL)"
	"  AND (claimed_at IS NULL) = (serial_last IS NULL)"
	"  AND (claimed_at IS NULL) = (port_base IS NULL)"
	"  AND (claimed_at IS NULL) = (port_count IS NULL)),"
	" CHECK (status = 'pending' OR claimed_at IS NOT NULL),"
	" CHECK (status <> 'active' OR registered_at IS NOT NULL),"
	" CHECK ((status IN ('closed', 'archived')) ="
	"  (closed_at IS NOT NULL)),"
	" CHECK ((closed_at IS NULL) = (reason IS NULL)));"
	"CREATE UNIQUE INDEX sessions_ports ON sessions (port_base)"
	" WHERE status IN ('pending', 'active') AND port_base IS NOT NULL;"
	"CREATE INDEX sessions_status ON sessions (status, number);"
	"CREATE INDEX sessions_grant ON sessions (grant_until)"
	" WHERE grant_until IS NOT NULL;"
	"CREATE TABLE certificates ("
	" serial INTEGER PRIMARY KEY CHECK (serial / 1000000 = session),"
	" session INTEGER NOT NULL REFERENCES sessions (number),"
	" expires_at INTEGER NOT NULL CHECK (typeof(expires_at) = 'integer'),"
	" certificate TEXT);"
	"CREATE INDEX certificates_expiry ON certificates (expires_at);",
};

/* What is heard of a session is kept in memory. */
static const char setup_sql[] =
	"CREATE TEMP TABLE seen (number INTEGER PRIMARY KEY, at INTEGER)";

#define ROW	"SELECT number, id, status, case_id, customer, ad_hoc," \
		" created_at, expires_at, registered_at, closed_at, mode," \
		" tunnel_port, host, user, remote_ip, ips, nets, dns" \
		" FROM sessions"
/* A pending session that nobody claimed in time is not there any more. */
#define STALE	"(status = 'pending' AND claimed_at IS NULL" \
		" AND expires_at <= ?1)"
#define LIVE	"status IN ('pending', 'active')"
#define GRANT	"SELECT number, id, serial_last, port_base, port_count," \
		" resume_nonce, grant_until, reason FROM sessions"

enum statement {
	PROBE,
	GET, LIST, EXPIRE_PENDING, ADD_PENDING,
	CLAIMABLE, CLAIM, PORTS, RESUMABLE, NEXT_SERIAL,
	ADD_CERTIFICATE, KEEP_CERTIFICATE, CERTIFICATE,
	STATE, REGISTER, SEEN, SEEN_ALL, UNSEEN, SILENT,
	PATCH, END, FORGET, GRANT_OF, GRANTS, SERIALS,
	OLD_GRANTS, DROP_GRANTS, OLD_SERIALS, DROP_SERIALS,
	STATEMENTS
};

static const char *const sql[STATEMENTS] = {
[PROBE] = "SELECT count(*) FROM (SELECT 1 FROM sessions LIMIT 1)",
[GET] = ROW " WHERE id = ?2 AND NOT " STALE,
/* A pending session is listed until it expires, claimed or not. */
[LIST] = ROW " WHERE status = ?2 AND number < ?3"
	" AND (status <> 'pending' OR expires_at > ?1)"
	" AND coalesce(registered_at, created_at) >= ?4"
	" AND (?5 IS NULL OR customer = ?5) AND (?6 IS NULL OR case_id = ?6)"
	" ORDER BY number DESC LIMIT ?7",
[EXPIRE_PENDING] = "DELETE FROM sessions WHERE " STALE,
[ADD_PENDING] = "INSERT OR IGNORE INTO sessions (id, status, case_id,"
	" customer, ad_hoc, created_at, expires_at)"
	" VALUES (?1, 'pending', ?2, ?3, ?4, ?5, ?6)",
/* Claimed before by this very key a moment ago, or not claimed yet. */
[CLAIMABLE] = "SELECT number, claimed_at IS NOT NULL FROM sessions"
	" WHERE id = ?2 AND " LIVE " AND ((claimed_at IS NULL"
	" AND expires_at > ?1) OR (claim_key = ?3 AND claimed_at >= ?4))",
[CLAIM] = "UPDATE sessions SET claimed_at = ?1, claim_key = ?3,"
	" resume_nonce = ?4, resume_mac = ?5,"
	" serial_last = number * 1000000 + 1, port_base = ?6, port_count = ?7"
	" WHERE number = ?2 AND status = 'pending' AND claimed_at IS NULL",
[PORTS] = "SELECT port_base, port_count FROM sessions WHERE " LIVE
	" AND port_base IS NOT NULL",
[RESUMABLE] = "SELECT number FROM sessions WHERE resume_mac = ?1 AND " LIVE
	" AND (?2 IS NULL OR id = ?2)",
[NEXT_SERIAL] = "UPDATE sessions SET serial_last = serial_last + 1"
	" WHERE number = ?1 AND (serial_last + 1) / 1000000 = number",
[ADD_CERTIFICATE] = "INSERT INTO certificates (serial, session, expires_at)"
	" VALUES (?1, ?2, ?3)",
[KEEP_CERTIFICATE] = "UPDATE certificates SET certificate = ?2"
	" WHERE serial = ?1 AND certificate IS NULL",
[CERTIFICATE] = "SELECT certificate, c.expires_at FROM certificates AS c"
	" JOIN sessions ON number = session WHERE serial = ?1 AND " LIVE,
[STATE] = "SELECT number, status, claimed_at IS NOT NULL"
	" AND ?2 BETWEEN number * 1000000 + 1 AND serial_last,"
	" ?2 BETWEEN port_base AND port_base + port_count - 1"
	" FROM sessions WHERE id = ?1",
[REGISTER] = "UPDATE sessions SET status = 'active',"
	" registered_at = coalesce(registered_at, ?2), mode = ?3, host = ?4,"
	" user = ?5, remote_ip = ?6, ips = ?7, nets = ?8, dns = ?9,"
	" case_id = coalesce(case_id, ?10) WHERE number = ?1",
[SEEN] = "INSERT OR REPLACE INTO seen (number, at) VALUES (?1, ?2)",
[SEEN_ALL] = "INSERT INTO seen SELECT number, ?1 FROM sessions WHERE " LIVE
	" AND claimed_at IS NOT NULL",
[UNSEEN] = "DELETE FROM seen WHERE number = ?1",
[SILENT] = "SELECT id FROM seen JOIN sessions USING (number)"
	" WHERE at <= ?1 AND " LIVE " LIMIT ?2",
[PATCH] = "UPDATE sessions SET"
	" mode = CASE WHEN ?2 THEN ?3 ELSE mode END,"
	" tunnel_port = CASE WHEN ?4 THEN ?5 ELSE tunnel_port END,"
	" case_id = CASE WHEN ?6 THEN ?7 ELSE case_id END,"
	" customer = CASE WHEN ?8 THEN ?9 ELSE customer END"
	" WHERE number = ?1",
[END] = "UPDATE sessions SET status = 'closed', closed_at = ?2, reason = ?3,"
	" grant_until = ?4, tunnel_port = NULL"
	" WHERE number = ?1 AND claimed_at IS NOT NULL",
[FORGET] = "DELETE FROM sessions WHERE number = ?1 AND claimed_at IS NULL",
[GRANT_OF] = GRANT " WHERE number = ?1",
[GRANTS] = GRANT " WHERE (" LIVE " AND claimed_at IS NOT NULL)"
	" OR grant_until IS NOT NULL",
[SERIALS] = "SELECT id, serial FROM certificates AS c"
	" JOIN sessions ON number = session WHERE c.expires_at > ?1"
	" AND (" LIVE " OR grant_until IS NOT NULL)",
[OLD_GRANTS] = "SELECT id FROM sessions WHERE grant_until <= ?1",
[DROP_GRANTS] = "UPDATE sessions SET grant_until = NULL"
	" WHERE grant_until <= ?1",
[OLD_SERIALS] = "SELECT id, serial FROM certificates AS c"
	" JOIN sessions ON number = session WHERE c.expires_at <= ?1",
[DROP_SERIALS] = "DELETE FROM certificates WHERE expires_at <= ?1",
};

static const struct db_schema schema = {
	.application_id = APPLICATION_ID,
	.migrations = migrations,
	.version = (int)(sizeof migrations / sizeof migrations[0]),
	.setup = setup_sql,
	.sql = sql,
	.statements = STATEMENTS,
};

struct store {
	struct db	*db;
};

struct store *
store_open(const char *path, int64_t start, char *err, size_t cap)
{
	struct sqlite3_stmt *s;
	struct store *st;

	st = calloc(1, sizeof *st);
	if (st == NULL) {
		(void)snprintf(err, cap, "out of memory");
		return NULL;
	}
	st->db = db_open(path, &schema, err, cap);
	if (st->db == NULL) {
		free(st);
		return NULL;
	}
	s = db_stmt(st->db, SEEN_ALL);
	db_int(s, 1, start);
	if (db_run(st->db, s, NULL) != STORE_OK) {
		(void)snprintf(err, cap, "cannot read it");
		store_close(st);
		return NULL;
	}
	return st;
}

void
store_close(struct store *st)
{
	if (st == NULL)
		return;
	db_close(st->db);
	free(st);
}

bool
store_healthy(struct store *st)
{
	struct sqlite3_stmt *s = db_stmt(st->db, PROBE);

	return db_run(st->db, s, NULL) == STORE_OK;
}

/* ---- reading records ---- */

static void
read_row(struct sqlite3_stmt *s, struct store_row *row)
{
	*row = (struct store_row){
		.number = db_get_int(s, 0),
		.id = db_get_text(s, 1),
		.status = db_get_text(s, 2),
		.case_id = db_get_text(s, 3),
		.customer = db_get_text(s, 4),
		.ad_hoc = db_get_int(s, 5) != 0,
		.created_at = db_get_int(s, 6),
		.expires_at = db_get_int(s, 7),
		.registered_at = db_get_int(s, 8),
		.closed_at = db_get_int(s, 9),
		.mode = db_get_text(s, 10),
		.tunnel_port = db_get_int(s, 11),
		.host = db_get_text(s, 12),
		.user = db_get_text(s, 13),
		.remote_ip = db_get_text(s, 14),
		.ips = db_get_text(s, 15),
		.nets = db_get_text(s, 16),
		.dns = db_get_text(s, 17),
	};
}

enum store_result
store_get(struct store *st, const char *id, int64_t now, store_row_cb *cb,
    void *arg)
{
	struct sqlite3_stmt *s = db_stmt(st->db, GET);
	struct store_row row;
	enum store_result r;

	db_int(s, 1, now);
	db_text(s, 2, id);
	r = db_next(st->db, s);
	if (r == STORE_OK) {
		read_row(s, &row);
		cb(arg, &row);
		db_reset(s);
	}
	return r;
}

enum store_result
store_list(struct store *st, const struct store_filter *f, int64_t now,
    store_row_cb *cb, void *arg)
{
	struct sqlite3_stmt *s = db_stmt(st->db, LIST);
	struct store_row row;
	enum store_result r;

	db_int(s, 1, now);
	db_text(s, 2, f->status);
	db_int(s, 3, f->below);
	db_int(s, 4, f->since);
	db_text(s, 5, f->customer);
	db_text(s, 6, f->case_id);
	db_int(s, 7, f->limit);
	while ((r = db_next(st->db, s)) == STORE_OK) {
		read_row(s, &row);
		cb(arg, &row);
	}
	return r == STORE_NONE ? STORE_OK : r;
}

/* ---- pending ---- */

enum store_result
store_expire_pending(struct store *st, int64_t now)
{
	struct sqlite3_stmt *s = db_stmt(st->db, EXPIRE_PENDING);

	db_int(s, 1, now);
	return db_run(st->db, s, NULL);
}

enum store_result
store_pending_add(struct store *st, const struct store_pending *p, int64_t now)
{
	struct sqlite3_stmt *s;
	enum store_result r;
	int added = 0;

	if ((r = db_begin(st->db)) != STORE_OK)
		return r;
	r = store_expire_pending(st, now);	/* may have had this ID */
	if (r == STORE_OK) {
		s = db_stmt(st->db, ADD_PENDING);
		db_text(s, 1, p->id);
		db_text(s, 2, p->case_id);
		db_text(s, 3, p->customer);
		db_int(s, 4, p->ad_hoc);
		db_int(s, 5, now);
		db_int(s, 6, p->expires_at);
		r = db_run(st->db, s, &added);
	}
	if (r == STORE_OK && added != 1)
		r = STORE_CONFLICT;
	return db_finish(st->db, r);
}

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

/* The grant of session NUMBER, and the nonce of its resume secret. */
static enum store_result
grant_of(struct store *st, int64_t number, struct grant *g,
    unsigned char nonce[STORE_KEY_LEN])
{
	struct sqlite3_stmt *s = db_stmt(st->db, GRANT_OF);
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
	struct sqlite3_stmt *s = db_stmt(st->db, GRANTS);
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
	return each_serial(st, db_stmt(st->db, SERIALS), now, cb, arg);
}

enum store_result
store_expire_serials(struct store *st, int64_t now, store_serial_cb *cb,
    void *arg)
{
	struct sqlite3_stmt *s;
	enum store_result r;

	r = each_serial(st, db_stmt(st->db, OLD_SERIALS), now, cb, arg);
	if (r != STORE_OK)
		return r;
	s = db_stmt(st->db, DROP_SERIALS);
	db_int(s, 1, now);
	return db_run(st->db, s, NULL);
}

enum store_result
store_expire_grants(struct store *st, int64_t now, store_id_cb *cb, void *arg)
{
	struct sqlite3_stmt *s = db_stmt(st->db, OLD_GRANTS);
	enum store_result r;

	db_int(s, 1, now);
	while ((r = db_next(st->db, s)) == STORE_OK)
		cb(arg, db_get_text(s, 0));
	if (r != STORE_NONE)
		return r;
	s = db_stmt(st->db, DROP_GRANTS);
	db_int(s, 1, now);
	return db_run(st->db, s, NULL);
}

/* ---- claims and certificates ---- */

/* Mark what live sessions hold in USED, a bit a port. */
static enum store_result
ports_in_use(struct store *st, unsigned char used[65536 / 8])
{
	struct sqlite3_stmt *s = db_stmt(st->db, PORTS);
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

static enum store_result
seen(struct store *st, int64_t number, int64_t mono)
{
	struct sqlite3_stmt *s = db_stmt(st->db, SEEN);

	db_int(s, 1, number);
	db_int(s, 2, mono);
	return db_run(st->db, s, NULL);
}

/* Note that SERIAL of session NUMBER is to be made. */
static enum store_result
add_certificate(struct store *st, int64_t number, int64_t serial,
    int64_t expires_at)
{
	struct sqlite3_stmt *s = db_stmt(st->db, ADD_CERTIFICATE);

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
	s = db_stmt(st->db, CLAIM);
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
	struct sqlite3_stmt *s = db_stmt(st->db, CERTIFICATE);
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

static enum store_result
claim(struct store *st, const struct store_claim *c, int64_t now, int64_t mono,
    struct store_grant *g)
{
	struct sqlite3_stmt *s = db_stmt(st->db, CLAIMABLE);
	enum store_result r, result = STORE_OK;

	db_int(s, 1, now);
	db_text(s, 2, c->id);
	db_octets(s, 3, c->key);
	db_int(s, 4, now - c->repeat);
	r = db_next(st->db, s);
	if (r != STORE_OK)
		return r == STORE_NONE ? STORE_REFUSED : r;
	g->number = db_get_int(s, 0);
	g->serial = g->number * SERIALS_EACH + 1;
	if (db_get_int(s, 1) != 0)
		result = STORE_AGAIN;
	db_reset(s);
	if (result == STORE_OK)
		r = claim_first(st, c, now, g->number);
	if (r == STORE_OK)
		r = grant_of(st, g->number, &g->grant, g->nonce);
	if (r == STORE_OK)
		r = read_certificate(st, g);
	if (r == STORE_OK)
		r = seen(st, g->number, mono);
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

static enum store_result
resume(struct store *st, const unsigned char *mac, const char *id,
    int64_t expires_at, int64_t mono, struct store_grant *g)
{
	struct sqlite3_stmt *s = db_stmt(st->db, RESUMABLE);
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
	s = db_stmt(st->db, NEXT_SERIAL);
	db_int(s, 1, g->number);
	r = db_run(st->db, s, &changed);
	if (r == STORE_OK && changed != 1)
		r = STORE_EXHAUSTED;
	if (r == STORE_OK)
		r = grant_of(st, g->number, &g->grant, g->nonce);
	g->serial = (int64_t)g->grant.serial_last;
	if (r == STORE_OK)
		r = add_certificate(st, g->number, g->serial, expires_at);
	return r == STORE_OK ? seen(st, g->number, mono) : r;
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
store_certificate(struct store *st, struct store_grant *g,
    const char *certificate)
{
	struct sqlite3_stmt *s = db_stmt(st->db, KEEP_CERTIFICATE);
	enum store_result r;

	free(g->certificate);
	g->certificate = NULL;
	db_int(s, 1, g->serial);
	db_text(s, 2, certificate);
	r = db_run(st->db, s, NULL);
	return r == STORE_OK ? read_certificate(st, g) : r;
}

/* ---- the life of a session ---- */

struct state {
	int64_t	number;
	bool	pending, closed;
	bool	serial_ours, port_ours;	/* as asked for */
};

/* Where session ID stands; N is a serial or a port to be looked at, or 0. */
static enum store_result
state(struct store *st, const char *id, int64_t n, struct state *out)
{
	struct sqlite3_stmt *s = db_stmt(st->db, STATE);
	const char *status;
	enum store_result r;

	db_text(s, 1, id);
	db_int(s, 2, n);
	r = db_next(st->db, s);
	if (r != STORE_OK)
		return r;
	status = db_get_text(s, 1);
	out->number = db_get_int(s, 0);
	out->pending = strcmp(status, "pending") == 0;
	out->closed = !out->pending && strcmp(status, "active") != 0;
	out->serial_ours = db_get_int(s, 2) != 0;
	out->port_ours = db_get_int(s, 3) != 0;
	db_reset(s);
	return STORE_OK;
}

static enum store_result
do_register(struct store *st, const struct store_register *reg, int64_t now,
    int64_t mono)
{
	struct sqlite3_stmt *s;
	struct state was;
	enum store_result r;

	r = state(st, reg->id, reg->serial, &was);
	if (r != STORE_OK)
		return r;
	if (was.closed)
		return STORE_GONE;
	if (!was.serial_ours)
		return STORE_CONFLICT;
	s = db_stmt(st->db, REGISTER);
	db_int(s, 1, was.number);
	db_int(s, 2, now);
	db_text(s, 3, reg->mode);
	db_text(s, 4, reg->host);
	db_text(s, 5, reg->user);
	db_text(s, 6, reg->remote_ip);
	db_text(s, 7, reg->ips);
	db_text(s, 8, reg->nets);
	db_text(s, 9, reg->dns);
	db_text(s, 10, reg->case_id);
	r = db_run(st->db, s, NULL);
	if (r == STORE_OK)
		r = seen(st, was.number, mono);
	return r == STORE_OK && !was.pending ? STORE_AGAIN : r;
}

enum store_result
store_register(struct store *st, const struct store_register *reg, int64_t now,
    int64_t mono)
{
	enum store_result r;

	if ((r = db_begin(st->db)) != STORE_OK)
		return r;
	return db_finish(st->db, do_register(st, reg, now, mono));
}

enum store_result
store_heartbeat(struct store *st, const char *id, int64_t mono)
{
	struct state was;
	enum store_result r;

	r = state(st, id, 0, &was);
	if (r != STORE_OK)
		return r;
	if (was.closed || was.pending)
		return was.closed ? STORE_GONE : STORE_NONE;
	return seen(st, was.number, mono);
}

static enum store_result
patch(struct store *st, const char *id, const struct store_patch *p)
{
	struct sqlite3_stmt *s;
	struct state was;
	enum store_result r;

	r = state(st, id, p->tunnel_port, &was);
	if (r != STORE_OK)
		return r;
	if (was.closed)
		return STORE_GONE;
	if ((was.pending && (p->set_mode || p->set_port)) ||
	    (p->tunnel_port != 0 && !was.port_ours))
		return STORE_CONFLICT;
	s = db_stmt(st->db, PATCH);
	db_int(s, 1, was.number);
	db_int(s, 2, p->set_mode);
	db_text(s, 3, p->mode);
	db_int(s, 4, p->set_port);
	db_some(s, 5, p->tunnel_port);
	db_int(s, 6, p->set_case);
	db_text(s, 7, p->case_id);
	db_int(s, 8, p->set_customer);
	db_text(s, 9, p->customer);
	return db_run(st->db, s, NULL);
}

enum store_result
store_patch(struct store *st, const char *id, const struct store_patch *p)
{
	enum store_result r;

	if ((r = db_begin(st->db)) != STORE_OK)
		return r;
	return db_finish(st->db, patch(st, id, p));
}

static enum store_result
end(struct store *st, const char *id, enum grant_reason reason, int64_t now,
    int64_t grant_until, struct grant *g)
{
	struct sqlite3_stmt *s;
	struct state was;
	enum store_result r;
	int changed = 0;

	r = state(st, id, 0, &was);
	if (r != STORE_OK)
		return r;
	if (was.closed)
		return STORE_AGAIN;
	s = db_stmt(st->db, END);
	db_int(s, 1, was.number);
	db_int(s, 2, now);
	db_text(s, 3, grant_reason_name(reason));
	db_int(s, 4, grant_until);
	r = db_run(st->db, s, &changed);
	if (r == STORE_OK && changed == 1) {
		r = grant_of(st, was.number, g, NULL);
		s = db_stmt(st->db, UNSEEN);
	} else
		s = db_stmt(st->db, FORGET);
	db_int(s, 1, was.number);
	return r == STORE_OK ? db_run(st->db, s, NULL) : r;
}

enum store_result
store_end(struct store *st, const char *id, enum grant_reason reason,
    int64_t now, int64_t grant_until, struct grant *g)
{
	enum store_result r;

	memset(g, 0, sizeof *g);
	if ((r = db_begin(st->db)) != STORE_OK)
		return r;
	return db_finish(st->db, end(st, id, reason, now, grant_until, g));
}

size_t
store_silent(struct store *st, int64_t before, char ids[][SID_MAX + 1],
    size_t max)
{
	struct sqlite3_stmt *s = db_stmt(st->db, SILENT);
	size_t n = 0;

	db_int(s, 1, before);
	db_int(s, 2, (int64_t)max);
	while (n < max && db_next(st->db, s) == STORE_OK)
		(void)snprintf(ids[n++], SID_MAX + 1, "%s", db_get_text(s, 0));
	db_reset(s);
	return n;
}
