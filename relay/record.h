/*
 * record.h - how sessions look in JSON, and what their fields may hold.
 */
#ifndef RECORD_H
#define RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include "json.h"
#include "request.h"
#include "store.h"

struct api;
struct cJSON;

/* The record of a session; of one that is pending. */
struct cJSON	*record_session(const struct store_row *row);
struct cJSON	*record_pending(const struct store_row *row);

/*
 * The record of session ID made by RECORD goes to *OBJECT, which the caller
 * frees.  As store_get(); STORE_NONE too if it is not pending and RECORD is
 * record_pending.
 */
enum store_result record_get(struct api *api, const char *id,
	    struct cJSON *(*record)(const struct store_row *row),
	    struct cJSON **object);

/* Answer with that, or with what is wrong. */
void	record_answer(struct request *rq, unsigned int status, const char *id,
	    struct cJSON *(*record)(const struct store_row *row));

/*
 * {NAME: [...], "next": cursor or null}: what F selects, made by RECORD.  The
 * query's limit and cursor are read here.  NULL with the request answered.
 */
struct cJSON	*record_list(struct request *rq, const char *name,
		    struct store_filter *f,
		    struct cJSON *(*record)(const struct store_row *row));

/*
 * The query's limit, cursor and since; false with the request answered.
 */
bool	record_query_page(struct request *rq, int64_t *limit, int64_t *below,
	    int64_t *since);

/* Add a text, or null; a number, or null for 0. */
void	record_add_text(struct cJSON *o, const char *name, const char *text);
void	record_add_number(struct cJSON *o, const char *name, int64_t n);

/* Checks for json_field.  A remote address may have a scope (`%eth0`). */
bool	record_is_mode(const char *s, size_t len);
bool	record_is_address(const char *s, size_t len);
bool	record_is_net(const char *s, size_t len);
bool	record_is_remote(const char *s, size_t len);

#define RECORD_CUSTOMER_MAX	128	/* octets */

#define RECORD_FIELD_ID(flag) { "id", JSON_TEXT, (flag), 1, SID_MAX, \
	sid_is_valid, "a session ID (four lower-case words joined by -)" }
#define RECORD_FIELD_CASE(flag) { "case", JSON_TEXT, (flag), \
	CONTEXT_CASE_MIN, CONTEXT_CASE_MAX, context_is_case, \
	"3 to 64 letters, digits, - and _" }
#define RECORD_FIELD_CUSTOMER(flag) { "customer", JSON_TEXT, (flag), 1, \
	RECORD_CUSTOMER_MAX, json_is_plain, \
	"a text of at most 128 octets without control characters" }

#endif
