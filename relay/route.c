/*
 * route.c - see route.h.
 */
#include "route.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "upload.h"

#define V1	"/api/v1/"

const struct route routes[] = {
	{ "GET", "/healthz", ROUTE_SUPPORT, 0, "", api_healthz },
	{ "GET", "/metrics", ROUTE_SUPPORT, 0, "", api_metrics },
	{ "GET", V1 "info", ROUTE_PUBLIC, 0, "", api_info },
	{ "GET", V1 "ca.pub", ROUTE_PUBLIC, 0, "", api_ca_pub },
	{ "GET", V1 "host-ca.pub", ROUTE_PUBLIC, 0, "", api_host_ca_pub },
	{ "GET", V1 "support-keys", ROUTE_SUPPORT, 0, "", api_support_keys },
	{ "GET", V1 "cases/<name>", ROUTE_SUPPORT, 0, "", api_case },
	{ "POST", V1 "sign", ROUTE_PUBLIC, ROUTE_BODY, "", api_sign },
	{ "POST", V1 "enroll/check", ROUTE_INTERNAL, ROUTE_BODY, "",
	    api_enroll_check },
	{ "POST", V1 "enroll/sign", ROUTE_ENROLL, ROUTE_BODY, "",
	    api_enroll_sign },
	{ "POST", V1 "pending", ROUTE_SUPPORT, ROUTE_BODY, "",
	    api_pending_add },
	{ "GET", V1 "pending", ROUTE_SUPPORT, 0, "limit cursor",
	    api_pending_list },
	{ "GET", V1 "pending/<id>", ROUTE_SUPPORT, 0, "", api_pending_get },
	{ "DELETE", V1 "pending/<id>", ROUTE_SUPPORT, 0, "",
	    api_pending_cancel },
	{ "POST", V1 "expected", ROUTE_SUPPORT, ROUTE_BODY, "",
	    api_token_add },
	{ "GET", V1 "expected/<token>", ROUTE_SUPPORT, 0, "", api_token_get },
	{ "DELETE", V1 "expected/<token>", ROUTE_SUPPORT, 0, "",
	    api_token_revoke },
	{ "POST", V1 "sessions", ROUTE_INTERNAL, ROUTE_BODY, "",
	    api_session_register },
	{ "GET", V1 "sessions", ROUTE_SUPPORT, 0,
	    "status customer case since limit cursor", api_session_list },
	{ "GET", V1 "sessions/<id>", ROUTE_SUPPORT, 0, "", api_session_get },
	{ "PATCH", V1 "sessions/<id>", ROUTE_SUPPORT, ROUTE_BODY, "",
	    api_session_patch },
	{ "DELETE", V1 "sessions/<id>", ROUTE_SUPPORT, 0, "reason",
	    api_session_end },
	{ "POST", V1 "sessions/<id>/heartbeat", ROUTE_INTERNAL, 0, "",
	    api_session_heartbeat },
	{ "GET", V1 "sessions/<id>/cast", ROUTE_SUPPORT, 0, "",
	    api_session_cast },
	{ "POST", V1 "uploads", ROUTE_PUBLIC, ROUTE_BODY, "",
	    api_upload_add },
	{ "GET", V1 "uploads", ROUTE_SUPPORT, 0,
	    "status case session since limit cursor", api_upload_list },
	{ "GET", V1 "uploads/<upload>", ROUTE_PUBLIC, 0, "", api_upload_get },
	{ "DELETE", V1 "uploads/<upload>", ROUTE_SUPPORT, 0, "",
	    api_upload_delete },
	{ "PUT", V1 "uploads/<upload>/data", ROUTE_PUBLIC, ROUTE_DATA, "",
	    api_upload_put },
	{ "GET", V1 "uploads/<upload>/data", ROUTE_SUPPORT, 0, "",
	    api_upload_data },
	{ "POST", V1 "uploads/<upload>/complete", ROUTE_PUBLIC, ROUTE_BODY, "",
	    api_upload_complete },
};

const size_t nroutes = sizeof routes / sizeof routes[0];

/* One name of a path; what it has to be, its handler says. */
static bool
is_name(const char *s, size_t len)
{
	return memchr(s, '/', len) == NULL;
}

/* What may stand for a part of a path, and where it goes. */
static const struct {
	const char	*mark;
	bool		(*check)(const char *s, size_t len);
	size_t		 at, max;	/* in struct request; octets */
} parts[] = {
	{ "<id>", sid_is_valid, offsetof(struct request, sid), SID_MAX },
	{ "<token>", token_is_valid, offsetof(struct request, token),
	    TOKEN_LEN },
	{ "<upload>", upload_is_id, offsetof(struct request, upload),
	    UPLOAD_ID_LEN },
	{ "<name>", is_name, offsetof(struct request, name),
	    REQUEST_NAME_MAX },
};

/* Does PATH (LEN octets) match PATTERN?  RQ takes the part that varies. */
static bool
matches(struct request *rq, const char *pattern, const char *path, size_t len)
{
	size_t before = strcspn(pattern, "<"), after, n, i;
	char *out;

	if (pattern[before] == '\0')
		return before == len && memcmp(pattern, path, len) == 0;
	for (i = 0; strncmp(pattern + before, parts[i].mark,
	    strlen(parts[i].mark)) != 0; i++)
		;
	after = strlen(pattern) - before - strlen(parts[i].mark);
	if (len <= before + after || memcmp(pattern, path, before) != 0 ||
	    memcmp(pattern + strlen(pattern) - after, path + len - after,
	    after) != 0)
		return false;
	n = len - before - after;
	if (n > parts[i].max || !parts[i].check(path + before, n))
		return false;
	out = (char *)rq + parts[i].at;
	memcpy(out, path + before, n);
	out[n] = '\0';
	return true;
}

/* Answer 405, naming what the path does take. */
static void
refuse_method(struct request *rq, const char *path, size_t len)
{
	size_t i, o = 0;

	for (i = 0; i < nroutes; i++)
		if ((routes[i].class & rq->classes) != 0 &&
		    matches(rq, routes[i].path, path, len))
			o += (size_t)snprintf(rq->allow + o,
			    sizeof rq->allow - o, "%s%s", o > 0 ? ", " : "",
			    strcmp(routes[i].method, "GET") == 0 ?
			    "GET, HEAD" : routes[i].method);
	request_fail(rq, 405, "this path takes %s", rq->allow);
}

bool
route_find(struct request *rq, const char *method, const char *target)
{
	size_t i, len = strcspn(target, "?");
	bool found = false;

	if (strcmp(method, "HEAD") == 0)
		method = "GET";
	for (i = 0; i < nroutes; i++) {
		if ((routes[i].class & rq->classes) == 0 ||
		    !matches(rq, routes[i].path, target, len))
			continue;
		found = true;
		if (strcmp(routes[i].method, method) != 0)
			continue;
		rq->route = &routes[i];
		return target[len] == '\0' || request_take_query(rq,
		    target + len + 1, routes[i].query);
	}
	if (found)
		refuse_method(rq, target, len);
	else
		request_fail(rq, 404, "there is no such endpoint");
	return false;
}
