/*
 * lookup.c - see lookup.h.  Blocking, within TUNL_API_TIMEOUT an address.
 */
#include "lookup.h"

#include <sys/socket.h>

#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "broker.h"
#include "grant.h"
#include "http.h"
#include "unix.h"

static int
connect_tcp(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	    .ai_socktype = SOCK_STREAM }, *ai;
	int s;

	if (getaddrinfo(host, port, &hints, &ai) != 0)
		return -1;
	s = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s != -1 && connect(s, ai->ai_addr, ai->ai_addrlen) == -1) {
		close(s);
		s = -1;
	}
	freeaddrinfo(ai);
	return s;
}

/* Connect to one address of TUNL_API_LISTEN: unix:PATH or HOST:PORT. */
static int
connect_api(const char *address)
{
	char host[256];
	const char *colon;
	size_t n;

	if (strncmp(address, "unix:", 5) == 0)
		return unix_connect(address + 5);
	colon = strrchr(address, ':');
	if (colon == NULL)
		return -1;
	if (*address == '[' && colon > address && colon[-1] == ']')
		n = (size_t)(colon - ++address) - 1;
	else
		n = (size_t)(colon - address);
	if (n >= sizeof host)
		return -1;
	memcpy(host, address, n);
	host[n] = '\0';
	return connect_tcp(host, colon + 1);
}

/* Ask one address for a pending session.  The HTTP status, or -1. */
static int
ask(const struct relayconf *conf, const char *address, const char *sid)
{
	struct http_reply reply;
	char target[SID_MAX + 32];
	int s = connect_api(address), status;

	if (s == -1)
		return -1;
	(void)snprintf(target, sizeof target, "/api/v1/pending/%s", sid);
	if (http_call(s, "GET", target, NULL, (int)conf->api_call_ms,
	    &reply) == -1) {
		close(s);
		return -1;
	}
	close(s);
	status = reply.status;
	http_reply_clear(&reply);
	return status;
}

/* The addresses differ in whom they let in: go on until one knows. */
static enum lookup
ask_api(const struct relayconf *conf, const char *sid)
{
	const char *p = conf->api_listen;
	char address[PATH_MAX];
	size_t n;

	for (; *p != '\0'; p += strspn(p, " ")) {
		n = strcspn(p, " ");
		if (n > 0 && n < sizeof address) {
			memcpy(address, p, n);
			address[n] = '\0';
			switch (ask(conf, address, sid)) {
			case 200:
				return LOOKUP_PENDING;
			case 404:
			case 410:
				return LOOKUP_NONE;
			}
		}
		p += n;
	}
	return LOOKUP_UNSURE;
}

enum lookup
lookup_session(const struct relayconf *conf, const char *sid)
{
	char path[PATH_MAX];
	struct grant g;
	int dirfd, rv = -1;

	if (broker_path(conf, GRANT_DIR, "", path, sizeof path) == 0 &&
	    (dirfd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC)) != -1) {
		rv = grant_read(dirfd, sid, &g);
		close(dirfd);
	}
	if (rv == 0)
		return g.state == GRANT_ENDED ? LOOKUP_ENDED : LOOKUP_ACTIVE;
	return ask_api(conf, sid);
}
