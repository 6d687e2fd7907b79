/*
 * state_test.c - SID.state: what is written is read back, anything else is
 * refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../relay/state.h"

#define LEN(a)	(sizeof (a) / sizeof (a)[0])
#define FP	"SHA256:0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
#define HEAD	"linbit-tunl-state 1\n"
#define LEAST	HEAD "perm CONFIRM\nnext 3\n"

static void
test_round_trip(void **state)
{
	static const char all[] = LEAST "terminating\nover lost\nwary\n"
	    "key " FP " kicked\nkey SHA256:b ro\nkey SHA256:c rw\n"
	    "viewer 1 0123456789abcdef " FP "\nviewer 2 0123456789abcdef -\n"
	    "chat 0a0b0c0d.4294967295\nowed 00000000.0\nowed 0a0b0c0d.1\n"
	    "end\n";
	static struct state st;
	char buf[STATE_MAX];

	(void)state;
	assert_null(state_parse(all, sizeof all - 1, &st));
	assert_int_equal(st.perm, PROTO_CONFIRM);
	assert_int_equal(st.next_n, 3);
	assert_true(st.terminating && st.wary);
	assert_string_equal(st.over, "lost");
	assert_int_equal(st.ngrades, 3);
	assert_true(st.grades[0].kicked && !st.grades[0].ro);
	assert_true(!st.grades[1].kicked && st.grades[1].ro);
	assert_int_equal(st.nviewers, 2);
	assert_string_equal(st.viewers[0].fingerprint, FP);
	assert_int_equal(st.chat.n, 2);
	assert_int_equal(state_format(&st, buf, sizeof buf), sizeof all - 1);
	assert_string_equal(buf, all);
	assert_null(state_parse(LEAST "end\n", sizeof LEAST "end\n" - 1, &st));
	assert_false(st.terminating || st.wary || st.over[0] != '\0');
	assert_int_equal(state_format(&st, buf, 20), 0);
}

/* The most there can be fits, and is read. */
static void
test_full(void **state)
{
	static struct state st, back;
	static char buf[STATE_MAX];
	unsigned int i;
	size_t n;

	(void)state;
	memset(&st, 0, sizeof st);
	st.perm = PROTO_AUTO_REJECT;
	st.next_n = UINT32_MAX;
	st.terminating = st.wary = true;
	memcpy(st.over, "terminated", sizeof "terminated");
	st.ngrades = SESSION_GRADES;
	st.nviewers = SESSION_VIEWERS;
	st.chat.n = CHATLOG_LINES;
	memcpy(st.chat.last, "0a0b0c0d.4294967295", CHATLOG_ID_MAX + 1);
	for (i = 0; i < SESSION_GRADES; i++) {
		(void)snprintf(st.grades[i].fingerprint, AUTHINFO_FP_LEN + 1,
		    "SHA256:%043u", i);
		st.grades[i].kicked = true;
	}
	for (i = 0; i < SESSION_VIEWERS; i++) {
		st.viewers[i].n = UINT32_MAX - 1 - i;
		(void)snprintf(st.viewers[i].client, SESSION_CLIENT_LEN + 1,
		    "%016x", i);
		(void)snprintf(st.viewers[i].fingerprint, AUTHINFO_FP_LEN + 1,
		    "SHA256:%043u", i);
	}
	for (i = 0; i < CHATLOG_LINES; i++)
		(void)snprintf(st.chat.ids[i], CHATLOG_ID_MAX + 1,
		    "ffffffff.%u", UINT32_MAX - i);
	n = state_format(&st, buf, sizeof buf);
	assert_true(n > 0);
	assert_null(state_parse(buf, n, &back));
	assert_memory_equal(&st, &back, sizeof st);
}

static void
test_refused(void **state)
{
	static const char *const bad[] = {
		"", "\n", "end\n", HEAD, HEAD "end\n", LEAST, LEAST "end",
		LEAST "end\nx", LEAST "end\nend\n", "linbit-tunl-state 2\n",
		LEAST "\nend\n", LEAST " end\n", LEAST "grant 7\nend\n",
		HEAD "perm CONFIRM\nend\n", HEAD "next 1\nend\n",
		LEAST "next 3\nend\n", LEAST "perm CONFIRM\nend\n",
		HEAD "perm SOMETIMES\nnext 1\nend\n",
		HEAD "perm CONFIRM\nnext 0\nend\n",
		HEAD "perm CONFIRM\nnext 4294967296\nend\n",
		HEAD "perm CONFIRM\nnext 01\nend\n",
		LEAST "wary 1\nend\n", LEAST "wary\nwary\nend\n",
		LEAST "terminating\nterminating\nend\n",
		LEAST "over kicked\nend\n", LEAST "over\nend\n",
		LEAST "over lost\nover lost\nend\n",
		LEAST "key SHA256:a\nend\n", LEAST "key SHA256:a kick\nend\n",
		LEAST "key MD5:a ro\nend\n", LEAST "key  ro\nend\n",
		LEAST "key " FP "0 ro\nend\n", LEAST "key " FP " ro \nend\n",
		LEAST "key SHA256:a ro\nkey SHA256:a rw\nend\n",
		LEAST "viewer 3 0123456789abcdef SHA256:a\nend\n",
		LEAST "viewer 0 0123456789abcdef SHA256:a\nend\n",
		LEAST "viewer 1 0123456789ABCDEF SHA256:a\nend\n",
		LEAST "viewer 1 0123456789abcdef\nend\n",
		LEAST "viewer 1 0123456789abcdef SHA256:a x\nend\n",
		LEAST "viewer 1 0123456789abcdef SHA256:a\n"
		    "viewer 1 0123456789abcde0 SHA256:b\nend\n",
		LEAST "viewer 1 0123456789abcdef SHA256:a\n"
		    "viewer 2 0123456789abcdef SHA256:a\nend\n",
		LEAST "chat 1.1\nend\n", LEAST "owed\nend\n",
		LEAST "chat 00000000.1\nchat 00000000.1\nend\n",
		LEAST "end\r\n",
	};
	static struct state st;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(bad); i++)
		if (state_parse(bad[i], strlen(bad[i]), &st) == NULL)
			fail_msg("taken: %s", bad[i]);
}

static void
test_too_many(void **state)
{
	static char buf[STATE_MAX * 2];
	static struct state st;
	size_t n;
	int i;

	(void)state;
	n = (size_t)snprintf(buf, sizeof buf, LEAST);
	for (i = 0; i <= CHATLOG_LINES; i++)
		n += (size_t)snprintf(buf + n, sizeof buf - n,
		    "owed 00000000.%d\n", i);
	n += (size_t)snprintf(buf + n, sizeof buf - n, "end\n");
	assert_non_null(state_parse(buf, n, &st));
	n = (size_t)snprintf(buf, sizeof buf, LEAST);
	for (i = 0; i <= SESSION_GRADES; i++)
		n += (size_t)snprintf(buf + n, sizeof buf - n,
		    "key SHA256:%d ro\n", i);
	n += (size_t)snprintf(buf + n, sizeof buf - n, "end\n");
	assert_non_null(state_parse(buf, n, &st));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
