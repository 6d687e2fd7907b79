/*
 * settings_test.c - the customer's settings, the ssh configuration made of
 * them, and tmux's versions.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../customer/hostinfo.h"
#include "../../customer/settings.h"

static char err[256];

static int
set(struct settings *s, const char *key, const char *value)
{
	return settings_set(s, key, value, err, sizeof err);
}

static int
parse(struct settings *s, const char *text)
{
	return settings_parse(s, "FILE", text, strlen(text), err, sizeof err);
}

static void
defaults(void **state)
{
	struct settings s;

	(void)state;
	settings_init(&s);
	settings_finish(&s);
	assert_string_equal(s.relay, "tunl.linbit.com");
	assert_string_equal(s.api_url, "https://tunl.linbit.com");
	assert_int_equal(s.relay_port, 22);
	assert_string_equal(s.prefix, "C-b");
	assert_string_equal(s.support_case, "");
	assert_string_equal(s.cast_dir, "~/linbit-tunl");
	assert_int_equal(s.restricted, 0);
	assert_int_equal(s.ping_ms, 10000);
}

static void
good_values(void **state)
{
	struct settings s;

	(void)state;
	settings_init(&s);
	assert_int_equal(set(&s, "TUNL_RELAY", "::1"), 0);
	settings_finish(&s);
	assert_string_equal(s.api_url, "https://[::1]");
	assert_int_equal(set(&s, "TUNL_API_URL", "http://h:80/x//"), 0);
	assert_string_equal(s.api_url, "http://h:80/x");
	assert_int_equal(set(&s, "TUNL_PREFIX", "M-Space"), 0);
	assert_int_equal(set(&s, "TUNL_PREFIX", "C-]"), 0);
	assert_int_equal(set(&s, "TUNL_PREFIX", "^a"), 0);
	assert_int_equal(set(&s, "TUNL_CASE", "CASE-4711"), 0);
	assert_int_equal(set(&s, "TUNL_RESTRICTED", "yes"), 0);
	assert_int_equal(s.restricted, 1);
	assert_int_equal(set(&s, "TUNL_CAST_DIR", "/srv/records"), 0);
	assert_int_equal(set(&s, "TUNL_CAST_DIR", "~"), 0);
	assert_string_equal(s.cast_dir, "~");
	assert_int_equal(set(&s, "TUNL_CAST_DIR", ""), 0);
	assert_string_equal(s.cast_dir, "none");
	assert_int_equal(set(&s, "TUNL_PING", "150ms"), 0);
	assert_int_equal(s.ping_ms, 150);
	assert_int_equal(set(&s, "TUNL_PING", "2m"), 0);
	assert_int_equal(s.ping_ms, 120000);
}

static void
bad_values(void **state)
{
	static const char *const bad[][2] = {
		{ "TUNL_RELAY", "" }, { "TUNL_RELAY", "-oProxyCommand=x" },
		{ "TUNL_RELAY", "a b" }, { "TUNL_RELAY", "a;b" },
		{ "TUNL_RELAY_USER", "-l" }, { "TUNL_RELAY_USER", "a b" },
		{ "TUNL_RELAY_PORT", "0" }, { "TUNL_RELAY_PORT", "65536" },
		{ "TUNL_RELAY_PORT", " 22" }, { "TUNL_RELAY_PORT", "022" },
		{ "TUNL_API_URL", "file:///etc/passwd" },
		{ "TUNL_API_URL", "https://" },
		{ "TUNL_API_URL", "https:///" },
		{ "TUNL_API_URL", "https://a\"b" },
		{ "TUNL_API_URL", "https://a\nb" },
		{ "TUNL_KNOWN_HOSTS", "known_hosts" },
		{ "TUNL_KNOWN_HOSTS", "/a b" }, { "TUNL_KNOWN_HOSTS", "/%h" },
		{ "TUNL_PREFIX", "None" }, { "TUNL_PREFIX", "" },
		{ "TUNL_PREFIX", "a b" }, { "TUNL_PREFIX", "C-" },
		{ "TUNL_CAST_DIR", "records" }, { "TUNL_CAST_DIR", "~eva/x" },
		{ "TUNL_CAST_DIR", "/a b" }, { "TUNL_CAST_MAX", "4095" },
		{ "TUNL_CASE", "x" }, { "TUNL_CASE", "a b c" },
		{ "TUNL_RESTRICTED", "1" }, { "TUNL_PING", "1 s" },
		{ "TUNL_PING", "1d" }, { "TUNL_PING", "-1" },
		{ "TUNL_NOTHING", "1" },
	};
	struct settings s, before;
	size_t i;

	(void)state;
	settings_init(&s);
	before = s;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (set(&s, bad[i][0], bad[i][1]) != -1)
			fail_msg("%s=%s was taken", bad[i][0], bad[i][1]);
		assert_memory_equal(&s, &before, sizeof s);
	}
}

static void
files(void **state)
{
	char long_line[2000];
	struct settings s;

	(void)state;
	settings_init(&s);
	assert_int_equal(parse(&s, "# comment\n\nTUNL_RELAY=r1\n"
	    "TUNL_RELAY_PORT=2222"), 0);
	assert_string_equal(s.relay, "r1");
	assert_int_equal(s.relay_port, 2222);
	assert_int_equal(parse(&s, "TUNL_RELAY=r2\nnonsense\n"), -1);
	assert_string_equal(err, "FILE, line 2: expected KEY=value");
	assert_int_equal(parse(&s, "\n\nTUNL_RELAY_PORT=x\n"), -1);
	assert_non_null(strstr(err, "FILE, line 3: TUNL_RELAY_PORT"));
	memset(long_line, 'x', sizeof long_line);
	assert_int_equal(settings_parse(&s, "FILE", long_line,
	    sizeof long_line, err, sizeof err), -1);
}

static void
written_and_read_back(void **state)
{
	struct settings s, again;
	char text[16384];

	(void)state;
	settings_init(&s);
	(void)set(&s, "TUNL_RELAY", "relay.example");
	(void)set(&s, "TUNL_CASE", "CASE-1");
	(void)set(&s, "TUNL_RESTRICTED", "yes");
	(void)set(&s, "TUNL_BACKOFF", "50ms");
	settings_finish(&s);
	assert_true(settings_format(&s, text, sizeof text) > 0);
	settings_init(&again);
	assert_int_equal(parse(&again, text), 0);
	assert_memory_equal(&s, &again, sizeof s);
	assert_int_equal(settings_format(&s, text, 100), -1);
}

static void
environment_over_file(void **state)
{
	char path[] = "/tmp/settings-test-XXXXXX";
	int fd = mkstemp(path);
	struct settings s;

	(void)state;
	assert_true(fd != -1);
	assert_true(write(fd, "TUNL_RELAY=file\nTUNL_CASE=file\n", 31) == 31);
	close(fd);
	setenv("TUNL_CUSTOMER_CONF", path, 1);
	setenv("TUNL_CASE", "env", 1);
	settings_init(&s);
	assert_int_equal(settings_load(&s, err, sizeof err), 0);
	assert_string_equal(s.relay, "file");
	assert_string_equal(s.support_case, "env");
	setenv("TUNL_CASE", "!", 1);
	assert_int_equal(settings_load(&s, err, sizeof err), -1);
	unsetenv("TUNL_CASE");
	(void)unlink(path);
	assert_int_equal(settings_load(&s, err, sizeof err), 0);
	unsetenv("TUNL_CUSTOMER_CONF");
}

/* What ssh's configuration says is the context line, with "%" doubled. */
static void
ssh_configuration(void **state)
{
	char text[3 * CONTEXT_LINE_MAX];
	struct context c = { .id = "swift-fox-jumps-barrel", .host = "srv1",
	    .ips = "10.0.0.1", .mode = CONTEXT_SHARE, .perm = PROTO_CONFIRM,
	    .user = "j\303\266rg x" };

	(void)state;
	assert_true(hostinfo_ssh_config(&c, text, sizeof text) > 0);
	assert_string_equal(text, "RemoteCommand linbit-tunl/1 "
	    "id=swift-fox-jumps-barrel host=srv1 ips=10.0.0.1 mode=share "
	    "perm=CONFIRM user=j%%C3%%B6rg%%20x\n");
	assert_int_equal(hostinfo_ssh_config(&c, text, 60), -1);
	(void)snprintf(c.host, sizeof c.host, "a b");
	assert_int_equal(hostinfo_ssh_config(&c, text, sizeof text), -1);
}

static void
this_machine(void **state)
{
	struct sessiondir sd = { .sid = "swift-fox-jumps-barrel", .fd = -1 };
	char name[CONTEXT_HOST_MAX + 1], line[CONTEXT_LINE_MAX + 1];
	struct settings s;
	struct context c;

	(void)state;
	settings_init(&s);
	(void)set(&s, "TUNL_RESTRICTED", "yes");
	hostinfo_name(name);
	assert_true(context_is_host(name, strlen(name)));
	hostinfo_fill(&c, &sd, &s);
	assert_true(context_format(&c, line, sizeof line) > 0);
	assert_non_null(strstr(line, " mode=restricted perm=BLOCKED"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(good_values),
		cmocka_unit_test(bad_values),
		cmocka_unit_test(files),
		cmocka_unit_test(written_and_read_back),
		cmocka_unit_test(environment_over_file),
		cmocka_unit_test(ssh_configuration),
		cmocka_unit_test(this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
