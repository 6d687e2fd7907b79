/*
 * store_upload.c - see store.h: what is on record of uploads, and how much of
 * everything there is.
 */
#include <stdio.h>
#include <string.h>

#include "store_impl.h"

enum store_result
store_upload_session(struct store *st, const unsigned char mac[STORE_KEY_LEN],
    char id[SID_MAX + 1], char *case_id, size_t cap)
{
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_UPLOAD_SESSION);
	enum store_result r;
	const char *text;

	db_octets(s, 1, mac);
	r = db_next(st->db, s);
	if (r != STORE_OK)
		return r == STORE_NONE ? STORE_REFUSED : r;
	text = db_get_text(s, 1);
	(void)snprintf(id, SID_MAX + 1, "%s", db_get_text(s, 0));
	(void)snprintf(case_id, cap, "%s", text != NULL ? text : "");
	db_reset(s);
	return STORE_OK;
}

/* Is there room for UP? */
static enum store_result
room(struct store *st, const struct store_upload *up, int64_t quota)
{
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_UPLOAD_ROOM);
	enum store_result r;

	db_int(s, 1, up->size);
	db_int(s, 2, quota);
	if (up->has_owner)
		db_octets(s, 3, up->owner);
	r = db_next(st->db, s);
	if (r != STORE_OK)
		return r;
	if (db_get_int(s, 0) == 0)
		r = STORE_EXHAUSTED;
	else if (db_get_int(s, 1) >= STORE_UPLOADS_OPEN)
		r = STORE_CONFLICT;
	db_reset(s);
	return r;
}

static enum store_result
add(struct store *st, const struct store_upload *up, int64_t now)
{
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_UPLOAD_ADD);

	db_text(s, 1, up->id);
	db_text(s, 2, up->case_id);
	db_text(s, 3, up->session);
	db_text(s, 4, up->name);
	db_int(s, 5, up->size);
	db_text(s, 6, up->sha256);
	if (up->has_owner)
		db_octets(s, 7, up->owner);
	db_int(s, 8, now);
	db_int(s, 9, up->expires_at);
	return db_run(st->db, s, NULL);
}

enum store_result
store_upload_add(struct store *st, const struct store_upload *up, int64_t now,
    int64_t quota)
{
	enum store_result r;

	if ((r = db_begin(st->db)) != STORE_OK)
		return r;
	r = room(st, up, quota);
	return db_finish(st->db, r == STORE_OK ? add(st, up, now) : r);
}

static void
read_upload(struct sqlite3_stmt *s, struct store_upload *up)
{
	*up = (struct store_upload){
		.number = db_get_int(s, 0),
		.id = db_get_text(s, 1),
		.complete = db_get_int(s, 2) != 0,
		.case_id = db_get_text(s, 3),
		.session = db_get_text(s, 4),
		.name = db_get_text(s, 5),
		.size = db_get_int(s, 6),
		.sha256 = db_get_text(s, 7),
		.created_at = db_get_int(s, 8),
		.expires_at = db_get_int(s, 9),
		.completed_at = db_get_int(s, 10),
		.has_owner = !db_is_null(s, 11),
	};
	if (up->has_owner)
		db_get_octets(s, 11, up->owner);
}

enum store_result
store_upload_get(struct store *st, const char *id, store_upload_cb *cb,
    void *arg)
{
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_UPLOAD_GET);
	struct store_upload up;
	enum store_result r;

	db_text(s, 1, id);
	r = db_next(st->db, s);
	if (r == STORE_OK) {
		read_upload(s, &up);
		cb(arg, &up);
		db_reset(s);
	}
	return r;
}

enum store_result
store_upload_list(struct store *st, const struct store_upload_filter *f,
    store_upload_cb *cb, void *arg)
{
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_UPLOAD_LIST);
	struct store_upload up;
	enum store_result r;

	db_int(s, 1, f->below);
	db_int(s, 2, f->since);
	db_int(s, 3, f->complete);
	db_text(s, 4, f->case_id);
	db_text(s, 5, f->session);
	db_int(s, 6, f->limit);
	while ((r = db_next(st->db, s)) == STORE_OK) {
		read_upload(s, &up);
		cb(arg, &up);
	}
	return r == STORE_NONE ? STORE_OK : r;
}

/* Run S, which must change one row. */
static enum store_result
change_one(struct store *st, struct sqlite3_stmt *s)
{
	enum store_result r;
	int changed = 0;

	r = db_run(st->db, s, &changed);
	return r == STORE_OK && changed != 1 ? STORE_NONE : r;
}

enum store_result
store_upload_complete(struct store *st, const char *id,
    const char sha256[STORE_HEX_LEN + 1], int64_t now)
{
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_UPLOAD_COMPLETE);

	db_text(s, 1, id);
	db_text(s, 2, sha256);
	db_int(s, 3, now);
	return change_one(st, s);
}

enum store_result
store_upload_delete(struct store *st, const char *id)
{
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_UPLOAD_DELETE);

	db_text(s, 1, id);
	return change_one(st, s);
}

enum store_result
store_upload_stale(struct store *st, int64_t now, store_id_cb *cb, void *arg)
{
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_UPLOAD_STALE);
	enum store_result r;

	db_int(s, 1, now);
	while ((r = db_next(st->db, s)) == STORE_OK)
		cb(arg, db_get_text(s, 0));
	return r == STORE_NONE ? STORE_OK : r;
}

enum store_result
store_count(struct store *st, int64_t now, struct store_counts *c)
{
	struct sqlite3_stmt *s = db_stmt(st->db, SQL_COUNT_SESSIONS);
	enum store_result r;

	db_int(s, 1, now);
	if ((r = db_next(st->db, s)) != STORE_OK)
		return r;
	c->pending = db_get_int(s, 0);
	c->active = db_get_int(s, 1);
	c->closed = db_get_int(s, 2);
	c->archived = db_get_int(s, 3);
	db_reset(s);
	s = db_stmt(st->db, SQL_COUNT_UPLOADS);
	if ((r = db_next(st->db, s)) != STORE_OK)
		return r;
	c->uploads_open = db_get_int(s, 0);
	c->uploads_complete = db_get_int(s, 1);
	c->upload_octets = db_get_int(s, 2);
	db_reset(s);
	return STORE_OK;
}
