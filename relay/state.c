/*
 * state.c - see state.h.
 */
#include "state.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "num.h"
#include "proto.h"

#define FIRST		"linbit-tunl-state 1"
#define WORDS_MAX	4

/* ---- writing ------------------------------------------------------------ */

struct out {
	char	*buf;
	size_t	 len, cap;	/* len > cap: it did not fit */
};

__attribute__((format(printf, 2, 3)))
static void
line(struct out *o, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (o->len >= o->cap)
		return;
	va_start(ap, fmt);
	n = vsnprintf(o->buf + o->len, o->cap - o->len, fmt, ap);
	va_end(ap);
	o->len = n < 0 ? o->cap : o->len + (size_t)n;
}

static const char *
grade_name(const struct grade *g)
{
	return g->kicked ? "kicked" : g->ro ? "ro" : "rw";
}

size_t
state_format(const struct state *st, char *buf, size_t cap)
{
	struct out o = { buf, 0, cap };
	unsigned int i;

	line(&o, FIRST "\nperm %s\nnext %u\n", proto_perm_name(st->perm),
	    st->next_n);
	if (st->terminating)
		line(&o, "terminating\n");
	if (st->over[0] != '\0')
		line(&o, "over %s\n", st->over);
	if (st->wary)
		line(&o, "wary\n");
	for (i = 0; i < st->ngrades; i++)
		line(&o, "key %s %s\n", st->grades[i].fingerprint,
		    grade_name(&st->grades[i]));
	for (i = 0; i < st->nviewers; i++)
		line(&o, "viewer %u %s %s\n", st->viewers[i].n,
		    st->viewers[i].client, st->viewers[i].fingerprint);
	if (st->chat.last[0] != '\0')
		line(&o, "chat %s\n", st->chat.last);
	for (i = 0; i < st->chat.n; i++)
		line(&o, "owed %s\n", st->chat.ids[i]);
	line(&o, "end\n");
	return o.len < o.cap ? o.len : 0;
}

/* ---- reading ------------------------------------------------------------ */

static const char *
copy_id(char dst[CHATLOG_ID_MAX + 1], struct proto_str id)
{
	if (!proto_is_chat_id(id) || id.len > CHATLOG_ID_MAX)
		return "not a chat id";
	memcpy(dst, id.s, id.len);
	dst[id.len] = '\0';
	return NULL;
}

static const char *
copy_fingerprint(char dst[AUTHINFO_FP_LEN + 1], struct proto_str fp)
{
	if (fp.len > AUTHINFO_FP_LEN || !proto_is_fingerprint(fp))
		return "not a fingerprint";
	memcpy(dst, fp.s, fp.len);
	dst[fp.len] = '\0';
	return NULL;
}

static const char *
read_perm(struct state *st, const struct proto_str *w)
{
	if (st->perm != 0)
		return "perm twice";
	st->perm = proto_perm(w[1]);
	return st->perm != 0 ? NULL : "no such policy";
}

static const char *
read_next(struct state *st, const struct proto_str *w)
{
	uint64_t n;

	if (st->next_n != 0)
		return "next twice";
	if (num_parse(w[1].s, w[1].len, 1, UINT32_MAX, &n) == -1)
		return "not a viewer's number";
	st->next_n = (uint32_t)n;
	return NULL;
}

static const char *
read_terminating(struct state *st, const struct proto_str *w)
{
	(void)w;
	if (st->terminating)
		return "terminating twice";
	st->terminating = true;
	return NULL;
}

static const char *
read_over(struct state *st, const struct proto_str *w)
{
	static const char *const reasons[] = { "ended", "terminated",
	    "cancelled", "lost" };
	size_t i;

	if (st->over[0] != '\0')
		return "over twice";
	for (i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
		if (proto_is(w[1], reasons[i])) {
			memcpy(st->over, reasons[i], strlen(reasons[i]) + 1);
			return NULL;
		}
	return "no such reason";
}

static const char *
read_wary(struct state *st, const struct proto_str *w)
{
	(void)w;
	if (st->wary)
		return "wary twice";
	st->wary = true;
	return NULL;
}

static const char *
read_key(struct state *st, const struct proto_str *w)
{
	struct grade *g = &st->grades[st->ngrades];
	const char *wrong;
	unsigned int i;

	if (st->ngrades == SESSION_GRADES)
		return "too many keys";
	wrong = copy_fingerprint(g->fingerprint, w[1]);
	if (wrong != NULL)
		return wrong;
	g->ro = proto_is(w[2], "ro");
	g->kicked = proto_is(w[2], "kicked");
	if (!g->ro && !g->kicked && !proto_is(w[2], "rw"))
		return "no such grade";
	for (i = 0; i < st->ngrades; i++)
		if (strcmp(st->grades[i].fingerprint, g->fingerprint) == 0)
			return "a key twice";
	st->ngrades++;
	return NULL;
}

static bool
is_client(struct proto_str s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (!(s.s[i] >= '0' && s.s[i] <= '9') &&
		    !(s.s[i] >= 'a' && s.s[i] <= 'f'))
			return false;
	return s.len == SESSION_CLIENT_LEN;
}

static const char *
read_viewer(struct state *st, const struct proto_str *w)
{
	struct state_viewer *v = &st->viewers[st->nviewers], *other;
	const char *wrong;
	uint64_t n;

	if (st->nviewers == SESSION_VIEWERS)
		return "too many viewers";
	if (num_parse(w[1].s, w[1].len, 1, UINT32_MAX - 1, &n) == -1)
		return "not a viewer's number";
	if (!is_client(w[2]))
		return "not a client id";
	wrong = copy_fingerprint(v->fingerprint, w[3]);
	if (wrong != NULL)
		return wrong;
	v->n = (uint32_t)n;
	memcpy(v->client, w[2].s, w[2].len);
	v->client[w[2].len] = '\0';
	for (other = st->viewers; other < v; other++)
		if (other->n == v->n || (strcmp(other->client, v->client) == 0 &&
		    strcmp(other->fingerprint, v->fingerprint) == 0))
			return "a viewer twice";
	st->nviewers++;
	return NULL;
}

static const char *
read_chat(struct state *st, const struct proto_str *w)
{
	if (st->chat.last[0] != '\0')
		return "chat twice";
	return copy_id(st->chat.last, w[1]);
}

static const char *
read_owed(struct state *st, const struct proto_str *w)
{
	if (st->chat.n == CHATLOG_LINES)
		return "too many chat lines";
	return copy_id(st->chat.ids[st->chat.n++], w[1]);
}

static const struct {
	const char	*word;
	unsigned int	 words;		/* with the first */
	const char	*(*read)(struct state *, const struct proto_str *);
} lines[] = {
	{ "perm", 2, read_perm },
	{ "next", 2, read_next },
	{ "terminating", 1, read_terminating },
	{ "over", 2, read_over },
	{ "wary", 1, read_wary },
	{ "key", 3, read_key },
	{ "viewer", 4, read_viewer },
	{ "chat", 2, read_chat },
	{ "owed", 2, read_owed },
};

/* Split a line at single spaces.  The number of words, or 0. */
static unsigned int
split(struct proto_str l, struct proto_str w[WORDS_MAX])
{
	const char *end = l.s + l.len, *space;
	unsigned int n = 0;

	for (;;) {
		if (n == WORDS_MAX || l.s == end || *l.s == ' ')
			return 0;
		space = memchr(l.s, ' ', (size_t)(end - l.s));
		w[n].s = l.s;
		w[n++].len = (size_t)((space == NULL ? end : space) - l.s);
		if (space == NULL)
			return n;
		l.s = space + 1;
	}
}

static const char *
read_line(struct state *st, struct proto_str l)
{
	struct proto_str w[WORDS_MAX];
	unsigned int n = split(l, w);
	size_t i;

	for (i = 0; n > 0 && i < sizeof lines / sizeof lines[0]; i++)
		if (proto_is(w[0], lines[i].word))
			return n == lines[i].words ? lines[i].read(st, w) :
			    "wrong number of words";
	return "a line that is not known";
}

/* What no line alone can tell. */
static const char *
check(const struct state *st)
{
	unsigned int i;

	if (st->perm == 0 || st->next_n == 0)
		return "something is missing";
	for (i = 0; i < st->nviewers; i++)
		if (st->viewers[i].n >= st->next_n)
			return "a viewer that is still to come";
	return NULL;
}

const char *
state_parse(const char *s, size_t len, struct state *st)
{
	const char *lf, *end = s + len, *wrong;
	struct proto_str l;
	bool first = true;

	memset(st, 0, sizeof *st);
	while (s < end && (lf = memchr(s, '\n', (size_t)(end - s))) != NULL) {
		l.s = s;
		l.len = (size_t)(lf - s);
		s = lf + 1;
		if (first) {
			if (!proto_is(l, FIRST))
				return "not of this version";
			first = false;
		} else if (proto_is(l, "end"))
			return s == end ? check(st) : "goes on after its end";
		else if ((wrong = read_line(st, l)) != NULL)
			return wrong;
	}
	return "has no end";
}
