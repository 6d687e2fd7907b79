/*
 * load.c - how many HTTP requests a second a server answers.
 *
 * usage: bench-load PORT CONNECTIONS SECONDS METHOD PATH [BODY]
 *
 * Sends the request over and over on so many connections at once to 127.0.0.1,
 * each as soon as the answer to the one before is complete; a connection that
 * the server closes after its answer is made anew.  Prints REQUESTS
 * NANOSECONDS, or fails if an answer is no 2xx.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "clock.h"
#include "num.h"

#define CONNECTIONS_MAX	256
#define ANSWER_MAX	(1u << 20)

struct conn {
	int	 fd;
	bool	 closes;	/* the end of file ends the answer */
	size_t	 want;		/* octets of the whole answer; 0: not known */
	size_t	 len;
	char	 buf[ANSWER_MAX + 1];
};

static char request[65536];
static size_t request_len;
static struct sockaddr_in server = { .sin_family = AF_INET };

static void
ask(struct conn *c)
{
	c->len = c->want = 0;
	c->closes = false;
	if (write(c->fd, request, request_len) != (ssize_t)request_len)
		err(1, "write");
}

static void
connect_to_server(struct conn *c, int ep)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
	int on = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd == -1 || connect(c->fd, (struct sockaddr *)&server,
	    sizeof server) == -1)
		err(1, "connect");
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev) == -1)
		err(1, "epoll_ctl");
	ask(c);
}

/* The value of a header field of the answer, or NULL. */
static const char *
field(const char *head, const char *name)
{
	const char *p = head;
	size_t n = strlen(name);

	while ((p = strstr(p, "\r\n")) != NULL && p[2] != '\r') {
		p += 2;
		if (strncasecmp(p, name, n) == 0 && p[n] == ':')
			return p + n + 1 + strspn(p + n + 1, " ");
	}
	return NULL;
}

/* The head is there: what is to come? */
static void
read_head(struct conn *c)
{
	const char *end = strstr(c->buf, "\r\n\r\n"), *v;
	uint64_t n;

	if (end == NULL)
		return;
	if (strncmp(c->buf, "HTTP/1.", 7) != 0 || c->buf[9] != '2')
		errx(1, "the answer is %.*s", (int)strcspn(c->buf, "\r\n"),
		    c->buf);
	v = field(c->buf, "Connection");
	c->closes = c->buf[7] == '0' ||
	    (v != NULL && strncasecmp(v, "close", 5) == 0);
	v = field(c->buf, "Content-Length");
	if (v != NULL && num_parse(v, strspn(v, "0123456789"), 0, ANSWER_MAX,
	    &n) == 0)
		c->want = (size_t)(end - c->buf) + 4 + (size_t)n;
	else if (!c->closes)
		errx(1, "an answer without an end");
}

/* Read; true if the answer is complete. */
static bool
answered(struct conn *c)
{
	ssize_t n = read(c->fd, c->buf + c->len, ANSWER_MAX - c->len);

	if (n == -1)
		err(1, "read");
	c->len += (size_t)n;
	c->buf[c->len] = '\0';
	if (c->want == 0)
		read_head(c);
	if (n > 0)
		return !c->closes && c->want != 0 && c->len >= c->want;
	if (!c->closes || c->len < c->want)
		errx(1, "the server hung up");
	return true;
}

static void
make_request(const char *method, const char *path, const char *body)
{
	int n;

	if (body == NULL)
		n = snprintf(request, sizeof request, "%s %s HTTP/1.1\r\n"
		    "Host: 127.0.0.1\r\n\r\n", method, path);
	else
		n = snprintf(request, sizeof request, "%s %s HTTP/1.1\r\n"
		    "Host: 127.0.0.1\r\nContent-Type: application/json\r\n"
		    "Content-Length: %zu\r\n\r\n%s", method, path,
		    strlen(body), body);
	if (n < 0 || (size_t)n >= sizeof request)
		errx(1, "the request is too long");
	request_len = (size_t)n;
}

/* Answers that came within NS nanoseconds. */
static uint64_t
run(int ep, uint64_t ns)
{
	struct epoll_event ev[CONNECTIONS_MAX];
	uint64_t done = 0, end = clock_ns() + ns;
	int n, i;

	while (clock_ns() < end) {
		n = epoll_wait(ep, ev, CONNECTIONS_MAX, 1000);
		for (i = 0; i < n; i++) {
			struct conn *c = ev[i].data.ptr;

			if (!answered(c))
				continue;
			done++;
			if (c->closes) {
				close(c->fd);
				connect_to_server(c, ep);
			} else
				ask(c);
		}
	}
	return done;
}

int
main(int argc, char **argv)
{
	uint64_t port, conns, seconds, begin, done, i;
	struct conn *c;
	int ep = epoll_create1(EPOLL_CLOEXEC);

	if (argc < 6 || argc > 7 || ep == -1 ||
	    num_parse_str(argv[1], 1, 65535, &port) == -1 ||
	    num_parse_str(argv[2], 1, CONNECTIONS_MAX, &conns) == -1 ||
	    num_parse_str(argv[3], 1, 3600, &seconds) == -1)
		errx(1, "usage: bench-load PORT CONNECTIONS SECONDS METHOD "
		    "PATH [BODY]");
	server.sin_port = htons((uint16_t)port);
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	make_request(argv[4], argv[5], argc == 7 ? argv[6] : NULL);
	c = calloc(conns, sizeof *c);
	if (c == NULL)
		err(1, "calloc");
	begin = clock_ns();
	for (i = 0; i < conns; i++)
		connect_to_server(&c[i], ep);
	done = run(ep, seconds * 1000000000);
	printf("%" PRIu64 " %" PRIu64 "\n", done, clock_ns() - begin);
	return 0;
}
