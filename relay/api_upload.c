/*
 * api_upload.c - files that customers send: a slot, its octets, its end.  What
 * engineers do with them is in api_uploads.c.
 *
 * Who asked for a slot with a secret must show the same one ever after; who
 * may reach the support class needs none.  A slot cannot be told from one that
 * is not there by anybody else.
 */
#include "api_upload.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <cjson/cJSON.h>
#include <openssl/crypto.h>

#include "context.h"
#include "files.h"
#include "json.h"
#include "log.h"
#include "range.h"
#include "record.h"
#include "route.h"
#include "sha256.h"
#include "upload.h"

#define SIZE_MAX_OCTETS	((int64_t)1 << 50)

/* ---- records ---- */

void
upload_slot_cb(void *arg, const struct store_upload *up)
{
	struct upload_slot *sl = arg;

	(void)snprintf(sl->id, sizeof sl->id, "%s", up->id);
	(void)snprintf(sl->sha256, sizeof sl->sha256, "%s",
	    up->sha256 != NULL ? up->sha256 : "");
	(void)snprintf(sl->name, sizeof sl->name, "%s", up->name);
	sl->complete = up->complete;
	sl->size = up->size;
	sl->expires_at = up->expires_at;
	sl->has_owner = up->has_owner;
	memcpy(sl->owner, up->owner, sizeof sl->owner);
}

struct cJSON *
upload_record(struct api *api, const struct store_upload *up)
{
	cJSON *o = cJSON_CreateObject();
	uint64_t offset = up->complete ? (uint64_t)up->size :
	    upload_offset(api->uploads, up->id);

	record_add_text(o, "id", up->id);
	record_add_text(o, "case", up->case_id);
	record_add_text(o, "session", up->session);
	record_add_text(o, "name", up->name);
	record_add_number(o, "size", up->size);
	(void)cJSON_AddNumberToObject(o, "offset", (double)offset);
	record_add_text(o, "sha256", up->sha256);
	record_add_text(o, "status", up->complete ? "complete" : "open");
	record_add_number(o, "created_at", up->created_at);
	record_add_number(o, "expires_at", up->complete ? 0 : up->expires_at);
	record_add_number(o, "completed_at", up->completed_at);
	return o;
}

void
upload_one_cb(void *arg, const struct store_upload *up)
{
	struct upload_one *one = arg;

	one->object = upload_record(one->api, up);
}

void
upload_fail(struct request *rq, enum store_result r)
{
	if (r == STORE_NONE)
		request_fail(rq, 404, "there is no such upload");
	else if (r == STORE_EXHAUSTED)
		request_fail(rq, 507, "the relay has no room for it");
	else
		api_fail_store(rq, r);
}

static void
send_record(struct request *rq, unsigned int status, const char *id)
{
	struct upload_one one = { rq->api, NULL };
	enum store_result r;

	r = store_upload_get(rq->api->store, id, upload_one_cb, &one);
	if (r == STORE_OK)
		request_json(rq, status, one.object);
	else
		upload_fail(rq, r);
}

/* ---- who asks ---- */

/* What stands behind `Bearer`, or NULL. */
static const char *
bearer(const struct request *rq)
{
	const char *s = rq->authorization;

	if (s == NULL || strncasecmp(s, "Bearer ", 7) != 0)
		return NULL;
	return s + 7 + strspn(s + 7, " ");
}

/*
 * How the secret that came with a request is recognised: false if it is of no
 * known form.
 */
static bool
bearer_mac(const struct request *rq, unsigned char mac[STORE_KEY_LEN])
{
	const char *s = bearer(rq);

	return s != NULL && secret_resume_mac(&rq->api->secret, s, mac) == 0;
}

/* 401, also for a secret that is no good. */
static void
ask_for_secret(struct request *rq)
{
	request_header(rq, "WWW-Authenticate", "Bearer");
	request_unauthorized(rq);
}

static bool
is_support(const struct request *rq)
{
	return (rq->classes & ROUTE_SUPPORT) != 0 && rq->authorization == NULL;
}

bool
upload_find(struct request *rq, struct upload_slot *sl)
{
	unsigned char mac[STORE_KEY_LEN];
	enum store_result r;

	if (!is_support(rq) && !bearer_mac(rq, mac)) {
		ask_for_secret(rq);
		return false;
	}
	memset(sl, 0, sizeof *sl);
	r = store_upload_get(rq->api->store, rq->upload, upload_slot_cb, sl);
	if (r == STORE_OK && !is_support(rq) && (!sl->has_owner ||
	    CRYPTO_memcmp(mac, sl->owner, sizeof mac) != 0))
		r = STORE_NONE;
	if (r != STORE_OK)
		upload_fail(rq, r);
	return r == STORE_OK;
}

/* The same, and it is open; else it is answered. */
static bool
find_open(struct request *rq, struct upload_slot *sl)
{
	if (!upload_find(rq, sl))
		return false;
	if (sl->complete)
		request_fail(rq, 409, "the upload is complete");
	else if (sl->expires_at <= api_now())
		request_fail(rq, 410, "the time for this upload is over");
	else if (upload_is_busy(rq->api->uploads, sl->id)) {
		rq->retry_after = 1;
		request_fail(rq, 409, "another request is at this upload");
	}
	return !rq->answered;
}

/* ---- a slot ---- */

static bool
is_file_name(const char *s, size_t len)
{
	return json_is_plain(s, len) && memchr(s, '/', len) == NULL &&
	    strcmp(s, ".") != 0 && strcmp(s, "..") != 0;
}

enum { CASE, NAME, SIZE, SHA256, FIELDS };

#define FIELD_SHA256 { "sha256", JSON_TEXT, JSON_NULLABLE, STORE_HEX_LEN, \
	STORE_HEX_LEN, secret_is_hex, "64 lower-case hex digits" }

static const struct json_field fields[FIELDS] = {
	[CASE] = RECORD_FIELD_CASE(JSON_NULLABLE),
	[NAME] = { "name", JSON_TEXT, JSON_REQUIRED, 1, UPLOAD_NAME_MAX,
	    is_file_name, "a file's name of at most 255 octets, without /" },
	[SIZE] = { "size", JSON_NUMBER, JSON_REQUIRED, 1, SIZE_MAX_OCTETS,
	    NULL, NULL },
	[SHA256] = FIELD_SHA256,
};

/* What the uploads that are open may still bring. */
struct expected {
	struct api	*api;
	uint64_t	 octets;
};

static void
expected_cb(void *arg, const struct store_upload *up)
{
	struct expected *ex = arg;
	uint64_t here = upload_offset(ex->api->uploads, up->id);

	if (here < (uint64_t)up->size)
		ex->octets += (uint64_t)up->size - here;
}

static bool
has_room(struct api *api, uint64_t size)
{
	struct store_upload_filter f = { .complete = 0, .below = INT64_MAX,
	    .limit = INT64_MAX };
	struct expected ex = { api, size };

	return store_upload_list(api->store, &f, expected_cb, &ex) ==
	    STORE_OK && ex.octets <= uploads_room(api->uploads);
}

static void
add(struct request *rq, struct store_upload *up)
{
	struct api *api = rq->api;
	char id[UPLOAD_ID_LEN + 1];
	enum store_result r = STORE_ERROR;

	up->id = id;
	up->expires_at = api_now() + api_seconds(api->conf.upload_ttl_ms);
	if (upload_draw_id(id) == 0)
		r = !has_room(api, (uint64_t)up->size) ? STORE_EXHAUSTED :
		    store_upload_add(api->store, up, api_now(),
		    (int64_t)api->conf.upload_quota);
	if (r == STORE_OK) {
		log_info("upload %s: %" PRId64 " octets expected", id,
		    up->size);
		send_record(rq, 201, id);
	} else if (r == STORE_CONFLICT)
		request_fail(rq, 409, "there are too many open uploads of "
		    "this session; complete those first");
	else
		upload_fail(rq, r);
}

/*
 * Whose slot it will be: a session's, told by its resume secret, or, of the
 * support class, nobody's.  False with the request answered.
 */
static bool
take_owner(struct request *rq, struct store_upload *up,
    char session[SID_MAX + 1], char case_id[CONTEXT_CASE_MAX + 1])
{
	enum store_result r;

	if (is_support(rq))
		return true;
	r = bearer_mac(rq, up->owner) ? store_upload_session(rq->api->store,
	    up->owner, session, case_id, CONTEXT_CASE_MAX + 1) : STORE_REFUSED;
	if (r == STORE_OK) {
		up->has_owner = true;
		up->session = session;
		if (up->case_id == NULL && case_id[0] != '\0')
			up->case_id = case_id;
	} else if (r == STORE_REFUSED)
		ask_for_secret(rq);
	else
		api_fail_store(rq, r);
	return r == STORE_OK;
}

void
api_upload_add(struct request *rq)
{
	char session[SID_MAX + 1], case_id[CONTEXT_CASE_MAX + 1];
	struct json_body body;
	const struct json_value *v = body.value;

	if (!request_take_body(rq, &body, fields, FIELDS))
		return;

	struct store_upload up = {
		.case_id = v[CASE].text,
		.name = v[NAME].text,
		.size = v[SIZE].number,
		.sha256 = v[SHA256].text,
	};

	if (take_owner(rq, &up, session, case_id)) {
		if ((uint64_t)up.size > rq->api->conf.upload_max)
			request_fail(rq, 413, "size: at most %" PRIu64
			    " octets are taken", rq->api->conf.upload_max);
		else
			add(rq, &up);
	}
	json_clear(&body);
}

void
api_upload_get(struct request *rq)
{
	struct upload_slot sl;

	if (upload_find(rq, &sl))
		send_record(rq, 200, sl.id);
}

/* ---- octets ---- */

/* Answer for a job that could not begin. */
static void
fail_start(struct request *rq, enum upload_start why)
{
	if (why == UPLOAD_STARTED)
		return;
	rq->retry_after = 5;
	if (why == UPLOAD_BUSY)
		request_fail(rq, 409, "another request is at this upload");
	else
		request_fail(rq, 503, why == UPLOAD_MANY ?
		    "there are too many uploads at a time" :
		    "the relay cannot take it now");
}

/* And for one that failed. */
static void
fail_job(struct request *rq, enum intake_result result)
{
	switch (result) {
	case INTAKE_OK:
		break;
	case INTAKE_FULL:
		request_fail(rq, 507, "the relay's disk is full; what came "
		    "is kept, go on later");
		break;
	case INTAKE_MISMATCH:
		request_fail(rq, 422, "sha256: what came has another; it was "
		    "thrown away, send it again from the beginning");
		break;
	case INTAKE_ERROR:
		rq->retry_after = 5;
		request_fail(rq, 503, "the relay could not store it");
		break;
	}
}

static void
put_done(struct request *rq, enum intake_result result,
    const unsigned char digest[INTAKE_DIGEST])
{
	(void)digest;
	if (result == INTAKE_OK)
		send_record(rq, 200, rq->upload);
	else
		fail_job(rq, result);
}

/* Which octets come, by Content-Range and Content-Length. */
static bool
take_range(struct request *rq, const struct upload_slot *sl, uint64_t *first)
{
	uint64_t last = (uint64_t)sl->size - 1, size = (uint64_t)sl->size;

	*first = 0;
	if (rq->content_range != NULL && range_parse_content(rq->content_range,
	    first, &last, &size) == -1)
		request_fail(rq, 400, "the Content-Range is not well-formed");
	else if (size != (uint64_t)sl->size ||
	    rq->length != last - *first + 1)
		request_fail(rq, 422, "the upload is of %" PRId64 " octets; "
		    "Content-Length and Content-Range do not fit that",
		    sl->size);
	return !rq->answered;
}

void
api_upload_put(struct request *rq)
{
	struct upload_slot sl;
	uint64_t first, here;

	if (!find_open(rq, &sl) || !take_range(rq, &sl, &first))
		return;
	here = upload_offset(rq->api->uploads, sl.id);
	if (first != here)
		request_fail(rq, 409, "the upload goes on at octet %" PRIu64,
		    here);
	else
		fail_start(rq, upload_receive(rq->api->uploads, rq, sl.id,
		    first, put_done));
}

static void
finish_done(struct request *rq, enum intake_result result,
    const unsigned char digest[INTAKE_DIGEST])
{
	char hex[STORE_HEX_LEN + 1];
	enum store_result r;

	if (result != INTAKE_OK) {
		fail_job(rq, result);
		return;
	}
	sha256_hex(digest, INTAKE_DIGEST, hex);
	r = store_upload_complete(rq->api->store, rq->upload, hex, api_now());
	if (r == STORE_OK) {
		log_info("upload %s: complete", rq->upload);
		send_record(rq, 200, rq->upload);
	} else
		upload_fail(rq, r);
}

/* 64 hex digits as octets; they are known to be such. */
static void
unhex(const char *s, unsigned char out[INTAKE_DIGEST])
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < INTAKE_DIGEST; i++)
		out[i] = (unsigned char)((strchr(digits, s[2 * i]) - digits)
		    << 4 | (strchr(digits, s[2 * i + 1]) - digits));
}

/* WANT is the digest to check, or NULL. */
static void
complete(struct request *rq, const char *want)
{
	unsigned char digest[INTAKE_DIGEST];
	struct upload_slot sl;
	uint64_t here;

	if (!upload_find(rq, &sl))
		return;
	if (want != NULL && sl.sha256[0] != '\0' &&
	    strcmp(want, sl.sha256) != 0) {
		request_fail(rq, 422, "sha256: it was announced with another");
		return;
	}
	if (sl.complete) {	/* the answer was lost */
		send_record(rq, 200, sl.id);
		return;
	}
	if (!find_open(rq, &sl))
		return;
	here = upload_offset(rq->api->uploads, sl.id);
	if (here != (uint64_t)sl.size) {
		request_fail(rq, 409, "the upload is not whole: it goes on at "
		    "octet %" PRIu64, here);
		return;
	}
	if (want == NULL && sl.sha256[0] != '\0')
		want = sl.sha256;
	if (want != NULL)
		unhex(want, digest);
	fail_start(rq, upload_finish(rq->api->uploads, rq, sl.id, here,
	    want != NULL ? digest : NULL, finish_done));
}

void
api_upload_complete(struct request *rq)
{
	static const struct json_field only[] = { FIELD_SHA256 };
	struct json_body body;

	if (!request_take_body(rq, &body, only, 1))
		return;
	complete(rq, body.value[0].text);
	json_clear(&body);
}
