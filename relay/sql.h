/*
 * sql.h - the statements of sql.c by name, for store.c and its sisters.
 *
 * A noun's statements stand together, here and there.
 */
#ifndef SQL_H
#define SQL_H

#include "db.h"

enum sql_statement {
	SQL_PROBE,
	SQL_GET, SQL_LIST, SQL_EXPIRE_PENDING, SQL_ADD_PENDING,
	SQL_CLAIMABLE, SQL_CLAIM, SQL_PORTS, SQL_RESUMABLE, SQL_NEXT_SERIAL,
	SQL_ADD_CERTIFICATE, SQL_KEEP_CERTIFICATE, SQL_CERTIFICATE,
	SQL_STATE, SQL_REGISTER,
	SQL_SEEN, SQL_SEEN_ALL, SQL_UNSEEN, SQL_SILENT,
	SQL_PATCH, SQL_END, SQL_FORGET, SQL_GRANT_OF, SQL_GRANTS, SQL_SERIALS,
	SQL_OLD_GRANTS, SQL_DROP_GRANTS, SQL_OLD_SERIALS, SQL_DROP_SERIALS,
	SQL_STATEMENTS
};

extern const struct db_schema	sql_schema;

#endif
