/*
 * attach.c - see attach.h.
 */
#include "attach.h"

#include <arpa/inet.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "num.h"

/* A payload being written. */
struct out {
	char	*buf;
	size_t	 cap, len;
	bool	 full;
};

__attribute__((format(printf, 2, 3)))
static void
line(struct out *o, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (o->full)
		return;
	va_start(ap, fmt);
	n = vsnprintf(o->buf + o->len, o->cap - o->len, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= o->cap - o->len)
		o->full = true;
	else
		o->len += (size_t)n;
}

static void
encoded(struct out *o, const char *key, const char *value)
{
	char text[3 * KEYFILE_COMMENT_MAX + 1];

	if (proto_pct_encode(value, strlen(value), text, sizeof text) == -1)
		o->full = true;
	else
		line(o, "%s=%s\n", key, text);
}

static const char *
role_name(unsigned int role)
{
	return role == PROTO_VIEW ? "view" : role == PROTO_CHAT ? "chat" :
	    role == PROTO_CONTROL ? "control" : "producer";
}

size_t
attach_format(const struct attach *a, char *buf, size_t cap)
{
	struct out o = { buf, cap, 0, false };

	line(&o, "role=%s\n", role_name(a->role));
	if (a->remote[0] != '\0')
		line(&o, "remote=%s\n", a->remote);
	if (a->role == 0) {
		line(&o, "context=%s\nkeyid=%s\nserial=%llu\n", a->context,
		    a->key_id, (unsigned long long)a->serial);
	} else {
		line(&o, "client=%s\naccess=%s\nfingerprint=%s\n", a->client,
		    a->ro ? "ro" : "rw", a->fingerprint);
		encoded(&o, "name", a->name);
		encoded(&o, "comment", a->comment);
	}
	return o.full ? 0 : o.len;
}

bool
attach_client_ok(const char *s)
{
	return strlen(s) == SESSION_CLIENT_LEN &&
	    strspn(s, "0123456789abcdef") == SESSION_CLIENT_LEN;
}

bool
attach_name_ok(const char *name)
{
	size_t len = strlen(name);

	/* The rule for the customer's user name is the one we want. */
	return len == 0 ||
	    (len <= PROTO_NAME_MAX && context_is_user(name, len));
}

static bool
is_remote(const char *s)
{
	unsigned char binary[sizeof(struct in6_addr)];
	char text[ATTACH_REMOTE_MAX + 1];
	size_t len = strcspn(s, "%");	/* a scope, as in fe80::1%eth0 */

	memcpy(text, s, len);
	text[len] = '\0';
	return inet_pton(AF_INET, text, binary) == 1 ||
	    inet_pton(AF_INET6, text, binary) == 1;
}

static bool
take_role(struct attach *a, const char *v)
{
	unsigned int role;

	for (role = 0; role <= PROTO_CONTROL; role = role == 0 ? 1 : role * 2)
		if (strcmp(v, role_name(role)) == 0) {
			a->role = role;
			return true;
		}
	return false;
}

static bool
take_access(struct attach *a, const char *v)
{
	a->ro = strcmp(v, "ro") == 0;
	return a->ro || strcmp(v, "rw") == 0;
}

static bool
take_remote(struct attach *a, const char *v)
{
	(void)snprintf(a->remote, sizeof a->remote, "%s", v);
	return strlen(v) <= ATTACH_REMOTE_MAX && is_remote(a->remote);
}

static bool
take_client(struct attach *a, const char *v)
{
	(void)snprintf(a->client, sizeof a->client, "%s", v);
	return attach_client_ok(v);
}

static bool
take_fingerprint(struct attach *a, const char *v)
{
	struct proto_str s = { v, strlen(v) };

	(void)snprintf(a->fingerprint, sizeof a->fingerprint, "%s", v);
	return s.len <= AUTHINFO_FP_LEN && proto_is_fingerprint(s);
}

static bool
take_name(struct attach *a, const char *v)
{
	return proto_pct_decode(v, strlen(v), a->name, sizeof a->name) != -1 &&
	    attach_name_ok(a->name);
}

static bool
take_comment(struct attach *a, const char *v)
{
	int n = proto_pct_decode(v, strlen(v), a->comment,
	    sizeof a->comment);

	return n != -1 && proto_is_utf8(a->comment, (size_t)n);
}

static bool
take_context(struct attach *a, const char *v)
{
	(void)snprintf(a->context, sizeof a->context, "%s", v);
	return strlen(v) <= CONTEXT_LINE_MAX;
}

static bool
take_key_id(struct attach *a, const char *v)
{
	(void)snprintf(a->key_id, sizeof a->key_id, "%s", v);
	return sid_is_valid(v, strlen(v));
}

static bool
take_serial(struct attach *a, const char *v)
{
	return num_parse_str(v, 0, UINT64_MAX, &a->serial) == 0;
}

#define SUPPORT		0x1	/* a line of a support leg */
#define CUSTOMER	0x2	/* of the customer */
#define OPTIONAL	0x4

static const struct {
	const char	*key;
	bool		(*take)(struct attach *, const char *);
	unsigned int	 who;
} lines[] = {
	{ "role", take_role, SUPPORT | CUSTOMER },
	{ "remote", take_remote, SUPPORT | CUSTOMER | OPTIONAL },
	{ "client", take_client, SUPPORT },
	{ "access", take_access, SUPPORT },
	{ "fingerprint", take_fingerprint, SUPPORT },
	{ "name", take_name, SUPPORT },
	{ "comment", take_comment, SUPPORT },
	{ "context", take_context, CUSTOMER },
	{ "keyid", take_key_id, CUSTOMER },
	{ "serial", take_serial, CUSTOMER },
};

#define LINES	(sizeof lines / sizeof lines[0])

/* One `key=value`; *SEEN has a bit for each line of the table. */
static const char *
take_line(struct attach *a, const char *text, unsigned int *seen)
{
	const char *eq = strchr(text, '=');
	size_t klen, i;

	if (eq == NULL)
		return "a line is not key=value";
	klen = (size_t)(eq - text);
	for (i = 0; i < LINES; i++) {
		if (strlen(lines[i].key) != klen ||
		    memcmp(lines[i].key, text, klen) != 0)
			continue;
		if ((*seen & 1u << i) != 0)
			return "a line is there twice";
		*seen |= 1u << i;
		return lines[i].take(a, eq + 1) ? NULL :
		    "a value is not of its key's form";
	}
	return NULL;	/* of a newer leg */
}

const char *
attach_parse(const char *s, size_t len, struct attach *a)
{
	const char *end = s + len, *lf, *wrong;
	char text[CONTEXT_LINE_MAX + 32];
	unsigned int seen = 0, who;
	size_t i;

	memset(a, 0, sizeof *a);
	for (; s < end; s = lf + 1) {
		lf = memchr(s, '\n', (size_t)(end - s));
		if (lf == NULL || (size_t)(lf - s) >= sizeof text ||
		    memchr(s, '\0', (size_t)(lf - s)) != NULL)
			return "a line is too long, or not ended";
		memcpy(text, s, (size_t)(lf - s));
		text[lf - s] = '\0';
		wrong = take_line(a, text, &seen);
		if (wrong != NULL)
			return wrong;
	}
	who = a->role == 0 ? CUSTOMER : SUPPORT;
	for (i = 0; i < LINES; i++)
		if ((lines[i].who & who) != 0 &&
		    (lines[i].who & OPTIONAL) == 0 && (seen & 1u << i) == 0)
			return "a line is missing";
	return NULL;
}
