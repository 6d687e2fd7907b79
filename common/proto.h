/*
 * proto.h - the control protocol: its table of verbs and its codec.
 *
 * One protocol is spoken on every leg (customer daemon, broker, support
 * client, and the relay's unix socket).  It is line-based, with counted
 * binary payloads:
 *
 *	frame   = header LF [ payload LF ]
 *	header  = verb *( SP arg ) [ SP "+" length ]
 *	verb    = 1*32( A-Z | 0-9 | "_" )
 *	arg     = 1*255( printable ASCII, no space, "+" not in first place )
 *	length  = 1*5DIGIT, at most 65536, no leading zero but "0" itself
 *	payload = exactly `length` octets, any value
 *
 * A header is at most 1,024 octets with its LF and has at most 8 args.  A
 * frame has one wire form: what proto_put() writes proto_parse() accepts, and
 * what proto_parse() accepts proto_format() writes back octet for octet.
 *
 * This header allocates nothing, does no I/O and keeps no state.  It must not
 * know what a frame is *for*; that is in the programs.
 */
#ifndef PROTO_H
#define PROTO_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "num.h"

#define PROTO_VERSION		1
#define PROTO_HEADER_MAX	1024	/* octets, LF included */
#define PROTO_VERB_MAX		32
#define PROTO_ARG_MAX		255
#define PROTO_ARGS_MAX		8
#define PROTO_PAYLOAD_MAX	65536
#define PROTO_FRAME_MAX		(PROTO_HEADER_MAX + PROTO_PAYLOAD_MAX + 1)
#define PROTO_NAME_MAX		64	/* octets of UTF-8 in a display name */
#define PROTO_CHAT_MAX		4096	/* octets of UTF-8 in one chat line */
#define PROTO_HELLO_SECS	10	/* the peer's HELLO must be here by then */
#define PROTO_PING_SECS		10	/* of silence before a PING */
#define PROTO_PING_MISSED	3	/* unanswered ones that mean: link lost */

/* Directions: C customer daemon, B broker, S support client, L local leg. */
#define PROTO_C2B	0x01
#define PROTO_B2C	0x02
#define PROTO_S2B	0x04
#define PROTO_B2S	0x08
#define PROTO_L2B	0x10
#define PROTO_B2L	0x20
#define PROTO_WIRE	(PROTO_C2B | PROTO_B2C | PROTO_S2B | PROTO_B2S)

/* What a support leg is for; the S2B and B2S directions are split by it. */
#define PROTO_VIEW	0x1
#define PROTO_CHAT	0x2
#define PROTO_CONTROL	0x4
#define PROTO_ANYROLE	0x7

/* The customer's permission states, as bits. */
#define PROTO_BLOCKED		0x1	/* --restricted */
#define PROTO_CONFIRM		0x2	/* the default: every tunnel is asked for */
#define PROTO_ALLOWED		0x4
#define PROTO_AUTO_REJECT	0x8
#define PROTO_ANYPERM		0xf
#define PROTO_TYPING		(PROTO_ANYPERM & ~PROTO_BLOCKED)
#define PROTO_GRANTING		(PROTO_CONFIRM | PROTO_ALLOWED)

/* What follows the header. */
enum proto_payload {
	PROTO_NONE,	/* no payload */
	PROTO_OCTETS,	/* any octets */
	PROTO_TEXT,	/* UTF-8 */
};

/* Form flags. */
#define PROTO_RW	0x1	/* a read-only viewer's is dropped */

/*
 * The table.  A verb whose meaning depends on its arguments or its direction
 * has a row for each form.
 *
 *	form, verb, directions, roles (of S legs), flags, args, payload,
 *	permission states that let it through to the customer, meaning
 *
 * Argument types, in the args column: `num` 0..2^63-1, `size` 1..9999,
 * `wish` 0..9999, `port` 1..65535, `code` 0..254, `id` a chat id (8 hex
 * digits, ".", a counter), `name` free text percent-encoded or "-", `fp` a key
 * fingerprint or "-", `word` anything an arg may hold, or literals a|b|c.
 * A trailing `?` makes one optional (only at the end), `*` any number of it.
 */
#define PROTO_TABLE(X)							\
X(HELLO, "HELLO", PROTO_WIRE, PROTO_ANYROLE, 0,				\
    "num word*", PROTO_NONE, PROTO_ANYPERM,				\
    "says hello: protocol version and features")			\
X(OUTPUT, "OUTPUT", PROTO_C2B | PROTO_B2S, PROTO_VIEW, 0,		\
    "", PROTO_OCTETS, PROTO_ANYPERM,					\
    "what the main pane printed")					\
X(SNAPSHOT, "SNAPSHOT", PROTO_B2C, 0, 0,				\
    "num?", PROTO_NONE, PROTO_ANYPERM,					\
    "asks for a screen, and with a number for that many lines above it") \
X(HISTORY, "HISTORY", PROTO_C2B | PROTO_B2S, PROTO_VIEW, 0,		\
    "more|end", PROTO_OCTETS, PROTO_ANYPERM,				\
    "scrollback above the screen")					\
X(SCREEN, "SCREEN", PROTO_C2B | PROTO_B2S, PROTO_VIEW, 0,		\
    "size size more|end gap?", PROTO_OCTETS, PROTO_ANYPERM,		\
    "octets that repaint the whole pane on a blank terminal")		\
X(ACK, "ACK", PROTO_B2C | PROTO_S2B, PROTO_VIEW, 0,			\
    "num", PROTO_NONE, PROTO_ANYPERM,					\
    "flow credit: payload octets taken since HELLO")			\
X(SIZE, "SIZE", PROTO_C2B | PROTO_B2S, PROTO_VIEW, 0,			\
    "size size", PROTO_NONE, PROTO_ANYPERM,				\
    "the main pane's size changed")					\
X(KEYS_MAIN, "KEYS", PROTO_S2B | PROTO_B2C, PROTO_VIEW, PROTO_RW,	\
    "main", PROTO_OCTETS, PROTO_TYPING,					\
    "typed in the shell")						\
X(KEYS_CHAT, "KEYS", PROTO_S2B, PROTO_CHAT, 0,				\
    "chat id", PROTO_TEXT, PROTO_ANYPERM,				\
    "wrote in the chat")						\
X(RESIZE, "RESIZE", PROTO_S2B | PROTO_B2C, PROTO_VIEW, 0,		\
    "wish wish", PROTO_NONE, PROTO_ANYPERM,				\
    "asked for a terminal size; 0 0 is no wish")			\
X(RESIZE_OVERRIDE, "RESIZE", PROTO_S2B, PROTO_VIEW, PROTO_RW,		\
    "size size override", PROTO_NONE, PROTO_ANYPERM,			\
    "forced a terminal size")						\
X(ZOOM, "ZOOM", PROTO_S2B | PROTO_B2C, PROTO_VIEW, PROTO_RW,		\
    "", PROTO_NONE, PROTO_TYPING,					\
    "zoomed the main pane")						\
X(STATUS, "STATUS", PROTO_WIRE, PROTO_ANYROLE, 0,			\
    "", PROTO_TEXT, PROTO_ANYPERM,					\
    "a notice laid over the chat pane")					\
X(CUSTOMER_CHAT, "CUSTOMER_CHAT", PROTO_C2B | PROTO_B2S, PROTO_CHAT, 0,	\
    "id", PROTO_TEXT, PROTO_ANYPERM,					\
    "a chat line from the customer")					\
X(SUPPORT_CHAT, "SUPPORT_CHAT", PROTO_B2S | PROTO_B2C, PROTO_CHAT, 0,	\
    "id num num name", PROTO_TEXT, PROTO_ANYPERM,			\
    "a chat line from an engineer: id, time, viewer, name")		\
X(CHAT_ACK, "CHAT_ACK", PROTO_B2C | PROTO_B2S | PROTO_C2B, PROTO_CHAT, 0, \
    "id", PROTO_NONE, PROTO_ANYPERM,					\
    "a chat line has arrived and is kept")				\
X(UPGRADE_ASK, "UPGRADE", PROTO_S2B, PROTO_CHAT | PROTO_CONTROL, PROTO_RW, \
    "", PROTO_NONE, PROTO_GRANTING,					\
    "asked for a reverse tunnel")					\
X(UPGRADE, "UPGRADE", PROTO_B2C, 0, 0,					\
    "port num fp name", PROTO_NONE, PROTO_GRANTING,			\
    "a reverse tunnel is wanted: port, viewer, fingerprint, name")	\
X(LINBIT_TUNNEL_PORT, "LINBIT_TUNNEL_PORT", PROTO_C2B, 0, 0,		\
    "port", PROTO_NONE, PROTO_GRANTING,					\
    "the forward is up")						\
X(LINBIT_TUNNEL_FAILED, "LINBIT_TUNNEL_FAILED", PROTO_C2B | PROTO_B2S,	\
    PROTO_CHAT | PROTO_CONTROL, 0,					\
    "port|sshd|keys", PROTO_TEXT, PROTO_ANYPERM,			\
    "the forward could not be made")					\
X(TUNNEL_REJECTED, "TUNNEL_REJECTED", PROTO_C2B | PROTO_B2S,		\
    PROTO_CHAT | PROTO_CONTROL, 0,					\
    "", PROTO_TEXT, PROTO_ANYPERM,					\
    "the customer, or the policy, said no")				\
X(TUNNEL_PORT, "TUNNEL_PORT", PROTO_B2S, PROTO_CHAT | PROTO_CONTROL, 0,	\
    "port", PROTO_NONE, PROTO_ANYPERM,					\
    "the tunnel is confirmed on this port")				\
X(TUNNEL_CLOSED, "TUNNEL_CLOSED", PROTO_C2B | PROTO_B2S,		\
    PROTO_CHAT | PROTO_CONTROL, 0,					\
    "", PROTO_TEXT, PROTO_ANYPERM,					\
    "the tunnel was revoked, or died")					\
X(ADD_KEY, "ADD_KEY", PROTO_L2B, 0, 0,					\
    "", PROTO_TEXT, PROTO_ANYPERM,					\
    "the key this engineer logged in with")				\
X(SUPPORT_KEY, "SUPPORT_KEY", PROTO_B2C, 0, 0,				\
    "num name", PROTO_TEXT, PROTO_GRANTING,				\
    "a key to install: viewer, name")					\
X(DROP_KEY, "DROP_KEY", PROTO_B2C, 0, 0,				\
    "num", PROTO_NONE, PROTO_ANYPERM,					\
    "a viewer's key is to be taken out")				\
X(TUNNEL_CONFIRMED, "TUNNEL_CONFIRMED", PROTO_B2C | PROTO_C2B, 0, 0,	\
    "", PROTO_NONE, PROTO_GRANTING,					\
    "install the keys you hold; they are in")				\
X(PERM, "PERM", PROTO_C2B | PROTO_B2S, PROTO_CHAT, 0,			\
    "BLOCKED|CONFIRM|ALLOWED|AUTO_REJECT", PROTO_NONE, PROTO_ANYPERM,	\
    "the customer's current policy")					\
X(VIEWER, "VIEWER", PROTO_C2B, 0, 0,					\
    "num rw|ro|kick", PROTO_NONE, PROTO_ANYPERM,			\
    "the customer re-grades or removes one engineer")			\
X(SESSION_INFO, "SESSION_INFO", PROTO_B2C | PROTO_B2S,			\
    PROTO_CHAT | PROTO_CONTROL, 0,					\
    "", PROTO_TEXT, PROTO_ANYPERM,					\
    "who watches, and how the session stands (JSON)")			\
X(DETACH, "DETACH", PROTO_S2B, PROTO_CONTROL, PROTO_RW,			\
    "", PROTO_NONE, PROTO_ANYPERM,					\
    "evicted every support client")					\
X(TERMINATE, "TERMINATE", PROTO_S2B | PROTO_B2C, PROTO_CONTROL, PROTO_RW, \
    "", PROTO_NONE, PROTO_ANYPERM,					\
    "ended the customer's session")					\
X(RENEW, "RENEW", PROTO_C2B, 0, 0,					\
    "", PROTO_TEXT, PROTO_ANYPERM,					\
    "asks for a new certificate for this public key")			\
X(CERT, "CERT", PROTO_B2C, 0, 0,					\
    "", PROTO_TEXT, PROTO_ANYPERM,					\
    "the new certificate, or empty: refused")				\
X(PING, "PING", PROTO_WIRE, PROTO_ANYROLE, 0,				\
    "num", PROTO_NONE, PROTO_ANYPERM,					\
    "are you there?")							\
X(PONG, "PONG", PROTO_WIRE, PROTO_ANYROLE, 0,				\
    "num", PROTO_NONE, PROTO_ANYPERM,					\
    "yes, to the PING of that number")					\
X(BYE, "BYE", PROTO_C2B, 0, 0,						\
    "away?", PROTO_NONE, PROTO_ANYPERM,					\
    "the customer leaves, for a while (away) or for good")		\
X(CLOSED, "CLOSED", PROTO_B2S | PROTO_B2C, PROTO_ANYROLE, 0,		\
    "ended|terminated|cancelled|kicked|evicted|replaced|lost|refused",	\
    PROTO_TEXT, PROTO_ANYPERM,						\
    "it is over, and why")						\
X(ATTACH, "ATTACH", PROTO_L2B, 0, 0,					\
    "", PROTO_TEXT, PROTO_ANYPERM,					\
    "a local leg hands over its descriptors (key=value lines)")		\
X(OK, "OK", PROTO_B2L, 0, 0,						\
    "port?", PROTO_NONE, PROTO_ANYPERM,					\
    "the leg is taken over; or the port to dial")			\
X(ERROR, "ERROR", PROTO_WIRE | PROTO_L2B | PROTO_B2L, PROTO_ANYROLE, 0,	\
    "word?", PROTO_TEXT, PROTO_ANYPERM,					\
    "what was wrong; the connection ends")				\
X(END, "END", PROTO_B2L, 0, 0,						\
    "code", PROTO_TEXT, PROTO_ANYPERM,					\
    "leave with this exit status, after printing the text")		\
X(HANGUP, "HANGUP", PROTO_B2L, 0, 0,					\
    "code", PROTO_TEXT, PROTO_ANYPERM,					\
    "end your ssh connection, then leave")

enum proto_form {
#define PROTO_ENUM(form, ...) PROTO_##form,
	PROTO_TABLE(PROTO_ENUM)
#undef PROTO_ENUM
	PROTO_FORMS
};

struct proto_row {
	const char	*verb;
	const char	*args;		/* types, see PROTO_TABLE */
	const char	*meaning;	/* documentation, and the audit's words */
	uint8_t		 paths;		/* PROTO_C2B … */
	uint8_t		 roles;		/* PROTO_VIEW …, where S has a part */
	uint8_t		 flags;		/* PROTO_RW */
	uint8_t		 payload;	/* enum proto_payload */
	uint8_t		 perms;		/* states that let it through */
};

/* The table's row of a form. */
static inline const struct proto_row *
proto_row(enum proto_form form)
{
	static const struct proto_row rows[PROTO_FORMS] = {
#define PROTO_ROW(form, verb, paths, roles, flags, args, payload, perms, says) \
	{ verb, args, says, paths, roles, flags, payload, perms },
		PROTO_TABLE(PROTO_ROW)
#undef PROTO_ROW
	};

	return &rows[form];
}

/* A run of octets inside somebody else's buffer. */
struct proto_str {
	const char	*s;
	size_t		 len;
};

/* A frame; everything points into the buffer that was parsed. */
struct proto_frame {
	struct proto_str	 verb;
	struct proto_str	 args[PROTO_ARGS_MAX];
	unsigned int		 nargs;
	bool			 has_payload;	/* true also for "+0" */
	struct proto_str	 payload;
};

enum proto_answer {
	PROTO_FRAME,	/* a whole frame; *n octets are used up by it */
	PROTO_MORE,	/* not yet; *n octets in all are needed at least */
	PROTO_MALFORMED	/* never; the rule that it breaks, *n its offset */
};

enum proto_rule {
	PROTO_RULE_OK,
	PROTO_RULE_HEADER_LENGTH,
	PROTO_RULE_VERB,
	PROTO_RULE_ARG,
	PROTO_RULE_ARG_COUNT,
	PROTO_RULE_LENGTH,
	PROTO_RULE_PAYLOAD_END,
	/* From proto_check(), in the order of its tests. */
	PROTO_RULE_DIRECTION,
	PROTO_RULE_ROLE,
	PROTO_RULE_ARGS,
	PROTO_RULE_PAYLOAD,
	PROTO_RULES
};

/* The rule in words, for ERROR frames and logs. */
static inline const char *
proto_rule_text(enum proto_rule rule)
{
	static const char *const texts[PROTO_RULES] = {
		"nothing is wrong",
		"header longer than 1024 octets",
		"verb is not 1 to 32 of A-Z 0-9 _",
		"argument is not 1 to 255 printable octets",
		"more than 8 arguments",
		"payload length is not 0 to 65536 in its one spelling",
		"payload does not end in a line feed",
		"verb from the wrong side",
		"verb on the wrong kind of leg",
		"wrong arguments for this verb",
		"wrong payload for this verb",
	};

	return texts[rule];
}

static inline bool
proto_is_verb_octet(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static inline enum proto_answer
proto_bad(enum proto_rule *rule, enum proto_rule which, size_t *n, size_t at)
{
	*rule = which;
	*n = at;
	return PROTO_MALFORMED;
}

/*
 * Split the header of HLEN octets (LF not counted) at S into F.
 * Returns PROTO_FRAME, or PROTO_MALFORMED with *rule and the offset in *n.
 */
static inline enum proto_answer
proto_parse_header(const char *s, size_t hlen, struct proto_frame *f,
    enum proto_rule *rule, size_t *n)
{
	size_t i = 0, start;
	uint64_t v;

	while (i < hlen && i < PROTO_VERB_MAX &&
	    proto_is_verb_octet((unsigned char)s[i]))
		i++;
	if (i == 0 || (i < hlen && s[i] != ' '))
		return proto_bad(rule, PROTO_RULE_VERB, n, i);
	f->verb.s = s;
	f->verb.len = i;
	while (i < hlen) {
		start = ++i;	/* the octet at i was a space */
		while (i < hlen && i - start < PROTO_ARG_MAX &&
		    s[i] > 0x20 && s[i] < 0x7f)
			i++;
		if (i == start || (i < hlen && s[i] != ' '))
			return proto_bad(rule, PROTO_RULE_ARG, n, i);
		if (s[start] == '+') {
			if (i != hlen || i - start > 6 ||
			    num_parse(s + start + 1, i - start - 1, 0,
			    PROTO_PAYLOAD_MAX, &v) == -1)
				return proto_bad(rule, PROTO_RULE_LENGTH, n,
				    start);
			f->has_payload = true;
			f->payload.len = (size_t)v;
			break;
		}
		if (f->nargs == PROTO_ARGS_MAX)
			return proto_bad(rule, PROTO_RULE_ARG_COUNT, n, start);
		f->args[f->nargs].s = s + start;
		f->args[f->nargs++].len = i - start;
	}
	return PROTO_FRAME;
}

/*
 * Look for one frame at the start of the LEN octets at BUF.
 *
 *	PROTO_FRAME	*f is filled and points into BUF; *n octets are used up
 *	PROTO_MORE	incomplete; *n is how many octets must be there at least
 *			before it is worth calling again
 *	PROTO_MALFORMED	*rule says which rule is broken, *n at which offset;
 *			there is no way to resynchronise
 */
static inline enum proto_answer
proto_parse(const void *buf, size_t len, struct proto_frame *f,
    enum proto_rule *rule, size_t *n)
{
	const char *s = (const char *)buf, *lf;
	size_t hlen, max, total;

	memset(f, 0, sizeof *f);
	*rule = PROTO_RULE_OK;
	max = len < PROTO_HEADER_MAX ? len : PROTO_HEADER_MAX;
	lf = max == 0 ? NULL : (const char *)memchr(s, '\n', max);
	if (lf == NULL) {
		if (len >= PROTO_HEADER_MAX)
			return proto_bad(rule, PROTO_RULE_HEADER_LENGTH, n,
			    PROTO_HEADER_MAX);
		*n = len + 1;
		return PROTO_MORE;
	}
	hlen = (size_t)(lf - s);
	if (proto_parse_header(s, hlen, f, rule, n) != PROTO_FRAME)
		return PROTO_MALFORMED;
	if (!f->has_payload) {
		*n = hlen + 1;
		return PROTO_FRAME;
	}
	f->payload.s = s + hlen + 1;
	total = hlen + 1 + f->payload.len + 1;
	if (len < total) {
		*n = total;
		return PROTO_MORE;
	}
	if (s[total - 1] != '\n')
		return proto_bad(rule, PROTO_RULE_PAYLOAD_END, n, total - 1);
	*n = total;
	return PROTO_FRAME;
}

/* True if the LEN octets at S are UTF-8 (RFC 3629: shortest form, no
 * surrogates, at most U+10FFFF). */
static inline bool
proto_is_utf8(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s, *end = p + len;

	while (p < end) {
		unsigned int c = *p++, more, lo = 0x80, hi = 0xbf;

		if (c < 0x80)
			continue;
		if (c >= 0xc2 && c <= 0xdf)
			more = 1;
		else if (c >= 0xe0 && c <= 0xef)
			more = 2;
		else if (c >= 0xf0 && c <= 0xf4)
			more = 3;
		else
			return false;
		lo = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
		hi = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
		for (; more > 0; more--, lo = 0x80, hi = 0xbf)
			if (p == end || *p < lo || *p++ > hi)
				return false;
	}
	return true;
}

/* Octets that stand for themselves in a percent-encoded value. */
static inline bool
proto_is_plain(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c >= '0' && c <= '9') || (c != 0 && strchr("._:/,@-", c) != NULL);
}

/*
 * Percent-encode the LEN octets at S into OUT (CAP octets, NUL included).
 * Returns the length without the NUL, or -1 if it does not fit.
 */
static inline int
proto_pct_encode(const char *s, size_t len, char *out, size_t cap)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t o = 0, i;

	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (o + (proto_is_plain(c) ? 1 : 3) >= cap)
			return -1;
		if (proto_is_plain(c)) {
			out[o++] = (char)c;
			continue;
		}
		out[o++] = '%';
		out[o++] = hex[c >> 4];
		out[o++] = hex[c & 15];
	}
	if (o >= cap)
		return -1;
	out[o] = '\0';
	return (int)o;
}

static inline int
proto_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/*
 * Undo proto_pct_encode().  Only its own spelling is taken: upper-case hex,
 * nothing escaped that need not be, no NUL.  Returns the decoded length
 * without the NUL that is put behind it, or -1.
 */
static inline int
proto_pct_decode(const char *s, size_t len, char *out, size_t cap)
{
	size_t o = 0, i;

	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '%') {
			int hi, lo;

			if (len - i < 3)
				return -1;
			hi = proto_hex_value(s[i + 1]);
			lo = proto_hex_value(s[i + 2]);
			if (hi < 0 || lo < 0)
				return -1;
			c = (unsigned char)(hi << 4 | lo);
			if (c == 0 || proto_is_plain(c))
				return -1;
			i += 2;
		} else if (!proto_is_plain(c))
			return -1;
		if (o + 1 >= cap)
			return -1;
		out[o++] = (char)c;
	}
	if (o >= cap)
		return -1;
	out[o] = '\0';
	return (int)o;
}

/* True if A is exactly the NUL-terminated B. */
static inline bool
proto_is(struct proto_str a, const char *b)
{
	return a.len == strlen(b) && memcmp(a.s, b, a.len) == 0;
}

/*
 * A display name as an arg: "-" for an empty one, else percent-encoded.
 * OUT needs 3 * PROTO_NAME_MAX + 1 octets.  Returns the length or -1 (too
 * long, not UTF-8).
 */
static inline int
proto_name_encode(const char *name, char *out, size_t cap)
{
	size_t len = strlen(name);

	if (len > PROTO_NAME_MAX || !proto_is_utf8(name, len))
		return -1;
	if (len == 0)
		return proto_pct_encode("-", 1, out, cap);
	if (strcmp(name, "-") == 0)	/* the one name that would be ambiguous */
		name = "_";
	return proto_pct_encode(name, len, out, cap);
}

/* The other way; OUT needs PROTO_NAME_MAX + 1 octets.  Length or -1. */
static inline int
proto_name_decode(struct proto_str arg, char *out, size_t cap)
{
	int n;

	if (proto_is(arg, "-"))
		arg.len = 0;
	n = proto_pct_decode(arg.s, arg.len, out, cap);
	if (n < 0 || n > PROTO_NAME_MAX || !proto_is_utf8(out, (size_t)n))
		return -1;
	return n;
}

/* A chat id: 8 lower-case hex digits (random per sender), ".", a counter. */
static inline bool
proto_is_chat_id(struct proto_str a)
{
	uint64_t v;
	size_t i;

	if (a.len < 10 || a.s[8] != '.')
		return false;
	for (i = 0; i < 8; i++)
		if (a.s[i] == '\0' || strchr("0123456789abcdef", a.s[i]) == NULL)
			return false;
	return num_parse(a.s + 9, a.len - 9, 0, UINT32_MAX, &v) == 0;
}

/* A key fingerprint as ssh-keygen prints it, "SHA256:" and base64, or "-". */
static inline bool
proto_is_fingerprint(struct proto_str a)
{
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t i;

	if (proto_is(a, "-"))
		return true;
	if (a.len < 8 || memcmp(a.s, "SHA256:", 7) != 0)
		return false;
	for (i = 7; i < a.len; i++)
		if (a.s[i] == '\0' || strchr(base64, a.s[i]) == NULL)
			return false;
	return true;
}

/* The number in arg I, which proto_check() has found to be one. */
static inline uint64_t
proto_num(const struct proto_frame *f, unsigned int i)
{
	uint64_t v = 0;

	if (i < f->nargs)
		(void)num_parse(f->args[i].s, f->args[i].len, 0, UINT64_MAX, &v);
	return v;
}

/* True if ARG is one of the literals in the LEN octets "a|b|c" at S. */
static inline bool
proto_is_literal(struct proto_str arg, const char *s, size_t len)
{
	const char *end = s + len, *bar;

	for (; s < end; s = bar + 1) {
		bar = (const char *)memchr(s, '|', (size_t)(end - s));
		if (bar == NULL)
			bar = end;
		if (arg.len == (size_t)(bar - s) &&
		    memcmp(arg.s, s, arg.len) == 0)
			return true;
	}
	return false;
}

/* True if ARG is of the type named by the LEN octets at S (PROTO_TABLE). */
static inline bool
proto_is_type(struct proto_str arg, const char *s, size_t len)
{
	static const struct {
		const char	*name;
		uint64_t	 min, max;
	} nums[] = {
		{ "num", 0, INT64_MAX }, { "size", 1, 9999 },
		{ "wish", 0, 9999 }, { "port", 1, 65535 }, { "code", 0, 254 },
	};
	struct proto_str type = { s, len };
	char name[PROTO_NAME_MAX + 1];
	uint64_t v;
	size_t i;

	for (i = 0; i < sizeof nums / sizeof nums[0]; i++)
		if (proto_is(type, nums[i].name))
			return num_parse(arg.s, arg.len, nums[i].min,
			    nums[i].max, &v) == 0;
	if (proto_is(type, "word"))
		return true;
	if (proto_is(type, "id"))
		return proto_is_chat_id(arg);
	if (proto_is(type, "fp"))
		return proto_is_fingerprint(arg);
	if (proto_is(type, "name"))
		return proto_name_decode(arg, name, sizeof name) != -1;
	return proto_is_literal(arg, s, len);
}

/* True if F's args are what SPEC (the table's args column) asks for. */
static inline bool
proto_args_fit(const struct proto_frame *f, const char *spec)
{
	unsigned int i = 0;

	while (*spec != '\0') {
		size_t len = strcspn(spec, " "), type = len;
		char suffix = spec[len - 1];

		if (suffix == '?' || suffix == '*')
			type--;
		if (suffix == '*') {
			while (i < f->nargs &&
			    proto_is_type(f->args[i], spec, type))
				i++;
		} else if (i < f->nargs) {
			if (!proto_is_type(f->args[i], spec, type))
				return false;
			i++;
		} else if (suffix != '?')
			return false;
		spec += len;
		spec += strspn(spec, " ");
	}
	return i == f->nargs;
}

/* True if F has the payload that the table asks for. */
static inline bool
proto_payload_fits(const struct proto_frame *f, enum proto_payload kind)
{
	if (kind == PROTO_NONE)
		return !f->has_payload;
	return f->has_payload && (kind == PROTO_OCTETS ||
	    proto_is_utf8(f->payload.s, f->payload.len));
}

enum proto_verdict {
	PROTO_GOOD,	/* *form says which row it is */
	PROTO_UNKNOWN,	/* a verb of a newer peer: log it and drop it */
	PROTO_WRONG	/* *rule says why; treat as malformed */
};

/* The first thing in which F differs from the row R. */
static inline enum proto_rule
proto_row_rule(const struct proto_frame *f, const struct proto_row *r,
    unsigned int path, unsigned int role)
{
	if ((r->paths & path) == 0)
		return PROTO_RULE_DIRECTION;
	if ((path & (PROTO_S2B | PROTO_B2S)) != 0 && (r->roles & role) == 0)
		return PROTO_RULE_ROLE;
	if (!proto_args_fit(f, r->args))
		return PROTO_RULE_ARGS;
	if (!proto_payload_fits(f, (enum proto_payload)r->payload))
		return PROTO_RULE_PAYLOAD;
	return PROTO_RULE_OK;
}

/*
 * Find the form of a well-formed frame that came in direction PATH (one
 * PROTO_C2B … bit) on a leg of ROLE (one PROTO_VIEW … bit; ignored but for
 * S2B and B2S).  Says nothing about permission: see proto_row()'s perms and
 * flags for that.
 */
static inline enum proto_verdict
proto_check(const struct proto_frame *f, unsigned int path, unsigned int role,
    enum proto_form *form, enum proto_rule *rule)
{
	bool known = false;
	unsigned int i;

	*rule = PROTO_RULE_OK;
	for (i = 0; i < PROTO_FORMS; i++) {
		const struct proto_row *r = proto_row((enum proto_form)i);
		enum proto_rule why;

		if (!proto_is(f->verb, r->verb))
			continue;
		known = true;
		why = proto_row_rule(f, r, path, role);
		if (why == PROTO_RULE_OK) {
			*form = (enum proto_form)i;
			*rule = PROTO_RULE_OK;
			return PROTO_GOOD;
		}
		if (why > *rule)	/* of several forms, the nearest */
			*rule = why;
	}
	return known ? PROTO_WRONG : PROTO_UNKNOWN;
}

/*
 * Write F in its wire form.  Returns its length, or 0 if it does not fit into
 * CAP or is not a frame that proto_parse() would take.
 */
static inline size_t
proto_format(const struct proto_frame *f, void *buf, size_t cap)
{
	struct proto_frame again;
	enum proto_rule rule;
	char *s = (char *)buf;
	size_t o = 0, n;
	unsigned int i;
	int w;

	if (f->nargs > PROTO_ARGS_MAX || f->verb.len > PROTO_VERB_MAX ||
	    f->verb.len >= cap || f->payload.len > PROTO_PAYLOAD_MAX)
		return 0;
	memcpy(s, f->verb.s, f->verb.len);
	o = f->verb.len;
	for (i = 0; i < f->nargs; i++) {
		if (f->args[i].len > PROTO_ARG_MAX ||
		    cap - o <= f->args[i].len + 1)
			return 0;
		s[o++] = ' ';
		memcpy(s + o, f->args[i].s, f->args[i].len);
		o += f->args[i].len;
	}
	if (f->has_payload) {
		w = snprintf(s + o, cap - o, " +%zu", f->payload.len);
		if (w < 0 || (size_t)w >= cap - o ||
		    cap - o - (size_t)w < f->payload.len + 2)
			return 0;
		o += (size_t)w;
		s[o++] = '\n';
		if (f->payload.len > 0)
			memcpy(s + o, f->payload.s, f->payload.len);
		o += f->payload.len;
	} else if (o >= cap)
		return 0;
	s[o++] = '\n';
	return proto_parse(s, o, &again, &rule, &n) == PROTO_FRAME &&
	    n == o && again.verb.len == f->verb.len &&
	    again.nargs == f->nargs && again.has_payload == f->has_payload ?
	    o : 0;
}

/*
 * Write a frame of FORM: its args are what FMT expands to (separated by single
 * spaces; NULL for none), its payload the LEN octets at PAYLOAD, or none
 * if PAYLOAD is NULL (use "" for an empty one).  Returns the length, or 0 if it
 * does not fit or the table would not accept it: a mistake of the caller, or
 * text that the caller should have checked.
 */
__attribute__((format(printf, 6, 0)))
static inline size_t
proto_vput(void *buf, size_t cap, enum proto_form form, const void *payload,
    size_t len, const char *fmt, va_list ap)
{
	const struct proto_row *r = proto_row(form);
	struct proto_frame f;
	char head[PROTO_HEADER_MAX];
	enum proto_rule rule;
	size_t n;
	int w, a = 0;

	w = snprintf(head, sizeof head, "%s", r->verb);
	if (fmt != NULL && *fmt != '\0') {
		head[w++] = ' ';
		a = vsnprintf(head + w, sizeof head - (size_t)w, fmt, ap);
		if (a <= 0 || (size_t)a >= sizeof head - (size_t)w)
			return 0;
	}
	memset(&f, 0, sizeof f);
	if (proto_parse_header(head, (size_t)(w + a), &f, &rule, &n) !=
	    PROTO_FRAME || f.has_payload || !proto_args_fit(&f, r->args))
		return 0;
	f.has_payload = payload != NULL;
	f.payload.s = (const char *)payload;
	f.payload.len = payload != NULL ? len : 0;
	if (!proto_payload_fits(&f, (enum proto_payload)r->payload))
		return 0;
	return proto_format(&f, buf, cap);
}

__attribute__((format(printf, 6, 7)))
static inline size_t
proto_put(void *buf, size_t cap, enum proto_form form, const void *payload,
    size_t len, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = proto_vput(buf, cap, form, payload, len, fmt, ap);
	va_end(ap);
	return n;
}

/* The permission state named by an arg, or 0. */
static inline unsigned int
proto_perm(struct proto_str arg)
{
	return proto_is(arg, "BLOCKED") ? PROTO_BLOCKED :
	    proto_is(arg, "CONFIRM") ? PROTO_CONFIRM :
	    proto_is(arg, "ALLOWED") ? PROTO_ALLOWED :
	    proto_is(arg, "AUTO_REJECT") ? PROTO_AUTO_REJECT : 0;
}

/* And its name. */
static inline const char *
proto_perm_name(unsigned int perm)
{
	return perm == PROTO_BLOCKED ? "BLOCKED" :
	    perm == PROTO_CONFIRM ? "CONFIRM" :
	    perm == PROTO_ALLOWED ? "ALLOWED" : "AUTO_REJECT";
}

#endif
