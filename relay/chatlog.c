/*
 * chatlog.c - see chatlog.h.
 */
#include "chatlog.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit.h"
#include "files.h"
#include "num.h"
#include "safetext.h"

#define NAME_ESCAPED	(4 * PROTO_NAME_MAX + 1)
#define TEXT_ESCAPED	(4 * PROTO_CHAT_MAX + 1)
#define LINE_MAX_OCTETS	(NAME_ESCAPED + TEXT_ESCAPED + 128)
/* Octets of an existing file that are read: all that can be owed. */
#define RELOAD		(CHATLOG_LINES * LINE_MAX_OCTETS)

int
chatlog_escape(const char *s, size_t len, char *out, size_t cap)
{
	size_t o = 0, n, i;
	uint32_t cp;

	for (; len > 0; s += n, len -= n) {
		bool plain;

		n = safetext_decode(s, len, &cp);
		plain = cp != '\\' && cp != 0xfffd && safetext_map(cp) == cp;
		if (o + (plain ? n : 4 * n) >= cap)
			return -1;
		for (i = 0; i < n; i++) {
			unsigned char c = (unsigned char)s[i];

			if (plain) {
				out[o++] = s[i];
				continue;
			}
			out[o++] = '\\';
			out[o++] = (char)('0' + (c >> 6));
			out[o++] = (char)('0' + (c >> 3 & 7));
			out[o++] = (char)('0' + (c & 7));
		}
	}
	if (o >= cap)
		return -1;
	out[o] = '\0';
	return (int)o;
}

static bool
is_octal(char c, char max)
{
	return c >= '0' && c <= max;
}

int
chatlog_unescape(const char *s, size_t len, char *out, size_t cap)
{
	size_t o = 0, i = 0;

	while (i < len) {
		if (o + 1 >= cap)
			return -1;
		if (s[i] != '\\') {
			out[o++] = s[i++];
			continue;
		}
		if (len - i < 4 || !is_octal(s[i + 1], '3') ||
		    !is_octal(s[i + 2], '7') || !is_octal(s[i + 3], '7'))
			return -1;
		out[o++] = (char)((s[i + 1] - '0') << 6 |
		    (s[i + 2] - '0') << 3 | (s[i + 3] - '0'));
		i += 4;
	}
	if (o >= cap)
		return -1;
	out[o] = '\0';
	return (int)o;
}

/* Split off what is before the next tab. */
static bool
next_field(const char **s, const char *end, struct proto_str *f)
{
	const char *tab = memchr(*s, '\t', (size_t)(end - *s));

	if (tab == NULL)
		return false;
	f->s = *s;
	f->len = (size_t)(tab - *s);
	*s = tab + 1;
	return true;
}

static bool
read_stamp(struct proto_str f, time_t *when)
{
	char text[AUDIT_STAMP_LEN + 1];
	const char *rest;
	struct tm tm;

	if (f.len != AUDIT_STAMP_LEN)
		return false;
	memcpy(text, f.s, f.len);
	text[f.len] = '\0';
	memset(&tm, 0, sizeof tm);
	rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (rest == NULL || *rest != '.')
		return false;
	*when = timegm(&tm);
	return *when >= 0;
}

/* "customer", or "viewer N NAME" with the name escaped. */
static bool
read_who(struct proto_str f, struct chat_line *l)
{
	const char *s = f.s + 7, *end = f.s + f.len, *space;
	uint64_t n;
	int len;

	l->viewer = 0;
	l->name[0] = '\0';
	if (proto_is(f, "customer"))
		return true;
	if (f.len < 9 || memcmp(f.s, "viewer ", 7) != 0)
		return false;
	space = memchr(s, ' ', (size_t)(end - s));
	if (space == NULL ||
	    num_parse(s, (size_t)(space - s), 1, UINT32_MAX, &n) == -1)
		return false;
	l->viewer = (uint32_t)n;
	len = chatlog_unescape(space + 1, (size_t)(end - space - 1), l->name,
	    sizeof l->name);
	return len != -1 && proto_is_utf8(l->name, (size_t)len) &&
	    strlen(l->name) == (size_t)len;
}

struct chat_line *
chatlog_read_line(const char *s, size_t len)
{
	const char *end = s + len;
	struct proto_str stamp, id, who;
	struct chat_line *l;
	int n;

	if (!next_field(&s, end, &stamp) || !next_field(&s, end, &id) ||
	    !next_field(&s, end, &who) || !proto_is_chat_id(id) ||
	    id.len > CHATLOG_ID_MAX)
		return NULL;
	l = calloc(1, sizeof *l + (size_t)(end - s) + 1);
	if (l == NULL)
		return NULL;
	n = chatlog_unescape(s, (size_t)(end - s), l->text,
	    (size_t)(end - s) + 1);
	if (n == -1 || n > PROTO_CHAT_MAX ||
	    !proto_is_utf8(l->text, (size_t)n) ||
	    !read_stamp(stamp, &l->when) || !read_who(who, l)) {
		free(l);
		return NULL;
	}
	memcpy(l->id, id.s, id.len);
	l->len = (size_t)n;
	return l;
}

/* A chat id as one number. */
static uint64_t
id_number(struct proto_str id)
{
	uint64_t sender = 0, counter = 0;
	size_t i;

	for (i = 0; i < 8; i++) {
		char c = id.s[i];

		sender = sender << 4 |
		    (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	(void)num_parse(id.s + 9, id.len - 9, 0, UINT32_MAX, &counter);
	return sender << 32 | counter;
}

static bool
is_known(const struct chatlog *c, uint64_t id)
{
	unsigned int i;

	for (i = 0; i < c->nids && i < CHATLOG_IDS; i++)
		if (c->ids[i] == id)
			return true;
	return false;
}

static void
drop_line(struct chatlog *c, struct chat_line *l)
{
	TAILQ_REMOVE(&c->lines, l, entry);
	c->nlines--;
	c->octets -= l->len;
	free(l);
}

/* Let old lines that the customer has go.  False: none of them can. */
static bool
make_room(struct chatlog *c, size_t len)
{
	struct chat_line *l, *next;

	for (l = TAILQ_FIRST(&c->lines); l != NULL; l = next) {
		next = TAILQ_NEXT(l, entry);
		if (c->nlines < CHATLOG_LINES &&
		    c->octets + len <= CHATLOG_TAIL)
			break;
		if (!l->unacked)
			drop_line(c, l);
	}
	return c->nlines < CHATLOG_LINES;
}

static void
keep(struct chatlog *c, struct chat_line *l)
{
	struct proto_str id = { l->id, strlen(l->id) };

	c->ids[c->nids++ % CHATLOG_IDS] = id_number(id);
	TAILQ_INSERT_TAIL(&c->lines, l, entry);
	c->nlines++;
	c->octets += l->len;
}

static bool
is_owed(const struct chat_owed *owed, const char *id)
{
	unsigned int i;

	for (i = 0; i < owed->n; i++)
		if (strcmp(owed->ids[i], id) == 0)
			return true;
	return false;
}

/* The line up to which OWED knows: what came before it is settled. */
static void
settle(struct chatlog *c, const struct chat_owed *owed)
{
	struct chat_line *l;

	TAILQ_FOREACH(l, &c->lines, entry)
		l->unacked = l->unacked && is_owed(owed, l->id);
}

/* Take up a line of an earlier broker. */
static void
recall(struct chatlog *c, struct chat_line *l, const struct chat_owed *owed)
{
	l->unacked = l->viewer != 0;
	if (!make_room(c, l->len))
		drop_line(c, TAILQ_FIRST(&c->lines));
	keep(c, l);
	if (strcmp(l->id, owed->last) == 0)
		settle(c, owed);
}

/* Take up the end of a file of an earlier broker. */
static void
reload(struct chatlog *c, const struct chat_owed *owed)
{
	char *buf, *p, *lf;
	struct chat_line *l;
	struct stat st;
	size_t size;
	ssize_t n;

	if (fstat(c->fd, &st) == -1 || st.st_size == 0)
		return;
	size = st.st_size > RELOAD ? RELOAD : (size_t)st.st_size;
	buf = malloc(size);
	if (buf == NULL)
		return;
	n = pread(c->fd, buf, size, st.st_size - (off_t)size);
	p = buf;
	/* The first line may be cut; a broken one is passed over. */
	while (n > 0 && (lf = memchr(p, '\n', (size_t)(buf + n - p))) != NULL) {
		l = chatlog_read_line(p, (size_t)(lf - p));
		if (l != NULL)
			recall(c, l, owed);
		p = lf + 1;
	}
	free(buf);
}

int
chatlog_open(struct chatlog *c, const char *dir, const char *sid,
    const struct chat_owed *owed)
{
	memset(c, 0, sizeof *c);
	TAILQ_INIT(&c->lines);
	c->fd = audit_open_file(dir, sid, ".chat");
	if (c->fd == -1)
		return -1;
	reload(c, owed);
	return 0;
}

void
chatlog_close(struct chatlog *c)
{
	while (!TAILQ_EMPTY(&c->lines))
		drop_line(c, TAILQ_FIRST(&c->lines));
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
}

static int
append(struct chatlog *c, const struct chat_line *l)
{
	char stamp[AUDIT_STAMP_LEN + 1], name[NAME_ESCAPED], text[TEXT_ESCAPED];
	char who[NAME_ESCAPED + 32];
	char line[TEXT_ESCAPED + NAME_ESCAPED + 128];
	int n;

	audit_stamp(stamp);
	if (chatlog_escape(l->name, strlen(l->name), name, sizeof name) == -1 ||
	    chatlog_escape(l->text, l->len, text, sizeof text) == -1) {
		errno = EMSGSIZE;
		return -1;
	}
	if (l->viewer == 0)
		(void)snprintf(who, sizeof who, "customer");
	else
		(void)snprintf(who, sizeof who, "viewer %u %s", l->viewer,
		    name);
	n = snprintf(line, sizeof line, "%s\t%s\t%s\t%s\n", stamp, l->id, who,
	    text);
	return write_all(c->fd, line, (size_t)n);
}

enum chatlog_answer
chatlog_add(struct chatlog *c, struct proto_str id, uint32_t viewer,
    const char *name, struct proto_str text, struct chat_line **out)
{
	struct chat_line *l;

	if (is_known(c, id_number(id)))
		return CHATLOG_KNOWN;
	if (text.len > PROTO_CHAT_MAX || c->fd == -1) {
		errno = c->fd == -1 ? EBADF : EMSGSIZE;
		return CHATLOG_FAILED;
	}
	if (!make_room(c, text.len))
		return CHATLOG_FULL;
	l = calloc(1, sizeof *l + text.len + 1);
	if (l == NULL)
		return CHATLOG_FAILED;
	memcpy(l->id, id.s, id.len);
	l->when = time(NULL);
	l->viewer = viewer;
	(void)snprintf(l->name, sizeof l->name, "%s", name);
	l->len = text.len;
	memcpy(l->text, text.s, text.len);
	l->unacked = viewer != 0;
	if (append(c, l) == -1) {
		free(l);
		return CHATLOG_FAILED;
	}
	keep(c, l);
	*out = l;
	return CHATLOG_NEW;
}

bool
chatlog_acked(struct chatlog *c, struct proto_str id)
{
	struct chat_line *l;

	TAILQ_FOREACH(l, &c->lines, entry)
		if (l->unacked && proto_is(id, l->id)) {
			l->unacked = false;
			return true;
		}
	return false;
}

void
chatlog_owed(const struct chatlog *c, struct chat_owed *owed)
{
	const struct chat_line *l = TAILQ_LAST(&c->lines, chat_lines);

	memset(owed, 0, sizeof *owed);
	if (l != NULL)
		memcpy(owed->last, l->id, sizeof l->id);
	TAILQ_FOREACH(l, &c->lines, entry)
		if (l->unacked && owed->n < CHATLOG_LINES)
			memcpy(owed->ids[owed->n++], l->id, sizeof l->id);
}
