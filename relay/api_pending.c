/*
 * api_pending.c - sessions that an engineer announced and a customer may claim.
 */
#include "api.h"

#include <inttypes.h>

#include <cjson/cJSON.h>

#include "context.h"
#include "json.h"
#include "log.h"
#include "record.h"

#define EXPIRES_MAX	(30 * 24 * 3600)	/* seconds */
#define TRIES		16			/* for an ID that is free */

enum { ID, CASE, CUSTOMER, AD_HOC, EXPIRES, FIELDS };

static const struct json_field fields[FIELDS] = {
	[ID] = RECORD_FIELD_ID(JSON_NULLABLE),
	[CASE] = RECORD_FIELD_CASE(JSON_NULLABLE),
	[CUSTOMER] = RECORD_FIELD_CUSTOMER(JSON_NULLABLE),
	[AD_HOC] = { "ad_hoc", JSON_BOOL, 0, 0, 0, NULL, NULL },
	[EXPIRES] = { "expires_in", JSON_NUMBER, JSON_NULLABLE, 1,
	    EXPIRES_MAX, NULL, NULL },
};

/* Add it under an ID of ours; which one goes to ID. */
static enum store_result
add_generated(struct api *api, struct store_pending *p, int64_t now,
    char id[SID_MAX + 1])
{
	enum store_result r = STORE_ERROR;
	int i;

	p->id = id;
	for (i = 0; i < TRIES; i++) {
		if (sid_generate(id) == -1)
			return STORE_ERROR;
		r = store_pending_add(api->store, p, now);
		if (r != STORE_CONFLICT)
			break;
	}
	return r;
}

static void
add(struct request *rq, const struct json_value *v)
{
	int64_t now = api_now(), ttl;
	char id[SID_MAX + 1];
	struct store_pending p = {
		.id = v[ID].text,
		.case_id = v[CASE].text,
		.customer = v[CUSTOMER].text,
		.ad_hoc = v[AD_HOC].number != 0,
	};
	enum store_result r;

	ttl = v[EXPIRES].number != 0 ? v[EXPIRES].number :
	    api_seconds(rq->api->conf.pending_ttl_ms);
	p.expires_at = now + ttl;
	r = p.id != NULL ? store_pending_add(rq->api->store, &p, now) :
	    add_generated(rq->api, &p, now, id);
	if (r == STORE_OK) {
		/* Not its ID: that is good for a claim. */
		log_info("a session was announced for %" PRId64 " s", ttl);
		record_answer(rq, 201, p.id, record_pending);
	} else if (r == STORE_CONFLICT)
		request_fail(rq, 409, "id: this session ID was used before; "
		    "leave it out to get a new one");
	else
		api_fail_store(rq, r);
}

void
api_pending_add(struct request *rq)
{
	struct json_body body;
	const struct json_value *v = body.value;

	if (!request_take_body(rq, &body, fields, FIELDS))
		return;
	if (v[CASE].text == NULL && v[CUSTOMER].text == NULL &&
	    v[AD_HOC].number == 0)
		request_fail(rq, 422, "case: say what the session is for: "
		    "case, customer, or ad_hoc");
	else
		add(rq, v);
	json_clear(&body);
}

void
api_pending_list(struct request *rq)
{
	struct store_filter f = { .status = "pending" };

	struct cJSON *o = record_list(rq, "pending", &f, record_pending);

	if (o != NULL)
		request_json(rq, 200, o);
}

void
api_pending_get(struct request *rq)
{
	record_answer(rq, 200, rq->sid, record_pending);
}

/* Answers with the record as it was. */
void
api_pending_cancel(struct request *rq)
{
	struct cJSON *record;
	enum store_result r;

	r = record_get(rq->api, rq->sid, record_pending, &record);
	if (r == STORE_OK)
		r = api_end_session(rq->api, rq->sid, GRANT_REASON_CANCELLED);
	if (r == STORE_OK) {
		request_json(rq, 200, record);
		return;
	}
	cJSON_Delete(record);
	api_fail_store(rq, r);
}
