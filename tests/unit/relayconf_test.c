/*
 * relayconf_test.c - the relay's settings: defaults, file, environment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../relay/relayconf.h"

static int
parse(const char *text, char err[256])
{
	struct relayconf c;
	int rv;

	rv = relayconf_parse(&c, "file", text, strlen(text), err, 256);
	if (rv == 0)
		relayconf_clear(&c);
	return rv;
}

static void
test_defaults(void **state)
{
	struct relayconf c;
	char err[256];

	(void)state;
	assert_int_equal(relayconf_parse(&c, "file", "", 0, err, sizeof err), 0);
	assert_string_equal(c.api_listen,
	    "127.0.0.1:8080 unix:/run/linbit-tunl/api.sock");
	assert_string_equal(c.db, "/var/lib/linbit-tunl/tunl.db");
	assert_string_equal(c.run_dir, "/run/linbit-tunl");
	assert_string_equal(c.user, "tunl");
	assert_string_equal(c.relay_name, "");
	assert_int_equal(c.cert_ttl_ms, 3600000);
	assert_int_equal(c.grace_ms, 7200000);
	assert_int_equal(c.grant_linger_ms, 86400000);
	assert_int_equal(c.ack_ms, 100);
	assert_int_equal(c.port_first, 30000);
	assert_int_equal(c.port_last, 39999);
	assert_int_equal(c.ports_per_session, 4);
	relayconf_clear(&c);
}

static void
test_file(void **state)
{
	static const char text[] = "# a comment\n\n; another = one\n"
	    "TUNL_RELAY_NAME=relay one\nTUNL_GRACE=90m\nTUNL_PING=250ms\n"
	    "TUNL_CERT_TTL=1h\nTUNL_PORTS=1000-1007\nTUNL_DB=/a b/c=d";
	struct relayconf c;
	char err[256];

	(void)state;
	assert_int_equal(relayconf_parse(&c, "file", text, strlen(text), err,
	    sizeof err), 0);
	assert_string_equal(c.relay_name, "relay one");
	assert_string_equal(c.db, "/a b/c=d");
	assert_int_equal(c.grace_ms, 90 * 60000);
	assert_int_equal(c.ping_ms, 250);
	assert_int_equal(c.cert_ttl_ms, 3600000);
	assert_int_equal(c.port_first, 1000);
	assert_int_equal(c.port_last, 1007);
	relayconf_clear(&c);
}

static void
test_mistakes_are_named(void **state)
{
	static const struct {
		const char	*text, *err;
	} bad[] = {
		{ "x\n", "file:1: expected KEY=value" },
		{ "\nTUNL_NO=1\n", "file:2: unknown setting" },
		{ "tunl_db=/x\n", "file:1: unknown setting" },
		{ " TUNL_DB=/x\n", "file:1: unknown setting" },
		{ "TUNL_DB=/x\nTUNL_DB=/x\n", "file:2: TUNL_DB is set twice" },
		{ "TUNL_DB=x\n", "file:1: TUNL_DB: expected an absolute path" },
		{ "TUNL_DB=\"/x\"\n", "TUNL_DB: expected an absolute path" },
		{ "TUNL_DB=/x \n", "TUNL_DB: expected an absolute path" },
		{ "TUNL_DB=/\x1b[2J\n", "TUNL_DB: expected an absolute path" },
		{ "TUNL_USER=-x\n", "TUNL_USER: expected an account name" },
		{ "TUNL_USER=\n", "TUNL_USER: expected an account name" },
		{ "TUNL_PING_MISSED=0\n", "expected a number from 1 to 1000" },
		{ "TUNL_PING_MISSED=01\n", "expected a number" },
		{ "TUNL_PING_MISSED=+1\n", "expected a number" },
		{ "TUNL_PING_MISSED=99999999999999999999\n", "a number" },
		{ "TUNL_GRACE=0\n", "TUNL_GRACE: expected a duration" },
		{ "TUNL_RECORDING=on\n",
		    "TUNL_RECORDING: expected yes, no or required" },
		{ "TUNL_RECORD_MAX=1G\n", "TUNL_RECORD_MAX: expected a num" },
		{ "TUNL_GRACE=ms\n", "TUNL_GRACE: expected a duration" },
		{ "TUNL_GRACE=1d\n", "TUNL_GRACE: expected a duration" },
		{ "TUNL_GRACE=1.5h\n", "TUNL_GRACE: expected a duration" },
		{ "TUNL_GRACE=9999999h\n", "TUNL_GRACE: expected a duration" },
		{ "TUNL_PORTS=1000\n", "TUNL_PORTS: expected FIRST-LAST" },
		{ "TUNL_PORTS=2000-1000\n", "TUNL_PORTS: expected FIRST-LAST" },
		{ "TUNL_PORTS=1-65536\n", "TUNL_PORTS: expected FIRST-LAST" },
		{ "TUNL_PORTS=1000-1002\n", "TUNL_PORTS: expected room" },
	};
	char err[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (parse(bad[i].text, err) != -1)
			fail_msg("taken: %s", bad[i].text);
		if (strstr(err, bad[i].err) == NULL)
			fail_msg("%s: %s", bad[i].text, err);
	}
}

static void
test_environment_over_file(void **state)
{
	char path[] = "/tmp/relayconf-test-XXXXXX", err[256];
	static const char text[] = "TUNL_PING=5\nTUNL_GRACE=60\n";
	struct relayconf c;
	int fd = mkstemp(path);

	(void)state;
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	setenv("TUNL_CONF", path, 1);
	setenv("TUNL_PING", "7", 1);
	setenv("TUNL_UNKNOWN", "7", 1);	/* not ours to judge */
	assert_int_equal(relayconf_load(&c, err, sizeof err), 0);
	assert_int_equal(c.ping_ms, 7000);
	assert_int_equal(c.grace_ms, 60000);
	relayconf_clear(&c);
	setenv("TUNL_PING", "", 1);
	assert_int_equal(relayconf_load(&c, err, sizeof err), -1);
	assert_non_null(strstr(err, "environment: TUNL_PING"));
	unsetenv("TUNL_PING");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(relayconf_load(&c, err, sizeof err), -1);
	assert_non_null(strstr(err, path));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_mistakes_are_named),
		cmocka_unit_test(test_environment_over_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
