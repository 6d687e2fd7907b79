/*
 * proto_test.c - the protocol's codec.  The table of verbs is in
 * prototable_test.c, the text inside frames in prototext_test.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto.h"

#define LEN(a)	(sizeof (a) / sizeof (a)[0])

#define X10	"xxxxxxxxxx"
#define X100	X10 X10 X10 X10 X10 X10 X10 X10 X10 X10
#define V32	"VERBVERBVERBVERBVERBVERBVERB_012"
#define A255	X100 X100 X10 X10 X10 X10 X10 "xxxxx"

/* Octets with their number, NULs inside included. */
#define OCTETS(s)	(s), sizeof(s) - 1

static enum proto_answer
parse(const char *s, size_t len, struct proto_frame *f, enum proto_rule *rule,
    size_t *n)
{
	/* In memory of exactly its size: the sanitizer sees a read past it. */
	char *copy = malloc(len > 0 ? len : 1);
	enum proto_answer a;
	unsigned int i;

	assert_non_null(copy);
	memcpy(copy, s, len);
	a = proto_parse(copy, len, f, rule, n);
	/* Point into S instead. */
	if (a == PROTO_FRAME) {
		f->verb.s = s + (f->verb.s - copy);
		for (i = 0; i < f->nargs; i++)
			f->args[i].s = s + (f->args[i].s - copy);
		if (f->has_payload)
			f->payload.s = s + (f->payload.s - copy);
	}
	free(copy);
	return a;
}

/* ---- grammar ------------------------------------------------------------ */

static void
test_frames_are_taken_apart(void **state)
{
	static const char s[] = "KEYS chat 0a1b2c3d.7 +5\nhe\nlo\nPING 1\n";
	struct proto_frame f;
	enum proto_rule rule;
	size_t n;

	(void)state;
	assert_int_equal(parse(OCTETS(s), &f, &rule, &n), PROTO_FRAME);
	assert_int_equal(n, strlen("KEYS chat 0a1b2c3d.7 +5\nhe\nlo\n"));
	assert_true(proto_is(f.verb, "KEYS"));
	assert_int_equal(f.nargs, 2);
	assert_true(proto_is(f.args[0], "chat"));
	assert_true(proto_is(f.args[1], "0a1b2c3d.7"));
	assert_true(f.has_payload);
	assert_true(proto_is(f.payload, "he\nlo"));
	assert_int_equal(parse(s + n, sizeof s - 1 - n, &f, &rule, &n),
	    PROTO_FRAME);
	assert_int_equal(n, strlen("PING 1\n"));
	assert_false(f.has_payload);
	assert_int_equal(proto_num(&f, 0), 1);
	assert_int_equal(proto_num(&f, 1), 0);
}

static void
test_well_formed(void **state)
{
	static const char *const good[] = {
		"A\n", "0\n", "_\n", "A b\n", "A +0\n\n", "A +1\n\n\n",
		V32 "\n", "A " A255 "\n", "A b+c\n", "A -\n", "A !~\n",
		"A 1 2 3 4 5 6 7 8\n", "A 1 2 3 4 5 6 7 8 +0\n\n",
	};
	struct proto_frame f;
	enum proto_rule rule;
	size_t n, i;

	(void)state;
	for (i = 0; i < LEN(good); i++) {
		assert_int_equal(parse(good[i], strlen(good[i]), &f, &rule,
		    &n), PROTO_FRAME);
		assert_int_equal(n, strlen(good[i]));
		assert_int_equal(rule, PROTO_RULE_OK);
	}
}

static const struct {
	const char	*s;
	size_t		 len;
	enum proto_rule	 rule;
	size_t		 offset;
} malformed[] = {
	{ OCTETS("\n"), PROTO_RULE_VERB, 0 },
	{ OCTETS(" A\n"), PROTO_RULE_VERB, 0 },
	{ OCTETS("ping 1\n"), PROTO_RULE_VERB, 0 },
	{ OCTETS("PiNG 1\n"), PROTO_RULE_VERB, 1 },
	{ OCTETS("PING\t1\n"), PROTO_RULE_VERB, 4 },
	{ OCTETS("PING-1\n"), PROTO_RULE_VERB, 4 },
	{ OCTETS("PI\0G\n"), PROTO_RULE_VERB, 2 },
	{ OCTETS("PING\r\n"), PROTO_RULE_VERB, 4 },
	{ OCTETS(V32 "A\n"), PROTO_RULE_VERB, 32 },
	{ OCTETS("PING \n"), PROTO_RULE_ARG, 5 },
	{ OCTETS("PING  1\n"), PROTO_RULE_ARG, 5 },
	{ OCTETS("PING 1 \n"), PROTO_RULE_ARG, 7 },
	{ OCTETS("PING 1\r\n"), PROTO_RULE_ARG, 6 },
	{ OCTETS("PING a\tb\n"), PROTO_RULE_ARG, 6 },
	{ OCTETS("PING a\0b\n"), PROTO_RULE_ARG, 6 },
	{ OCTETS("PING a\x7f\n"), PROTO_RULE_ARG, 6 },
	{ OCTETS("PING a\x80\n"), PROTO_RULE_ARG, 6 },
	{ OCTETS("PING \xc3\xa9\n"), PROTO_RULE_ARG, 5 },
	{ OCTETS("A " A255 "x\n"), PROTO_RULE_ARG, 257 },
	{ OCTETS("A 1 2 3 4 5 6 7 8 9\n"), PROTO_RULE_ARG_COUNT, 18 },
	{ OCTETS("A 1 2 3 4 5 6 7 8 9 +0\n\n"), PROTO_RULE_ARG_COUNT, 18 },
	{ OCTETS("A +\n"), PROTO_RULE_LENGTH, 2 },
	{ OCTETS("A ++1\n"), PROTO_RULE_LENGTH, 2 },
	{ OCTETS("A +-1\n"), PROTO_RULE_LENGTH, 2 },
	{ OCTETS("A +00\n"), PROTO_RULE_LENGTH, 2 },
	{ OCTETS("A +01\nx\n"), PROTO_RULE_LENGTH, 2 },
	{ OCTETS("A +1x\n"), PROTO_RULE_LENGTH, 2 },
	{ OCTETS("A +0x1\n"), PROTO_RULE_LENGTH, 2 },
	{ OCTETS("A +65537\n"), PROTO_RULE_LENGTH, 2 },
	{ OCTETS("A +100000\n"), PROTO_RULE_LENGTH, 2 },
	{ OCTETS("A +18446744073709551617\n"), PROTO_RULE_LENGTH, 2 },
	{ OCTETS("A b +1 c\nx\n"), PROTO_RULE_LENGTH, 4 },
	{ OCTETS("A +1 +1\nx\n"), PROTO_RULE_LENGTH, 2 },
	{ OCTETS("A +0\nx"), PROTO_RULE_PAYLOAD_END, 5 },
	{ OCTETS("A +2\nabc\n"), PROTO_RULE_PAYLOAD_END, 7 },
	{ OCTETS("A +2\nab\0"), PROTO_RULE_PAYLOAD_END, 7 },
};

static void
test_malformed(void **state)
{
	struct proto_frame f;
	enum proto_rule rule;
	size_t n, i;

	(void)state;
	for (i = 0; i < LEN(malformed); i++) {
		if (parse(malformed[i].s, malformed[i].len, &f, &rule, &n) !=
		    PROTO_MALFORMED || rule != malformed[i].rule ||
		    n != malformed[i].offset)
			fail_msg("\"%s\": rule %d at %zu", malformed[i].s,
			    (int)rule, n);
		assert_non_null(proto_rule_text(rule));
	}
}

/* Write a header of exactly LEN octets, its LF included; 8 args at most. */
static void
header_of(char *s, size_t len)
{
	size_t i;

	memset(s, 'x', len);
	s[0] = 'A';
	s[len - 1] = '\n';
	for (i = 1; i < len - 2; i += 200)
		s[i] = ' ';
}

static void
test_header_limit(void **state)
{
	char s[PROTO_HEADER_MAX + 1];
	struct proto_frame f;
	enum proto_rule rule;
	size_t n;

	(void)state;
	header_of(s, PROTO_HEADER_MAX);
	assert_int_equal(parse(s, PROTO_HEADER_MAX, &f, &rule, &n),
	    PROTO_FRAME);
	assert_int_equal(n, PROTO_HEADER_MAX);
	header_of(s, PROTO_HEADER_MAX + 1);
	assert_int_equal(parse(s, PROTO_HEADER_MAX + 1, &f, &rule, &n),
	    PROTO_MALFORMED);
	assert_int_equal(rule, PROTO_RULE_HEADER_LENGTH);
	assert_int_equal(n, PROTO_HEADER_MAX);
	/* It is known one octet before the line feed comes. */
	assert_int_equal(parse(s, PROTO_HEADER_MAX, &f, &rule, &n),
	    PROTO_MALFORMED);
	assert_int_equal(parse(s, PROTO_HEADER_MAX - 1, &f, &rule, &n),
	    PROTO_MORE);
}

static void
test_payload_limit(void **state)
{
	static char in[PROTO_PAYLOAD_MAX + 1], out[PROTO_FRAME_MAX];
	struct proto_frame f;
	enum proto_rule rule;
	size_t len, n, i;

	(void)state;
	for (i = 0; i < sizeof in; i++)
		in[i] = (char)(i * 7);
	len = proto_put(out, sizeof out, PROTO_OUTPUT, in, PROTO_PAYLOAD_MAX,
	    NULL);
	assert_int_equal(len, strlen("OUTPUT +65536\n") + PROTO_PAYLOAD_MAX +
	    1);
	assert_int_equal(parse(out, len, &f, &rule, &n), PROTO_FRAME);
	assert_int_equal(n, len);
	assert_memory_equal(f.payload.s, in, PROTO_PAYLOAD_MAX);
	assert_int_equal(proto_put(out, sizeof out, PROTO_OUTPUT, in,
	    PROTO_PAYLOAD_MAX + 1, NULL), 0);
}

static void
test_nothing_is_no_frame(void **state)
{
	struct proto_frame f;
	enum proto_rule rule;
	size_t n;

	(void)state;
	assert_int_equal(proto_parse(NULL, 0, &f, &rule, &n), PROTO_MORE);
	assert_int_equal(n, 1);
	assert_int_equal(parse(OCTETS("A +3"), &f, &rule, &n), PROTO_MORE);
	assert_int_equal(n, 5);
	assert_int_equal(parse(OCTETS("A +3\n"), &f, &rule, &n), PROTO_MORE);
	assert_int_equal(n, 9);
	assert_int_equal(parse(OCTETS("A +3\nabc"), &f, &rule, &n),
	    PROTO_MORE);
	assert_int_equal(n, 9);
}

static void
test_every_split(void **state)
{
	static const char s[] = "KEYS main +6\n\n\0+1\n\n\n";
	struct proto_frame f;
	enum proto_rule rule, r;
	size_t n, at, len, i;

	(void)state;
	for (len = 0; len < sizeof s - 1; len++) {
		assert_int_equal(parse(s, len, &f, &rule, &n), PROTO_MORE);
		assert_in_range(n, len + 1, sizeof s - 1);
	}
	assert_int_equal(parse(s, len, &f, &rule, &n), PROTO_FRAME);
	assert_int_equal(n, len);
	/* What is wrong is said once, early or late, and never changes. */
	for (i = 0; i < LEN(malformed); i++) {
		for (len = 0; len < malformed[i].len; len++) {
			if (parse(malformed[i].s, len, &f, &r, &at) ==
			    PROTO_MORE) {
				assert_true(at > len);
				continue;
			}
			assert_int_equal(r, malformed[i].rule);
			assert_int_equal(at, malformed[i].offset);
		}
	}
}

/* ---- writing ------------------------------------------------------------ */

static void
test_put_refuses_what_the_table_does(void **state)
{
	char out[64];

	(void)state;
	assert_int_equal(proto_put(out, sizeof out, PROTO_PING, NULL, 0, "%d",
	    -1), 0);
	assert_int_equal(proto_put(out, sizeof out, PROTO_PING, NULL, 0, "1 "),
	    0);
	assert_int_equal(proto_put(out, sizeof out, PROTO_PING, NULL, 0,
	    "1\nPING 2"), 0);
	assert_int_equal(proto_put(out, sizeof out, PROTO_PING, NULL, 0,
	    "1 +0"), 0);
	assert_int_equal(proto_put(out, sizeof out, PROTO_PING, NULL, 0, NULL),
	    0);
	assert_int_equal(proto_put(out, sizeof out, PROTO_PING, "", 0, "1"),
	    0);
	assert_int_equal(proto_put(out, sizeof out, PROTO_STATUS, NULL, 0,
	    NULL), 0);
	assert_int_equal(proto_put(out, sizeof out, PROTO_STATUS, "\xff", 1,
	    NULL), 0);
	assert_int_equal(proto_put(out, sizeof out, PROTO_STATUS, "", 0, NULL),
	    strlen("STATUS +0\n\n"));
	assert_int_equal(proto_put(out, sizeof out, PROTO_HELLO, NULL, 0,
	    "1 %0300d", 1), 0);
	assert_int_equal(proto_put(out, 7, PROTO_PING, NULL, 0, "1"), 7);
	assert_int_equal(proto_put(out, 6, PROTO_PING, NULL, 0, "1"), 0);
	assert_int_equal(proto_put(out, 0, PROTO_PING, NULL, 0, "1"), 0);
}

static void
test_format_refuses_what_parse_does(void **state)
{
	struct proto_frame f;
	char out[64] = "";

	(void)state;
	memset(&f, 0, sizeof f);
	f.verb = (struct proto_str){ "A", 1 };
	assert_int_equal(proto_format(&f, out, sizeof out), 2);
	f.nargs = 1;
	f.args[0] = (struct proto_str){ "b c", 3 };
	assert_int_equal(proto_format(&f, out, sizeof out), 0);
	f.args[0] = (struct proto_str){ "", 0 };
	assert_int_equal(proto_format(&f, out, sizeof out), 0);
	f.args[0] = (struct proto_str){ "+0", 2 };
	assert_int_equal(proto_format(&f, out, sizeof out), 0);
	/* These would be read back as a frame, but as another one. */
	f.args[0] = (struct proto_str){ "+1\nx", 4 };
	assert_int_equal(proto_format(&f, out, sizeof out), 0);
	f.nargs = 0;
	f.verb = (struct proto_str){ "A +1\nx", 6 };
	assert_int_equal(proto_format(&f, out, sizeof out), 0);
	f.verb = (struct proto_str){ "A b", 3 };
	assert_int_equal(proto_format(&f, out, sizeof out), 0);
	f.nargs = PROTO_ARGS_MAX + 1;
	assert_int_equal(proto_format(&f, out, sizeof out), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames_are_taken_apart),
		cmocka_unit_test(test_well_formed),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_header_limit),
		cmocka_unit_test(test_payload_limit),
		cmocka_unit_test(test_nothing_is_no_frame),
		cmocka_unit_test(test_every_split),
		cmocka_unit_test(test_put_refuses_what_the_table_does),
		cmocka_unit_test(test_format_refuses_what_parse_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
