/*
 * tunlsettings_test.c - what tunl takes from the environment, and refuses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../support/settings.h"

static int
clean(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; settings_names[i] != NULL; i++)
		assert_int_equal(unsetenv(settings_names[i]), 0);
	return 0;
}

static int
load(struct settings *s, const char *name, const char *value, char err[256])
{
	int rv;

	(void)clean(NULL);
	assert_int_equal(setenv(name, value, 1), 0);
	rv = settings_load(s, err, 256);
	(void)unsetenv(name);
	return rv;
}

static void
defaults_are_the_manuals(void **state)
{
	struct settings s;
	char err[256];

	(void)state;
	assert_int_equal(settings_load(&s, err, sizeof err), 0);
	assert_string_equal(s.relay, "tunl.linbit.com");
	assert_null(s.relay_port);
	assert_string_equal(s.user, "support");
	assert_string_equal(s.api_port, "8080");
	assert_null(s.ssh_config);
	assert_null(s.ssh_log);
	assert_string_equal(s.prefix, "C-b");
	assert_int_equal(s.ping_ms, 10000);
	assert_int_equal(s.ping_missed, 3);
	assert_int_equal(s.backoff_ms, 1000);
	assert_int_equal(s.backoff_max_ms, 30000);
	/* an empty one is none */
	assert_int_equal(load(&s, "TUNL_RELAY", "", err), 0);
	assert_string_equal(s.relay, "tunl.linbit.com");
}

static void
good_ones_are_taken(void **state)
{
	static const struct {
		const char	*text;
		uint32_t	 ms;
	} durations[] = { { "1", 1000 }, { "7s", 7000 }, { "250ms", 250 },
	    { "2m", 120000 }, { "1h", 3600000 } };
	struct settings s;
	char err[256];
	size_t i;

	(void)state;
	assert_int_equal(load(&s, "TUNL_RELAY", "10.0.0.5", err), 0);
	assert_int_equal(load(&s, "TUNL_RELAY", "fe80::1", err), 0);
	assert_int_equal(load(&s, "TUNL_RELAY_PORT", "2222", err), 0);
	for (i = 0; i < sizeof durations / sizeof durations[0]; i++) {
		assert_int_equal(load(&s, "TUNL_PING", durations[i].text, err),
		    0);
		assert_int_equal(s.ping_ms, durations[i].ms);
	}
}

static void
bad_ones_are_named(void **state)
{
	static const struct {
		const char	*name, *value;
	} cases[] = {
		{ "TUNL_RELAY", "-oProxyCommand=x" }, { "TUNL_RELAY", "a b" },
		{ "TUNL_RELAY", "a;b" }, { "TUNL_RELAY", "a@b" },
		{ "TUNL_RELAY_PORT", "0" }, { "TUNL_RELAY_PORT", "65536" },
		{ "TUNL_RELAY_PORT", "022" }, { "TUNL_API_PORT", "http" },
		{ "TUNL_SUPPORT_USER", "-x" }, { "TUNL_SUPPORT_USER", "a$b" },
		{ "TUNL_PING", "0" }, { "TUNL_PING", "5x" },
		{ "TUNL_PING", "2h" }, { "TUNL_BACKOFF", "" "-1" },
		{ "TUNL_BACKOFF_MAX", "1.5" }, { "TUNL_PING_MISSED", "0" },
	};
	struct settings s;
	char err[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(load(&s, cases[i].name, cases[i].value, err),
		    -1);
		assert_non_null(strstr(err, cases[i].name));
	}
}

static void
names_are_short_utf8_lines(void **state)
{
	static const struct {
		const char	*in, *out;
	} cases[] = {
		{ "Eva", "Eva" }, { "Gr\303\274n", "Gr\303\274n" },
		{ "two\nlines", "two" },
		/* 63 octets and a character of two: cut in front of it */
		{ "123456789012345678901234567890123456789012345678901234567890"
		    "123\303\274", "12345678901234567890123456789012345678901"
		    "2345678901234567890123" },
	};
	char name[PROTO_NAME_MAX + 1];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(setenv("TUNL_DISPLAY_NAME", cases[i].in, 1),
		    0);
		settings_name(name);
		assert_string_equal(name, cases[i].out);
	}
	/* not UTF-8: something else is found */
	assert_int_equal(setenv("TUNL_DISPLAY_NAME", "\377", 1), 0);
	settings_name(name);
	assert_true(name[0] != '\0' && proto_is_utf8(name, strlen(name)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(defaults_are_the_manuals, clean),
		cmocka_unit_test_setup(good_ones_are_taken, clean),
		cmocka_unit_test_setup(bad_ones_are_named, clean),
		cmocka_unit_test_setup(names_are_short_utf8_lines, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
