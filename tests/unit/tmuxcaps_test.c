/*
 * tmuxcaps_test.c - the table of what tmux can do: by its version, by what the
 * override says instead, and what an override cannot take away.
 *
 * The tmux that is asked is a script of the test's own.
 */
#include <sys/stat.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../customer/tmuxcaps.h"

#define TMUX_BITS	((UINT32_C(1) << TMUX_CAPS) - 1)

static char	dir[] = "/tmp/tmuxcaps-XXXXXX";
static char	script[sizeof dir + 8];

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(script, sizeof script, "%s/tmux", dir);
	return setenv("PATH", dir, 1);
}

static int
teardown(void **state)
{
	(void)state;
	(void)unlink(script);
	return rmdir(dir);
}

/* From now on `tmux -V` says this. */
static void
install(const char *says)
{
	FILE *f = fopen(script, "w");

	assert_non_null(f);
	assert_true(fprintf(f, "#!/bin/sh\n[ \"$*\" = -V ] && echo '%s'\n",
	    says) > 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(script, 0700), 0);
}

static struct tmuxcaps
load(const char *override)
{
	struct tmuxcaps caps;

	assert_int_equal(tmuxcaps_load(&caps, override), 0);
	return caps;
}

static void
every_version_has_its_own(void **state)
{
	/* which capability is the first that this one lacks */
	static const struct {
		const char	*says;
		enum tmux_cap	 first;
	} cases[] = {
		{ "tmux 2.6", TMUX_PIPE_BOTH },
		{ "tmux 2.7-rc", TMUX_WINDOW_SIZE },
		{ "tmux 2.8", TMUX_WINDOW_SIZE },
		{ "tmux 2.9a", TMUX_KEYS_HEX },
		{ "tmux 3.0a", TMUX_CAPTURE_BLANKS },
		{ "tmux 3.1c", TMUX_CLIENT_FLAGS },
		{ "tmux 3.2a", TMUX_CONTROL_CHEAP },
		{ "tmux 3.3a", TMUX_CONTROL_CHEAP },
		{ "tmux next-3.6", TMUX_CONTROL_CHEAP },
		{ "tmux 3.7c", TMUX_CAPS },
		{ "tmux 3.10", TMUX_CAPS },
		{ "tmux master", TMUX_CAPS },
	};
	struct tmuxcaps caps;
	size_t i;
	unsigned int c;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		install(cases[i].says);
		caps = load(NULL);
		assert_string_equal(caps.version, cases[i].says + 5);
		for (c = 0; c < TMUX_CAPS; c++)
			assert_int_equal(tmuxcaps_has(&caps, c),
			    c < cases[i].first);
		assert_int_equal(caps.real, caps.bits);
	}
}

static void
an_override_wins(void **state)
{
	struct tmuxcaps caps;

	(void)state;
	install("tmux 3.3a");
	assert_int_equal(load("").bits, load(NULL).bits);
	caps = load("2.6");
	assert_string_equal(caps.version, "3.3a");
	assert_int_equal(caps.bits, 0);
	caps = load("2.9,+blanks,-origin");
	assert_true(tmuxcaps_has(&caps, TMUX_PIPE_BOTH));
	assert_true(tmuxcaps_has(&caps, TMUX_CAPTURE_BLANKS));
	assert_false(tmuxcaps_has(&caps, TMUX_ORIGIN));
	assert_false(tmuxcaps_has(&caps, TMUX_KEYS_HEX));
	caps = load("-pipe");
	assert_false(tmuxcaps_has(&caps, TMUX_PIPE_BOTH));
	assert_true(tmuxcaps_has(&caps, TMUX_CLIENT_FLAGS));
	assert_int_equal(load("3.7").bits, TMUX_BITS);
}

/* What is gone in a new tmux cannot be used there by taking it for an old one,
 * but a single capability can be told to be there or not. */
static void
what_is_real_stays(void **state)
{
	struct tmuxcaps caps;

	(void)state;
	install("tmux 3.3a");
	caps = load("2.6");
	assert_true(tmuxcaps_really(&caps, TMUX_WINDOW_SIZE));
	assert_false(tmuxcaps_really(&caps, TMUX_PASTE_ENCODES));
	caps = load("2.6,-window-size");
	assert_false(tmuxcaps_really(&caps, TMUX_WINDOW_SIZE));
	install("tmux 2.8");
	caps = load("3.3");
	assert_false(tmuxcaps_really(&caps, TMUX_WINDOW_SIZE));
	caps = load("+window-size");
	assert_true(tmuxcaps_really(&caps, TMUX_WINDOW_SIZE));
}

static void
nonsense_is_told(void **state)
{
	struct tmuxcaps caps;

	(void)state;
	install("tmux 3.3a");
	assert_int_equal(tmuxcaps_load(&caps, "new"), -1);
	assert_int_equal(errno, EINVAL);
	install("screen 4.9");
	assert_int_equal(tmuxcaps_load(&caps, NULL), -1);
	assert_int_equal(errno, EPROTO);
	install("tmux ");
	assert_int_equal(tmuxcaps_load(&caps, NULL), -1);
	assert_int_equal(errno, EPROTO);
	assert_int_equal(unlink(script), 0);
	assert_int_equal(tmuxcaps_load(&caps, NULL), -1);
	assert_int_equal(errno, ENOENT);
}

static void
numbers(void **state)
{
	(void)state;
	assert_int_equal(tmuxcaps_number("3.3a"), 303);
	assert_int_equal(tmuxcaps_number("2.6"), 206);
	assert_int_equal(tmuxcaps_number("next-3.5"), 305);
	assert_int_equal(tmuxcaps_number("3.3-rc2"), 303);
	assert_int_equal(tmuxcaps_number("master"), 0);
	assert_int_equal(tmuxcaps_number(""), 0);
	assert_int_equal(tmuxcaps_number("3"), 0);
}

static void
the_oldest_is_2_6(void **state)
{
	(void)state;
	assert_true(tmuxcaps_suffices("3.3a"));
	assert_true(tmuxcaps_suffices("2.6"));
	assert_true(tmuxcaps_suffices("2.7-rc"));
	assert_true(tmuxcaps_suffices("master"));
	assert_false(tmuxcaps_suffices("2.5"));
	assert_false(tmuxcaps_suffices("1.8"));
}

static void
the_form_of_an_override(void **state)
{
	(void)state;
	assert_true(tmuxcaps_is_override(""));
	assert_true(tmuxcaps_is_override("2.6"));
	assert_true(tmuxcaps_is_override("3.1,+pipe,-blanks"));
	assert_true(tmuxcaps_is_override("-pipe"));
	assert_false(tmuxcaps_is_override("-pipe,2.6"));
	assert_false(tmuxcaps_is_override("pipe"));
	assert_false(tmuxcaps_is_override("+"));
	assert_false(tmuxcaps_is_override("-pipe,"));
	assert_false(tmuxcaps_is_override("2.6,,+pipe"));
	assert_false(tmuxcaps_is_override("master"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_version_has_its_own),
		cmocka_unit_test(an_override_wins),
		cmocka_unit_test(what_is_real_stays),
		cmocka_unit_test(nonsense_is_told),
		cmocka_unit_test(numbers),
		cmocka_unit_test(the_oldest_is_2_6),
		cmocka_unit_test(the_form_of_an_override),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
