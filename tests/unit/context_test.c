/*
 * context_test.c - the context line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "context.h"

#define LEN(a)	(sizeof (a) / sizeof (a)[0])
#define ID	"id=swift-fox-jumps-barrel"
#define MIN	CONTEXT_HEADER " " ID " host=srv1 mode=share"

/* Every key, in the order that context_format() writes them. */
#define FULL	CONTEXT_HEADER " " ID " host=srv1.example.com" \
		" ips=10.0.1.5,fe80::1 nets=10.0.1.0/24,2001:db8::/32" \
		" dns=10.0.1.1,::1 mode=tunnel perm=ALLOWED case=CASE-4711" \
		" user=Ren%C3%A9e%20M."

static const char *
parse(const char *line, struct context *c)
{
	/* In memory of exactly its size: the sanitizer sees a read past it. */
	size_t len = strlen(line);
	char *copy = malloc(len > 0 ? len : 1);
	const char *why;

	assert_non_null(copy);
	memcpy(copy, line, len);
	why = context_parse(copy, len, c);
	free(copy);
	return why;
}

static void
test_every_key(void **state)
{
	char line[CONTEXT_LINE_MAX + 1];
	struct context c;

	(void)state;
	assert_null(parse(FULL, &c));
	assert_string_equal(c.id, "swift-fox-jumps-barrel");
	assert_string_equal(c.host, "srv1.example.com");
	assert_string_equal(c.ips, "10.0.1.5,fe80::1");
	assert_string_equal(c.nets, "10.0.1.0/24,2001:db8::/32");
	assert_string_equal(c.dns, "10.0.1.1,::1");
	assert_int_equal(c.mode, CONTEXT_TUNNEL);
	assert_int_equal(c.perm, PROTO_ALLOWED);
	assert_string_equal(c.support_case, "CASE-4711");
	assert_string_equal(c.user, "Ren\xc3\xa9" "e M.");
	assert_int_equal(context_format(&c, line, sizeof line), strlen(FULL));
	assert_string_equal(line, FULL);
}

static void
test_what_may_be_left_out(void **state)
{
	char line[CONTEXT_LINE_MAX + 1];
	struct context c;

	(void)state;
	assert_null(parse(MIN, &c));
	assert_string_equal(c.ips, "");
	assert_string_equal(c.user, "");
	assert_int_equal(c.perm, PROTO_CONFIRM);
	assert_int_equal(context_format(&c, line, sizeof line),
	    strlen(MIN " perm=CONFIRM"));
	c.perm = 0;
	assert_int_equal(context_format(&c, line, sizeof line), strlen(MIN));
	assert_string_equal(line, MIN);
	assert_null(parse(CONTEXT_HEADER " mode=restricted host=a " ID, &c));
	assert_int_equal(c.perm, PROTO_BLOCKED);
}

static void
test_keys_of_a_newer_customer_are_ignored(void **state)
{
	struct context c;

	(void)state;
	assert_null(parse(MIN " token= os=debian%2012 x-y_1=a", &c));
	assert_string_equal(c.host, "srv1");
}

#define HOST100	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A64	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const char *const values_good[] = {
	"case=abc", "case=" A64, "case=A_b-1", "user=a", "user=" A64,
	"user=root%20%3Broot%3B", "ips=::", "ips=::ffff:10.0.0.1",
	"ips=255.255.255.255", "nets=0.0.0.0/0", "nets=10.0.0.1/32",
	"nets=::/0", "nets=::1/128", "perm=AUTO_REJECT",
};

static const char *const values_bad[] = {
	/* ill-formed pairs */
	"", " case=abc", "case", "=abc", "case=abc ", "Case=abc",
	"ca.se=abc", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=1", "case=a\tb",
	"case=abc\n", "case=abc\r",
	/* twice, known or not */
	"host=srv1", "case=abc case=abc", "x=1 x=1", "x=1 y=1 x=",
	/* not the one spelling */
	"user=a%61", "user=%c3%a9", "user=a%2", "user=%", "user=a%00b",
	"user=a=b", "user=a+b", "x=a+b", "x=%zz",
	/* values out of form */
	"case=ab", "case=" A64 "a", "case=a.b", "case=a%20b", "case=",
	"user=", "user=" A64 "a", "user=%FF", "user=%1B%5B0m", "user=%7F",
	"user=%C2%9Bm", "user=a%0Ab",
	"ips=", "ips=10.0.0.1,", "ips=,10.0.0.1", "ips=10.0.0.1,,::1",
	"ips=10.0.0", "ips=10.0.0.256", "ips=010.0.0.1", "ips=10.0.0.1/8",
	"ips=fe80::1%25eth0", "ips=localhost", "ips=10.0.0.1%20", "ips=g::",
	"ips=10.0.0.1.10.0.0.1.10.0.0.1.10.0.0.1.10.0.0.1.10.0.0.1.10.0.1",
	"nets=10.0.0.0", "nets=10.0.0.0/33", "nets=10.0.0.0/08",
	"nets=10.0.0.0/", "nets=/8", "nets=::/129", "nets=10.0.0.0/8/8",
	"dns=10.0.0.1/8", "perm=confirm", "perm=", "perm=BLOCKED",
};

static void
test_values(void **state)
{
	char line[1024];
	struct context c;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(values_good); i++) {
		(void)snprintf(line, sizeof line, "%s %s", MIN,
		    values_good[i]);
		if (parse(line, &c) != NULL)
			fail_msg("%s: %s", values_good[i], parse(line, &c));
	}
	for (i = 0; i < LEN(values_bad); i++) {
		(void)snprintf(line, sizeof line, "%s %s", MIN, values_bad[i]);
		if (parse(line, &c) == NULL)
			fail_msg("%s was taken", values_bad[i]);
	}
}

static void
test_lines(void **state)
{
	static const char *const bad[] = {
		"", "linbit-tunl", "linbit-tunl/", CONTEXT_HEADER,
		CONTEXT_HEADER " ", CONTEXT_HEADER "\n", " " MIN,
		"linbit-tunl/2 " ID " host=a mode=share",
		"linbit-tunl/11 " ID " host=a mode=share",
		CONTEXT_HEADER "\t" ID " host=a mode=share",
		CONTEXT_HEADER "  " ID " host=a mode=share",
		/* something left out */
		CONTEXT_HEADER " host=a mode=share",
		CONTEXT_HEADER " " ID " mode=share",
		CONTEXT_HEADER " " ID " host=a",
		/* ids, hosts, modes */
		CONTEXT_HEADER " id=swift-fox-jumps host=a mode=share",
		CONTEXT_HEADER " id= host=a mode=share",
		CONTEXT_HEADER " id=../../fox-in-etc host=a mode=share",
		CONTEXT_HEADER " " ID " host= mode=share",
		CONTEXT_HEADER " " ID " host=-oProxyCommand mode=share",
		CONTEXT_HEADER " " ID " host=a%1B mode=share",
		CONTEXT_HEADER " " ID " host=a:b mode=share",
		CONTEXT_HEADER " " ID " host=" HOST100 HOST100 "aaaaaaaaaa"
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa mode=share",
		CONTEXT_HEADER " " ID " host=a mode=",
		CONTEXT_HEADER " " ID " host=a mode=Share",
		CONTEXT_HEADER " " ID " host=a mode=no-tunnel",
		CONTEXT_HEADER " " ID " host=a mode=restricted perm=ALLOWED",
	};
	struct context c;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(bad); i++)
		if (parse(bad[i], &c) == NULL)
			fail_msg("%s was taken", bad[i]);
	assert_null(parse(CONTEXT_HEADER " " ID " mode=share host=" HOST100
	    HOST100 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	    &c));
	assert_int_equal(strlen(c.host), CONTEXT_HOST_MAX);
	assert_non_null(context_parse("linbit-tunl/1 x=\0", 17, &c));
}

static void
test_length_limit(void **state)
{
	char line[CONTEXT_LINE_MAX + 2];
	struct context c;

	(void)state;
	memset(line, 'a', sizeof line);
	memcpy(line, MIN " x=", strlen(MIN " x="));
	line[CONTEXT_LINE_MAX] = '\0';
	assert_null(parse(line, &c));
	line[CONTEXT_LINE_MAX] = 'a';
	line[CONTEXT_LINE_MAX + 1] = '\0';
	assert_non_null(parse(line, &c));
}

static void
test_lists_are_built_within_bounds(void **state)
{
	char list[CONTEXT_LIST_MAX + 1] = "", item[64];
	const char *p = list;
	struct proto_str s;
	int i, items = 0;

	(void)state;
	assert_int_equal(context_add(list, "10.0.0.1", true), -1);
	assert_int_equal(context_add(list, "fe80::1%eth0", false), -1);
	assert_int_equal(context_add(list, "", false), -1);
	assert_string_equal(list, "");
	assert_int_equal(context_add(list, "10.0.0.1", false), 0);
	assert_int_equal(context_add(list, "::1", false), 0);
	assert_int_equal(context_add(list, "10.0.0.1", false), 0);
	assert_string_equal(list, "10.0.0.1,::1");
	for (i = 2; i < CONTEXT_ITEMS_MAX; i++) {
		(void)snprintf(item, sizeof item, "10.0.1.%d", i);
		assert_int_equal(context_add(list, item, false), 0);
	}
	assert_int_equal(context_add(list, "10.0.2.1", false), -1);
	assert_int_equal(context_add(list, "10.0.0.1", false), 0);
	while (context_next(&p, &s))
		items++;
	assert_int_equal(items, CONTEXT_ITEMS_MAX);
	assert_true(context_is_list(list, strlen(list), false));
	(void)snprintf(list + strlen(list), 16, ",10.0.2.1");
	assert_false(context_is_list(list, strlen(list), false));
}

/* Fill a list to its brim, with the longest items there are. */
static void
fill_list(char *list, bool net)
{
	char item[CONTEXT_ITEM_MAX + 1];
	int i;

	list[0] = '\0';
	for (i = 0; i < CONTEXT_ITEMS_MAX; i++) {
		(void)snprintf(item, sizeof item,
		    "1111:2222:3333:4444:5555:6666:255.255.255.%d%s", 100 + i,
		    net ? "/128" : "");
		(void)context_add(list, item, net);
	}
	assert_true(strlen(list) > CONTEXT_LIST_MAX - CONTEXT_ITEM_MAX - 1);
}

static void
test_the_fullest_context_fits(void **state)
{
	char line[CONTEXT_LINE_MAX + 1];
	struct context c, again;
	int n;

	(void)state;
	memset(&c, 0, sizeof c);
	(void)snprintf(c.id, sizeof c.id, "%s",
	    "abcdefghijkl-abcdefghijkl-abcdefghijkl-abcdefghijkl");
	memset(c.host, 'h', CONTEXT_HOST_MAX);
	memset(c.user, ' ', CONTEXT_USER_MAX);
	memset(c.support_case, 'c', CONTEXT_CASE_MAX);
	fill_list(c.ips, false);
	fill_list(c.nets, true);
	fill_list(c.dns, false);
	c.mode = CONTEXT_RESTRICTED;
	c.perm = PROTO_BLOCKED;
	n = context_format(&c, line, sizeof line);
	assert_in_range(n, 1, CONTEXT_LINE_MAX);
	assert_int_equal(n, strlen(line));
	assert_null(parse(line, &again));
	assert_memory_equal(&c, &again, sizeof c);
}

static void
test_format_refuses_what_parse_does(void **state)
{
	char line[CONTEXT_LINE_MAX + 1];
	struct context c;
	size_t cap;

	(void)state;
	assert_null(parse(FULL, &c));
	for (cap = 0; cap <= strlen(FULL); cap++)
		assert_int_equal(context_format(&c, line, cap), -1);
	assert_int_equal(context_format(&c, line, cap), strlen(FULL));
	(void)snprintf(c.host, sizeof c.host, "-h");
	assert_int_equal(context_format(&c, line, sizeof line), -1);
	assert_null(parse(FULL, &c));
	c.id[0] = '\0';
	assert_int_equal(context_format(&c, line, sizeof line), -1);
	assert_null(parse(FULL, &c));
	c.perm = PROTO_BLOCKED;
	assert_int_equal(context_format(&c, line, sizeof line), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_key),
		cmocka_unit_test(test_what_may_be_left_out),
		cmocka_unit_test(test_keys_of_a_newer_customer_are_ignored),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_length_limit),
		cmocka_unit_test(test_lists_are_built_within_bounds),
		cmocka_unit_test(test_the_fullest_context_fits),
		cmocka_unit_test(test_format_refuses_what_parse_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
