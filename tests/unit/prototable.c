/*
 * prototable.c - prints the protocol's table of verbs for the manual, in mdoc.
 *
 * The output stands in docs/linbit-tunl-protocol.7 between two marker comments;
 * `make lint` compares.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "proto.h"

struct name {
	unsigned int	 bit;
	const char	*text;
};

static const struct name paths[] = {
	{ PROTO_C2B, "C to B" }, { PROTO_S2B, "S to B" },
	{ PROTO_B2C, "B to C" }, { PROTO_B2S, "B to S" },
	{ PROTO_L2B, "L to B" }, { PROTO_B2L, "B to L" }, { 0, NULL }
};

static const struct name roles[] = {
	{ PROTO_VIEW, "view" }, { PROTO_CHAT, "chat" },
	{ PROTO_CONTROL, "control" }, { 0, NULL }
};

static const struct name perms[] = {
	{ PROTO_CONFIRM, "CONFIRM" }, { PROTO_ALLOWED, "ALLOWED" },
	{ PROTO_AUTO_REJECT, "AUTO_REJECT" }, { PROTO_BLOCKED, "BLOCKED" },
	{ 0, NULL }
};

/* The names of the bits in MASK: "a", "a and b", "a, b and c". */
static void
print_names(const struct name *n, unsigned int mask)
{
	unsigned int left = 0, i;

	for (i = 0; n[i].text != NULL; i++)
		left += (mask & n[i].bit) != 0;
	for (i = 0; n[i].text != NULL; i++) {
		if ((mask & n[i].bit) == 0)
			continue;
		left--;
		(void)printf("%s%s", n[i].text,
		    left > 1 ? ", " : left == 1 ? " and " : "");
	}
}

static bool
is_type(const char *s, size_t len)
{
	static const char *const types[] = { "num", "size", "wish", "port",
	    "code", "id", "name", "fp", "word" };
	size_t i;

	for (i = 0; i < sizeof types / sizeof types[0]; i++)
		if (strlen(types[i]) == len && memcmp(types[i], s, len) == 0)
			return true;
	return false;
}

/* One argument, LEN octets at S: a type, or literals a|b|c. */
static void
print_arg(const char *s, size_t len)
{
	char suffix = s[len - 1];
	bool optional = suffix == '?' || suffix == '*';
	size_t i;

	if (optional) {
		len--;
		(void)printf(" Oo");
	}
	(void)printf(is_type(s, len) ? " Ar " : " Cm ");
	for (i = 0; i < len; i++)
		(void)printf(s[i] == '|' ? " | " : "%c", s[i]);
	if (suffix == '*')
		(void)printf(" ...");
	if (optional)
		(void)printf(" Oc");
}

static void
print_header(const struct proto_row *r)
{
	const char *s = r->args;
	size_t len;

	(void)printf(".It Ic %s", r->verb);
	for (; *s != '\0'; s += len, s += strspn(s, " ")) {
		len = strcspn(s, " ");
		print_arg(s, len);
	}
	if (r->payload != PROTO_NONE)
		(void)printf(" Pf + Ar %s",
		    r->payload == PROTO_TEXT ? "text" : "octets");
	(void)printf("\n");
}

/* Who sends it, on which legs, and what keeps it from the customer. */
static void
print_rules(const struct proto_row *r)
{
	(void)printf("From ");
	print_names(paths, r->paths);
	if ((r->paths & (PROTO_S2B | PROTO_B2S)) != 0 &&
	    r->roles != PROTO_ANYROLE) {
		(void)printf(";\non ");
		print_names(roles, r->roles);
		(void)printf(" legs");
	}
	if (r->perms != PROTO_ANYPERM) {
		(void)printf(";\nin ");
		print_names(perms, r->perms);
	}
	if ((r->flags & PROTO_RW) != 0)
		(void)printf(";\nnot from a read-only viewer");
	(void)printf(".\n");
}

/* As a sentence. */
static void
print_meaning(const char *s)
{
	(void)printf("%c%s%s\n", toupper((unsigned char)s[0]), s + 1,
	    s[strlen(s) - 1] == '?' ? "" : ".");
}

int
main(void)
{
	unsigned int i;

	(void)printf(".Bl -tag -width Ds -compact\n");
	for (i = 0; i < PROTO_FORMS; i++) {
		const struct proto_row *r = proto_row((enum proto_form)i);

		print_header(r);
		print_meaning(r->meaning);
		print_rules(r);
	}
	(void)printf(".El\n");
	return fflush(stdout) == 0 ? 0 : 1;
}
