/*
 * cmd_session.c - `tunl create-session` and `tunl cancel`: the registry's side
 * of a session.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "num.h"
#include "say.h"
#include "sessions.h"
#include "text.h"
#include "tunl.h"

#define EXPIRES_MAX	(60 * 24 * 30)	/* minutes */

/* The body of the request; NULL after saying what is wrong. */
static cJSON *
request(const struct args *args)
{
	const char *label = args_value(args, "--case");
	const char *customer = args_value(args, "--customer");
	const char *expires = args_value(args, "--expires-in");
	bool ad_hoc = args_value(args, "--ad-hoc") != NULL;
	uint64_t minutes = 0;
	cJSON *body;

	if (ad_hoc && (label != NULL || customer != NULL)) {
		say_error("--ad-hoc excludes --case and --customer");
		return NULL;
	}
	if (!ad_hoc && label == NULL && customer == NULL) {
		say_error("create-session needs --case, --customer or "
		    "--ad-hoc");
		return NULL;
	}
	if (expires != NULL &&
	    num_parse_str(expires, 1, EXPIRES_MAX, &minutes) == -1) {
		say_error("--expires-in '%s' is not a number of minutes (1 to "
		    "%d)", expires, EXPIRES_MAX);
		return NULL;
	}
	if (args->arg != NULL && !sid_is_valid(args->arg, strlen(args->arg))) {
		say_error("'%s' is no SESSION_ID: four words of 2 to 12 small "
		    "letters, joined by '-'", args->arg);
		return NULL;
	}
	body = cJSON_CreateObject();
	if (args->arg != NULL)
		cJSON_AddStringToObject(body, "id", args->arg);
	if (label != NULL)
		cJSON_AddStringToObject(body, "case", label);
	if (customer != NULL)
		cJSON_AddStringToObject(body, "customer", customer);
	if (ad_hoc)
		cJSON_AddTrueToObject(body, "ad_hoc");
	if (expires != NULL)
		cJSON_AddNumberToObject(body, "expires_in",
		    (double)(minutes * 60));
	return body;
}

/* "2026-11-22 04:21 CET (03:21 UTC)", on another day with its date. */
static void
format_expiry(time_t when, char *buf, size_t cap)
{
	struct tm local, utc;
	char there[32];
	size_t n;

	buf[0] = '\0';
	if (localtime_r(&when, &local) == NULL ||
	    gmtime_r(&when, &utc) == NULL)
		return;
	n = strftime(buf, cap, "%Y-%m-%d %H:%M %Z", &local);
	if (n == 0 || local.tm_gmtoff == 0)
		return;
	if (strftime(there, sizeof there, local.tm_mday == utc.tm_mday ?
	    "%H:%M" : "%Y-%m-%d %H:%M", &utc) > 0)
		(void)snprintf(buf + n, cap - n, " (%s UTC)", there);
}

/* What to tell the customer, ready to paste. */
static void
print_invitation(const struct tunl *t, const char *sid, time_t expires)
{
	char until[96];

	printf("Session %s is open.  Please run this on the machine in "
	    "question:\n\n    sudo linbit-tunl %s\n\n", sid, sid);
	printf("It connects to %s and to nothing else.", t->set.relay);
	format_expiry(expires, until, sizeof until);
	if (expires > 0 && until[0] != '\0')
		printf("  Valid until %s.", until);
	putchar('\n');
}

/* POST it.  The record, or NULL after saying why not. */
static cJSON *
create(struct tunl *t, const cJSON *body)
{
	struct http_reply reply;
	cJSON *record = NULL;
	const char *id;
	int status;

	status = relay_call(&t->relay, "POST", "/api/v1/pending", body, &reply);
	if (status == -1) {
		say_error("%s", t->relay.err);
		return NULL;
	}
	if (status == 201) {
		record = cJSON_ParseWithLength(reply.body, reply.body_len);
		id = record_text(record, "id");
		if (id == NULL || !sid_is_valid(id, strlen(id))) {
			say_error("the relay's answer has no SESSION_ID");
			cJSON_Delete(record);
			record = NULL;
		}
	} else {
		relay_refused(&t->relay, "cannot create the session", &reply);
		say_error("%s", t->relay.err);
	}
	http_reply_clear(&reply);
	return record;
}

int
cmd_create_session(struct tunl *t, const struct args *args)
{
	const struct join_how how = { false, false };
	cJSON *body = request(args), *record;
	char sid[SID_MAX + 1];

	if (body == NULL)
		return 1;
	if (args_value(args, "--join") != NULL && join_ready() == -1) {
		cJSON_Delete(body);
		return 1;
	}
	record = create(t, body);
	cJSON_Delete(body);
	if (record == NULL)
		return 1;
	(void)snprintf(sid, sizeof sid, "%s", record_text(record, "id"));
	if (args_value(args, "--json") != NULL)
		json_print(record);
	else
		print_invitation(t, sid,
		    (time_t)record_number(record, "expires_at", 0));
	cJSON_Delete(record);
	if (args_value(args, "--join") == NULL)
		return 0;
	(void)fflush(stdout);
	return join_session(t, sid, true, &how);
}

int
cmd_cancel(struct tunl *t, const struct args *args)
{
	char target[64 + SID_MAX], what[64 + SID_MAX];
	struct http_reply reply;
	struct session s;
	int status;

	if (session_find(&t->relay, args->arg, SESSION_ANY, &s) == -1)
		return 1;
	session_clear(&s);
	(void)snprintf(target, sizeof target, "/api/v1/%s/%s",
	    s.pending ? "pending" : "sessions", s.sid);
	status = relay_call(&t->relay, "DELETE", target, NULL, &reply);
	if (status == -1)
		return say_error("%s", t->relay.err);
	if (status != 200 && status != 204) {
		(void)snprintf(what, sizeof what, "cannot cancel session '%s'",
		    s.sid);
		relay_refused(&t->relay, what, &reply);
		http_reply_clear(&reply);
		return say_error("%s", t->relay.err);
	}
	http_reply_clear(&reply);
	if (s.pending)
		say_notice("session %s is cancelled: its SESSION_ID is void",
		    s.sid);
	else
		say_notice("session %s is out of the registry; the customer's "
		    "connection goes on (`tunl close` would have ended it)",
		    s.sid);
	return 0;
}
