/*
 * context.h - the context line: what a customer's machine says of itself.
 *
 *	line  = "linbit-tunl/1" *( SP key "=" value )
 *	key   = 1*32( a-z | 0-9 | "_" | "-" )
 *	value = percent-encoded as proto_pct_encode() does
 *
 * At most 4,096 octets.  A key may be there once; one that is not known here
 * is ignored.  id, host and mode must be there.  Everything that
 * context_parse() lets through is of its field's form and within its bound,
 * so it is printable ASCII, but for the user, which is UTF-8 without control
 * characters.
 *
 * This header allocates nothing and does no I/O; it needs sid.c.  It must not
 * find out anything itself: the customer's program fills the struct.
 */
#ifndef CONTEXT_H
#define CONTEXT_H

#include <sys/socket.h>

#include <arpa/inet.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif
#include "sid.h"
#ifdef __cplusplus
}
#endif

#include "num.h"
#include "proto.h"

#define CONTEXT_HEADER		"linbit-tunl/1"
#define CONTEXT_LINE_MAX	4096	/* octets, NUL not counted */
#define CONTEXT_KEY_MAX		32
#define CONTEXT_HOST_MAX	253
#define CONTEXT_USER_MAX	64	/* octets of UTF-8 */
#define CONTEXT_CASE_MIN	3
#define CONTEXT_CASE_MAX	64
#define CONTEXT_LIST_MAX	1000	/* octets of one list, with commas */
#define CONTEXT_ITEMS_MAX	32	/* items of one list */
#define CONTEXT_ITEM_MAX	49	/* "xxxx:…:255.255.255.255/128" */

enum context_mode {
	CONTEXT_SHARE,
	CONTEXT_RESTRICTED,
	CONTEXT_TUNNEL,
	CONTEXT_MODES
};

/* Strings are NUL-terminated; "" stands for what was not said. */
struct context {
	char		 id[SID_MAX + 1];
	char		 host[CONTEXT_HOST_MAX + 1];
	char		 ips[CONTEXT_LIST_MAX + 1];	/* for context_next() */
	char		 nets[CONTEXT_LIST_MAX + 1];	/* address/prefix,… */
	char		 dns[CONTEXT_LIST_MAX + 1];
	char		 support_case[CONTEXT_CASE_MAX + 1];
	char		 user[CONTEXT_USER_MAX + 1];
	enum context_mode mode;
	unsigned int	 perm;		/* one PROTO_BLOCKED … bit; if it is 0
					 * context_format() leaves it out, and
					 * context_parse() puts the default */
};

static inline const char *
context_mode_name(enum context_mode mode)
{
	return mode == CONTEXT_RESTRICTED ? "restricted" :
	    mode == CONTEXT_TUNNEL ? "tunnel" : "share";
}

/* The permission state that a session of MODE starts in. */
static inline unsigned int
context_default_perm(enum context_mode mode)
{
	return mode == CONTEXT_RESTRICTED ? PROTO_BLOCKED : PROTO_CONFIRM;
}

/* ---- what a value may be ------------------------------------------------ */

/* True if all LEN octets at S are letters, digits, or in OTHERS. */
static inline bool
context_is_made_of(const char *s, size_t len, const char *others)
{
	size_t i;

	for (i = 0; i < len; i++) {
		char c = s[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		    (c >= '0' && c <= '9') ||
		    (c != '\0' && strchr(others, c) != NULL)))
			return false;
	}
	return true;
}

/* 1 to 253 of letters, digits, "." "_" "-", the first not "-". */
static inline bool
context_is_host(const char *s, size_t len)
{
	return len >= 1 && len <= CONTEXT_HOST_MAX && s[0] != '-' &&
	    context_is_made_of(s, len, "._-");
}

/* 3 to 64 of letters, digits, "-" "_". */
static inline bool
context_is_case(const char *s, size_t len)
{
	return len >= CONTEXT_CASE_MIN && len <= CONTEXT_CASE_MAX &&
	    context_is_made_of(s, len, "-_");
}

/* 1 to 64 octets of UTF-8 without control characters (C0, DEL, C1). */
static inline bool
context_is_user(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t i;

	if (len < 1 || len > CONTEXT_USER_MAX || !proto_is_utf8(s, len))
		return false;
	for (i = 0; i < len; i++)
		if (p[i] < 0x20 || p[i] == 0x7f ||
		    (p[i] == 0xc2 && p[i + 1] < 0xa0))
			return false;
	return true;
}

/* An IPv4 or IPv6 address (no scope), and if NET "/" and its prefix length. */
static inline bool
context_is_address(const char *s, size_t len, bool net)
{
	unsigned char binary[sizeof(struct in6_addr)];
	char text[CONTEXT_ITEM_MAX + 1];
	char *slash = NULL;
	uint64_t prefix = 0;

	if (len > CONTEXT_ITEM_MAX || memchr(s, '\0', len) != NULL)
		return false;
	memcpy(text, s, len);
	text[len] = '\0';
	if (net) {
		slash = strchr(text, '/');
		if (slash == NULL ||
		    num_parse_str(slash + 1, 0, 128, &prefix) == -1)
			return false;
		*slash = '\0';
	}
	if (inet_pton(AF_INET, text, binary) == 1)
		return prefix <= 32;
	return inet_pton(AF_INET6, text, binary) == 1;
}

/*
 * Step through a list: *LIST begins as the list and is moved on; ITEM points
 * into it.  Returns false at the end.
 */
static inline bool
context_next(const char **list, struct proto_str *item)
{
	if (**list == '\0')
		return false;
	item->s = *list;
	item->len = strcspn(*list, ",");
	*list += item->len;
	if (**list == ',')
		++*list;
	return true;
}

/* A list of 1 to 32 addresses, or of nets, at most 1,000 octets. */
static inline bool
context_is_list(const char *s, size_t len, bool net)
{
	unsigned int items = 0;
	struct proto_str item;

	if (len < 1 || len > CONTEXT_LIST_MAX || s[len - 1] == ',')
		return false;
	while (context_next(&s, &item))
		if (++items > CONTEXT_ITEMS_MAX ||
		    !context_is_address(item.s, item.len, net))
			return false;
	return true;
}

/*
 * Append ITEM to the list in OUT (CONTEXT_LIST_MAX + 1 octets; "" to begin
 * with).  Returns 0, also if it is there already, or -1 with OUT untouched: it
 * is ill-formed, or the list is full.
 */
static inline int
context_add(char *out, const char *item, bool net)
{
	const char *list = out;
	size_t used = strlen(out), len = strlen(item);
	unsigned int items = 0;
	struct proto_str old;

	if (!context_is_address(item, len, net))
		return -1;
	for (; context_next(&list, &old); items++)
		if (proto_is(old, item))
			return 0;
	if (items == CONTEXT_ITEMS_MAX || used + 1 + len > CONTEXT_LIST_MAX)
		return -1;
	if (used > 0)
		out[used++] = ',';
	memcpy(out + used, item, len + 1);
	return 0;
}

/* ---- parsing ------------------------------------------------------------ */

/* Copy a value that was found good. */
static inline bool
context_copy(bool good, char *field, const char *value, size_t len)
{
	if (good)
		memcpy(field, value, len + 1);
	return good;
}

static inline bool
context_take_mode(struct context *c, struct proto_str value)
{
	int i;

	for (i = 0; i < CONTEXT_MODES; i++) {
		c->mode = (enum context_mode)i;
		if (proto_is(value, context_mode_name(c->mode)))
			return true;
	}
	return false;
}

/*
 * Put the decoded, NUL-terminated VALUE of KEY into C.  Returns false if it is
 * not of its form.
 */
static inline bool
context_take(struct context *c, struct proto_str key, const char *value,
    size_t len)
{
	struct proto_str v = { value, len };

	if (proto_is(key, "id"))
		return context_copy(sid_is_valid(value, len), c->id, value,
		    len);
	if (proto_is(key, "host"))
		return context_copy(context_is_host(value, len), c->host,
		    value, len);
	if (proto_is(key, "ips"))
		return context_copy(context_is_list(value, len, false), c->ips,
		    value, len);
	if (proto_is(key, "nets"))
		return context_copy(context_is_list(value, len, true), c->nets,
		    value, len);
	if (proto_is(key, "dns"))
		return context_copy(context_is_list(value, len, false), c->dns,
		    value, len);
	if (proto_is(key, "case"))
		return context_copy(context_is_case(value, len),
		    c->support_case, value, len);
	if (proto_is(key, "user"))
		return context_copy(context_is_user(value, len), c->user,
		    value, len);
	if (proto_is(key, "mode"))
		return context_take_mode(c, v);
	if (proto_is(key, "perm"))
		return (c->perm = proto_perm(v)) != 0;
	return true;	/* of a newer customer */
}

/*
 * The pair at *S, which ends before END: its key and its still encoded value.
 * *S is moved behind it, and behind the one space that must follow if anything
 * does.  Returns false if it is not a pair.
 */
static inline bool
context_pair(const char **s, const char *end, struct proto_str *key,
    struct proto_str *value)
{
	const char *p = *s;

	key->s = p;
	while (p < end && ((*p >= 'a' && *p <= 'z') ||
	    (*p >= '0' && *p <= '9') || *p == '_' || *p == '-'))
		p++;
	key->len = (size_t)(p - key->s);
	if (key->len < 1 || key->len > CONTEXT_KEY_MAX || p == end ||
	    *p++ != '=')
		return false;
	value->s = p;
	while (p < end && *p != ' ')
		p++;
	value->len = (size_t)(p - value->s);
	if (p < end && ++p == end)
		return false;
	*s = p;
	return true;
}

/* True if the key at KEY, before which the pairs from S are good, is there. */
static inline bool
context_is_double(const char *s, struct proto_str key)
{
	struct proto_str k, v;
	const char *end = key.s - 1;	/* the space */

	while (s < end && context_pair(&s, end, &k, &v))
		if (k.len == key.len && memcmp(k.s, key.s, k.len) == 0)
			return true;
	return false;
}

/* The rules that concern several keys at once.  NULL, or what is wrong. */
static inline const char *
context_finish(struct context *c, bool has_mode)
{
	if (c->id[0] == '\0')
		return "no session ID";
	if (c->host[0] == '\0')
		return "no host";
	if (!has_mode)
		return "no mode";
	if (c->perm == 0)
		c->perm = context_default_perm(c->mode);
	if ((c->mode == CONTEXT_RESTRICTED) != (c->perm == PROTO_BLOCKED))
		return "mode and perm contradict each other";
	return NULL;
}

/*
 * Read the LEN octets at LINE into C.  Returns NULL, or what is wrong in
 * words (static, naming nothing of the line); then C is of no use.
 */
static inline const char *
context_parse(const char *line, size_t len, struct context *c)
{
	const size_t head = sizeof CONTEXT_HEADER - 1;
	const char *s = line + head, *end = line + len, *pairs;
	char decoded[CONTEXT_LINE_MAX + 1];
	struct proto_str key, value;
	bool has_mode = false;
	int n;

	memset(c, 0, sizeof *c);
	if (len > CONTEXT_LINE_MAX)
		return "context line longer than 4096 octets";
	if (len < head || memcmp(line, CONTEXT_HEADER, head) != 0 ||
	    (len > head && *s != ' '))
		return "not a " CONTEXT_HEADER " context line";
	if (s < end && ++s == end)
		return "space at the end";
	for (pairs = s; s < end;) {
		if (!context_pair(&s, end, &key, &value))
			return "not a list of key=value";
		if (context_is_double(pairs, key))
			return "a key is there twice";
		n = proto_pct_decode(value.s, value.len, decoded,
		    sizeof decoded);
		if (n == -1)
			return "a value is not percent-encoded as it should";
		if (!context_take(c, key, decoded, (size_t)n))
			return "a value is not of its key's form";
		has_mode = has_mode || proto_is(key, "mode");
	}
	return context_finish(c, has_mode);
}

/* ---- formatting --------------------------------------------------------- */

/* Append " KEY=VALUE" at OUT + *N, nothing if VALUE is empty. */
static inline bool
context_put(char *out, size_t cap, size_t *n, const char *key,
    const char *value)
{
	size_t klen = strlen(key);
	int v;

	if (*value == '\0')
		return true;
	if (cap - *n < klen + 3)
		return false;
	out[(*n)++] = ' ';
	memcpy(out + *n, key, klen);
	*n += klen;
	out[(*n)++] = '=';
	v = proto_pct_encode(value, strlen(value), out + *n, cap - *n);
	if (v == -1)
		return false;
	*n += (size_t)v;
	return true;
}

/*
 * Write C as a line into OUT (CAP octets; CONTEXT_LINE_MAX + 1 are always
 * enough).  Returns its length without the NUL, or -1 if it does not fit or C
 * holds something that context_parse() would refuse.
 */
static inline int
context_format(const struct context *c, char *out, size_t cap)
{
	const size_t head = sizeof CONTEXT_HEADER - 1;
	const char *perm = c->perm != 0 ? proto_perm_name(c->perm) : "";
	struct context again;
	size_t n = head;

	if (cap <= head)
		return -1;
	memcpy(out, CONTEXT_HEADER, head + 1);
	if (!context_put(out, cap, &n, "id", c->id) ||
	    !context_put(out, cap, &n, "host", c->host) ||
	    !context_put(out, cap, &n, "ips", c->ips) ||
	    !context_put(out, cap, &n, "nets", c->nets) ||
	    !context_put(out, cap, &n, "dns", c->dns) ||
	    !context_put(out, cap, &n, "mode", context_mode_name(c->mode)) ||
	    !context_put(out, cap, &n, "perm", perm) ||
	    !context_put(out, cap, &n, "case", c->support_case) ||
	    !context_put(out, cap, &n, "user", c->user) ||
	    context_parse(out, n, &again) != NULL)
		return -1;
	return (int)n;
}

#endif
