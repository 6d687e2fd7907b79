/*
 * db.h - the way to SQLite: open, migrate, prepare, bind, step.
 *
 * No SQL of the project's is in here; that is sql.c.  Only it and store*.c
 * include this.
 */
#ifndef DB_H
#define DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store.h"

struct db;
struct sqlite3_stmt;

struct db_schema {
	int			 application_id;	/* marks our files */
	const char *const	*migrations;	/* one script a version */
	int			 version;	/* how many there are */
	const char		*setup;		/* run on every open, last */
	const char *const	*sql;		/* the statements */
	int			 statements;
};

/*
 * Open PATH under the lock PATH.lock, bring it up to the schema's version, and
 * prepare its statements.  SCHEMA must outlive it.  Returns NULL with one line
 * in ERR (CAP octets).
 */
struct db	*db_open(const char *path, const struct db_schema *schema,
		    char *err, size_t cap);
void		 db_close(struct db *db);

/* Statement N, reset and with nothing bound. */
struct sqlite3_stmt *db_stmt(struct db *db, int n);

/*
 * Bind.  db_some() leaves 0 as NULL.  Texts (NULL stays NULL) and octets are
 * the caller's until the statement is done.
 */
void		 db_int(struct sqlite3_stmt *s, int at, int64_t v);
void		 db_some(struct sqlite3_stmt *s, int at, int64_t v);
void		 db_text(struct sqlite3_stmt *s, int at, const char *v);
void		 db_octets(struct sqlite3_stmt *s, int at,
		    const unsigned char v[STORE_KEY_LEN]);

/* Columns of the row; pointers are good until the next step or reset. */
int64_t		 db_get_int(struct sqlite3_stmt *s, int at);
bool		 db_is_null(struct sqlite3_stmt *s, int at);
const char	*db_get_text(struct sqlite3_stmt *s, int at);	/* or NULL */
/* Copies nothing if the column does not have that length. */
void		 db_get_octets(struct sqlite3_stmt *s, int at,
		    unsigned char v[STORE_KEY_LEN]);

/*
 * Run a statement that gives no rows; *CHANGED (if not NULL) counts.
 * STORE_OK, STORE_FULL, STORE_ERROR.  An I/O error or a damaged file ends the
 * process: nobody knows what is on disk then, and starting over finds out.
 */
enum store_result db_run(struct db *db, struct sqlite3_stmt *s, int *changed);

/* The next row: STORE_OK; STORE_NONE after the last; or as above. */
enum store_result db_next(struct db *db, struct sqlite3_stmt *s);

/* Done with a statement before its last row. */
void		 db_reset(struct sqlite3_stmt *s);

/* Begin a transaction; end it: RESULT, unless the commit fails.  Anything but
 * STORE_OK and STORE_AGAIN takes it back. */
enum store_result db_begin(struct db *db);
enum store_result db_finish(struct db *db, enum store_result result);

#endif
