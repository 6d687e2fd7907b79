/*
 * api_token.c - one-time tokens: made, looked at and revoked by engineers.
 *
 * Using one is api_sign.c's.  A token is in the answer to the one request that
 * made it, and in no log.
 */
#include "api.h"

#include <inttypes.h>

#include <cjson/cJSON.h>

#include "context.h"
#include "json.h"
#include "log.h"
#include "record.h"
#include "token.h"

#define EXPIRES_MAX	(24 * 3600)	/* seconds */
#define TRIES		64		/* for a token that is free */

enum { SID, CASE, CUSTOMER, AD_HOC, EXPIRES, FIELDS };

static const struct json_field fields[FIELDS] = {
	[SID] = { "session_id", JSON_TEXT, JSON_NULLABLE, 1, SID_MAX,
	    sid_is_valid, "a session ID (four lower-case words joined by -)" },
	[CASE] = RECORD_FIELD_CASE(JSON_NULLABLE),
	[CUSTOMER] = RECORD_FIELD_CUSTOMER(JSON_NULLABLE),
	[AD_HOC] = { "ad_hoc", JSON_BOOL, 0, 0, 0, NULL, NULL },
	[EXPIRES] = { "expires_in", JSON_NUMBER, JSON_NULLABLE, 1,
	    EXPIRES_MAX, NULL, NULL },
};

/* A record under way. */
struct view {
	const char	*token;
	cJSON		*object;
};

static void
add_text(cJSON *o, const char *name, const char *text)
{
	(void)cJSON_AddItemToObject(o, name, text != NULL ?
	    cJSON_CreateString(text) : cJSON_CreateNull());
}

static void
view_cb(void *arg, const struct store_token *t)
{
	struct view *v = arg;
	cJSON *o = cJSON_CreateObject();

	add_text(o, "token", v->token);
	add_text(o, "session_id", t->session);
	add_text(o, "case", t->case_id);
	add_text(o, "customer", t->customer);
	(void)cJSON_AddBoolToObject(o, "ad_hoc", t->ad_hoc);
	(void)cJSON_AddNumberToObject(o, "created_at", (double)t->created_at);
	(void)cJSON_AddNumberToObject(o, "expires_at", (double)t->expires_at);
	v->object = o;
}

/* The record of TOKEN, to be freed, in *OBJECT.  STORE_OK, STORE_NONE. */
static enum store_result
look(struct api *api, const char *token, cJSON **object)
{
	unsigned char mac[SECRET_LEN];
	struct view v = { .token = token };
	enum store_result r;

	secret_token_mac(&api->secret, token, mac);
	r = store_token_get(api->store, mac, api_now(), view_cb, &v);
	*object = v.object;
	return r;
}

/* Draw one that nobody has, and keep it as T says. */
static enum store_result
make(struct api *api, const struct store_token *t, int64_t now,
    char token[TOKEN_LEN + 1])
{
	unsigned char mac[SECRET_LEN];
	enum store_result r = STORE_ERROR;
	int i;

	for (i = 0; i < TRIES; i++) {
		if (token_draw(token) == -1)
			return STORE_ERROR;
		secret_token_mac(&api->secret, token, mac);
		r = store_token_add(api->store, mac, t, now,
		    api->conf.tokens_max);
		if (r != STORE_CONFLICT)
			break;
	}
	return r;
}

static void
add(struct request *rq, const struct json_value *v)
{
	int64_t now = api_now();
	struct store_token t = {
		.session = v[SID].text,
		.case_id = v[CASE].text,
		.customer = v[CUSTOMER].text,
		.ad_hoc = v[AD_HOC].number != 0,
		.expires_at = now + (v[EXPIRES].number != 0 ?
		    v[EXPIRES].number : api_seconds(rq->api->conf.token_ttl_ms)),
	};
	char token[TOKEN_LEN + 1];
	cJSON *o = NULL;
	enum store_result r;

	r = make(rq->api, &t, now, token);
	if (r == STORE_EXHAUSTED) {
		request_fail(rq, 409, "there are %u tokens that nobody has used "
		    "yet, and no more are given out; revoke some",
		    (unsigned int)rq->api->conf.tokens_max);
		return;
	}
	if (r == STORE_NONE) {
		request_fail(rq, 404, "session_id: nobody can claim such a "
		    "session: it is unknown, claimed, or over");
		return;
	}
	if (r == STORE_OK)
		r = look(rq->api, token, &o);
	if (r != STORE_OK) {
		api_fail_store(rq, r);
		return;
	}
	log_info("a token was made, for %" PRId64 " s", t.expires_at - now);
	request_json(rq, 201, o);
}

void
api_token_add(struct request *rq)
{
	struct json_body body;
	const struct json_value *v = body.value;

	if (!request_take_body(rq, &body, fields, FIELDS))
		return;
	if (v[SID].text != NULL && (v[CASE].text != NULL ||
	    v[CUSTOMER].text != NULL || v[AD_HOC].number != 0))
		request_fail(rq, 422, "session_id: the session says itself "
		    "what it is for; leave out case, customer and ad_hoc");
	else
		add(rq, v);
	json_clear(&body);
}

/*
 * Find the token in RQ's path.  Whoever can ask this can guess, so a wrong one
 * counts as it does elsewhere.  NULL with the request answered.
 */
static cJSON *
find(struct request *rq)
{
	enum store_result r;
	cJSON *o;

	if (!api_may_try(rq, STORE_BY_TOKEN))
		return NULL;
	r = look(rq->api, rq->token, &o);
	if (r == STORE_OK)
		return o;
	if (r != STORE_NONE)
		api_fail_store(rq, r);
	else if (api_failed_try(rq, STORE_BY_TOKEN, NULL))
		request_fail(rq, 404, "there is no such token, or no longer");
	return NULL;
}

void
api_token_get(struct request *rq)
{
	cJSON *o = find(rq);

	if (o != NULL)
		request_json(rq, 200, o);
}

/* Answers with the record as it was. */
void
api_token_revoke(struct request *rq)
{
	unsigned char mac[SECRET_LEN];
	cJSON *o = find(rq);
	enum store_result r;

	if (o == NULL)
		return;
	secret_token_mac(&rq->api->secret, rq->token, mac);
	r = store_token_revoke(rq->api->store, mac, api_now());
	if (r == STORE_OK) {
		log_info("a token was revoked");
		request_json(rq, 200, o);
		return;
	}
	cJSON_Delete(o);
	api_fail_store(rq, r);
}
