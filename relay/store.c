/*
 * store.c - see store.h: opening, and the sessions' records from pending to
 * closed.  Claims and certificates are in store_grant.c, the SQL in sql.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_impl.h"

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
	st->db = db_open(path, &sql_schema, err, cap);
	if (st->db == NULL) {
		free(st);
		return NULL;
	}
	s = db_stmt(st->db, SQL_SEEN_ALL);
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
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_PROBE);

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
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_GET);
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
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_LIST);
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
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_EXPIRE_PENDING);

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
		s = db_stmt(st->db, SQL_ADD_PENDING);
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

/* ---- the life of a session ---- */

enum store_result
store_seen(struct store *st, int64_t number, int64_t mono)
{
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_SEEN);

	db_int(s, 1, number);
	db_int(s, 2, mono);
	return db_run(st->db, s, NULL);
}

struct state {
	int64_t	number;
	bool	pending, closed;
	bool	serial_ours, port_ours;	/* as asked for */
};

/* Where session ID stands; N is a serial or a port to be looked at, or 0. */
static enum store_result
state(struct store *st, const char *id, int64_t n, struct state *out)
{
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_STATE);
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
	s = db_stmt(st->db, SQL_REGISTER);
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
		r = store_seen(st, was.number, mono);
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
	return store_seen(st, was.number, mono);
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
	s = db_stmt(st->db, SQL_PATCH);
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
	s = db_stmt(st->db, SQL_END);
	db_int(s, 1, was.number);
	db_int(s, 2, now);
	db_text(s, 3, grant_reason_name(reason));
	db_int(s, 4, grant_until);
	r = db_run(st->db, s, &changed);
	if (r == STORE_OK && changed == 1) {
		r = store_grant_of(st, was.number, g, NULL);
		s = db_stmt(st->db, SQL_UNSEEN);
	} else
		s = db_stmt(st->db, SQL_FORGET);
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
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_SILENT);
	size_t n = 0;

	db_int(s, 1, before);
	db_int(s, 2, (int64_t)max);
	while (n < max && db_next(st->db, s) == STORE_OK)
		(void)snprintf(ids[n++], SID_MAX + 1, "%s", db_get_text(s, 0));
	db_reset(s);
	return n;
}
