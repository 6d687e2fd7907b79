/*
 * http.c - see http.h.  The codec (RFC 9112, strict where the RFC lets a
 * client choose) and a blocking call with a deadline on top of it.
 */
#include "http.h"

#include <sys/socket.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "mono.h"
#include "num.h"

#define REPLY_FIRST	4096		/* octets, grows by doubling */

static bool
is_visible(const char *s)
{
	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++)
		if (*s <= 0x20 || *s >= 0x7f)
			return false;
	return true;
}

int
http_request(char *buf, size_t cap, const char *method, const char *target,
    const char *body, size_t len)
{
	char fields[128] = "";
	int n;

	if (!is_visible(method) || !is_visible(target))
		return -1;
	if (body == NULL)
		len = 0;
	else
		(void)snprintf(fields, sizeof fields,
		    "Content-Type: application/json\r\n"
		    "Content-Length: %zu\r\n", len);
	n = snprintf(buf, cap, "%s %s HTTP/1.1\r\nHost: localhost\r\n"
	    "Connection: keep-alive\r\n%s\r\n", method, target, fields);
	if (n < 0 || (size_t)n >= cap || len > cap - (size_t)n ||
	    len > (size_t)(INT_MAX - n))
		return -1;
	if (len > 0)
		memcpy(buf + n, body, len);
	return n + (int)len;
}

/* ---- the response ------------------------------------------------------- */

/* What the head says about the rest. */
struct head {
	int	 status;
	bool	 close;
	bool	 has_length;
	uint64_t length;
};

/* Octets of a field name; RFC 9110, 5.6.2. */
static bool
is_token(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		    (c >= 'a' && c <= 'z') ||
		    (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL)))
			return false;
	}
	return len > 0;
}

/* A field value or reason phrase: no control octet but the tab. */
static bool
is_text(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* True if the LEN octets at S are NAME in any case. */
static bool
is_word(const char *s, size_t len, const char *name)
{
	return len == strlen(name) && strncasecmp(s, name, len) == 0;
}

/* Take blanks off both ends. */
static void
trim(const char **s, size_t *len)
{
	while (*len > 0 && (**s == ' ' || **s == '\t')) {
		++*s;
		--*len;
	}
	while (*len > 0 && ((*s)[*len - 1] == ' ' || (*s)[*len - 1] == '\t'))
		--*len;
}

/* True if WORD is a member of the comma-separated list. */
static bool
has_member(const char *s, size_t len, const char *word)
{
	const char *end = s + len, *comma, *item;
	size_t n;

	for (; s < end; s = comma + 1) {
		comma = memchr(s, ',', (size_t)(end - s));
		if (comma == NULL)
			comma = end;
		item = s;
		n = (size_t)(comma - s);
		trim(&item, &n);
		if (is_word(item, n, word))
			return true;
	}
	return false;
}

/* "HTTP/1.x NNN reason"; RFC 9112, 4. */
static bool
read_status(const char *s, size_t len, struct head *h)
{
	uint64_t v;

	if (len < 13 || memcmp(s, "HTTP/1.", 7) != 0 || s[7] < '0' ||
	    s[7] > '9' || s[8] != ' ' || s[12] != ' ' ||
	    num_parse(s + 9, 3, 100, 599, &v) == -1 ||
	    !is_text(s + 13, len - 13))
		return false;
	h->status = (int)v;
	h->close = s[7] == '0';
	return true;
}

/* "name: value"; RFC 9112, 5.  A line that begins with a blank is a folded
 * one, which has no token before the colon. */
static bool
read_field(const char *s, size_t len, struct head *h)
{
	const char *colon = memchr(s, ':', len), *value;
	size_t namelen, n;

	if (colon == NULL)
		return false;
	namelen = (size_t)(colon - s);
	value = colon + 1;
	n = len - namelen - 1;
	if (!is_token(s, namelen) || !is_text(value, n))
		return false;
	trim(&value, &n);
	if (is_word(s, namelen, "Transfer-Encoding"))
		return false;
	if (is_word(s, namelen, "Connection") && has_member(value, n, "close"))
		h->close = true;
	if (is_word(s, namelen, "Content-Length")) {
		if (h->has_length ||
		    num_parse(value, n, 0, HTTP_BODY_MAX, &h->length) == -1)
			return false;
		h->has_length = true;
	}
	return true;
}

/* Read the LEN octets of head at S, each of its lines ended by CR LF. */
static bool
read_head(const char *s, size_t len, struct head *h)
{
	const char *end = s + len, *lf;
	bool first = true;

	for (; s < end; s = lf + 1) {
		lf = memchr(s, '\n', (size_t)(end - s));
		if (lf == NULL || lf == s || lf[-1] != '\r')
			return false;
		if (first ? !read_status(s, (size_t)(lf - s) - 1, h) :
		    !read_field(s, (size_t)(lf - s) - 1, h))
			return false;
		first = false;
	}
	return !first;
}

enum http_answer
http_response(const char *buf, size_t len, struct http_response *r)
{
	size_t max = len < HTTP_HEAD_MAX ? len : HTTP_HEAD_MAX, hlen;
	struct head h = { 0 };
	const char *end;

	memset(r, 0, sizeof *r);
	if (len == 0)
		return HTTP_MORE;
	if (memcmp(buf, "HTTP/1.", len < 7 ? len : 7) != 0)
		return HTTP_BAD;
	end = memmem(buf, max, "\r\n\r\n", 4);
	if (end == NULL)
		return len < HTTP_HEAD_MAX ? HTTP_MORE : HTTP_BAD;
	hlen = (size_t)(end - buf) + 4;
	if (!read_head(buf, hlen - 2, &h))
		return HTTP_BAD;
	if (h.status < 200 || h.status == 204 || h.status == 304)
		h.length = 0;	/* these have no body; RFC 9112, 6.3 */
	else if (!h.has_length)
		return HTTP_BAD;
	if (len - hlen < h.length)
		return HTTP_MORE;
	r->status = h.status;
	r->body = buf + hlen;
	r->body_len = (size_t)h.length;
	r->used = hlen + r->body_len;
	r->close = h.close;
	return HTTP_DONE;
}

/* ---- the call ----------------------------------------------------------- */

/* Memory that may hold secrets: grows and goes without leaving a copy. */
struct buffer {
	char	*s;
	size_t	 len, cap;
};

static void
buffer_free(struct buffer *b)
{
	if (b->s != NULL)
		explicit_bzero(b->s, b->cap);
	free(b->s);
	memset(b, 0, sizeof *b);
}

/* Make the capacity CAP.  Returns 0, or -1 with errno. */
static int
buffer_grow(struct buffer *b, size_t cap)
{
	struct buffer bigger = { malloc(cap), b->len, cap };

	if (bigger.s == NULL)
		return -1;
	if (b->len > 0)
		memcpy(bigger.s, b->s, b->len);
	buffer_free(b);
	*b = bigger;
	return 0;
}

/* Wait until FD is ready for EVENTS.  Returns 0, or -1 with errno. */
static int
wait_until(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t left;
	int n;

	do {
		left = deadline - mono_ms();
		if (left <= 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		n = poll(&p, 1, left < INT_MAX ? (int)left : INT_MAX);
	} while (n == 0 || (n == -1 && errno == EINTR));
	return n == -1 ? -1 : 0;
}

static bool
is_transient(int error)
{
	return error == EINTR || error == EAGAIN || error == EWOULDBLOCK;
}

/* Send it all; a peer that stops listening may have answered already. */
static int
send_request(int fd, const char *s, size_t len, int64_t deadline)
{
	while (len > 0) {
		ssize_t n = send(fd, s, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n == -1 && errno == EPIPE)
			return 0;
		if (n == -1 && !is_transient(errno))
			return -1;
		if (n == -1) {
			if (wait_until(fd, POLLOUT, deadline) == -1)
				return -1;
			continue;
		}
		s += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Add what FD has to B, waiting for it.  Returns 0, or -1 with errno. */
static int
recv_some(int fd, struct buffer *b, int64_t deadline)
{
	ssize_t n;

	if (b->len == b->cap && buffer_grow(b, 2 * b->cap) == -1)
		return -1;
	for (;;) {
		if (wait_until(fd, POLLIN, deadline) == -1)
			return -1;
		n = recv(fd, b->s + b->len, b->cap - b->len, MSG_DONTWAIT);
		if (n > 0)
			break;
		if (n == 0) {
			errno = ECONNRESET;
			return -1;
		}
		if (!is_transient(errno))
			return -1;
	}
	b->len += (size_t)n;
	return 0;
}

/* Read until B begins with a final answer.  Returns 0, or -1 with errno. */
static int
recv_answer(int fd, struct buffer *b, struct http_response *r, int64_t deadline)
{
	enum http_answer a;

	for (;;) {
		a = http_response(b->s, b->len, r);
		/* More than was asked for, or a switch to who knows what. */
		if (a == HTTP_BAD || (a == HTTP_DONE && r->status == 101) ||
		    (a == HTTP_DONE && r->status >= 200 && r->used < b->len)) {
			errno = EPROTO;
			return -1;
		}
		if (a == HTTP_DONE && r->status >= 200)
			return 0;
		if (a == HTTP_DONE) {	/* an interim answer */
			b->len -= r->used;
			memmove(b->s, b->s + r->used, b->len);
		} else if (recv_some(fd, b, deadline) == -1)
			return -1;
	}
}

/* The whole request for http_call(); 0, or -1 with errno. */
static int
make_request(struct buffer *b, const char *method, const char *target,
    const char *body)
{
	size_t len = body != NULL ? strlen(body) : 0;
	int n;

	if (len > HTTP_BODY_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	if (buffer_grow(b, HTTP_HEAD_MAX + len) == -1)
		return -1;
	n = http_request(b->s, b->cap, method, target, body, len);
	if (n == -1) {
		errno = EINVAL;
		return -1;
	}
	b->len = (size_t)n;
	return 0;
}

int
http_call(int fd, const char *method, const char *target, const char *body,
    int ms, struct http_reply *reply)
{
	int64_t deadline = mono_ms() + ms;
	struct buffer out = { 0 }, in = { 0 };
	struct http_response r;
	int rv = -1, saved;

	memset(reply, 0, sizeof *reply);
	if (make_request(&out, method, target, body) == -1 ||
	    buffer_grow(&in, REPLY_FIRST) == -1 ||
	    send_request(fd, out.s, out.len, deadline) == -1 ||
	    recv_answer(fd, &in, &r, deadline) == -1)
		goto out;
	/* The body moves to the front; its NUL fits where the head was. */
	memmove(in.s, r.body, r.body_len);
	explicit_bzero(in.s + r.body_len, in.cap - r.body_len);
	reply->status = r.status;
	reply->body = in.s;
	reply->body_len = r.body_len;
	in.s = NULL;
	rv = 0;
out:
	saved = errno;
	buffer_free(&out);
	buffer_free(&in);
	errno = saved;
	return rv;
}

void
http_reply_clear(struct http_reply *reply)
{
	if (reply->body != NULL)
		explicit_bzero(reply->body, reply->body_len);
	free(reply->body);
	memset(reply, 0, sizeof *reply);
}
