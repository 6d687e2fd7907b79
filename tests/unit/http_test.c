/*
 * http_test.c - the HTTP client: its codec, and calls to a forked peer.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "http.h"

#define LEN(a)		(sizeof (a) / sizeof (a)[0])
#define OCTETS(s)	(s), sizeof(s) - 1
#define OK		"HTTP/1.1 200 OK\r\n"
#define MS		10000	/* a limit that is never reached */

/* ---- requests ----------------------------------------------------------- */

#define GET_REQUEST	"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" \
			"Connection: keep-alive\r\n\r\n"
#define POST_REQUEST	"POST /x HTTP/1.1\r\nHost: localhost\r\n" \
			"Connection: keep-alive\r\n" \
			"Content-Type: application/json\r\n" \
			"Content-Length: 2\r\n\r\n{}"

static void
test_request(void **state)
{
	char buf[512];
	int n;

	(void)state;
	n = http_request(buf, sizeof buf, "GET", "/healthz", NULL, 0);
	assert_int_equal(n, strlen(GET_REQUEST));
	assert_memory_equal(buf, GET_REQUEST, (size_t)n);
	n = http_request(buf, sizeof buf, "POST", "/x", "{}", 2);
	assert_int_equal(n, strlen(POST_REQUEST));
	assert_memory_equal(buf, POST_REQUEST, (size_t)n);
	assert_int_equal(http_request(buf, (size_t)n, "POST", "/x", "{}", 2),
	    n);
	assert_int_equal(http_request(buf, (size_t)n - 1, "POST", "/x", "{}",
	    2), -1);
	assert_int_equal(http_request(buf, 10, "POST", "/x", "{}", 2), -1);
}

static void
test_request_refuses_what_would_break_it(void **state)
{
	static const char *const bad[] = {
		"", " ", "/a b", "/a\r\nX: y", "/a\t", "/a\x7f", "/\xc3\xa9",
	};
	char buf[512];
	size_t i;

	(void)state;
	for (i = 0; i < LEN(bad); i++) {
		assert_int_equal(http_request(buf, sizeof buf, "GET", bad[i],
		    NULL, 0), -1);
		assert_int_equal(http_request(buf, sizeof buf, bad[i], "/",
		    NULL, 0), -1);
	}
}

/* ---- responses ---------------------------------------------------------- */

static enum http_answer
response(const char *s, size_t len, struct http_response *r)
{
	/* In memory of exactly its size: the sanitizer sees a read past it. */
	char *copy = malloc(len > 0 ? len : 1);
	enum http_answer a;

	assert_non_null(copy);
	memcpy(copy, s, len);
	a = http_response(copy, len, r);
	if (a == HTTP_DONE)
		r->body = s + (r->body - copy);
	free(copy);
	return a;
}

static const struct {
	const char	*s;
	int		 status;
	size_t		 body_len;
	int		 close;
} good[] = {
	{ OK "Content-Length: 0\r\n\r\n", 200, 0, 0 },
	{ OK "Content-Length: 5\r\n\r\nhello", 200, 5, 0 },
	{ OK "content-LENGTH:5 \t\r\nX-y: \xc3\xa9\r\n\r\nhello", 200, 5, 0 },
	{ OK "X:\r\nContent-Length:\t5\r\n\r\n\r\n\r\n\n", 200, 5, 0 },
	{ "HTTP/1.1 404 \r\nContent-Length: 1\r\n\r\nx", 404, 1, 0 },
	{ "HTTP/1.1 204 No Content\r\n\r\n", 204, 0, 0 },
	{ "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, 0,
	    0 },
	{ "HTTP/1.1 100 Continue\r\n\r\n", 100, 0, 0 },
	{ OK "Connection: close\r\nContent-Length: 1\r\n\r\nx", 200, 1, 1 },
	{ OK "Connection: a, CLOSE ,b\r\nContent-Length: 1\r\n\r\nx", 200, 1,
	    1 },
	{ OK "Connection: closed\r\nContent-Length: 1\r\n\r\nx", 200, 1, 0 },
	{ "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, 1, 1 },
};

static void
test_response_at_every_split(void **state)
{
	struct http_response r;
	size_t i, len, whole;

	(void)state;
	for (i = 0; i < LEN(good); i++) {
		whole = strlen(good[i].s);
		for (len = 0; len < whole; len++)
			assert_int_equal(response(good[i].s, len, &r),
			    HTTP_MORE);
		assert_int_equal(response(good[i].s, whole, &r), HTTP_DONE);
		assert_int_equal(r.status, good[i].status);
		assert_int_equal(r.body_len, good[i].body_len);
		assert_int_equal(r.used, whole);
		assert_int_equal(r.close, good[i].close);
		assert_ptr_equal(r.body, good[i].s + whole - r.body_len);
	}
}

static const struct {
	const char	*s;
	size_t		 len;
} bad[] = {
	{ OCTETS("SSH-2.0-OpenSSH_9.2\r\n") },
	{ OCTETS("HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n") },
	{ OCTETS("HTTP/1.x 200 OK\r\nContent-Length: 0\r\n\r\n") },
	{ OCTETS("http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") },
	{ OCTETS("\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") },
	{ OCTETS("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n") },
	{ OCTETS("HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n") },
	{ OCTETS("HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n") },
	{ OCTETS("HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n") },
	{ OCTETS("HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n") },
	{ OCTETS("HTTP/1.1 20x OK\r\nContent-Length: 0\r\n\r\n") },
	{ OCTETS("HTTP/1.1 200 O\0K\r\nContent-Length: 0\r\n\r\n") },
	{ OCTETS("HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n") },
	{ OCTETS(OK "\r\n") },
	{ OCTETS(OK "Content-Length: 0\nX: y\r\n\r\n") },
	{ OCTETS(OK "Content-Length: 0\rX: y\r\n\r\n") },
	{ OCTETS(OK "Content-Length\r\n\r\n") },
	{ OCTETS(OK "Content-Length : 0\r\n\r\n") },
	{ OCTETS(OK ": x\r\nContent-Length: 0\r\n\r\n") },
	{ OCTETS(OK "X: y\r\n z\r\nContent-Length: 0\r\n\r\n") },
	{ OCTETS(OK " X: y\r\nContent-Length: 0\r\n\r\n") },
	{ OCTETS(OK "X: a\0b\r\nContent-Length: 0\r\n\r\n") },
	{ OCTETS(OK "X: \x1b[0m\r\nContent-Length: 0\r\n\r\n") },
	{ OCTETS(OK "Content-Length: -1\r\n\r\n") },
	{ OCTETS(OK "Content-Length: +1\r\n\r\nx") },
	{ OCTETS(OK "Content-Length: 01\r\n\r\nx") },
	{ OCTETS(OK "Content-Length: 1 1\r\n\r\nx") },
	{ OCTETS(OK "Content-Length: 1, 1\r\n\r\nx") },
	{ OCTETS(OK "Content-Length:\r\n\r\n") },
	{ OCTETS(OK "Content-Length: 0x1\r\n\r\nx") },
	{ OCTETS(OK "Content-Length: 4194305\r\n\r\n") },
	{ OCTETS(OK "Content-Length: 99999999999999999999\r\n\r\n") },
	{ OCTETS(OK "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx") },
	{ OCTETS(OK "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "0\r\n\r\n") },
	{ OCTETS(OK "transfer-encoding: identity\r\nContent-Length: 0\r\n\r\n")
	    },
};

static void
test_bad_responses(void **state)
{
	struct http_response r;
	size_t i, len;
	int seen;

	(void)state;
	for (i = 0; i < LEN(bad); i++) {
		if (response(bad[i].s, bad[i].len, &r) != HTTP_BAD)
			fail_msg("row %zu was taken: %s", i, bad[i].s);
		/* Once bad it stays so, and is never done before. */
		for (len = 0, seen = 0; len < bad[i].len; len++) {
			enum http_answer a = response(bad[i].s, len, &r);

			assert_int_not_equal(a, HTTP_DONE);
			assert_false(seen && a != HTTP_BAD);
			seen = a == HTTP_BAD;
		}
	}
}

static void
test_head_limit(void **state)
{
	static const char end[] = "\r\nContent-Length: 0\r\n\r\n";
	char head[HTTP_HEAD_MAX + 1];
	struct http_response r;
	size_t tail = sizeof end - 1;

	(void)state;
	memset(head, 'x', sizeof head);
	memcpy(head, OK "X: ", strlen(OK "X: "));
	memcpy(head + HTTP_HEAD_MAX - tail, end, tail);
	assert_int_equal(response(head, HTTP_HEAD_MAX, &r), HTTP_DONE);
	assert_int_equal(response(head, HTTP_HEAD_MAX - 1, &r), HTTP_MORE);
	memset(head + HTTP_HEAD_MAX - tail, 'x', tail);
	memcpy(head + HTTP_HEAD_MAX + 1 - tail, end, tail);
	assert_int_equal(response(head, HTTP_HEAD_MAX + 1, &r), HTTP_BAD);
}

static void
test_what_follows_is_left_alone(void **state)
{
	static const char two[] = OK "Content-Length: 2\r\n\r\n{}HTTP/1.1 500";
	struct http_response r;

	(void)state;
	assert_int_equal(response(OCTETS(two), &r), HTTP_DONE);
	assert_int_equal(r.used, strlen(OK "Content-Length: 2\r\n\r\n{}"));
	assert_int_equal(r.body_len, 2);
	assert_memory_equal(r.body, "{}", 2);
}

/* ---- calls -------------------------------------------------------------- */

/* What the forked peer does. */
struct script {
	const char	*expect;	/* the request it must get; NULL: any */
	const char	*answer;
	size_t		 len, piece;	/* written PIECE octets at a time */
	int		 hold;		/* then waits for the caller to close */
};

/* Read up to the end of a head or of EXPECT.  Returns 0 if it is right. */
static int
peer_read(int fd, const char *expect)
{
	size_t got = 0, want = expect != NULL ? strlen(expect) : 0;
	char buf[1024];
	ssize_t n;

	while (got < sizeof buf) {
		n = read(fd, buf + got, sizeof buf - got);
		if (n <= 0)
			return -1;
		got += (size_t)n;
		if (expect == NULL ? memmem(buf, got, "\r\n\r\n", 4) != NULL :
		    got >= want)
			break;
	}
	return expect == NULL || (got == want &&
	    memcmp(buf, expect, want) == 0) ? 0 : -1;
}

static int
peer_write(int fd, const struct script *s)
{
	size_t at, piece;

	for (at = 0; at < s->len; at += piece) {
		piece = s->len - at < s->piece ? s->len - at : s->piece;
		if (write(fd, s->answer + at, piece) != (ssize_t)piece)
			return -1;
	}
	return 0;
}

__attribute__((noreturn))
static void
peer(int fd, const struct script *s)
{
	char c;

	if (peer_read(fd, s->expect) == -1 || peer_write(fd, s) == -1)
		_exit(1);
	if (s->hold)
		while (read(fd, &c, 1) > 0)
			;
	_exit(0);
}

/* Call a peer that follows the script; returns what http_call() does. */
static int
call(const struct script *s, const char *method, const char *target,
    const char *body, int ms, int nonblock, struct http_reply *reply)
{
	int fds[2], rv, saved, status;
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
	    (nonblock ? SOCK_NONBLOCK : 0), 0, fds), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		close(fds[0]);
		(void)fcntl(fds[1], F_SETFL, 0);
		peer(fds[1], s);
	}
	close(fds[1]);
	rv = http_call(fds[0], method, target, body, ms, reply);
	saved = errno;
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	errno = saved;
	return rv;
}

static void
test_call(void **state)
{
	struct script s = { POST_REQUEST,
	    OCTETS(OK "Content-Length: 5\r\n\r\nhello"), 0, 1 };
	struct http_reply reply;

	(void)state;
	for (s.piece = 1; s.piece <= s.len; s.piece += 13) {
		assert_int_equal(call(&s, "POST", "/x", "{}", MS,
		    (int)s.piece % 2, &reply), 0);
		assert_int_equal(reply.status, 200);
		assert_int_equal(reply.body_len, 5);
		assert_string_equal(reply.body, "hello");
		http_reply_clear(&reply);
		assert_null(reply.body);
		http_reply_clear(&reply);
	}
}

static void
test_call_passes_over_interim_answers(void **state)
{
	struct script s = { GET_REQUEST, OCTETS("HTTP/1.1 102 Busy\r\n\r\n"
	    "HTTP/1.1 103 Hints\r\nX: y\r\n\r\nHTTP/1.1 204 None\r\n\r\n"),
	    7, 1 };
	struct http_reply reply;

	(void)state;
	assert_int_equal(call(&s, "GET", "/healthz", NULL, MS, 0, &reply), 0);
	assert_int_equal(reply.status, 204);
	assert_string_equal(reply.body, "");
	http_reply_clear(&reply);
}

static void
test_call_takes_the_largest_answer(void **state)
{
	static const char head[] = OK "Content-Length: 4194304\r\n\r\n";
	size_t len = sizeof head - 1 + HTTP_BODY_MAX;
	char *answer = malloc(len);
	struct script s = { NULL, answer, len, 60000, 0 };
	struct http_reply reply;

	(void)state;
	assert_non_null(answer);
	memset(answer, 'b', len);
	memcpy(answer, head, sizeof head - 1);
	assert_int_equal(call(&s, "GET", "/", NULL, MS, 0, &reply), 0);
	assert_int_equal(reply.body_len, HTTP_BODY_MAX);
	assert_int_equal(strspn(reply.body, "b"), HTTP_BODY_MAX);
	http_reply_clear(&reply);
	free(answer);
}

static void
test_call_failures(void **state)
{
	static const struct {
		struct script	 s;
		int		 ms, error;
	} rows[] = {
		{ { NULL, OCTETS(""), 1, 1 }, 20, ETIMEDOUT },
		{ { NULL, OCTETS(OK "Content-Length: 5\r\n\r\nhell"), 5, 1 },
		    20, ETIMEDOUT },
		{ { NULL, OCTETS(""), 1, 1 }, 0, ETIMEDOUT },
		{ { NULL, OCTETS(""), 1, 0 }, MS, ECONNRESET },
		{ { NULL, OCTETS(OK "Content-Length: 5\r\n\r\nhell"), 5, 0 },
		    MS, ECONNRESET },
		{ { NULL, OCTETS("SSH-2.0-x\r\n"), 99, 1 }, MS, EPROTO },
		{ { NULL, OCTETS(OK "\r\nbody until the end"), 99, 0 }, MS,
		    EPROTO },
		{ { NULL, OCTETS(OK "Content-Length: 1\r\n\r\nxy"), 99, 1 },
		    MS, EPROTO },
		{ { NULL, OCTETS("HTTP/1.1 101 Switch\r\n\r\n"), 99, 1 }, MS,
		    EPROTO },
	};
	struct http_reply reply;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		assert_int_equal(call(&rows[i].s, "GET", "/", NULL,
		    rows[i].ms, 0, &reply), -1);
		assert_int_equal(errno, rows[i].error);
		assert_null(reply.body);
	}
}

static void
test_call_refuses_a_bad_request(void **state)
{
	struct http_reply reply;

	(void)state;
	/* Nothing is sent: there is nobody. */
	assert_int_equal(http_call(-1, "GET", "/a b", NULL, MS, &reply), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(http_call(-1, "GET", "/", NULL, MS, &reply), -1);
	assert_int_equal(errno, EBADF);
}

static void
test_call_reads_an_answer_sent_before_the_request(void **state)
{
	static const char answer[] = "HTTP/1.1 503 Busy\r\n"
	    "Connection: close\r\nContent-Length: 0\r\n\r\n";
	struct http_reply reply;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    fds), 0);
	assert_int_equal(write(fds[1], answer, sizeof answer - 1),
	    sizeof answer - 1);
	close(fds[1]);
	assert_int_equal(http_call(fds[0], "GET", "/", NULL, MS, &reply), 0);
	assert_int_equal(reply.status, 503);
	http_reply_clear(&reply);
	close(fds[0]);
}

static void
test_call_gives_up_on_a_peer_that_does_not_read(void **state)
{
	char *body = malloc(HTTP_BODY_MAX + 2);
	struct http_reply reply;
	int fds[2];

	(void)state;
	assert_non_null(body);
	memset(body, ' ', HTTP_BODY_MAX + 1);
	body[HTTP_BODY_MAX] = '\0';
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    fds), 0);
	assert_int_equal(http_call(fds[0], "POST", "/", body, 20, &reply), -1);
	assert_int_equal(errno, ETIMEDOUT);
	body[HTTP_BODY_MAX] = ' ';
	body[HTTP_BODY_MAX + 1] = '\0';
	assert_int_equal(http_call(fds[0], "POST", "/", body, MS, &reply), -1);
	assert_int_equal(errno, EMSGSIZE);
	close(fds[0]);
	close(fds[1]);
	free(body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_request_refuses_what_would_break_it),
		cmocka_unit_test(test_response_at_every_split),
		cmocka_unit_test(test_bad_responses),
		cmocka_unit_test(test_head_limit),
		cmocka_unit_test(test_what_follows_is_left_alone),
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_call_passes_over_interim_answers),
		cmocka_unit_test(test_call_takes_the_largest_answer),
		cmocka_unit_test(test_call_failures),
		cmocka_unit_test(test_call_refuses_a_bad_request),
		cmocka_unit_test(
		    test_call_reads_an_answer_sent_before_the_request),
		cmocka_unit_test(
		    test_call_gives_up_on_a_peer_that_does_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
