/*
 * api_uploads.c - what engineers do with uploads: list, download, delete; and
 * the end of those that nobody completed.
 */
#include "api_upload.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "context.h"
#include "log.h"
#include "record.h"

/* ---- list ---- */

struct list {
	struct api	*api;
	cJSON		*array;
	int64_t		 limit, n, last;
	bool		 more;
};

static void
list_cb(void *arg, const struct store_upload *up)
{
	struct list *l = arg;

	if (l->n == l->limit) {
		l->more = true;
		return;
	}
	l->n++;
	l->last = up->number;
	(void)cJSON_AddItemToArray(l->array, upload_record(l->api, up));
}

/* The filter that the query asks for; false with the request answered. */
static bool
take_filter(struct request *rq, struct store_upload_filter *f)
{
	const char *status = request_query(rq, "status");

	f->case_id = request_query(rq, "case");
	f->session = request_query(rq, "session");
	f->complete = status == NULL ? -1 : strcmp(status, "complete") == 0;
	if (f->complete == 0 && strcmp(status, "open") != 0)
		request_fail(rq, 422, "status: expected open or complete");
	else if (f->case_id != NULL &&
	    !context_is_case(f->case_id, strlen(f->case_id)))
		request_fail(rq, 422, "case: expected 3 to 64 letters, "
		    "digits, - and _");
	else if (f->session != NULL &&
	    !sid_is_valid(f->session, strlen(f->session)))
		request_fail(rq, 422, "session: expected a session ID");
	return !rq->answered && record_query_page(rq, &f->limit, &f->below,
	    &f->since);
}

void
api_upload_list(struct request *rq)
{
	struct store_upload_filter f = { .complete = -1 };
	struct list l = { .api = rq->api };
	enum store_result r;
	char cursor[24];
	cJSON *o;

	if (!take_filter(rq, &f))
		return;
	l.limit = f.limit++;		/* one more tells whether there is more */
	o = cJSON_CreateObject();
	l.array = cJSON_AddArrayToObject(o, "uploads");
	r = store_upload_list(rq->api->store, &f, list_cb, &l);
	if (r != STORE_OK) {
		cJSON_Delete(o);
		upload_fail(rq, r);
		return;
	}
	(void)snprintf(cursor, sizeof cursor, "%" PRId64, l.last);
	record_add_text(o, "next", l.more ? cursor : NULL);
	request_json(rq, 200, o);
}

/* ---- for engineers ---- */

/* What a header may carry of a file's name. */
static void
plain_name(const char *name, char *out, size_t cap)
{
	size_t n = 0;

	for (; *name != '\0' && n + 1 < cap; name++)
		out[n++] = strchr("0123456789abcdefghijklmnopqrstuvwxyz"
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZ._-", *name) != NULL ?
		    *name : '_';
	out[n] = '\0';
}

void
api_upload_data(struct request *rq)
{
	char name[64], value[96];
	struct upload_slot sl;
	uint64_t size;
	int fd;

	if (!upload_find(rq, &sl))
		return;
	if (!sl.complete) {
		request_fail(rq, 409, "the upload is not complete");
		return;
	}
	fd = upload_open(rq->api->uploads, sl.id, &size);
	if (fd == -1) {
		log_warn("upload %s: cannot open its file", sl.id);
		request_fail(rq, 410, "its file is gone");
		return;
	}
	plain_name(sl.name, name, sizeof name);
	(void)snprintf(value, sizeof value, "attachment; filename=\"%s\"",
	    name);
	request_header(rq, "Content-Disposition", value);
	request_header(rq, "X-Content-Type-Options", "nosniff");
	request_file(rq, fd, size, "application/octet-stream");
}

void
api_upload_delete(struct request *rq)
{
	struct upload_one one = { rq->api, NULL };
	struct upload_slot sl;
	enum store_result r;

	if (!upload_find(rq, &sl))
		return;
	if (upload_is_busy(rq->api->uploads, sl.id)) {
		rq->retry_after = 1;
		request_fail(rq, 409, "a request is at this upload");
		return;
	}
	r = store_upload_get(rq->api->store, sl.id, upload_one_cb, &one);
	if (r == STORE_OK)
		r = store_upload_delete(rq->api->store, sl.id);
	if (r == STORE_OK) {
		upload_remove(rq->api->uploads, sl.id);
		log_info("upload %s: deleted", sl.id);
		request_json(rq, 200, one.object);
		return;
	}
	cJSON_Delete(one.object);
	upload_fail(rq, r);
}

/* ---- what is over ---- */

#define STALE_MAX	64	/* a sweep */

struct stale {
	struct api	*api;
	size_t		 n;
	char		 id[STALE_MAX][UPLOAD_ID_LEN + 1];
};

static void
stale_cb(void *arg, const char *id)
{
	struct stale *st = arg;

	if (st->n < STALE_MAX && !upload_is_busy(st->api->uploads, id))
		(void)snprintf(st->id[st->n++], sizeof st->id[0], "%s", id);
}

void
api_upload_sweep(struct api *api)
{
	struct stale st = { .api = api };
	size_t i;

	if (store_upload_stale(api->store, api_now(), stale_cb, &st) !=
	    STORE_OK)
		return;
	for (i = 0; i < st.n; i++)
		if (store_upload_delete(api->store, st.id[i]) == STORE_OK) {
			log_info("upload %s: not completed in time", st.id[i]);
			upload_remove(api->uploads, st.id[i]);
		}
}

static bool
is_known(void *arg, const char *id)
{
	struct api *api = arg;
	struct upload_slot sl;

	/* What cannot be looked up is kept. */
	return store_upload_get(api->store, id, upload_slot_cb, &sl) != STORE_NONE;
}

void
api_upload_sweep_files(struct api *api)
{
	uploads_sweep(api->uploads, is_known, api);
}
