/*
 * apicall.c - see apicall.h.
 */
#include "apicall.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "unix.h"

/* The first unix: address of TUNL_API_LISTEN; -1 if there is none. */
static int
socket_path(const struct relayconf *conf, char path[PATH_MAX])
{
	const char *p = conf->api_listen;
	size_t n;

	for (p += strspn(p, " "); *p != '\0'; p += n, p += strspn(p, " ")) {
		n = strcspn(p, " ");
		if (n > 5 && n - 5 < PATH_MAX && strncmp(p, "unix:", 5) == 0) {
			memcpy(path, p + 5, n - 5);
			path[n - 5] = '\0';
			return 0;
		}
	}
	errno = EINVAL;
	return -1;
}

int
api_call(const struct relayconf *conf, const char *target, const char *body,
    struct http_reply *reply)
{
	char path[PATH_MAX];
	int rv, s, saved;

	if (socket_path(conf, path) == -1 || (s = unix_connect(path)) == -1)
		return -1;
	rv = http_call(s, "POST", target, body, (int)conf->api_call_ms, reply);
	saved = errno;
	close(s);
	errno = saved;
	return rv;
}
