/*
 * attach_test.c - what a local leg says of itself, written and read back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../relay/attach.h"

#define LEN(a)	(sizeof (a) / sizeof (a)[0])

#define VIEW	"role=view\nclient=0123456789abcdef\naccess=rw\n" \
	"fingerprint=SHA256:abc\nname=Eva\ncomment=eva\n"
#define PRODUCER "role=producer\ncontext=linbit-tunl/1 id=a-b-c-d\n" \
	"keyid=aa-bb-cc-dd\nserial=7\n"

static const char *
parse(const char *text, struct attach *a)
{
	return attach_parse(text, strlen(text), a);
}

static void
test_support(void **state)
{
	struct attach a = { .role = PROTO_CHAT, .remote = "fe80::1%eth0",
	    .client = "0123456789abcdef", .ro = true, .name = "Eva \xc3\xbc",
	    .comment = "eva=50% \"x\"", .fingerprint = "SHA256:a/b+c" }, b;
	char buf[ATTACH_MAX];
	size_t n;

	(void)state;
	n = attach_format(&a, buf, sizeof buf);
	assert_true(n > 0);
	assert_null(attach_parse(buf, n, &b));
	assert_memory_equal(&a, &b, sizeof a);
	a.name[0] = a.comment[0] = a.remote[0] = '\0';
	a.ro = false;
	a.role = PROTO_CONTROL;
	n = attach_format(&a, buf, sizeof buf);
	assert_null(attach_parse(buf, n, &b));
	assert_int_equal(b.role, PROTO_CONTROL);
	assert_false(b.ro);
	assert_string_equal(b.name, "");
	for (n = 0; n < 60; n++)
		assert_int_equal(attach_format(&a, buf, n), 0);
}

static void
test_producer(void **state)
{
	struct attach a = { .remote = "192.0.2.7", .key_id = "aa-bb-cc-dd",
	    .serial = UINT64_MAX }, b;
	char buf[ATTACH_MAX];
	size_t n;

	(void)state;
	memset(a.context, 'x', CONTEXT_LINE_MAX);
	n = attach_format(&a, buf, sizeof buf);
	assert_true(n > CONTEXT_LINE_MAX);
	assert_null(attach_parse(buf, n, &b));
	assert_int_equal(b.role, 0);
	assert_int_equal(b.serial, UINT64_MAX);
	assert_string_equal(b.context, a.context);
	assert_string_equal(b.key_id, a.key_id);
}

static void
test_good(void **state)
{
	struct attach a;

	(void)state;
	assert_null(parse(VIEW, &a));
	assert_null(parse(PRODUCER, &a));
	assert_null(parse(VIEW "newer=x\nnewer=y\n", &a));
	assert_null(parse("remote=::1\n" VIEW, &a));
}

static void
test_bad(void **state)
{
	static const char *const bad[] = {
		"", "\n", "role=view", "role=view\n", "role=producer\n",
		VIEW "role=view\n", VIEW "access=rw\n", VIEW "x\n",
		VIEW "remote=example.com\n", VIEW "remote=\n",
		VIEW "remote=1.2.3\n", PRODUCER "serial=8\n",
		"role=views\n", "role=\n",
		/* one of them missing, or not of its form */
		"role=view\naccess=rw\nfingerprint=-\nname=\ncomment=\n",
		"role=view\nclient=0123456789abcdeF\naccess=rw\n"
		    "fingerprint=-\nname=\ncomment=\n",
		"role=view\nclient=0123456789abcdef\naccess=wr\n"
		    "fingerprint=-\nname=\ncomment=\n",
		"role=view\nclient=0123456789abcdef\naccess=rw\n"
		    "fingerprint=MD5:x\nname=\ncomment=\n",
		"role=view\nclient=0123456789abcdef\naccess=rw\n"
		    "fingerprint=-\nname=a b\ncomment=\n",
		"role=view\nclient=0123456789abcdef\naccess=rw\n"
		    "fingerprint=-\nname=a%1Bb\ncomment=\n",
		"role=view\nclient=0123456789abcdef\naccess=rw\n"
		    "fingerprint=-\nname=%FF\ncomment=\n",
		"role=producer\ncontext=x\nkeyid=a\nserial=7\n",
		"role=producer\ncontext=x\nkeyid=aa-bb-cc-dd\nserial=07\n",
		"role=producer\ncontext=x\nkeyid=aa-bb-cc-dd\nserial=-1\n",
	};
	struct attach a;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(bad); i++)
		if (parse(bad[i], &a) == NULL)
			fail_msg("%zu was taken: %s", i, bad[i]);
	assert_non_null(attach_parse("role=view\0\n", 11, &a));
}

static void
test_forms(void **state)
{
	char name[PROTO_NAME_MAX + 2];

	(void)state;
	assert_true(attach_name_ok(""));
	assert_true(attach_name_ok("Eva \xe6\xbc\xa2"));
	assert_false(attach_name_ok("a\nb"));
	assert_false(attach_name_ok("a\xc2\x9b" "b"));
	assert_false(attach_name_ok("\xff"));
	memset(name, 'x', sizeof name);
	name[PROTO_NAME_MAX + 1] = '\0';
	assert_false(attach_name_ok(name));
	name[PROTO_NAME_MAX] = '\0';
	assert_true(attach_name_ok(name));
	assert_true(attach_client_ok("0123456789abcdef"));
	assert_false(attach_client_ok("0123456789abcde"));
	assert_false(attach_client_ok("0123456789abcdef0"));
	assert_false(attach_client_ok("0123456789abcdeg"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_support),
		cmocka_unit_test(test_producer),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
