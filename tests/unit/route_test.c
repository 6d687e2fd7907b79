/*
 * route_test.c - the class table: who reaches what, and what else is said.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../relay/api.h"
#include "../../relay/route.h"
#include "handlers.h"

#define ALL	(ROUTE_PUBLIC | ROUTE_SUPPORT | ROUTE_INTERNAL | ROUTE_ENROLL)
#define TCP	(ROUTE_PUBLIC | ROUTE_SUPPORT)

/* 0 if it is found, else the status. */
static unsigned int
find(struct request *rq, unsigned int classes, const char *method,
    const char *target)
{
	memset(rq, 0, sizeof *rq);
	rq->classes = classes;
	if (route_find(rq, method, target))
		return 0;
	request_clear(rq);
	return rq->status;
}

/* What may stand for MARK, and where it goes. */
static const char *
sample(const char *mark)
{
	if (strncmp(mark, "<upload>", 8) == 0)
		return "0123456789abcdef0123456789abcdef";
	if (strncmp(mark, "<token>", 7) == 0)
		return "012345";
	return strncmp(mark, "<name>", 6) == 0 ? "CASE-1" : "aa-bb-cc-dd";
}

static const char *
part(const struct request *rq, const char *mark)
{
	if (strncmp(mark, "<upload>", 8) == 0)
		return rq->upload;
	if (strncmp(mark, "<token>", 7) == 0)
		return rq->token;
	return strncmp(mark, "<name>", 6) == 0 ? rq->name : rq->sid;
}

static void
test_every_route_by_class(void **state)
{
	static const unsigned int classes[] = { ROUTE_PUBLIC, ROUTE_SUPPORT,
	    ROUTE_INTERNAL, ROUTE_ENROLL, TCP, ALL };
	struct request rq;
	char path[128];
	const char *mark;
	size_t i, j;

	(void)state;
	for (i = 0; i < nroutes; i++) {
		(void)snprintf(path, sizeof path, "%s", routes[i].path);
		mark = strchr(routes[i].path, '<');
		if (mark != NULL)
			(void)snprintf(path, sizeof path, "%.*s%s%s",
			    (int)(mark - routes[i].path), routes[i].path,
			    sample(mark), strchr(mark, '>') + 1);
		for (j = 0; j < sizeof classes / sizeof classes[0]; j++) {
			unsigned int status = find(&rq, classes[j],
			    routes[i].method, path);

			if ((classes[j] & routes[i].class) == 0) {
				assert_true(status == 404 || status == 405);
				continue;
			}
			assert_int_equal(status, 0);
			assert_ptr_equal(rq.route, &routes[i]);
			if (mark != NULL)
				assert_string_equal(part(&rq, mark),
				    sample(mark));
		}
	}
}

static void
test_allow(void **state)
{
	struct request rq;

	(void)state;
	assert_int_equal(find(&rq, TCP, "HEAD", "/api/v1/info"), 0);
	assert_int_equal(find(&rq, TCP, "get", "/api/v1/info"), 405);
	assert_string_equal(rq.allow, "GET, HEAD");
	assert_int_equal(find(&rq, TCP, "POST", "/api/v1/sessions"), 405);
	assert_string_equal(rq.allow, "GET, HEAD");
	assert_int_equal(find(&rq, ALL, "PUT", "/api/v1/sessions"), 405);
	assert_string_equal(rq.allow, "POST, GET, HEAD");
	assert_int_equal(find(&rq, ALL, "POST",
	    "/api/v1/sessions/aa-bb-cc-dd"), 405);
	assert_string_equal(rq.allow, "GET, HEAD, PATCH, DELETE");
}

static void
test_paths_have_one_spelling(void **state)
{
	static const char *const none[] = {
		"", "/", "//healthz", "/healthz/", "/HEALTHZ", "/healthz%00",
		"/%68ealthz", "/api/v1/../../healthz", "http://x/healthz",
		"/api/v1/sessions/", "/api/v1/sessions/<id>",
		"/api/v1/sessions/aa-bb-cc", "/api/v1/sessions/aa-bb-cc-dd/",
		"/api/v1/sessions//heartbeat", "/api/v1/sessions/heartbeat",
		"/api/v1/sessions/aa-bb-cc-dd/heartbeat/",
		"/api/v1/sessions/aa-bb-cc-dd/x/heartbeat",
		"/api/v1/sessions/Aa-bb-cc-dd", "*", "healthz",
		"/api/v1/uploads/", "/api/v1/uploads/aa-bb-cc-dd",
		"/api/v1/uploads/0123456789abcdef0123456789abcde",
		"/api/v1/uploads/0123456789abcdef0123456789abcdeF",
		"/api/v1/uploads/0123456789abcdef0123456789abcdef/",
		"/api/v1/uploads//data", "/api/v1/cases/", "/api/v1/cases/a/b",
	};
	struct request rq;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof none / sizeof none[0]; i++)
		if (find(&rq, ALL, "GET", none[i]) != 404)
			fail_msg("found: %s", none[i]);
}

static void
test_query(void **state)
{
	static const char *const bad[] = { "?", "?x=1", "?limit", "?=1",
	    "?limit=1&", "?&limit=1", "?limit=1&limit=2", "?limit=%",
	    "?limit=%1", "?limit=%g1", "?limit=%00", "?limit=a%0ab",
	    "?customer=%ff", "?customer=%c2%9b", "?LIMIT=1", "??limit=1" };
	struct request rq;
	char target[600];
	size_t i;

	(void)state;
	assert_int_equal(find(&rq, TCP, "GET", "/api/v1/sessions?limit=5&"
	    "customer=M%c3%bcller%20+%26%3d&case="), 0);
	assert_string_equal(request_query(&rq, "limit"), "5");
	assert_string_equal(request_query(&rq, "customer"), "M\xc3\xbcller +&=");
	assert_string_equal(request_query(&rq, "case"), "");
	assert_null(request_query(&rq, "status"));
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		(void)snprintf(target, sizeof target, "/api/v1/sessions%s",
		    bad[i]);
		if (find(&rq, TCP, "GET", target) != 400)
			fail_msg("taken: %s", target);
	}
	(void)snprintf(target, sizeof target, "/api/v1/sessions?case=%0*d",
	    REQUEST_VALUE_MAX, 1);
	assert_int_equal(find(&rq, TCP, "GET", target), 0);
	(void)snprintf(target, sizeof target, "/api/v1/sessions?case=%0*d",
	    REQUEST_VALUE_MAX + 1, 1);
	assert_int_equal(find(&rq, TCP, "GET", target), 400);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_route_by_class),
		cmocka_unit_test(test_allow),
		cmocka_unit_test(test_paths_have_one_spelling),
		cmocka_unit_test(test_query),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
