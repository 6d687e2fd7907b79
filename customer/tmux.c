/*
 * tmux.c - see tmux.h.
 */
#include "tmux.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "num.h"

void
tmux_parser_init(struct tmux_parser *p, const struct tmux_events *events,
    void *arg)
{
	memset(p, 0, sizeof *p);
	p->events = events;
	p->arg = arg;
}

void
tmux_parser_release(struct tmux_parser *p)
{
	free(p->line.data);
	free(p->reply.data);
	memset(p, 0, sizeof *p);
}

/* Append, with a NUL behind it that does not count. */
static int
buf_add(struct tmux_buf *b, const char *data, size_t len, size_t max)
{
	size_t cap = b->cap == 0 ? 1024 : b->cap;
	char *grown;

	if (len > max || b->len > max - len) {
		errno = EMSGSIZE;
		return -1;
	}
	while (cap < b->len + len + 1)
		cap *= 2;
	if (cap != b->cap) {
		grown = realloc(b->data, cap);
		if (grown == NULL)
			return -1;
		b->data = grown;
		b->cap = cap;
	}
	memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
	return 0;
}

static bool
is_octal(const char *s)
{
	return s[0] >= '0' && s[0] <= '3' && s[1] >= '0' && s[1] <= '7' &&
	    s[2] >= '0' && s[2] <= '7';
}

size_t
tmux_unescape(char *s, size_t len)
{
	size_t in, out = 0;

	for (in = 0; in < len; in++) {
		if (s[in] == '\\' && len - in >= 4 && is_octal(s + in + 1)) {
			s[out++] = (char)((s[in + 1] - '0') << 6 |
			    (s[in + 2] - '0') << 3 | (s[in + 3] - '0'));
			in += 3;
		} else
			s[out++] = s[in];
	}
	return out;
}

/* "%7 data": what follows "%output ". */
static void
parse_output(struct tmux_parser *p, char *s, size_t len)
{
	char *space = memchr(s, ' ', len);
	uint64_t pane;
	size_t n;

	if (space == NULL || s[0] != '%' || num_parse(s + 1,
	    (size_t)(space - s) - 1, 0, UINT32_MAX, &pane) == -1)
		return;
	space++;
	n = tmux_unescape(space, len - (size_t)(space - s));
	p->events->output_cb(p->arg, (unsigned int)pane, space, n);
}

/* "TIME NUMBER FLAGS": what follows "%begin ". */
static void
parse_begin(struct tmux_parser *p, const char *s, size_t len)
{
	if (len >= sizeof p->guard)
		return;
	memcpy(p->guard, s, len);
	p->guard[len] = '\0';
	p->in_reply = true;
	p->reply.len = 0;
}

static void
end_reply(struct tmux_parser *p, bool ok)
{
	const char *flags = strrchr(p->guard, ' ');
	bool ours = flags != NULL && strcmp(flags, " 1") == 0;

	p->in_reply = false;
	p->events->reply_cb(p->arg, ok, ours,
	    p->reply.len > 0 ? p->reply.data : "", p->reply.len);
	p->reply.len = 0;
}

/* True if the line begins with WORD and a space; what follows in *REST. */
static bool
begins(const char *line, size_t len, const char *word, const char **rest)
{
	size_t n = strlen(word);

	if (len <= n || memcmp(line, word, n) != 0 || line[n] != ' ')
		return false;
	*rest = line + n + 1;
	return true;
}

/*
 * The row that a tmux before 3.1 captures alone, where it wraps, ends in no LF
 * but runs into the %end of its reply.  Returns the length without that.
 */
static size_t
before_end(const struct tmux_parser *p, const char *line, size_t len)
{
	size_t n = strlen(p->guard), tail = n + strlen("%end ");

	if (len > tail && memcmp(line + len - n, p->guard, n) == 0 &&
	    memcmp(line + len - tail, "%end ", strlen("%end ")) == 0)
		return len - tail;
	return len;
}

static int
reply_line(struct tmux_parser *p, const char *line, size_t len)
{
	size_t own = before_end(p, line, len);
	const char *rest;

	if (begins(line, len, "%end", &rest) && strcmp(rest, p->guard) == 0)
		end_reply(p, true);
	else if (begins(line, len, "%error", &rest) &&
	    strcmp(rest, p->guard) == 0)
		end_reply(p, false);
	else if (buf_add(&p->reply, line, own, TMUX_REPLY_MAX) == -1 ||
	    buf_add(&p->reply, "\n", 1, TMUX_REPLY_MAX) == -1)
		return -1;
	else if (own < len)
		end_reply(p, true);
	return 0;
}

/* One whole line, without its LF, NUL-terminated. */
static int
take_line(struct tmux_parser *p, char *line, size_t len)
{
	const char *rest;

	if (p->in_reply)
		return reply_line(p, line, len);
	if (begins(line, len, "%output", &rest)) {
		parse_output(p, line + (rest - line),
		    len - (size_t)(rest - line));
	} else if (begins(line, len, "%begin", &rest))
		parse_begin(p, rest, len - (size_t)(rest - line));
	else if (len > 1 && line[0] == '%') {
		line[strcspn(line, " ")] = '\0';
		p->events->notify_cb(p->arg, line + 1);
	}
	return 0;
}

int
tmux_parser_feed(struct tmux_parser *p, const void *data, size_t len)
{
	const char *s = data, *end = s + len, *lf;

	while (s < end) {
		lf = memchr(s, '\n', (size_t)(end - s));
		if (buf_add(&p->line, s,
		    (size_t)((lf != NULL ? lf : end) - s), TMUX_LINE_MAX) == -1)
			return -1;
		if (lf == NULL)
			return 0;
		if (take_line(p, p->line.data, p->line.len) == -1)
			return -1;
		p->line.len = 0;
		s = lf + 1;
	}
	return 0;
}

int
tmux_quote(char *out, size_t cap, const char *text)
{
	size_t len = strlen(text), i;

	if (len + 3 > cap)
		return -1;
	for (i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f ||
		    text[i] == '\'')
			return -1;
	out[0] = '\'';
	memcpy(out + 1, text, len);
	out[len + 1] = '\'';
	out[len + 2] = '\0';
	return (int)len + 2;
}
