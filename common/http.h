/*
 * http.h - a small HTTP/1.1 client over a connected descriptor.
 *
 * The codec is pure: http_request() writes a request, http_response() reads an
 * answer out of a growing buffer.  Programs with an event loop use those two;
 * the others call http_call(), which does both within a deadline.  Answers are
 * framed by Content-Length alone (RFC 9112, 6.3); anything else is refused.
 */
#ifndef HTTP_H
#define HTTP_H

#include <stddef.h>

#define HTTP_HEAD_MAX	8192		/* octets of status line and fields */
#define HTTP_BODY_MAX	(4u << 20)	/* octets */

/*
 * Write a request with Host, Connection: keep-alive and, if BODY is not NULL,
 * Content-Type: application/json and Content-Length.  METHOD and TARGET must
 * be printable ASCII without space.  Returns its length, or -1 if they are
 * not, or if it does not fit into CAP.
 */
int	http_request(char *buf, size_t cap, const char *method,
	    const char *target, const char *body, size_t len);

enum http_answer {
	HTTP_DONE,	/* *r is filled; used = head + body */
	HTTP_MORE,
	HTTP_BAD	/* not HTTP, or over a limit */
};

struct http_response {
	int		 status;	/* 100..599 */
	const char	*body;		/* in the caller's buffer; not NUL-ended */
	size_t		 body_len;
	size_t		 used;		/* octets of the buffer it took */
	int		 close;		/* the peer will close */
};

/* Look for a whole answer in the LEN octets at BUF. */
enum http_answer http_response(const char *buf, size_t len,
	    struct http_response *r);

struct http_reply {
	int	 status;
	char	*body;		/* NUL-terminated; free with http_reply_clear() */
	size_t	 body_len;
};

/*
 * Ask on the connected stream FD (either mode) and wait for the answer, MS
 * milliseconds in all.  Returns 0 with REPLY filled, or -1: errno ETIMEDOUT,
 * EPROTO (not HTTP), ECONNRESET (closed before the end), or the system's.
 * FD stays the caller's.
 */
int	http_call(int fd, const char *method, const char *target,
	    const char *body, int ms, struct http_reply *reply);

/* Wipe and free what http_call() filled. */
void	http_reply_clear(struct http_reply *reply);

#endif
