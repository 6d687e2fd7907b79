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

static const char *const statements[SQL_STATEMENTS] = {
[SQL_PROBE] = "SELECT count(*) FROM (SELECT 1 FROM sessions LIMIT 1)",
[SQL_GET] = ROW " WHERE id = ?2 AND NOT " STALE,
/* A pending session is listed until it expires, claimed or not. */
[SQL_LIST] = ROW " WHERE status = ?2 AND number < ?3"
	" AND (status <> 'pending' OR expires_at > ?1)"
	" AND coalesce(registered_at, created_at) >= ?4"
	" AND (?5 IS NULL OR customer = ?5) AND (?6 IS NULL OR case_id = ?6)"
	" ORDER BY number DESC LIMIT ?7",
[SQL_EXPIRE_PENDING] = "DELETE FROM sessions WHERE " STALE,
[SQL_ADD_PENDING] = "INSERT OR IGNORE INTO sessions (id, status, case_id,"
	" customer, ad_hoc, created_at, expires_at)"
	" VALUES (?1, 'pending', ?2, ?3, ?4, ?5, ?6)",
/* Claimed before by this very key a moment ago, or not claimed yet. */
[SQL_CLAIMABLE] = "SELECT number, claimed_at IS NOT NULL FROM sessions"
	" WHERE id = ?2 AND " LIVE " AND ((claimed_at IS NULL"
	" AND expires_at > ?1) OR (claim_key = ?3 AND claimed_at >= ?4))",
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
};

const struct db_schema sql_schema = {
	.application_id = APPLICATION_ID,
	.migrations = migrations,
	.version = (int)(sizeof migrations / sizeof migrations[0]),
	.setup = setup_sql,
	.sql = statements,
	.statements = SQL_STATEMENTS,
};
