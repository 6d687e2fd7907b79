/*
 * api_session.c - sessions that have, or had, a customer.
 */
#include "api.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "context.h"
#include "json.h"
#include "log.h"
#include "record.h"
#include "route.h"

#define SERIAL_MAX	((int64_t)1 << 53)	/* what JSON carries exactly */

/* ---- register, heartbeat: the broker's ---- */

enum {
	R_ID, R_MODE, R_HOST, R_IPS, R_NETS, R_DNS, R_USER, R_CASE, R_REMOTE,
	R_SERIAL, R_FIELDS
};

static const struct json_field register_fields[R_FIELDS] = {
	[R_ID] = RECORD_FIELD_ID(JSON_REQUIRED),
	[R_MODE] = { "mode", JSON_TEXT, JSON_REQUIRED, 1, 16, record_is_mode,
	    "share, no-tunnel, restricted or tunnel" },
	[R_HOST] = { "host", JSON_TEXT, JSON_NULLABLE, 1, CONTEXT_HOST_MAX,
	    context_is_host, "a host name" },
	[R_IPS] = { "ips", JSON_TEXTS, JSON_NULLABLE, 1, CONTEXT_ITEM_MAX,
	    record_is_address, "an IP address" },
	[R_NETS] = { "nets", JSON_TEXTS, JSON_NULLABLE, 1, CONTEXT_ITEM_MAX,
	    record_is_net, "an address/prefix" },
	[R_DNS] = { "dns", JSON_TEXTS, JSON_NULLABLE, 1, CONTEXT_ITEM_MAX,
	    record_is_address, "an IP address" },
	[R_USER] = { "user", JSON_TEXT, JSON_NULLABLE, 1, CONTEXT_USER_MAX,
	    context_is_user, "a user's name" },
	[R_CASE] = RECORD_FIELD_CASE(JSON_NULLABLE),
	[R_REMOTE] = { "remote_ip", JSON_TEXT, JSON_NULLABLE, 1, 64,
	    record_is_remote, "an IP address" },
	[R_SERIAL] = { "serial", JSON_NUMBER, JSON_REQUIRED, 1, SERIAL_MAX,
	    NULL, NULL },
};

/* A checked list as JSON text; NULL stays NULL.  *GOOD tells about memory. */
static char *
list_text(const cJSON *list, bool *good)
{
	char *text = list != NULL ? cJSON_PrintUnformatted(list) : NULL;

	if (list != NULL && text == NULL)
		*good = false;
	return text;
}

static void
registered(struct request *rq, const char *id, enum store_result r)
{
	if (r == STORE_OK)
		log_info("%s: active", id);
	if (r == STORE_OK || r == STORE_AGAIN)
		record_answer(rq, r == STORE_OK ? 201 : 200, id,
		    record_session);
	else if (r == STORE_CONFLICT)
		request_fail(rq, 409, "serial: this certificate is not the "
		    "session's");
	else
		api_fail_store(rq, r);
}

void
api_session_register(struct request *rq)
{
	struct json_body body;
	const struct json_value *v = body.value;
	bool good = true;

	if (!request_take_body(rq, &body, register_fields, R_FIELDS))
		return;

	char *ips = list_text(v[R_IPS].list, &good);
	char *nets = list_text(v[R_NETS].list, &good);
	char *dns = list_text(v[R_DNS].list, &good);
	struct store_register reg = {
		.id = v[R_ID].text,
		.serial = v[R_SERIAL].number,
		.mode = v[R_MODE].text,
		.host = v[R_HOST].text,
		.user = v[R_USER].text,
		.remote_ip = v[R_REMOTE].text,
		.ips = ips,
		.nets = nets,
		.dns = dns,
		.case_id = v[R_CASE].text,
	};

	registered(rq, reg.id, good ? store_register(rq->api->store, &reg,
	    api_now(), api_mono()) : STORE_ERROR);
	cJSON_free(ips);
	cJSON_free(nets);
	cJSON_free(dns);
	json_clear(&body);
}

void
api_session_heartbeat(struct request *rq)
{
	enum store_result r;

	r = store_heartbeat(rq->api->store, rq->sid, api_mono());
	if (r == STORE_OK)
		request_nothing(rq);
	else
		api_fail_store(rq, r);
}

/* ---- list, get, patch, end ---- */

/* Is the query parameter NAME, if it is there, of the form? */
static bool
query_fits(struct request *rq, const char *name, json_check *check,
    const char *want)
{
	const char *s = request_query(rq, name);

	if (s == NULL || (s[0] != '\0' && check(s, strlen(s))))
		return true;
	request_fail(rq, 422, "%s: expected %s", name, want);
	return false;
}

static bool
is_status(const char *s, size_t len)
{
	(void)len;
	return strcmp(s, "pending") == 0 || strcmp(s, "active") == 0 ||
	    strcmp(s, "closed") == 0 || strcmp(s, "archived") == 0;
}

void
api_session_list(struct request *rq)
{
	struct store_filter f = {
		.status = request_query(rq, "status"),
		.customer = request_query(rq, "customer"),
		.case_id = request_query(rq, "case"),
	};
	cJSON *o;

	if (!query_fits(rq, "status", is_status,
	    "pending, active, closed or archived") ||
	    !query_fits(rq, "case", context_is_case,
	    "3 to 64 letters, digits, - and _") ||
	    !query_fits(rq, "customer", json_is_plain, "a customer"))
		return;
	if (f.status == NULL)
		f.status = "active";
	o = record_list(rq, "sessions", &f, record_session);
	if (o == NULL)
		return;
	(void)cJSON_AddItemToObject(o, "warnings", api_warnings(rq->api));
	request_json(rq, 200, o);
}

void
api_session_get(struct request *rq)
{
	record_answer(rq, 200, rq->sid, record_session);
}

/* Open DIR/ID.cast for reading; its size to *SIZE.  Or -1. */
static int
cast_open(const char *dir, const char *id, uint64_t *size)
{
	char path[PATH_MAX];
	struct stat st;
	int fd;

	if (snprintf(path, sizeof path, "%s/%s.cast", dir, id) >=
	    (int)sizeof path)
		return -1;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -1;
	}
	*size = (uint64_t)st.st_size;
	return fd;
}

void
api_session_cast(struct request *rq)
{
	struct cJSON *record;
	enum store_result r;
	uint64_t size;
	int fd;

	r = record_get(rq->api, rq->sid, record_session, &record);
	cJSON_Delete(record);
	if (r != STORE_OK) {
		api_fail_store(rq, r);
		return;
	}
	fd = cast_open(rq->api->conf.log_dir, rq->sid, &size);
	if (fd == -1)
		request_fail(rq, 404, "there is no recording of this session");
	else
		request_file(rq, fd, size, "application/x-asciicast");
}

enum { P_MODE, P_PORT, P_CASE, P_CUSTOMER, P_FIELDS };

static const struct json_field patch_fields[P_FIELDS] = {
	[P_MODE] = { "mode", JSON_TEXT, 0, 1, 16, record_is_mode,
	    "share, no-tunnel, restricted or tunnel" },
	[P_PORT] = { "tunnel_port", JSON_NUMBER, JSON_NULLABLE, 1, 65535,
	    NULL, NULL },
	[P_CASE] = RECORD_FIELD_CASE(JSON_NULLABLE),
	[P_CUSTOMER] = RECORD_FIELD_CUSTOMER(JSON_NULLABLE),
};

static void
patch(struct request *rq, const struct json_value *v)
{
	struct store_patch p = {
		.set_mode = v[P_MODE].present,
		.set_port = v[P_PORT].present,
		.set_case = v[P_CASE].present,
		.set_customer = v[P_CUSTOMER].present,
		.mode = v[P_MODE].text,
		.case_id = v[P_CASE].text,
		.customer = v[P_CUSTOMER].text,
		.tunnel_port = v[P_PORT].number,
	};
	enum store_result r;

	r = store_patch(rq->api->store, rq->sid, &p);
	if (r == STORE_OK)
		record_answer(rq, 200, rq->sid, record_session);
	else if (r == STORE_CONFLICT)
		request_fail(rq, 409, "%s: the session %s", p.set_port ?
		    "tunnel_port" : "mode", "is not active, or the port is "
		    "none of its own");
	else
		api_fail_store(rq, r);
}

void
api_session_patch(struct request *rq)
{
	struct json_body body;
	const struct json_value *v = body.value;

	if (!request_take_body(rq, &body, patch_fields, P_FIELDS))
		return;
	/* What the session does, its broker says; people say what it is for. */
	if ((rq->classes & ROUTE_INTERNAL) == 0 &&
	    (v[P_MODE].present || v[P_PORT].present))
		request_fail(rq, 422, "%s: only the relay itself changes it",
		    v[P_MODE].present ? "mode" : "tunnel_port");
	else
		patch(rq, v);
	json_clear(&body);
}

void
api_session_end(struct request *rq)
{
	const char *word = request_query(rq, "reason");
	enum grant_reason reason = GRANT_REASON_CANCELLED;
	cJSON *before, *after;
	enum store_result r;

	if (word != NULL && (grant_reason_parse(word, &reason) == -1 ||
	    ((rq->classes & ROUTE_INTERNAL) == 0 &&
	    reason != GRANT_REASON_CANCELLED))) {
		request_fail(rq, 422, "reason: expected %s",
		    (rq->classes & ROUTE_INTERNAL) == 0 ? "cancelled" :
		    "ended, terminated, cancelled or lost");
		return;
	}
	/* One that nobody claimed is gone afterwards: show it as it was. */
	r = record_get(rq->api, rq->sid, record_session, &before);
	if (r == STORE_OK)
		r = api_end_session(rq->api, rq->sid, reason);
	if (r == STORE_OK || r == STORE_AGAIN) {
		r = record_get(rq->api, rq->sid, record_session, &after);
		if (r == STORE_OK || r == STORE_NONE) {
			request_json(rq, 200, r == STORE_OK ? after : before);
			cJSON_Delete(r == STORE_OK ? before : NULL);
			return;
		}
	}
	cJSON_Delete(before);
	api_fail_store(rq, r);
}
