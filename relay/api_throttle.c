/*
 * api_throttle.c - wrong session IDs and tokens are counted, and end.
 *
 * Each address has its own count of either; tokens alone, which can be guessed
 * at from anywhere, have one for everybody besides.  A resume secret cannot be
 * guessed and is never counted; nor is one customer's session ID ever locked
 * by what somebody at another address does.
 */
#include "api.h"

#include <inttypes.h>
#include <stdio.h>

#include <cjson/cJSON.h>

#include "log.h"
#include "throttle.h"

#define SOURCES_MAX	8	/* addresses named in the warnings */

static struct throttle_rule
source_rule(const struct api *api)
{
	return (struct throttle_rule){ api->conf.fail_limit,
	    api_seconds(api->conf.fail_window_ms) };
}

static struct throttle_rule
token_rule(const struct api *api)
{
	return (struct throttle_rule){ api->conf.token_fail_limit,
	    api_seconds(api->conf.token_fail_window_ms) };
}

/* Seconds that SOURCE (NULL: everybody) has to wait; -1: the store failed. */
static int64_t
wait_of(struct api *api, const struct throttle_rule *rule,
    enum store_kind kind, const char *source)
{
	int64_t at;

	switch (store_failure_get(api->store, kind, source, rule->limit, &at)) {
	case STORE_OK:
		return throttle_wait(rule, at, api_now());
	case STORE_NONE:
		return 0;
	default:
		return -1;
	}
}

bool
api_may_try(struct request *rq, enum store_kind kind)
{
	const struct throttle_rule source = source_rule(rq->api),
	    token = token_rule(rq->api);
	int64_t own = 0, all = 0;

	if (rq->source[0] != '\0')
		own = wait_of(rq->api, &source, kind, rq->source);
	if (kind == STORE_BY_TOKEN)
		all = wait_of(rq->api, &token, kind, NULL);
	if (own == 0 && all == 0)
		return true;
	if (own == -1 || all == -1) {
		api_fail_store(rq, STORE_ERROR);
		return false;
	}
	rq->retry_after = (unsigned int)(own > all ? own : all);
	if (all > 0)
		request_fail(rq, 429, "tokens are not taken for another %u "
		    "minutes, as there were many wrong ones; ask support for a "
		    "session ID instead", (rq->retry_after + 59) / 60);
	else
		request_fail(rq, 429, "there were too many wrong attempts from "
		    "this network; wait %u minutes", (rq->retry_after + 59) /
		    60);
	return false;
}

bool
api_failed_try(struct request *rq, enum store_kind kind, const char *id)
{
	enum store_result r;

	r = store_failure_add(rq->api->store, kind, rq->source, id,
	    api_now());
	if (r != STORE_OK) {
		api_fail_store(rq, r);
		return false;
	}
	log_info("a wrong %s%s%s", kind == STORE_BY_TOKEN ? "token" :
	    "session ID", rq->source[0] != '\0' ? " from " : "", rq->source);
	return true;
}

/* ---- warnings ---- */

static void
add_warning(cJSON *list, const char *code, const char *message, int64_t until)
{
	cJSON *o = cJSON_CreateObject();

	(void)cJSON_AddStringToObject(o, "code", code);
	(void)cJSON_AddStringToObject(o, "message", message);
	(void)cJSON_AddNumberToObject(o, "until", (double)until);
	(void)cJSON_AddItemToArray(list, o);
}

/* The addresses that are locked out, by name. */
struct locked {
	char	names[SOURCES_MAX][THROTTLE_SOURCE_MAX + 1];
	size_t	n;
};

static void
locked_cb(void *arg, const char *source)
{
	struct locked *l = arg;

	(void)snprintf(l->names[l->n++], sizeof l->names[0], "%s", source);
}

static void
warn_of_source(struct api *api, cJSON *list, const char *source)
{
	const struct throttle_rule rule = source_rule(api);
	int64_t id = wait_of(api, &rule, STORE_BY_ID, source),
	    token = wait_of(api, &rule, STORE_BY_TOKEN, source);
	char text[192];

	if (id <= 0 && token <= 0)
		return;
	(void)snprintf(text, sizeof text, "%s%s%s from %s are refused for now: "
	    "too many wrong ones", id > 0 ? "session IDs" : "",
	    id > 0 && token > 0 ? " and " : "", token > 0 ? "tokens" : "",
	    source);
	add_warning(list, "address_locked", text, api_now() +
	    (id > token ? id : token));
}

cJSON *
api_warnings(struct api *api)
{
	const struct throttle_rule token = token_rule(api),
	    source = source_rule(api);
	struct locked l = { .n = 0 };
	cJSON *list = cJSON_CreateArray();
	int64_t all = wait_of(api, &token, STORE_BY_TOKEN, NULL);
	size_t i;

	if (all > 0)
		add_warning(list, "tokens_locked", "somebody tries out tokens: "
		    "all are refused for now; give customers a session ID "
		    "instead", api_now() + all);
	(void)store_failing(api->store, api_now() - source.window,
	    source.limit, SOURCES_MAX, locked_cb, &l);
	for (i = 0; i < l.n; i++)
		warn_of_source(api, list, l.names[i]);
	return list;
}
