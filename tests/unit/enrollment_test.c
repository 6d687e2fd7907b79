/*
 * enrollment_test.c - what a secret consists of, and which login it was.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../relay/enrollment.h"

#define SID	"swift-fox-jumps-barrel"
#define HEX	"0123456789abcdef0123456789abcdef" \
		"0123456789abcdef0123456789abcdef"
#define C1	"192.0.2.7 50000 192.0.2.1 22"
#define C2	"192.0.2.7 50001 192.0.2.1 22"

static void
same(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		assert_ptr_equal(a, b);
	else
		assert_string_equal(a, b);
}

static void
test_parse(void **state)
{
	static const struct {
		const char	*text, *sid, *token, *resume, *key;
	} good[] = {
		{ "482917", NULL, "482917", NULL, NULL },
		{ SID, SID, NULL, NULL, NULL },
		{ HEX, NULL, NULL, HEX, NULL },
		{ SID " 482917", SID, "482917", NULL, NULL },
		{ "482917 " SID, SID, "482917", NULL, NULL },
		{ "482917 key=" HEX, NULL, "482917", NULL, HEX },
		{ SID " 482917 " HEX " key=" HEX, SID, "482917", HEX, HEX },
	};
	static const char *const bad[] = { "", " ", "48291", "4829177",
	    " 482917", "482917 ", SID "  482917", "482917 482917",
	    SID " " SID, "key=" HEX, "key=" HEX " key=" HEX " 1", "key=12",
	    "482917\n", "482917\t" SID, "Swift-fox-jumps-barrel",
	    HEX "0", "0123456789ABCDEF" HEX };
	struct enroll_secret s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_int_equal(enroll_parse(good[i].text,
		    strlen(good[i].text), &s), 0);
		same(s.session_id, good[i].sid);
		same(s.token, good[i].token);
		same(s.resume, good[i].resume);
		same(s.key, good[i].key);
	}
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (enroll_parse(bad[i], strlen(bad[i]), &s) != -1)
			fail_msg("'%s' is taken", bad[i]);
	assert_int_equal(enroll_parse("482917\0", 7, &s), -1);
}

static void
test_logins(void **state)
{
	static struct enroll e;
	char out[ENROLL_SECRET_MAX + 1];

	(void)state;
	assert_false(enroll_take(&e, C1, 0, out));
	enroll_put(&e, C1, "482917", 0, 100);
	enroll_put(&e, C2, SID, 0, 100);
	assert_true(enroll_take(&e, C1, 99, out));
	assert_string_equal(out, "482917");
	assert_false(enroll_take(&e, C1, 99, out));	/* once */
	assert_false(enroll_take(&e, C2, 100, out));	/* too late */
	/* The last word of a connection counts. */
	enroll_put(&e, C1, "482917", 0, 100);
	enroll_put(&e, C1, "000000", 1, 101);
	assert_true(enroll_take(&e, C1, 100, out));
	assert_string_equal(out, "000000");
	enroll_put(&e, C1, "482917", 0, 100);
	enroll_put(&e, C1, NULL, 1, 1);
	assert_false(enroll_take(&e, C1, 1, out));
	enroll_put(&e, C1, "482917", 0, 100);
	enroll_clear(&e);
	assert_false(enroll_take(&e, C1, 1, out));
}

/* One too many: the oldest is forgotten, and no other. */
static void
test_many(void **state)
{
	static struct enroll e;
	char out[ENROLL_SECRET_MAX + 1], name[64];
	int i;

	(void)state;
	for (i = 0; i <= ENROLL_MAX; i++) {
		(void)snprintf(name, sizeof name, "192.0.2.7 %d 192.0.2.1 22",
		    i + 1);
		enroll_put(&e, name, "482917", i, i + 1000);
	}
	assert_false(enroll_take(&e, "192.0.2.7 1 192.0.2.1 22", 100, out));
	assert_true(enroll_take(&e, "192.0.2.7 2 192.0.2.1 22", 100, out));
	assert_true(enroll_take(&e, name, 100, out));
}

static void
test_connection(void **state)
{
	static const char *const good[] = { C1, "::1 1 ::1 22",
	    "fe80::1%2 50000 fe80::2%2 22" };
	static const char *const bad[] = { "", "192.0.2.7 50000 22",
	    C1 " 1", "UNKNOWN 65535 UNKNOWN 65535", "1\n2 3 4 5",
	    "192.0.2.7\" 50000 192.0.2.1 22" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(enroll_is_connection(good[i], strlen(good[i])));
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(enroll_is_connection(bad[i], strlen(bad[i])));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_logins),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
