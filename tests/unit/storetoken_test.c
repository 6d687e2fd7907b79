/*
 * storetoken_test.c - one-time tokens and failed attempts, as they are kept.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../common/files.h"
#include "../../relay/store.h"
#include "../../relay/store_token.h"

#define NOW	((int64_t)1800000000)
#define ID	"swift-fox-jumps-barrel"
#define OTHER	"aa-bb-cc-dd"
#define REPEAT	60

static char		 dir[64], path[96];
static struct store	*st;

static void
open_store(void)
{
	char err[256];

	st = store_open(path, 0, err, sizeof err);
	if (st == NULL)
		fail_msg("%s", err);
}

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof dir, "/tmp/store-test-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof path, "%s/db", dir);
	open_store();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	store_close(st);
	return dir_remove(AT_FDCWD, dir);
}

static void
pending(const char *id)
{
	struct store_pending p = { .id = id, .customer = "Example",
	    .expires_at = NOW + 600 };

	assert_int_equal(store_pending_add(st, &p, NOW), STORE_OK);
}

/* N stands for the token's MAC. */
static enum store_result
add(unsigned char n, const char *session, int64_t expires_at)
{
	struct store_token t = { .session = session,
	    .case_id = session == NULL ? "CASE-1" : NULL,
	    .expires_at = expires_at };
	unsigned char mac[STORE_KEY_LEN];

	memset(mac, n, sizeof mac);
	return store_token_add(st, mac, &t, NOW, 3);
}

/* KEY stands for the public key, the nonce and the resume secret's MAC. */
static enum store_result
claim_at(unsigned char n, const char *id, unsigned char key, int64_t now,
    struct store_grant *g)
{
	unsigned char mac[STORE_KEY_LEN];
	char fresh[32];
	struct store_claim c = { .id = id, .token = n != 0 ? mac : NULL,
	    .fresh = fresh, .fresh_until = now + 600, .repeat = REPEAT,
	    .expires_at = now + 3600, .port_first = 30000,
	    .port_last = 30007, .ports = 4 };

	(void)snprintf(fresh, sizeof fresh, "fresh-token-of-%c%c",
	    'a' + n, 'a' + key);
	memset(mac, n, sizeof mac);
	memset(c.key, key, sizeof c.key);
	memset(c.nonce, key, sizeof c.nonce);
	memset(c.mac, key, sizeof c.mac);
	return store_claim(st, &c, now, 0, g);
}

static enum store_result
claim(unsigned char n, const char *id, unsigned char key, struct store_grant *g)
{
	return claim_at(n, id, key, NOW, g);
}

static void
copy_token(void *arg, const struct store_token *t)
{
	(void)snprintf(arg, 64, "%s %s %s %d",
	    t->session != NULL ? t->session : "-",
	    t->case_id != NULL ? t->case_id : "-",
	    t->customer != NULL ? t->customer : "-", t->ad_hoc);
}

static enum store_result
get(unsigned char n, int64_t now, char out[64])
{
	unsigned char mac[STORE_KEY_LEN];

	memset(mac, n, sizeof mac);
	return store_token_get(st, mac, now, copy_token, out);
}

static void
copy_case(void *arg, const struct store_row *row)
{
	(void)snprintf(arg, 32, "%s %s", row->status, row->case_id);
}

static void
test_starts_a_session_once(void **state)
{
	struct store_grant g, again;
	char text[64];

	(void)state;
	assert_int_equal(claim(1, NULL, 1, &g), STORE_REFUSED);
	assert_int_equal(add(1, NULL, NOW + 60), STORE_OK);
	assert_int_equal(get(1, NOW, text), STORE_OK);
	assert_string_equal(text, "- CASE-1 - 0");
	assert_int_equal(get(1, NOW + 60, text), STORE_NONE);
	assert_int_equal(claim(2, NULL, 1, &g), STORE_REFUSED);
	assert_int_equal(claim(1, NULL, 1, &g), STORE_OK);
	assert_string_equal(g.grant.sid, "fresh-token-of-bb");
	assert_int_equal(store_get(st, g.grant.sid, NOW, copy_case, text),
	    STORE_OK);
	assert_string_equal(text, "pending CASE-1");
	assert_int_equal(get(1, NOW, text), STORE_NONE);
	assert_int_equal(store_certificate(st, &g, "one"), STORE_OK);
	/* Another key is too late; the same one had its answer lost. */
	assert_int_equal(claim(1, NULL, 2, &again), STORE_REFUSED);
	assert_int_equal(claim_at(1, NULL, 1, NOW + REPEAT, &again),
	    STORE_AGAIN);
	assert_string_equal(again.grant.sid, g.grant.sid);
	assert_string_equal(again.certificate, "one");
	free(again.certificate);
	assert_int_equal(claim(1, g.grant.sid, 1, &again), STORE_AGAIN);
	free(again.certificate);
	assert_int_equal(claim(1, OTHER, 1, &again), STORE_REFUSED);
	assert_int_equal(claim_at(1, NULL, 1, NOW + REPEAT + 1, &again),
	    STORE_REFUSED);
	free(g.certificate);
}

static void
test_expired_and_revoked(void **state)
{
	unsigned char mac[STORE_KEY_LEN];
	struct store_grant g;

	(void)state;
	assert_int_equal(add(1, NULL, NOW + 60), STORE_OK);
	assert_int_equal(claim_at(1, NULL, 1, NOW + 60, &g), STORE_REFUSED);
	assert_int_equal(add(2, NULL, NOW + 60), STORE_OK);
	memset(mac, 2, sizeof mac);
	assert_int_equal(store_token_revoke(st, mac, NOW), STORE_OK);
	assert_int_equal(store_token_revoke(st, mac, NOW), STORE_NONE);
	assert_int_equal(claim(2, NULL, 1, &g), STORE_REFUSED);
}

static void
test_bound(void **state)
{
	struct store_grant g;
	char text[64];

	(void)state;
	pending(ID);
	pending(OTHER);
	assert_int_equal(add(1, "no-such-session-here", NOW + 60), STORE_NONE);
	assert_int_equal(add(1, ID, NOW + 9999), STORE_OK);
	assert_int_equal(get(1, NOW, text), STORE_OK);
	assert_string_equal(text, ID " - Example 0");
	/* It ends with its session. */
	assert_int_equal(get(1, NOW + 600, text), STORE_NONE);
	assert_int_equal(claim(1, NULL, 1, &g), STORE_REFUSED);
	assert_int_equal(claim(1, OTHER, 1, &g), STORE_REFUSED);
	assert_int_equal(claim(0, ID, 1, &g), STORE_REFUSED);
	assert_int_equal(claim(2, ID, 1, &g), STORE_REFUSED);
	assert_int_equal(get(1, NOW, text), STORE_OK);
	assert_int_equal(claim(1, ID, 1, &g), STORE_OK);
	assert_string_equal(g.grant.sid, ID);
	assert_int_equal(claim(1, ID, 1, &g), STORE_AGAIN);
	assert_int_equal(claim(1, ID, 2, &g), STORE_REFUSED);
	assert_int_equal(add(2, ID, NOW + 60), STORE_NONE);
	/* The other session's ID still stands for itself. */
	assert_int_equal(claim(0, OTHER, 3, &g), STORE_OK);
}

static void
test_bound_anew_and_burnt(void **state)
{
	struct store_grant g;
	char text[64];
	int i;

	(void)state;
	pending(ID);
	assert_int_equal(add(1, ID, NOW + 60), STORE_OK);
	assert_int_equal(add(2, ID, NOW + 60), STORE_OK);
	assert_int_equal(get(1, NOW, text), STORE_NONE);
	for (i = 0; i < STORE_TOKEN_WRONG; i++) {
		assert_int_equal(get(2, NOW, text), STORE_OK);
		assert_int_equal(store_failure_add(st, STORE_BY_ID, "", OTHER,
		    NOW), STORE_OK);
		assert_int_equal(store_failure_add(st, STORE_BY_ID, "", ID,
		    NOW), STORE_OK);
	}
	assert_int_equal(get(2, NOW, text), STORE_NONE);
	assert_int_equal(claim(2, ID, 1, &g), STORE_REFUSED);
	/* Burning it does not make the ID alone good again. */
	assert_int_equal(claim(0, ID, 1, &g), STORE_REFUSED);
	assert_int_equal(add(3, ID, NOW + 60), STORE_OK);
	assert_int_equal(claim(3, ID, 1, &g), STORE_OK);
}

/* A token of no session, with the ID of one that needs none. */
static void
test_together(void **state)
{
	struct store_grant g;
	char text[64];

	(void)state;
	pending(ID);
	assert_int_equal(add(1, NULL, NOW + 60), STORE_OK);
	assert_int_equal(claim(1, OTHER, 1, &g), STORE_REFUSED);
	assert_int_equal(claim(2, ID, 1, &g), STORE_REFUSED);
	assert_int_equal(claim(1, ID, 1, &g), STORE_OK);
	assert_string_equal(g.grant.sid, ID);
	assert_int_equal(get(1, NOW, text), STORE_NONE);
	assert_int_equal(claim(1, NULL, 1, &g), STORE_AGAIN);
	assert_string_equal(g.grant.sid, ID);
	/* One that was claimed is nobody's any more. */
	assert_int_equal(add(2, NULL, NOW + 60), STORE_OK);
	assert_int_equal(claim(2, ID, 2, &g), STORE_REFUSED);
	assert_int_equal(get(2, NOW, text), STORE_OK);
}

/* What fails uses up nothing. */
static void
test_nothing_is_lost(void **state)
{
	struct store_grant g;
	char text[64];

	(void)state;
	assert_int_equal(add(1, NULL, NOW + 60), STORE_OK);
	assert_int_equal(add(2, NULL, NOW + 60), STORE_OK);
	assert_int_equal(add(3, NULL, NOW + 60), STORE_OK);
	assert_int_equal(add(4, NULL, NOW + 60), STORE_EXHAUSTED);
	assert_int_equal(claim(1, NULL, 1, &g), STORE_OK);
	assert_int_equal(add(2, NULL, NOW + 60), STORE_CONFLICT);
	assert_int_equal(add(1, NULL, NOW + 60), STORE_CONFLICT);
	assert_int_equal(claim(2, NULL, 2, &g), STORE_OK);
	assert_int_equal(claim(3, NULL, 3, &g), STORE_EXHAUSTED);
	assert_int_equal(get(3, NOW, text), STORE_OK);
	/* A session that has the fresh ID already. */
	pending("fresh-token-of-de");
	assert_int_equal(claim(3, NULL, 4, &g), STORE_CONFLICT);
	assert_int_equal(get(3, NOW, text), STORE_OK);
	/* Neither over a restart. */
	store_close(st);
	open_store();
	assert_int_equal(get(3, NOW, text), STORE_OK);
	assert_int_equal(claim(1, NULL, 2, &g), STORE_REFUSED);
	assert_int_equal(claim(1, NULL, 1, &g), STORE_AGAIN);
}

static void
test_forgotten(void **state)
{
	struct store_grant g;
	struct grant ended;
	char text[64];

	(void)state;
	assert_int_equal(add(1, NULL, NOW + 60), STORE_OK);
	assert_int_equal(add(2, NULL, NOW + 60), STORE_OK);
	assert_int_equal(claim(1, NULL, 1, &g), STORE_OK);
	assert_int_equal(store_token_expire(st, NOW + REPEAT - 1, REPEAT),
	    STORE_OK);
	assert_int_equal(get(2, NOW, text), STORE_OK);
	assert_int_equal(add(1, NULL, NOW + 60), STORE_CONFLICT);
	assert_int_equal(store_token_expire(st, NOW + REPEAT + 1, REPEAT),
	    STORE_OK);
	/* Used and over, or expired: the same digits may be drawn again. */
	assert_int_equal(add(1, NULL, NOW + 60), STORE_OK);
	assert_int_equal(add(2, NULL, NOW + 60), STORE_OK);
	/* A session that is cancelled takes its token along. */
	pending(ID);
	assert_int_equal(add(3, ID, NOW + 60), STORE_OK);
	assert_int_equal(store_end(st, ID, GRANT_REASON_CANCELLED, NOW, NOW,
	    &ended), STORE_OK);
	assert_int_equal(get(3, NOW, text), STORE_NONE);
}

static void
count(void *arg, const char *source)
{
	(void)source;
	++*(int *)arg;
}

static int
failing(int64_t since, uint32_t n)
{
	int found = 0;

	assert_int_equal(store_failing(st, since, n, 8, count, &found),
	    STORE_OK);
	return found;
}

static void
test_failures(void **state)
{
	int64_t at;
	int i;

	(void)state;
	assert_int_equal(store_failure_get(st, STORE_BY_TOKEN, NULL, 1, &at),
	    STORE_NONE);
	for (i = 0; i < 5; i++)
		assert_int_equal(store_failure_add(st, STORE_BY_TOKEN,
		    "192.0.2.7", NULL, NOW + i), STORE_OK);
	assert_int_equal(store_failure_add(st, STORE_BY_TOKEN, "", NULL,
	    NOW + 9), STORE_OK);
	assert_int_equal(store_failure_get(st, STORE_BY_TOKEN, "192.0.2.7", 5,
	    &at), STORE_OK);
	assert_int_equal(at, NOW);
	assert_int_equal(store_failure_get(st, STORE_BY_TOKEN, "192.0.2.7", 6,
	    &at), STORE_NONE);
	assert_int_equal(store_failure_get(st, STORE_BY_TOKEN, "192.0.2.8", 1,
	    &at), STORE_NONE);
	assert_int_equal(store_failure_get(st, STORE_BY_ID, "192.0.2.7", 1,
	    &at), STORE_NONE);
	assert_int_equal(store_failure_get(st, STORE_BY_TOKEN, NULL, 6, &at),
	    STORE_OK);
	assert_int_equal(at, NOW);
	assert_int_equal(failing(NOW - 1, 5), 1);
	assert_int_equal(failing(NOW, 5), 0);
	assert_int_equal(failing(NOW - 1, 6), 0);
	/* They are there after a restart, for their time. */
	store_close(st);
	open_store();
	assert_int_equal(store_failure_expire(st, NOW, NOW + 9), STORE_OK);
	assert_int_equal(store_failure_get(st, STORE_BY_TOKEN, NULL, 5, &at),
	    STORE_OK);
	assert_int_equal(at, NOW + 1);
	assert_int_equal(store_failure_get(st, STORE_BY_TOKEN, NULL, 6, &at),
	    STORE_NONE);
	/* The clock is set back by a day. */
	assert_int_equal(store_failure_expire(st, NOW - 90000, NOW - 86400),
	    STORE_OK);
	assert_int_equal(store_failure_get(st, STORE_BY_TOKEN, NULL, 1, &at),
	    STORE_OK);
	assert_int_equal(at, NOW - 86400);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_starts_a_session_once),
		TEST(test_expired_and_revoked),
		TEST(test_bound),
		TEST(test_bound_anew_and_burnt),
		TEST(test_together),
		TEST(test_nothing_is_lost),
		TEST(test_forgotten),
		TEST(test_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
