/*
 * keyfile_test.c - finding an engineer's key among authorized_keys lines.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../relay/keyfile.h"

#define LEN(a)	(sizeof (a) / sizeof (a)[0])

static const char key[] = "ssh-ed25519 AAAAC3Nz";

static void
test_lines(void **state)
{
	static const struct {
		const char	*text;
		const char	*comment;	/* NULL: not listed */
	} cases[] = {
		{ "ssh-ed25519 AAAAC3Nz Eva Engineer\n", "Eva Engineer" },
		{ "ssh-ed25519 AAAAC3Nz", "" },
		{ "ssh-ed25519 AAAAC3Nz \t \r\n", "" },
		{ "\t ssh-ed25519\t AAAAC3Nz  x  \n", "x" },
		{ "restrict ssh-ed25519 AAAAC3Nz x", "x" },
		{ "restrict,command=\"a \\\" b\" ssh-ed25519 AAAAC3Nz x", "x" },
		{ "# comment\n\nssh-rsa AAAA y\nssh-ed25519 AAAAC3Nz x\n"
		    "ssh-ed25519 AAAAC3Nz z\n", "x" },
		/* not these */
		{ "", NULL },
		{ "\n\n#\n", NULL },
		{ "#ssh-ed25519 AAAAC3Nz x", NULL },
		{ "# ssh-ed25519 AAAAC3Nz x", NULL },
		{ "ssh-ed25519 AAAAC3N x", NULL },
		{ "ssh-ed25519 AAAAC3Nzz x", NULL },
		{ "ssh-ed25519AAAAC3Nz x", NULL },
		{ "ssh-rsa AAAAC3Nz x", NULL },
		{ "x-ssh-ed25519 AAAAC3Nz x", NULL },
		{ "ssh-ed25519\nAAAAC3Nz x", NULL },
		{ "ssh-rsa AAAA ssh-ed25519 AAAAC3Nz x", NULL },
		{ "command=\"ssh-ed25519 AAAAC3Nz\" ssh-rsa AAAA x", NULL },
		{ "command=\"x ssh-ed25519 AAAAC3Nz y", NULL },
	};
	char comment[KEYFILE_COMMENT_MAX + 1];
	size_t i;
	int rv;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		rv = keyfile_comment(cases[i].text, strlen(cases[i].text), key,
		    strlen(key), comment);
		if (rv != (cases[i].comment == NULL ? -1 : 0))
			fail_msg("%s: %d", cases[i].text, rv);
		if (rv == 0)
			assert_string_equal(comment, cases[i].comment);
	}
}

/* A comment is shown to people: it is fit for a terminal, and bounded. */
static void
test_comment_is_safe(void **state)
{
	char text[512], comment[KEYFILE_COMMENT_MAX + 1];
	int n;

	(void)state;
	n = snprintf(text, sizeof text, "%s a\033]0;x\007\xff\xc3\xbc", key);
	assert_int_equal(keyfile_comment(text, (size_t)n, key, strlen(key),
	    comment), 0);
	assert_string_equal(comment,
	    "a\xef\xbf\xbd]0;x\xef\xbf\xbd\xef\xbf\xbd\xc3\xbc");
	n = snprintf(text, sizeof text, "%s %0400d", key, 1);
	assert_int_equal(keyfile_comment(text, (size_t)n, key, strlen(key),
	    comment), 0);
	assert_int_equal(strlen(comment), KEYFILE_COMMENT_MAX);
}

static void
test_odd_keys(void **state)
{
	char comment[KEYFILE_COMMENT_MAX + 1];

	(void)state;
	assert_int_equal(keyfile_comment("a b c", 5, "", 0, comment), -1);
	assert_int_equal(keyfile_comment("a b c", 5, "a", 1, comment), -1);
	assert_int_equal(keyfile_comment("a  c", 4, "a ", 2, comment), -1);
	assert_int_equal(keyfile_comment("a b", 3, "a b", 3, comment), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_comment_is_safe),
		cmocka_unit_test(test_odd_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
