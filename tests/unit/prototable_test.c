/*
 * prototable_test.c - the protocol's table of verbs: every form in every
 * direction and role, and what each type of argument takes.
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

/* Take a whole frame apart. */
static void
parse(const char *s, size_t len, struct proto_frame *f)
{
	enum proto_rule rule;
	size_t n;

	assert_int_equal(proto_parse(s, len, f, &rule, &n), PROTO_FRAME);
	assert_int_equal(n, len);
}

/* ---- the table ---------------------------------------------------------- */

#define VARIANTS	9

/* The WHICHth of the alternatives "a|b|c" in the LEN octets at S. */
static struct proto_str
alternative(const char *s, size_t len, unsigned int which)
{
	const char *end = s + len, *bar;
	unsigned int count = 1;

	for (bar = s; bar < end; bar++)
		count += *bar == '|';
	for (which %= count; which > 0; which--)
		s = strchr(s, '|') + 1;
	bar = memchr(s, '|', (size_t)(end - s));
	return (struct proto_str){ s, (size_t)((bar != NULL ? bar : end) - s) };
}

/* An example of the type named by the LEN octets at S. */
static struct proto_str
example_arg(const char *s, size_t len, unsigned int variant)
{
	static const char *const examples[][2] = {
		{ "num", "9223372036854775807" }, { "size", "9999" },
		{ "wish", "0" }, { "port", "65535" }, { "code", "254" },
		{ "id", "0123abcd.4294967295" }, { "word", "a+b=c" },
		{ "name", "Ren%C3%A9e%20M." },
		{ "fp", "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU" },
	};
	struct proto_str type = { s, len };
	size_t i;

	for (i = 0; i < LEN(examples); i++)
		if (proto_is(type, examples[i][0]))
			return (struct proto_str){ examples[i][1],
			    strlen(examples[i][1]) };
	return alternative(s, len, variant);
}

/*
 * Write an example of each type in SPEC; variant 0 has no optional ones.
 * Returns their number.
 */
static unsigned int
example_args(const char *spec, unsigned int variant, char *out, size_t cap)
{
	unsigned int count = 0;
	struct proto_str arg;
	size_t len, o = 0;

	out[0] = '\0';
	for (; *spec != '\0'; spec += len + strspn(spec + len, " ")) {
		size_t type = strcspn(spec, " ?*");

		len = strcspn(spec, " ");
		if (variant == 0 && type < len)
			continue;
		arg = example_arg(spec, type, variant);
		o += (size_t)snprintf(out + o, cap - o, "%s%.*s",
		    count++ > 0 ? " " : "", (int)arg.len, arg.s);
		assert_true(o < cap);
	}
	return count;
}

/* Make an example of FORM into OUT and F; returns its length. */
static size_t
example(enum proto_form form, unsigned int variant, char *out, size_t cap,
    struct proto_frame *f)
{
	const struct proto_row *r = proto_row(form);
	const char *payload = r->payload == PROTO_NONE ? NULL :
	    r->payload == PROTO_TEXT ? "f\xc3\xbcr \xe2\x82\xac" :
	    "\x1b[0m\xff\xfe\n";
	char args[512];
	unsigned int count;
	size_t len;

	count = example_args(r->args, variant, args, sizeof args);
	len = proto_put(out, cap, form, payload,
	    payload != NULL ? strlen(payload) : 0, count > 0 ? "%s" : NULL,
	    args);
	if (len == 0)
		fail_msg("%s %s was not taken", r->verb, args);
	parse(out, len, f);
	assert_int_equal(f->nargs, count);
	return len;
}

static bool
row_allows(const struct proto_row *r, unsigned int path, unsigned int role)
{
	return (r->paths & path) != 0 && ((r->roles & role) != 0 ||
	    (path & (PROTO_S2B | PROTO_B2S)) == 0);
}

static void
test_every_form_round_trips(void **state)
{
	char out[1024], again[1024];
	struct proto_frame f;
	size_t len;
	int i;

	(void)state;
	for (i = 0; i < VARIANTS * PROTO_FORMS; i++) {
		len = example((enum proto_form)(i / VARIANTS),
		    (unsigned int)i % VARIANTS, out, sizeof out, &f);
		assert_int_equal(proto_format(&f, again, sizeof again), len);
		assert_memory_equal(out, again, len);
		/* It fits exactly, and not into one octet less. */
		assert_int_equal(proto_format(&f, again, len), len);
		assert_int_equal(proto_format(&f, again, len - 1), 0);
	}
}

/* What proto_check() says of an example of WANT, by the table. */
static enum proto_rule
check_one(enum proto_form want, const struct proto_frame *f, unsigned int path,
    unsigned int role)
{
	const struct proto_row *r = proto_row(want);
	enum proto_form got = PROTO_FORMS;
	enum proto_rule rule;
	bool other = false;
	int i;

	if (row_allows(r, path, role)) {
		assert_int_equal(proto_check(f, path, role, &got, &rule),
		    PROTO_GOOD);
		assert_int_equal(got, want);
		assert_int_equal(rule, PROTO_RULE_OK);
		return rule;
	}
	assert_int_equal(proto_check(f, path, role, &got, &rule), PROTO_WRONG);
	for (i = 0; i < PROTO_FORMS; i++)
		other = other || (strcmp(proto_row((enum proto_form)i)->verb,
		    r->verb) == 0 && row_allows(proto_row((enum proto_form)i),
		    path, role));
	if (other)	/* then its args or payload are wrong for that one */
		assert_true(rule >= PROTO_RULE_ARGS);
	else
		assert_true(rule == PROTO_RULE_DIRECTION ||
		    rule == PROTO_RULE_ROLE);
	return rule;
}

static void
test_every_form_on_every_leg(void **state)
{
	unsigned int path, role, seen[PROTO_RULES] = { 0 };
	struct proto_frame f;
	char out[1024];
	int i;

	(void)state;
	for (i = 0; i < VARIANTS * PROTO_FORMS; i++) {
		enum proto_form form = (enum proto_form)(i / VARIANTS);

		(void)example(form, (unsigned int)i % VARIANTS, out,
		    sizeof out, &f);
		for (path = PROTO_C2B; path <= PROTO_B2L; path <<= 1)
			for (role = PROTO_VIEW; role <= PROTO_CONTROL;
			    role <<= 1)
				seen[check_one(form, &f, path, role)]++;
	}
	assert_true(seen[PROTO_RULE_OK] > 0);
	assert_true(seen[PROTO_RULE_DIRECTION] > 0);
	assert_true(seen[PROTO_RULE_ROLE] > 0);
}

/* A frame, where it came from, and what proto_check() says of it. */
static const struct {
	const char	*s;
	unsigned int	 path, role;
	enum proto_rule	 rule;	/* PROTO_RULE_OK: it is good */
} checks[] = {
	{ "HELLO 1\n", PROTO_C2B, 0, PROTO_RULE_OK },
	{ "HELLO 1 a b c d e f g\n", PROTO_C2B, 0, PROTO_RULE_OK },
	{ "HELLO\n", PROTO_C2B, 0, PROTO_RULE_ARGS },
	{ "HELLO one\n", PROTO_C2B, 0, PROTO_RULE_ARGS },
	{ "HELLO 01\n", PROTO_C2B, 0, PROTO_RULE_ARGS },
	{ "HELLO 1 +0\n\n", PROTO_C2B, 0, PROTO_RULE_PAYLOAD },
	{ "PING 9223372036854775807\n", PROTO_C2B, 0, PROTO_RULE_OK },
	{ "PING 9223372036854775808\n", PROTO_C2B, 0, PROTO_RULE_ARGS },
	{ "PING 1 2\n", PROTO_C2B, 0, PROTO_RULE_ARGS },
	{ "OUTPUT\n", PROTO_C2B, 0, PROTO_RULE_PAYLOAD },
	{ "OUTPUT +0\n\n", PROTO_C2B, 0, PROTO_RULE_OK },
	{ "OUTPUT x +0\n\n", PROTO_C2B, 0, PROTO_RULE_ARGS },
	{ "SIZE 1 9999\n", PROTO_C2B, 0, PROTO_RULE_OK },
	{ "SIZE 0 24\n", PROTO_C2B, 0, PROTO_RULE_ARGS },
	{ "SIZE 80 10000\n", PROTO_C2B, 0, PROTO_RULE_ARGS },
	{ "SIZE 80\n", PROTO_C2B, 0, PROTO_RULE_ARGS },
	{ "SCREEN 80 24 end +0\n\n", PROTO_C2B, 0, PROTO_RULE_OK },
	{ "SCREEN 80 24 more gap +0\n\n", PROTO_C2B, 0, PROTO_RULE_OK },
	{ "SCREEN 80 24 gap +0\n\n", PROTO_C2B, 0, PROTO_RULE_ARGS },
	{ "SCREEN 80 24 end gap gap +0\n\n", PROTO_C2B, 0, PROTO_RULE_ARGS },
	{ "SCREEN 80 24 en +0\n\n", PROTO_C2B, 0, PROTO_RULE_ARGS },
	{ "SCREEN 80 24 more|end +0\n\n", PROTO_C2B, 0, PROTO_RULE_ARGS },
	{ "SNAPSHOT\n", PROTO_B2C, 0, PROTO_RULE_OK },
	{ "SNAPSHOT 2000\n", PROTO_B2C, 0, PROTO_RULE_OK },
	{ "SNAPSHOT all\n", PROTO_B2C, 0, PROTO_RULE_ARGS },
	{ "KEYS main +1\nx\n", PROTO_S2B, PROTO_VIEW, PROTO_RULE_OK },
	{ "KEYS main +1\nx\n", PROTO_S2B, PROTO_CHAT, PROTO_RULE_ARGS },
	{ "KEYS tail +1\nx\n", PROTO_S2B, PROTO_VIEW, PROTO_RULE_ARGS },
	{ "KEYS main\n", PROTO_S2B, PROTO_VIEW, PROTO_RULE_PAYLOAD },
	{ "KEYS chat 0a1b2c3d.0 +2\n\xc3\xa9\n", PROTO_S2B, PROTO_CHAT,
	    PROTO_RULE_OK },
	{ "KEYS chat 0a1b2c3d.0 +2\n\xc3x\n", PROTO_S2B, PROTO_CHAT,
	    PROTO_RULE_PAYLOAD },
	{ "KEYS chat 0A1B2C3D.0 +1\nx\n", PROTO_S2B, PROTO_CHAT,
	    PROTO_RULE_ARGS },
	{ "KEYS chat 0a1b2c3d. +1\nx\n", PROTO_S2B, PROTO_CHAT,
	    PROTO_RULE_ARGS },
	{ "KEYS chat 0a1b2c3d.00 +1\nx\n", PROTO_S2B, PROTO_CHAT,
	    PROTO_RULE_ARGS },
	{ "KEYS chat 0a1b2c3d.4294967296 +1\nx\n", PROTO_S2B, PROTO_CHAT,
	    PROTO_RULE_ARGS },
	{ "KEYS chat 0a1b2c3.10 +1\nx\n", PROTO_S2B, PROTO_CHAT,
	    PROTO_RULE_ARGS },
	{ "RESIZE 0 0\n", PROTO_S2B, PROTO_VIEW, PROTO_RULE_OK },
	{ "RESIZE 80 24 override\n", PROTO_S2B, PROTO_VIEW, PROTO_RULE_OK },
	{ "RESIZE 80 24 override\n", PROTO_B2C, 0, PROTO_RULE_ARGS },
	{ "RESIZE 0 0 override\n", PROTO_S2B, PROTO_VIEW, PROTO_RULE_ARGS },
	{ "RESIZE 80 24 +0\n\n", PROTO_S2B, PROTO_VIEW, PROTO_RULE_PAYLOAD },
	{ "SUPPORT_CHAT 0a1b2c3d.1 5 1 - +0\n\n", PROTO_B2C, 0,
	    PROTO_RULE_OK },
	{ "SUPPORT_CHAT 0a1b2c3d.1 5 1 %2D +0\n\n", PROTO_B2C, 0,
	    PROTO_RULE_ARGS },
	{ "SUPPORT_CHAT 0a1b2c3d.1 5 1 %FF +0\n\n", PROTO_B2C, 0,
	    PROTO_RULE_ARGS },
	{ "UPGRADE\n", PROTO_S2B, PROTO_CONTROL, PROTO_RULE_OK },
	{ "UPGRADE\n", PROTO_S2B, PROTO_VIEW, PROTO_RULE_ROLE },
	{ "UPGRADE 30000 0 - -\n", PROTO_B2C, 0, PROTO_RULE_OK },
	{ "UPGRADE 30000 1 SHA256:a/b+ Al\n", PROTO_B2C, 0, PROTO_RULE_OK },
	{ "UPGRADE 30000 1 SHA256: Al\n", PROTO_B2C, 0, PROTO_RULE_ARGS },
	{ "UPGRADE 30000 1 SHA256:a= Al\n", PROTO_B2C, 0, PROTO_RULE_ARGS },
	{ "UPGRADE 30000 1 MD5:ab Al\n", PROTO_B2C, 0, PROTO_RULE_ARGS },
	{ "UPGRADE 0 1 - Al\n", PROTO_B2C, 0, PROTO_RULE_ARGS },
	{ "UPGRADE 65536 1 - Al\n", PROTO_B2C, 0, PROTO_RULE_ARGS },
	{ "PERM ALLOWED\n", PROTO_C2B, 0, PROTO_RULE_OK },
	{ "PERM allowed\n", PROTO_C2B, 0, PROTO_RULE_ARGS },
	{ "BYE\n", PROTO_C2B, 0, PROTO_RULE_OK },
	{ "BYE away\n", PROTO_C2B, 0, PROTO_RULE_OK },
	{ "BYE now\n", PROTO_C2B, 0, PROTO_RULE_ARGS },
	{ "OK\n", PROTO_B2L, 0, PROTO_RULE_OK },
	{ "OK 30000\n", PROTO_B2L, 0, PROTO_RULE_OK },
	{ "END 254 +0\n\n", PROTO_B2L, 0, PROTO_RULE_OK },
	{ "END 255 +0\n\n", PROTO_B2L, 0, PROTO_RULE_ARGS },
	{ "ADD_KEY +1\nx\n", PROTO_L2B, 0, PROTO_RULE_OK },
	{ "ADD_KEY +1\nx\n", PROTO_S2B, PROTO_CONTROL, PROTO_RULE_DIRECTION },
	{ "TERMINATE\n", PROTO_C2B, 0, PROTO_RULE_DIRECTION },
};

static void
test_checks(void **state)
{
	struct proto_frame f;
	enum proto_rule rule;
	enum proto_form form;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(checks); i++) {
		parse(checks[i].s, strlen(checks[i].s), &f);
		if (proto_check(&f, checks[i].path, checks[i].role, &form,
		    &rule) != (checks[i].rule == PROTO_RULE_OK ? PROTO_GOOD :
		    PROTO_WRONG) || rule != checks[i].rule)
			fail_msg("%s: %s", checks[i].s, proto_rule_text(rule));
	}
}

static void
test_unknown_verb_is_not_wrong(void **state)
{
	static const char *const unknown[] = { "PINGS x +1\n\xff\n", "PIN\n" };
	struct proto_frame f;
	enum proto_rule rule;
	enum proto_form form;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(unknown); i++) {
		parse(unknown[i], strlen(unknown[i]), &f);
		assert_int_equal(proto_check(&f, PROTO_C2B, 0, &form, &rule),
		    PROTO_UNKNOWN);
		assert_int_equal(rule, PROTO_RULE_OK);
	}
}

static void
test_permission_states(void **state)
{
	unsigned int perm;
	const char *name;

	(void)state;
	for (perm = PROTO_BLOCKED; perm <= PROTO_AUTO_REJECT; perm <<= 1) {
		name = proto_perm_name(perm);
		assert_int_equal(proto_perm((struct proto_str){ name,
		    strlen(name) }), perm);
	}
	assert_int_equal(proto_perm((struct proto_str){ "", 0 }), 0);
	assert_int_equal(proto_perm((struct proto_str){ "ALLOW", 5 }), 0);
	/* What a blocked or rejecting customer must never be given. */
	assert_int_equal(proto_row(PROTO_KEYS_MAIN)->perms & PROTO_BLOCKED, 0);
	assert_int_equal(proto_row(PROTO_ZOOM)->perms & PROTO_BLOCKED, 0);
	assert_int_equal(proto_row(PROTO_UPGRADE)->perms,
	    PROTO_CONFIRM | PROTO_ALLOWED);
	assert_int_equal(proto_row(PROTO_SUPPORT_KEY)->perms,
	    PROTO_CONFIRM | PROTO_ALLOWED);
}

/* ---- the fuzzer's dictionary -------------------------------------------- */

/* True if the dictionary has the entry "WORD". */
static bool
is_entry(const char *dict, const char *word, size_t len)
{
	char entry[64];

	(void)snprintf(entry, sizeof entry, "\n\"%.*s\"\n", (int)len, word);
	return strstr(dict, entry) != NULL;
}

/* True if the LEN octets at S name a type, not a literal. */
static bool
is_type(const char *s, size_t len)
{
	struct proto_str arg = example_arg(s, len, 0);

	return arg.s != s;
}

static void
test_dictionary_has_the_table(void **state)
{
	static char dict[8192];
	FILE *f = fopen("tests/fuzz/proto.dict", "re");
	const char *s;
	size_t len;
	int i;

	(void)state;
	assert_non_null(f);
	dict[fread(dict, 1, sizeof dict - 1, f)] = '\0';
	(void)fclose(f);
	for (i = 0; i < PROTO_FORMS; i++) {
		const struct proto_row *r = proto_row((enum proto_form)i);

		if (!is_entry(dict, r->verb, strlen(r->verb)))
			fail_msg("no %s in tests/fuzz/proto.dict", r->verb);
		for (s = r->args; *s != '\0'; s += len + (s[len] != '\0')) {
			len = strcspn(s, " ?*|");
			if (len > 0 && !is_type(s, len) &&
			    !is_entry(dict, s, len))
				fail_msg("no %.*s in tests/fuzz/proto.dict",
				    (int)len, s);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_form_round_trips),
		cmocka_unit_test(test_every_form_on_every_leg),
		cmocka_unit_test(test_checks),
		cmocka_unit_test(test_unknown_verb_is_not_wrong),
		cmocka_unit_test(test_permission_states),
		cmocka_unit_test(test_dictionary_has_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
