/*
 * record.c - see record.h.
 */
#include "record.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "api.h"
#include "context.h"
#include "num.h"

#define LIMIT_DEFAULT	100
#define LIMIT_MAX	1000

/* ---- what fields may hold ---- */

bool
record_is_mode(const char *s, size_t len)
{
	(void)len;
	return strcmp(s, "share") == 0 || strcmp(s, "no-tunnel") == 0 ||
	    strcmp(s, "restricted") == 0 || strcmp(s, "tunnel") == 0;
}

bool
record_is_address(const char *s, size_t len)
{
	return context_is_address(s, len, false);
}

bool
record_is_net(const char *s, size_t len)
{
	return context_is_address(s, len, true);
}

bool
record_is_remote(const char *s, size_t len)
{
	size_t n = strcspn(s, "%");

	if (n < len && !context_is_made_of(s + n + 1, len - n - 1, "._-"))
		return false;
	return context_is_address(s, n, false);
}

/* ---- records ---- */

void
record_add_text(cJSON *o, const char *name, const char *text)
{
	(void)cJSON_AddItemToObject(o, name, text != NULL ?
	    cJSON_CreateString(text) : cJSON_CreateNull());
}

void
record_add_number(cJSON *o, const char *name, int64_t n)
{
	(void)cJSON_AddItemToObject(o, name, n != 0 ?
	    cJSON_CreateNumber((double)n) : cJSON_CreateNull());
}

/* Add an array that is stored as JSON; null if there is none. */
static void
add_list(cJSON *o, const char *name, const char *text)
{
	cJSON *list = text != NULL ? cJSON_Parse(text) : NULL;

	(void)cJSON_AddItemToObject(o, name, list != NULL ? list :
	    cJSON_CreateNull());
}

struct cJSON *
record_session(const struct store_row *row)
{
	cJSON *o = cJSON_CreateObject();

	record_add_text(o, "id", row->id);
	record_add_number(o, "registered_at", row->registered_at);
	record_add_text(o, "mode", row->mode);
	/* Sessions that begin as a tunnel would have it. */
	record_add_text(o, "port", NULL);
	record_add_number(o, "tunnel_port", row->tunnel_port);
	record_add_text(o, "host", row->host);
	add_list(o, "ips", row->ips);
	add_list(o, "nets", row->nets);
	add_list(o, "dns", row->dns);
	record_add_text(o, "case", row->case_id);
	record_add_text(o, "customer", row->customer);
	record_add_text(o, "user", row->user);
	record_add_text(o, "remote_ip", row->remote_ip);
	record_add_text(o, "status", row->status);
	record_add_number(o, "closed_at", row->closed_at);
	return o;
}

struct cJSON *
record_pending(const struct store_row *row)
{
	cJSON *o = cJSON_CreateObject();

	record_add_text(o, "id", row->id);
	record_add_text(o, "case", row->case_id);
	record_add_text(o, "customer", row->customer);
	(void)cJSON_AddBoolToObject(o, "ad_hoc", row->ad_hoc);
	record_add_number(o, "created_at", row->created_at);
	record_add_number(o, "expires_at", row->expires_at);
	return o;
}

/* ---- answers ---- */

struct one {
	cJSON	*(*record)(const struct store_row *row);
	cJSON	*object;
};

static void
one_cb(void *arg, const struct store_row *row)
{
	struct one *one = arg;

	/* A pending record is of a pending session only. */
	if (one->record != record_pending ||
	    strcmp(row->status, "pending") == 0)
		one->object = one->record(row);
}

enum store_result
record_get(struct api *api, const char *id,
    cJSON *(*record)(const struct store_row *row), cJSON **object)
{
	struct one one = { .record = record };
	enum store_result r;

	r = store_get(api->store, id, api_now(), one_cb, &one);
	*object = one.object;
	return r == STORE_OK && one.object == NULL ? STORE_NONE : r;
}

void
record_answer(struct request *rq, unsigned int status, const char *id,
    cJSON *(*record)(const struct store_row *row))
{
	cJSON *object;
	enum store_result r;

	r = record_get(rq->api, id, record, &object);
	if (r == STORE_OK)
		request_json(rq, status, object);
	else
		api_fail_store(rq, r);
}

/* A list under way. */
struct list {
	cJSON	*array;
	cJSON	*(*record)(const struct store_row *row);
	int64_t	 limit, n, last;	/* the last row's number */
	bool	 more;			/* than the limit */
};

static void
list_cb(void *arg, const struct store_row *row)
{
	struct list *l = arg;

	if (l->n == l->limit) {
		l->more = true;
		return;
	}
	l->n++;
	l->last = row->number;
	(void)cJSON_AddItemToArray(l->array, l->record(row));
}

/* A number out of the query; false with the request answered. */
static bool
query_number(struct request *rq, const char *name, uint64_t min, uint64_t max,
    int64_t *out)
{
	const char *s = request_query(rq, name);
	uint64_t n;

	if (s == NULL)
		return true;
	if (num_parse_str(s, min, max, &n) == -1) {
		request_fail(rq, 422, "%s: expected a number from %" PRIu64
		    " to %" PRIu64, name, min, max);
		return false;
	}
	*out = (int64_t)n;
	return true;
}

bool
record_query_page(struct request *rq, int64_t *limit, int64_t *below,
    int64_t *since)
{
	*limit = LIMIT_DEFAULT;
	*below = INT64_MAX;
	return query_number(rq, "limit", 1, LIMIT_MAX, limit) &&
	    query_number(rq, "cursor", 1, INT64_MAX, below) &&
	    query_number(rq, "since", 0, INT64_MAX, since);
}

cJSON *
record_list(struct request *rq, const char *name, struct store_filter *f,
    cJSON *(*record)(const struct store_row *row))
{
	struct list l = { .record = record };
	enum store_result r;
	char cursor[24];
	cJSON *o;

	if (!record_query_page(rq, &l.limit, &f->below, &f->since))
		return NULL;
	f->limit = l.limit + 1;		/* one more tells whether there is more */
	o = cJSON_CreateObject();
	l.array = cJSON_AddArrayToObject(o, name);
	r = store_list(rq->api->store, f, api_now(), list_cb, &l);
	if (r != STORE_OK) {
		cJSON_Delete(o);
		api_fail_store(rq, r);
		return NULL;
	}
	(void)snprintf(cursor, sizeof cursor, "%" PRId64, l.last);
	record_add_text(o, "next", l.more ? cursor : NULL);
	return o;
}
