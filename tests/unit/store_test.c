/*
 * store_test.c - what the relay remembers: each transition of a session's life.
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

#define NOW	((int64_t)1800000000)
#define ID	"swift-fox-jumps-barrel"

static char		 dir[64], path[96];
static struct store	*st;

static void
open_store(int64_t mono)
{
	char err[256];

	st = store_open(path, mono, err, sizeof err);
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
	open_store(0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	store_close(st);
	return dir_remove(AT_FDCWD, dir);
}

static enum store_result
add(const char *id, int64_t expires_at)
{
	struct store_pending p = { .id = id, .customer = "Example",
	    .expires_at = expires_at };

	return store_pending_add(st, &p, NOW);
}

/* KEY also stands for the nonce and the MAC. */
static enum store_result
claim_at(const char *id, unsigned char key, int64_t now, int64_t mono,
    struct store_grant *g)
{
	struct store_claim c = { .id = id, .repeat = 60,
	    .expires_at = now + 3600, .port_first = 30000, .port_last = 30009,
	    .ports = 4 };

	memset(c.key, key, sizeof c.key);
	memset(c.nonce, key, sizeof c.nonce);
	memset(c.mac, key, sizeof c.mac);
	return store_claim(st, &c, now, mono, g);
}

static enum store_result
claim(const char *id, unsigned char key, struct store_grant *g)
{
	return claim_at(id, key, NOW, 0, g);
}

static enum store_result
enter(const char *id, int64_t serial, int64_t mono)
{
	struct store_register r = { .id = id, .serial = serial,
	    .mode = "share", .host = "srv1", .ips = "[\"10.0.0.1\"]",
	    .case_id = "CASE-1" };

	return store_register(st, &r, NOW, mono);
}

static void
copy_status(void *arg, const struct store_row *row)
{
	(void)snprintf(arg, 16, "%s", row->status);
}

static void
is(const char *id, const char *status)
{
	char now[16] = "";

	assert_int_equal(store_get(st, id, NOW, copy_status, now), STORE_OK);
	assert_string_equal(now, status);
}

static void
test_life(void **state)
{
	struct store_grant g;
	struct grant ended;

	(void)state;
	assert_int_equal(add(ID, NOW + 60), STORE_OK);
	assert_int_equal(add(ID, NOW + 60), STORE_CONFLICT);
	is(ID, "pending");
	assert_int_equal(store_heartbeat(st, ID, 0), STORE_NONE);
	assert_int_equal(enter(ID, 1000001, 0), STORE_CONFLICT);
	assert_int_equal(claim(ID, 1, &g), STORE_OK);
	assert_int_equal(g.serial, 1000001);
	assert_null(g.certificate);
	assert_int_equal(enter(ID, 1000002, 0), STORE_CONFLICT);
	assert_int_equal(enter(ID, 1000001, 0), STORE_OK);
	is(ID, "active");
	assert_int_equal(enter(ID, 1000001, 0), STORE_AGAIN);
	assert_int_equal(store_heartbeat(st, ID, 0), STORE_OK);
	assert_int_equal(store_end(st, ID, GRANT_REASON_ENDED, NOW, NOW + 10,
	    &ended), STORE_OK);
	assert_string_equal(ended.sid, ID);
	assert_int_equal(ended.state, GRANT_ENDED);
	assert_int_equal(ended.until, NOW + 10);
	is(ID, "closed");
	assert_int_equal(store_end(st, ID, GRANT_REASON_LOST, NOW, NOW + 10,
	    &ended), STORE_AGAIN);
	assert_int_equal(store_heartbeat(st, ID, 0), STORE_GONE);
	assert_int_equal(enter(ID, 1000001, 0), STORE_GONE);
	assert_int_equal(add(ID, NOW + 60), STORE_CONFLICT);
	assert_int_equal(claim(ID, 1, &g), STORE_REFUSED);
}

static void
test_claim_is_once(void **state)
{
	struct store_grant g;

	(void)state;
	assert_int_equal(add(ID, NOW + 60), STORE_OK);
	assert_int_equal(claim("aa-bb-cc-dd", 1, &g), STORE_REFUSED);
	assert_int_equal(claim_at(ID, 1, NOW + 60, 0, &g), STORE_REFUSED);
	assert_int_equal(claim(ID, 1, &g), STORE_OK);
	assert_int_equal(claim(ID, 2, &g), STORE_REFUSED);
	assert_int_equal(claim_at(ID, 1, NOW + 60, 0, &g), STORE_AGAIN);
	assert_int_equal(g.serial, 1000001);
	assert_int_equal(g.nonce[0], 1);
	assert_int_equal(claim_at(ID, 1, NOW + 61, 0, &g), STORE_REFUSED);
}

static void
test_first_certificate_stays(void **state)
{
	struct store_grant g, again;
	struct grant ended;

	(void)state;
	assert_int_equal(add(ID, NOW + 60), STORE_OK);
	assert_int_equal(claim(ID, 1, &g), STORE_OK);
	assert_int_equal(claim(ID, 1, &again), STORE_AGAIN);
	assert_null(again.certificate);
	assert_int_equal(store_certificate(st, &g, "one"), STORE_OK);
	assert_string_equal(g.certificate, "one");
	assert_int_equal(store_certificate(st, &again, "two"), STORE_OK);
	assert_string_equal(again.certificate, "one");
	free(again.certificate);
	assert_int_equal(claim(ID, 1, &again), STORE_AGAIN);
	assert_string_equal(again.certificate, "one");
	assert_int_equal(again.expires_at, NOW + 3600);
	free(again.certificate);
	assert_int_equal(store_end(st, ID, GRANT_REASON_CANCELLED, NOW, NOW,
	    &ended), STORE_OK);
	assert_int_equal(store_certificate(st, &g, "three"), STORE_NONE);
	assert_null(g.certificate);
}

static void
test_resume(void **state)
{
	unsigned char mac[STORE_KEY_LEN];
	struct store_grant g;
	struct grant ended;

	(void)state;
	memset(mac, 1, sizeof mac);
	assert_int_equal(add(ID, NOW + 60), STORE_OK);
	assert_int_equal(store_resume(st, mac, NULL, NOW + 9, 0, &g),
	    STORE_REFUSED);
	assert_int_equal(claim(ID, 1, &g), STORE_OK);
	assert_int_equal(store_resume(st, mac, NULL, NOW + 9, 0, &g), STORE_OK);
	assert_int_equal(g.serial, 1000002);
	assert_int_equal(g.grant.serial_first, 1000001);
	assert_int_equal(g.grant.serial_last, 1000002);
	assert_int_equal(store_resume(st, mac, "aa-bb-cc-dd", NOW + 9, 0, &g),
	    STORE_REFUSED);
	assert_int_equal(store_resume(st, mac, ID, NOW + 9, 0, &g), STORE_OK);
	assert_int_equal(g.serial, 1000003);
	assert_int_equal(store_end(st, ID, GRANT_REASON_LOST, NOW, NOW, &ended),
	    STORE_OK);
	assert_int_equal(store_resume(st, mac, ID, NOW + 9, 0, &g),
	    STORE_REFUSED);
}

static void
test_ports(void **state)
{
	struct store_grant a, b, c;
	struct grant ended;

	(void)state;
	assert_int_equal(add("aa-aa-aa-aa", NOW + 60), STORE_OK);
	assert_int_equal(add("bb-bb-bb-bb", NOW + 60), STORE_OK);
	assert_int_equal(add("cc-cc-cc-cc", NOW + 60), STORE_OK);
	assert_int_equal(claim("aa-aa-aa-aa", 1, &a), STORE_OK);
	assert_int_equal(a.grant.nports, 4);
	assert_int_equal(a.grant.ports[3], a.grant.ports[0] + 3);
	assert_int_equal(claim("bb-bb-bb-bb", 2, &b), STORE_OK);
	assert_int_not_equal(a.grant.ports[0], b.grant.ports[0]);
	assert_int_equal(claim("cc-cc-cc-cc", 3, &c), STORE_EXHAUSTED);
	is("cc-cc-cc-cc", "pending");
	assert_int_equal(store_end(st, "aa-aa-aa-aa", GRANT_REASON_LOST, NOW,
	    NOW, &ended), STORE_OK);
	assert_int_equal(claim("cc-cc-cc-cc", 3, &c), STORE_OK);
	assert_int_equal(c.grant.ports[0], a.grant.ports[0]);
}

static void
test_unclaimed_is_forgotten(void **state)
{
	struct grant ended;
	char status[16];

	(void)state;
	assert_int_equal(add("aa-aa-aa-aa", NOW + 1), STORE_OK);
	assert_int_equal(add("bb-bb-bb-bb", NOW + 60), STORE_OK);
	assert_int_equal(store_end(st, "bb-bb-bb-bb", GRANT_REASON_CANCELLED,
	    NOW, NOW, &ended), STORE_OK);
	assert_string_equal(ended.sid, "");
	assert_int_equal(add("bb-bb-bb-bb", NOW + 60), STORE_OK);
	/* An expired one is not there, swept or not. */
	assert_int_equal(store_get(st, "aa-aa-aa-aa", NOW + 1, copy_status,
	    status), STORE_NONE);
	assert_int_equal(store_expire_pending(st, NOW + 1), STORE_OK);
	assert_int_equal(store_get(st, "aa-aa-aa-aa", NOW, copy_status,
	    status), STORE_NONE);
	is("bb-bb-bb-bb", "pending");
}

static void
test_silence(void **state)
{
	struct store_grant g;
	char ids[4][SID_MAX + 1];

	(void)state;
	assert_int_equal(add(ID, NOW + 60), STORE_OK);
	assert_int_equal(store_silent(st, 1000, ids, 4), 0);
	assert_int_equal(claim_at(ID, 1, NOW, 100, &g), STORE_OK);
	assert_int_equal(store_silent(st, 99, ids, 4), 0);
	assert_int_equal(store_silent(st, 100, ids, 4), 1);
	assert_string_equal(ids[0], ID);
	assert_int_equal(enter(ID, g.serial, 200), STORE_OK);
	assert_int_equal(store_silent(st, 199, ids, 4), 0);
	assert_int_equal(store_heartbeat(st, ID, 300), STORE_OK);
	assert_int_equal(store_silent(st, 299, ids, 4), 0);
	assert_int_equal(store_silent(st, 300, ids, 0), 0);
	/* Every start counts anew. */
	store_close(st);
	open_store(5000);
	assert_int_equal(store_silent(st, 4999, ids, 4), 0);
	assert_int_equal(store_silent(st, 5000, ids, 4), 1);
}

static void
test_patch(void **state)
{
	struct store_patch p = { .set_mode = true, .mode = "tunnel" };
	struct store_grant g;
	struct grant ended;

	(void)state;
	assert_int_equal(store_patch(st, ID, &p), STORE_NONE);
	assert_int_equal(add(ID, NOW + 60), STORE_OK);
	assert_int_equal(store_patch(st, ID, &p), STORE_CONFLICT);
	assert_int_equal(claim(ID, 1, &g), STORE_OK);
	assert_int_equal(enter(ID, g.serial, 0), STORE_OK);
	assert_int_equal(store_patch(st, ID, &p), STORE_OK);
	p.set_port = true;
	p.tunnel_port = g.grant.ports[3] + 1;
	assert_int_equal(store_patch(st, ID, &p), STORE_CONFLICT);
	p.tunnel_port = g.grant.ports[3];
	assert_int_equal(store_patch(st, ID, &p), STORE_OK);
	assert_int_equal(store_end(st, ID, GRANT_REASON_LOST, NOW, NOW, &ended),
	    STORE_OK);
	assert_int_equal(store_patch(st, ID, &p), STORE_GONE);
}

static void
count_grant(void *arg, const struct grant *g)
{
	(void)g;
	++*(int *)arg;
}

static void
count_serial(void *arg, const char *id, uint64_t serial)
{
	(void)id;
	(void)serial;
	++*(int *)arg;
}

static void
count_id(void *arg, const char *id)
{
	(void)id;
	++*(int *)arg;
}

static int
grants(void)
{
	int n = 0;

	assert_int_equal(store_grants(st, count_grant, &n), STORE_OK);
	return n;
}

static int
serials(int64_t now)
{
	int n = 0;

	assert_int_equal(store_serials(st, now, count_serial, &n), STORE_OK);
	return n;
}

static void
test_what_is_in_the_grants_directory(void **state)
{
	struct store_grant g;
	struct grant ended;
	int n = 0;

	(void)state;
	assert_int_equal(add(ID, NOW + 60), STORE_OK);
	assert_int_equal(grants(), 0);
	assert_int_equal(claim(ID, 1, &g), STORE_OK);
	assert_int_equal(grants(), 1);
	assert_int_equal(serials(NOW), 1);
	assert_int_equal(serials(NOW + 3600), 0);
	assert_int_equal(store_end(st, ID, GRANT_REASON_LOST, NOW, NOW + 5,
	    &ended), STORE_OK);
	assert_int_equal(grants(), 1);
	assert_int_equal(serials(NOW), 1);
	assert_int_equal(store_expire_grants(st, NOW + 4, count_id, &n),
	    STORE_OK);
	assert_int_equal(n, 0);
	assert_int_equal(store_expire_grants(st, NOW + 5, count_id, &n),
	    STORE_OK);
	assert_int_equal(n, 1);
	assert_int_equal(grants(), 0);
	assert_int_equal(serials(NOW), 0);
	n = 0;
	assert_int_equal(store_expire_serials(st, NOW + 3600, count_serial, &n),
	    STORE_OK);
	assert_int_equal(n, 1);
	assert_int_equal(store_expire_serials(st, NOW + 3600, count_serial, &n),
	    STORE_OK);
	assert_int_equal(n, 1);
}

static void
collect(void *arg, const struct store_row *row)
{
	char *out = arg;
	size_t n = strlen(out);

	(void)snprintf(out + n, 256 - n, "%.2s ", row->id);
}

static void
list(const struct store_filter *f, const char *want)
{
	char got[256] = "";

	assert_int_equal(store_list(st, f, NOW, collect, got), STORE_OK);
	assert_string_equal(got, want);
}

static void
test_list(void **state)
{
	struct store_filter f = { .status = "pending", .below = INT64_MAX,
	    .limit = 10 };
	struct store_grant g;

	(void)state;
	list(&f, "");
	assert_int_equal(add("aa-aa-aa-aa", NOW + 60), STORE_OK);
	assert_int_equal(add("bb-bb-bb-bb", NOW + 60), STORE_OK);
	assert_int_equal(add("cc-cc-cc-cc", NOW + 60), STORE_OK);
	list(&f, "cc bb aa ");
	f.limit = 2;
	list(&f, "cc bb ");
	f.below = 2;
	list(&f, "aa ");
	f.below = INT64_MAX;
	f.customer = "Example' OR 1=1 --";
	list(&f, "");
	f.customer = "Example";
	list(&f, "cc bb ");
	f.since = NOW + 1;
	list(&f, "");
	f.since = 0;
	assert_int_equal(claim("bb-bb-bb-bb", 1, &g), STORE_OK);
	assert_int_equal(enter("bb-bb-bb-bb", g.serial, 0), STORE_OK);
	list(&f, "cc aa ");
	f.status = "active";
	f.case_id = "CASE-1";
	list(&f, "bb ");
}

static void
test_second_is_refused(void **state)
{
	char err[256];

	(void)state;
	assert_null(store_open(path, 0, err, sizeof err));
	assert_non_null(strstr(err, "another relay-api"));
	assert_true(store_healthy(st));
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_life),
		TEST(test_claim_is_once),
		TEST(test_first_certificate_stays),
		TEST(test_resume),
		TEST(test_ports),
		TEST(test_unclaimed_is_forgotten),
		TEST(test_silence),
		TEST(test_patch),
		TEST(test_what_is_in_the_grants_directory),
		TEST(test_list),
		TEST(test_second_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
