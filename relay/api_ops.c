/*
 * api_ops.c - what the relay says of itself, and what the handlers share.
 */
#include "api.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "context.h"
#include "files.h"
#include "grantdir.h"
#include "json.h"
#include "log.h"

#define KEY_FILE_MAX	65536	/* octets */

int64_t
api_now(void)
{
	return (int64_t)time(NULL);
}

int64_t
api_mono(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
api_seconds(uint32_t ms)
{
	return ((int64_t)ms + 999) / 1000;
}

void
api_fail_store(struct request *rq, enum store_result r)
{
	switch (r) {
	case STORE_NONE:
		request_fail(rq, 404, "there is no such session");
		break;
	case STORE_GONE:
		request_fail(rq, 410, "the session is closed");
		break;
	case STORE_REFUSED:
		request_unauthorized(rq);
		break;
	case STORE_EXHAUSTED:
		rq->retry_after = 60;
		request_fail(rq, 503, "the relay has no free ports; close "
		    "sessions that are over");
		break;
	case STORE_FULL:
		request_fail(rq, 507, "the relay's disk is full");
		break;
	case STORE_OK:
	case STORE_AGAIN:
	case STORE_CONFLICT:
	case STORE_ERROR:
		rq->retry_after = 5;
		request_fail(rq, 503, "the relay cannot do that now");
		break;
	}
}

enum store_result
api_end_session(struct api *api, const char *id, enum grant_reason reason)
{
	int64_t now = api_now();
	struct grant g;
	enum store_result r;

	r = store_end(api->store, id, reason, now,
	    now + api_seconds(api->conf.grant_linger_ms), &g);
	if (r != STORE_OK || g.sid[0] == '\0')
		return r;
	log_info("%s: closed: %s", id, grant_reason_name(reason));
	if (grant_write(api->grants, &g) == -1)
		log_warn("%s: cannot write its grant file", id);
	return r;
}

/* Close the sessions of which nothing was heard for the grace time. */
static void
close_silent(struct api *api)
{
	char ids[64][SID_MAX + 1];
	size_t i, n;

	do {
		n = store_silent(api->store, api_mono() - api->conf.grace_ms,
		    ids, sizeof ids / sizeof ids[0]);
		for (i = 0; i < n; i++)
			if (api_end_session(api, ids[i], GRANT_REASON_LOST) !=
			    STORE_OK)
				return;	/* logged; the next sweep tries again */
	} while (n == sizeof ids / sizeof ids[0]);
}

/* How long a failed attempt counts, in seconds. */
static int64_t
failures_kept(const struct api *api)
{
	uint32_t source = api->conf.fail_window_ms,
	    token = api->conf.token_fail_window_ms;

	return api_seconds(source > token ? source : token);
}

void
api_sweep(struct api *api)
{
	int64_t now = api_now();

	(void)store_expire_pending(api->store, now);
	(void)store_token_expire(api->store, now,
	    api_seconds(api->conf.sign_repeat_ms));
	(void)store_failure_expire(api->store, now - failures_kept(api), now);
	api_upload_sweep(api);
	close_silent(api);
	grantdir_sweep(api->grants, api->store, now);
}

void
api_healthz(struct request *rq)
{
	cJSON *o;

	if (!store_healthy(rq->api->store)) {
		request_fail(rq, 503, "the database does not answer");
		return;
	}
	o = cJSON_CreateObject();
	(void)cJSON_AddStringToObject(o, "status", "ok");
	request_json(rq, 200, o);
}

/* The first key of the file PATH as `type base64`; NULL if it has none. */
static char *
first_key(const char *path)
{
	char *text, *p;

	text = file_read(AT_FDCWD, path, KEY_FILE_MAX, NULL);
	if (text == NULL) {
		log_warn("cannot read %s", path);
		return NULL;
	}
	p = strchr(text, ' ');
	if (p == NULL || !json_is_plain(text, (size_t)(p - text))) {
		free(text);
		return NULL;
	}
	p[1 + strcspn(p + 1, " \r\n")] = '\0';
	return text;
}

void
api_info(struct request *rq)
{
	const struct relayconf *conf = &rq->api->conf;
	char host[256], *key = first_key(conf->host_key_pub);
	cJSON *o = cJSON_CreateObject();

	if (gethostname(host, sizeof host) == -1)
		host[0] = '\0';
	host[sizeof host - 1] = '\0';
	(void)cJSON_AddStringToObject(o, "name",
	    conf->relay_name[0] != '\0' ? conf->relay_name : host);
	(void)cJSON_AddStringToObject(o, "version", TUNL_VERSION);
	(void)cJSON_AddNumberToObject(o, "api", 1);
	(void)cJSON_AddItemToObject(o, "ssh_host_key",
	    key != NULL ? cJSON_CreateString(key) : cJSON_CreateNull());
	free(key);
	request_json(rq, 200, o);
}

/* Send a file of public keys as it is. */
static void
send_keys(struct request *rq, const char *path)
{
	size_t len;
	char *text;

	text = file_read(AT_FDCWD, path, KEY_FILE_MAX, &len);
	if (text == NULL) {
		log_warn("cannot read %s", path);
		request_fail(rq, 503, "the relay has no such key");
		return;
	}
	request_text(rq, text, len);
}

void
api_ca_pub(struct request *rq)
{
	send_keys(rq, rq->api->conf.ca_pub);
}

void
api_host_ca_pub(struct request *rq)
{
	send_keys(rq, rq->api->conf.host_ca_pub);
}

void
api_support_keys(struct request *rq)
{
	send_keys(rq, rq->api->conf.support_keys);
}

/* Whether there is such a case, nobody here knows; what looks like one, is. */
void
api_case(struct request *rq)
{
	cJSON *o;

	if (!context_is_case(rq->name, strlen(rq->name))) {
		request_fail(rq, 422, "id: expected 3 to 64 letters, digits, "
		    "- and _");
		return;
	}
	o = cJSON_CreateObject();
	(void)cJSON_AddStringToObject(o, "id", rq->name);
	(void)cJSON_AddBoolToObject(o, "valid", true);
	request_json(rq, 200, o);
}
