/*
 * sql.c - all SQL text of the project: the schema, its history, and every
 * statement.  Works with SQLite 3.26.
 *
 * Values reach a statement by binding only; nothing here is put together at
 * run time.  Who runs them: store.c and its sisters, through db.c.
 */
#include "sql.h"

#define APPLICATION_ID	0x54554e4c		/* "TUNL" */

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

	/* 2: one-time tokens, and failed attempts at them */
	"ALTER TABLE sessions ADD COLUMN token_only INTEGER NOT NULL DEFAULT 0"
	"  CHECK (token_only IN (0, 1));"
	"CREATE TABLE tokens ("
	" number INTEGER PRIMARY KEY,"
	" mac BLOB NOT NULL UNIQUE CHECK (length(mac) = 32),"
	/* the session it is bound to, or, once it is used, was used for */
	" session INTEGER REFERENCES sessions (number) ON DELETE CASCADE,"
	" bound INTEGER NOT NULL CHECK (bound IN (0, 1)),"
	" case_id TEXT, customer TEXT,"
	" ad_hoc INTEGER NOT NULL CHECK (ad_hoc IN (0, 1)),"
	" created_at INTEGER NOT NULL CHECK (typeof(created_at) = 'integer'),"
	" expires_at INTEGER NOT NULL CHECK (typeof(expires_at) = 'integer'),"
	" wrong INTEGER NOT NULL DEFAULT 0,"
	" used_at INTEGER CHECK (typeof(used_at) IN ('integer', 'null')),"
	" used_key BLOB CHECK (length(used_key) = 32),"
	" CHECK ((used_at IS NULL) = (used_key IS NULL)),"
	" CHECK (session IS NOT NULL OR (used_at IS NULL AND NOT bound)));"
	"CREATE INDEX tokens_session ON tokens (session);"
	"CREATE TABLE failures ("
	" number INTEGER PRIMARY KEY AUTOINCREMENT,"
	" kind INTEGER NOT NULL,"
	" source TEXT NOT NULL,"
	" at INTEGER NOT NULL CHECK (typeof(at) = 'integer'));"
	"CREATE INDEX failures_source ON failures (kind, source, at);"
	"CREATE INDEX failures_at ON failures (kind, at);",

	/* 3: uploads */
	"CREATE TABLE uploads ("
	" number INTEGER PRIMARY KEY AUTOINCREMENT,"
	" id TEXT NOT NULL UNIQUE CHECK (length(id) = 32"
	"  AND id NOT GLOB '*[^0-9a-f]*'),"
	" complete INTEGER NOT NULL CHECK (complete IN (0, 1)),"
	" case_id TEXT, session TEXT REFERENCES sessions (id),"
	" name TEXT NOT NULL,"
	" size INTEGER NOT NULL CHECK (typeof(size) = 'integer'"
	"  AND size > 0),"
	" sha256 TEXT CHECK (length(sha256) = 64),"
	" owner BLOB CHECK (length(owner) = 32),"
	" created_at INTEGER NOT NULL CHECK (typeof(created_at) = 'integer'),"
	" expires_at INTEGER NOT NULL CHECK (typeof(expires_at) = 'integer'),"
	" completed_at INTEGER"
	"  CHECK (typeof(completed_at) IN ('integer', 'null')),"
	" CHECK (complete = 0 OR sha256 IS NOT NULL),"
	" CHECK ((complete = 1) = (completed_at IS NOT NULL)));"
	"CREATE INDEX uploads_open ON uploads (expires_at)"
	" WHERE complete = 0;"
	/* looked at whenever a session is announced */
	"CREATE INDEX sessions_stale ON sessions (expires_at)"
	" WHERE status = 'pending' AND claimed_at IS NULL;",
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
#define UPLOAD	"SELECT number, id, complete, case_id, session, name, size," \
		" sha256, created_at, expires_at, completed_at, owner" \
		" FROM uploads"
#define GRANT	"SELECT number, id, serial_last, port_base, port_count," \
		" resume_nonce, grant_until, reason FROM sessions"

static const char *const statements[SQL_STATEMENTS] = {
[SQL_PROBE] = "SELECT count(*) FROM (SELECT 1 FROM sessions LIMIT 1)",
[SQL_GET] = ROW " WHERE id = ?2 AND NOT " STALE,
/* A pending session is listed until it expires, claimed or not. */
[SQL_LIST] = ROW " WHERE status = ?2 AND number < ?3"
	" AND (status <> 'pending' OR expires_at > ?1)"
	" AND coalesce(registered_at, created_at) >= ?4"
	" AND (?5 IS NULL OR customer = ?5) AND (?6 IS NULL OR case_id = ?6)"
	" ORDER BY number DESC LIMIT ?7",
/* Left to itself SQLite reads all that are pending. */
[SQL_EXPIRE_PENDING] = "DELETE FROM sessions INDEXED BY sessions_stale"
	" WHERE " STALE,
[SQL_ADD_PENDING] = "INSERT OR IGNORE INTO sessions (id, status, case_id,"
	" customer, ad_hoc, created_at, expires_at)"
	" VALUES (?1, 'pending', ?2, ?3, ?4, ?5, ?6)",
/* Claimed before by this very key a moment ago, or not claimed yet. */
[SQL_CLAIMABLE] = "SELECT number, claimed_at IS NOT NULL FROM sessions"
	" WHERE id = ?2 AND " LIVE " AND ((claimed_at IS NULL"
	" AND expires_at > ?1) OR (claim_key = ?3 AND claimed_at >= ?4))"
	" AND (NOT token_only OR ?5)",
[SQL_CLAIM] = "UPDATE sessions SET claimed_at = ?1, claim_key = ?3,"
	" resume_nonce = ?4, resume_mac = ?5,"
	" serial_last = number * 1000000 + 1, port_base = ?6, port_count = ?7"
	" WHERE number = ?2 AND status = 'pending' AND claimed_at IS NULL",
[SQL_PORTS] = "SELECT port_base, port_count FROM sessions WHERE " LIVE
	" AND port_base IS NOT NULL",
[SQL_RESUMABLE] = "SELECT number FROM sessions WHERE resume_mac = ?1 AND " LIVE
	" AND (?2 IS NULL OR id = ?2)",
[SQL_NEXT_SERIAL] = "UPDATE sessions SET serial_last = serial_last + 1"
	" WHERE number = ?1 AND (serial_last + 1) / 1000000 = number",
[SQL_ADD_CERTIFICATE] = "INSERT INTO certificates (serial, session, expires_at)"
	" VALUES (?1, ?2, ?3)",
[SQL_KEEP_CERTIFICATE] = "UPDATE certificates SET certificate = ?2"
	" WHERE serial = ?1 AND certificate IS NULL",
[SQL_CERTIFICATE] = "SELECT certificate, c.expires_at FROM certificates AS c"
	" JOIN sessions ON number = session WHERE serial = ?1 AND " LIVE,
[SQL_STATE] = "SELECT number, status, claimed_at IS NOT NULL"
	" AND ?2 BETWEEN number * 1000000 + 1 AND serial_last,"
	" ?2 BETWEEN port_base AND port_base + port_count - 1"
	" FROM sessions WHERE id = ?1",
[SQL_REGISTER] = "UPDATE sessions SET status = 'active',"
	" registered_at = coalesce(registered_at, ?2), mode = ?3, host = ?4,"
	" user = ?5, remote_ip = ?6, ips = ?7, nets = ?8, dns = ?9,"
	" case_id = coalesce(case_id, ?10) WHERE number = ?1",
[SQL_SEEN] = "INSERT OR REPLACE INTO seen (number, at) VALUES (?1, ?2)",
[SQL_SEEN_ALL] = "INSERT INTO seen SELECT number, ?1 FROM sessions WHERE " LIVE
	" AND claimed_at IS NOT NULL",
[SQL_UNSEEN] = "DELETE FROM seen WHERE number = ?1",
[SQL_SILENT] = "SELECT id FROM seen JOIN sessions USING (number)"
	" WHERE at <= ?1 AND " LIVE " LIMIT ?2",
[SQL_PATCH] = "UPDATE sessions SET"
	" mode = CASE WHEN ?2 THEN ?3 ELSE mode END,"
	" tunnel_port = CASE WHEN ?4 THEN ?5 ELSE tunnel_port END,"
	" case_id = CASE WHEN ?6 THEN ?7 ELSE case_id END,"
	" customer = CASE WHEN ?8 THEN ?9 ELSE customer END"
	" WHERE number = ?1",
[SQL_END] = "UPDATE sessions SET status = 'closed', closed_at = ?2, reason = ?3,"
	" grant_until = ?4, tunnel_port = NULL"
	" WHERE number = ?1 AND claimed_at IS NOT NULL",
[SQL_FORGET] = "DELETE FROM sessions WHERE number = ?1 AND claimed_at IS NULL",
[SQL_GRANT_OF] = GRANT " WHERE number = ?1",
[SQL_GRANTS] = GRANT " WHERE (" LIVE " AND claimed_at IS NOT NULL)"
	" OR grant_until IS NOT NULL",
[SQL_SERIALS] = "SELECT id, serial FROM certificates AS c"
	" JOIN sessions ON number = session WHERE c.expires_at > ?1"
	" AND (" LIVE " OR grant_until IS NOT NULL)",
[SQL_OLD_GRANTS] = "SELECT id FROM sessions WHERE grant_until <= ?1",
[SQL_DROP_GRANTS] = "UPDATE sessions SET grant_until = NULL"
	" WHERE grant_until <= ?1",
[SQL_OLD_SERIALS] = "SELECT id, serial FROM certificates AS c"
	" JOIN sessions ON number = session WHERE c.expires_at <= ?1",
[SQL_DROP_SERIALS] = "DELETE FROM certificates WHERE expires_at <= ?1",

[SQL_TOKENS] = "SELECT number, mac, session, bound, used_key, used_at,"
	" used_at IS NULL AND expires_at > ?1 AND wrong < ?2 FROM tokens",
[SQL_TOKEN] = "SELECT id, coalesce(s.case_id, t.case_id),"
	" coalesce(s.customer, t.customer), coalesce(s.ad_hoc, t.ad_hoc),"
	" t.created_at, t.expires_at FROM tokens AS t"
	" LEFT JOIN sessions AS s ON s.number = session WHERE t.number = ?1",
[SQL_COUNT_TOKENS] = "SELECT count(*) FROM tokens"
	" WHERE used_at IS NULL AND expires_at > ?1 AND wrong < ?2",
[SQL_ADD_TOKEN] = "INSERT OR IGNORE INTO tokens (mac, session, bound,"
	" case_id, customer, ad_hoc, created_at, expires_at)"
	" VALUES (?1, ?2, ?2 IS NOT NULL, ?3, ?4, ?5, ?6, ?7)",
[SQL_BINDABLE] = "SELECT number, expires_at FROM sessions WHERE id = ?2"
	" AND status = 'pending' AND claimed_at IS NULL AND expires_at > ?1",
[SQL_BIND] = "UPDATE sessions SET token_only = 1 WHERE number = ?1",
[SQL_REPLACE_TOKENS] = "DELETE FROM tokens WHERE session = ?1"
	" AND used_at IS NULL",
[SQL_USE_TOKEN] = "UPDATE tokens SET used_at = ?2, used_key = ?3,"
	" session = ?4 WHERE number = ?1 AND used_at IS NULL",
[SQL_TOKEN_SESSION] = "INSERT OR IGNORE INTO sessions (id, status, case_id,"
	" customer, ad_hoc, created_at, expires_at)"
	" SELECT ?2, 'pending', case_id, customer, ad_hoc, ?3, ?4"
	" FROM tokens WHERE number = ?1",
[SQL_WRONG_TOKEN] = "UPDATE tokens SET wrong = wrong + 1 WHERE bound"
	" AND used_at IS NULL"
	" AND session = (SELECT number FROM sessions WHERE id = ?1)",
[SQL_DROP_TOKEN] = "DELETE FROM tokens WHERE number = ?1",
[SQL_EXPIRE_TOKENS] = "DELETE FROM tokens"
	" WHERE CASE WHEN used_at IS NULL THEN expires_at <= ?1"
	" ELSE used_at < ?2 END",

[SQL_ADD_FAILURE] = "INSERT INTO failures (kind, source, at)"
	" VALUES (?1, ?2, ?3)",
[SQL_FAILURE] = "SELECT at FROM failures WHERE kind = ?1"
	" ORDER BY at DESC LIMIT 1 OFFSET ?2",
[SQL_FAILURE_OF] = "SELECT at FROM failures WHERE kind = ?1"
	" AND source = ?3 ORDER BY at DESC LIMIT 1 OFFSET ?2",
[SQL_FAILING] = "SELECT DISTINCT source FROM failures WHERE source <> ''"
	" AND at > ?1 GROUP BY kind, source HAVING count(*) >= ?2"
	" ORDER BY source LIMIT ?3",
/* A clock that was set back must not make a lock last. */
[SQL_CLAMP_FAILURES] = "UPDATE failures SET at = ?1 WHERE at > ?1",
[SQL_EXPIRE_FAILURES] = "DELETE FROM failures WHERE at <= ?1"
	" OR (kind <> ?2 AND number <="
	" (SELECT max(number) FROM failures) - ?3)",

[SQL_UPLOAD_SESSION] = "SELECT id, case_id FROM sessions"
	" WHERE resume_mac = ?1 AND " LIVE,
[SQL_UPLOAD_ROOM] = "SELECT coalesce(sum(size), 0) <= ?2 - ?1,"
	" coalesce(sum(complete = 0 AND owner = ?3), 0) FROM uploads",
[SQL_UPLOAD_ADD] = "INSERT INTO uploads (id, complete, case_id, session,"
	" name, size, sha256, owner, created_at, expires_at)"
	" VALUES (?1, 0, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
[SQL_UPLOAD_GET] = UPLOAD " WHERE id = ?1",
[SQL_UPLOAD_LIST] = UPLOAD " WHERE number < ?1 AND created_at >= ?2"
	" AND (?3 < 0 OR complete = ?3)"
	" AND (?4 IS NULL OR case_id = ?4) AND (?5 IS NULL OR session = ?5)"
	" ORDER BY number DESC LIMIT ?6",
[SQL_UPLOAD_COMPLETE] = "UPDATE uploads SET complete = 1, sha256 = ?2,"
	" completed_at = ?3 WHERE id = ?1 AND complete = 0",
[SQL_UPLOAD_DELETE] = "DELETE FROM uploads WHERE id = ?1",
[SQL_UPLOAD_STALE] = "SELECT id FROM uploads WHERE complete = 0"
	" AND expires_at <= ?1",
[SQL_COUNT_SESSIONS] = "SELECT coalesce(sum(status = 'pending'"
	" AND expires_at > ?1), 0), coalesce(sum(status = 'active'), 0),"
	" coalesce(sum(status = 'closed'), 0),"
	" coalesce(sum(status = 'archived'), 0) FROM sessions",
[SQL_COUNT_UPLOADS] = "SELECT coalesce(sum(complete = 0), 0),"
	" coalesce(sum(complete), 0),"
	" coalesce(sum(size * complete), 0) FROM uploads",
};

const struct db_schema sql_schema = {
	.application_id = APPLICATION_ID,
	.migrations = migrations,
	.version = (int)(sizeof migrations / sizeof migrations[0]),
	.setup = setup_sql,
	.sql = statements,
	.statements = SQL_STATEMENTS,
};
