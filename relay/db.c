/*
 * db.c - see db.h.  The only file that includes sqlite3.h.
 */
#include "db.h"

#include <sys/file.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "log.h"

/*
 * A stray sqlite3 shell may hold the file for a moment when we start:
 * busy_timeout.  From then on it is ours alone, locked once and not for every
 * statement; what SQLite keeps in shared memory is then in ours.
 */
static const char pragmas[] =
	"PRAGMA busy_timeout = 5000;"
	"PRAGMA locking_mode = EXCLUSIVE;"
	"PRAGMA journal_mode = WAL;"
	"PRAGMA synchronous = FULL;"
	"PRAGMA foreign_keys = ON;"
	"PRAGMA trusted_schema = OFF;"
	"PRAGMA cell_size_check = ON;"
	"PRAGMA secure_delete = ON;"
	"PRAGMA temp_store = MEMORY;";

struct db {
	sqlite3			*sqlite;
	const struct db_schema	*schema;
	sqlite3_stmt		**stmt;
	int			 lock;
};

/* ---- statements ---- */

static enum store_result
failed(struct db *db, const char *what)
{
	switch (sqlite3_errcode(db->sqlite) & 0xff) {
	case SQLITE_IOERR:
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		fatalx("database: %s: %s", what, sqlite3_errmsg(db->sqlite));
	case SQLITE_FULL:
		log_warnx("database: %s: the disk is full", what);
		return STORE_FULL;
	default:
		log_warnx("database: %s: %s", what, sqlite3_errmsg(db->sqlite));
		return STORE_ERROR;
	}
}

struct sqlite3_stmt *
db_stmt(struct db *db, int n)
{
	sqlite3_stmt *s = db->stmt[n];

	(void)sqlite3_reset(s);
	(void)sqlite3_clear_bindings(s);
	return s;
}

void
db_int(struct sqlite3_stmt *s, int at, int64_t v)
{
	(void)sqlite3_bind_int64(s, at, v);
}

void
db_some(struct sqlite3_stmt *s, int at, int64_t v)
{
	if (v != 0)
		db_int(s, at, v);
}

void
db_text(struct sqlite3_stmt *s, int at, const char *v)
{
	(void)sqlite3_bind_text(s, at, v, -1, SQLITE_STATIC);
}

void
db_octets(struct sqlite3_stmt *s, int at, const unsigned char v[STORE_KEY_LEN])
{
	(void)sqlite3_bind_blob(s, at, v, STORE_KEY_LEN, SQLITE_STATIC);
}

int64_t
db_get_int(struct sqlite3_stmt *s, int at)
{
	return sqlite3_column_int64(s, at);
}

bool
db_is_null(struct sqlite3_stmt *s, int at)
{
	return sqlite3_column_type(s, at) == SQLITE_NULL;
}

const char *
db_get_text(struct sqlite3_stmt *s, int at)
{
	return (const char *)sqlite3_column_text(s, at);
}

void
db_get_octets(struct sqlite3_stmt *s, int at, unsigned char v[STORE_KEY_LEN])
{
	const void *octets = sqlite3_column_blob(s, at);

	if (sqlite3_column_bytes(s, at) == STORE_KEY_LEN)
		memcpy(v, octets, STORE_KEY_LEN);
}

void
db_reset(struct sqlite3_stmt *s)
{
	(void)sqlite3_reset(s);
}

enum store_result
db_run(struct db *db, struct sqlite3_stmt *s, int *changed)
{
	int rc = sqlite3_step(s);
	enum store_result r = STORE_OK;

	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		r = failed(db, sqlite3_sql(s));
	else if (changed != NULL)
		*changed = sqlite3_changes(db->sqlite);
	(void)sqlite3_reset(s);
	return r;
}

enum store_result
db_next(struct db *db, struct sqlite3_stmt *s)
{
	int rc = sqlite3_step(s);
	enum store_result r = STORE_NONE;

	if (rc == SQLITE_ROW)
		return STORE_OK;
	if (rc != SQLITE_DONE)
		r = failed(db, sqlite3_sql(s));
	(void)sqlite3_reset(s);
	return r;
}

/* BEGIN, COMMIT, ROLLBACK. */
static enum store_result
plain(struct db *db, const char *text)
{
	if (sqlite3_exec(db->sqlite, text, NULL, NULL, NULL) == SQLITE_OK)
		return STORE_OK;
	return failed(db, text);
}

enum store_result
db_begin(struct db *db)
{
	return plain(db, "BEGIN IMMEDIATE");
}

enum store_result
db_finish(struct db *db, enum store_result result)
{
	enum store_result r;

	if (result == STORE_OK || result == STORE_AGAIN) {
		r = plain(db, "COMMIT");
		if (r == STORE_OK)
			return result;
		result = r;
	}
	/* Some failures have rolled back by themselves. */
	if (!sqlite3_get_autocommit(db->sqlite))
		(void)plain(db, "ROLLBACK");
	return result;
}

/* ---- open, migrate, close ---- */

static int
open_failed(struct db *db, char *err, size_t cap)
{
	(void)snprintf(err, cap, "%s", db->sqlite != NULL ?
	    sqlite3_errmsg(db->sqlite) : "out of memory");
	return -1;
}

static int
exec(struct db *db, const char *text, char *err, size_t cap)
{
	if (sqlite3_exec(db->sqlite, text, NULL, NULL, NULL) != SQLITE_OK)
		return open_failed(db, err, cap);
	return 0;
}

/* What a pragma answers, as a number and as text; -1 if it fails. */
static int
pragma(struct db *db, const char *text, char *word, size_t cap)
{
	sqlite3_stmt *s;
	int rv = -1;

	(void)snprintf(word, cap, "?");
	if (sqlite3_prepare_v2(db->sqlite, text, -1, &s, NULL) != SQLITE_OK)
		return -1;
	if (sqlite3_step(s) == SQLITE_ROW) {
		rv = sqlite3_column_int(s, 0);
		(void)snprintf(word, cap, "%s", db_get_text(s, 0));
	}
	(void)sqlite3_finalize(s);
	return rv;
}

/* One version up, in one transaction. */
static int
migrate_one(struct db *db, int from, char *err, size_t cap)
{
	char mark[96];

	(void)snprintf(mark, sizeof mark, "PRAGMA user_version = %d;"
	    "PRAGMA application_id = %d; COMMIT", from + 1,
	    db->schema->application_id);
	if (exec(db, "BEGIN IMMEDIATE", err, cap) == -1)
		return -1;
	if (exec(db, db->schema->migrations[from], err, cap) == 0 &&
	    exec(db, mark, err, cap) == 0)
		return 0;
	(void)sqlite3_exec(db->sqlite, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}

/* Refuse what is not ours, or of a later version of ours. */
static int
identify(struct db *db, int *version, char *err, size_t cap)
{
	char word[64];
	int app;

	*version = pragma(db, "PRAGMA user_version", word, sizeof word);
	app = pragma(db, "PRAGMA application_id", word, sizeof word);
	if (*version == -1 || app == -1)
		return open_failed(db, err, cap);
	if (app != db->schema->application_id && (app != 0 || *version != 0)) {
		(void)snprintf(err, cap, "it is another program's database");
		return -1;
	}
	if (*version > db->schema->version) {
		(void)snprintf(err, cap, "it is of a newer version of this "
		    "program (schema %d; this one knows %d)", *version,
		    db->schema->version);
		return -1;
	}
	return 0;
}

static int
migrate(struct db *db, char *err, size_t cap)
{
	char word[64];
	int version;

	if (identify(db, &version, err, cap) == -1)
		return -1;
	for (; version < db->schema->version; version++)
		if (migrate_one(db, version, err, cap) == -1)
			return -1;
	(void)pragma(db, "PRAGMA quick_check(1)", word, sizeof word);
	if (strcmp(word, "ok") != 0) {
		(void)snprintf(err, cap, "it is damaged: %s", word);
		return -1;
	}
	return 0;
}

static int
prepare_all(struct db *db, char *err, size_t cap)
{
	int i;

	db->stmt = calloc((size_t)db->schema->statements, sizeof *db->stmt);
	if (db->stmt == NULL) {
		(void)snprintf(err, cap, "out of memory");
		return -1;
	}
	for (i = 0; i < db->schema->statements; i++)
		if (sqlite3_prepare_v3(db->sqlite, db->schema->sql[i], -1,
		    SQLITE_PREPARE_PERSISTENT, &db->stmt[i], NULL) != SQLITE_OK)
			return open_failed(db, err, cap);
	return 0;
}

/* PATH.lock, held as long as we live. */
static int
take_lock(struct db *db, const char *path, char *err, size_t cap)
{
	char name[PATH_MAX];

	if (snprintf(name, sizeof name, "%s.lock", path) >= (int)sizeof name) {
		(void)snprintf(err, cap, "its name is too long");
		return -1;
	}
	db->lock = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (db->lock == -1) {
		(void)snprintf(err, cap, "cannot open its lock: %s",
		    strerror(errno));
		return -1;
	}
	if (flock(db->lock, LOCK_EX | LOCK_NB) == -1) {
		(void)snprintf(err, cap, "%s", errno == EWOULDBLOCK ?
		    "another relay-api is running on it" : strerror(errno));
		return -1;
	}
	return 0;
}

static int
open_file(struct db *db, const char *path, char *err, size_t cap)
{
	if (sqlite3_open_v2(path, &db->sqlite, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return open_failed(db, err, cap);
	(void)sqlite3_extended_result_codes(db->sqlite, 1);
	(void)sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	return exec(db, pragmas, err, cap);
}

struct db *
db_open(const char *path, const struct db_schema *schema, char *err, size_t cap)
{
	struct db *db;

	db = calloc(1, sizeof *db);
	if (db == NULL) {
		(void)snprintf(err, cap, "out of memory");
		return NULL;
	}
	db->schema = schema;
	db->lock = -1;
	if (take_lock(db, path, err, cap) == -1 ||
	    open_file(db, path, err, cap) == -1 ||
	    migrate(db, err, cap) == -1 ||
	    exec(db, schema->setup, err, cap) == -1 ||
	    prepare_all(db, err, cap) == -1) {
		db_close(db);
		return NULL;
	}
	return db;
}

void
db_close(struct db *db)
{
	int i;

	for (i = 0; db->stmt != NULL && i < db->schema->statements; i++)
		(void)sqlite3_finalize(db->stmt[i]);
	free(db->stmt);
	(void)sqlite3_close(db->sqlite);
	if (db->lock != -1)
		close(db->lock);
	free(db);
}
