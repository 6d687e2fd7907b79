/*
 * listen.c - see listen.h.
 */
#include "listen.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "num.h"
#include "unix.h"

union address {
	struct sockaddr		sa;
	struct sockaddr_in	in;
	struct sockaddr_in6	in6;
};

/*
 * HOST:PORT of a loopback address.  Nothing else: whoever reaches this port
 * has an engineer's rights, so it is reached by way of sshd only.
 */
static int
parse_address(const char *s, union address *a, socklen_t *len)
{
	char host[INET6_ADDRSTRLEN];
	const char *colon = strrchr(s, ':');
	uint64_t port;
	size_t n;

	if (colon == NULL || num_parse_str(colon + 1, 0, 65535, &port) == -1)
		return -1;
	n = (size_t)(colon - s);
	memset(a, 0, sizeof *a);
	if (strncmp(s, "[::1]", n) == 0 && n == 5) {
		a->in6.sin6_family = AF_INET6;
		a->in6.sin6_addr = in6addr_loopback;
		a->in6.sin6_port = htons((uint16_t)port);
		*len = sizeof a->in6;
		return 0;
	}
	if (n >= sizeof host)
		return -1;
	memcpy(host, s, n);
	host[n] = '\0';
	a->in.sin_family = AF_INET;
	a->in.sin_port = htons((uint16_t)port);
	*len = sizeof a->in;
	if (inet_pton(AF_INET, host, &a->in.sin_addr) != 1 ||
	    ntohl(a->in.sin_addr.s_addr) >> 24 != 127)
		return -1;
	return 0;
}

/* Say in BOUND what S was bound to: its host as asked, its real port. */
static void
say_bound(int s, const char *asked, char *bound, size_t cap)
{
	union address a;
	socklen_t len = sizeof a;

	memset(&a, 0, sizeof a);
	(void)getsockname(s, &a.sa, &len);
	(void)snprintf(bound, cap, "%.*s:%u",
	    (int)(strrchr(asked, ':') - asked), asked,
	    (unsigned int)ntohs(a.in.sin_port));	/* the same place in both */
}

static int
tcp_listen(const union address *a, socklen_t len)
{
	int one = 1, s, saved;

	s = socket(a->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);
	if (s == -1)
		return -1;
	(void)setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(s, &a->sa, len) == -1 || listen(s, 128) == -1) {
		saved = errno;
		close(s);
		errno = saved;
		return -1;
	}
	return s;
}

int
listen_at(const char *address, char *bound, size_t cap, char **path, char *err,
    size_t errcap)
{
	union address a;
	socklen_t len;
	int s = -1;

	*path = NULL;
	if (strncmp(address, "unix:/", 6) == 0) {
		(void)snprintf(bound, cap, "%s", address);
		*path = strdup(address + 5);
		if (*path != NULL)
			s = unix_listen(*path, 0666);
	} else if (parse_address(address, &a, &len) == -1) {
		(void)snprintf(err, errcap, "expected unix:/PATH, "
		    "127.0.0.1:PORT or [::1]:PORT");
		return -1;
	} else {
		s = tcp_listen(&a, len);
		if (s != -1)
			say_bound(s, address, bound, cap);
	}
	if (s == -1)
		(void)snprintf(err, errcap, "%s", strerror(errno));
	return s;
}
