/*
 * notify.c - see notify.h.
 */
#include "notify.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "num.h"

/* The socket's address; its length, or 0. */
static socklen_t
address(struct sockaddr_un *sun)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path != NULL ? strlen(path) : 0;

	if (len < 2 || len >= sizeof sun->sun_path ||
	    (path[0] != '/' && path[0] != '@'))
		return 0;
	memset(sun, 0, sizeof *sun);
	sun->sun_family = AF_UNIX;
	memcpy(sun->sun_path, path, len);
	if (path[0] == '@')	/* an abstract one */
		sun->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

void
notify_send(const char *state)
{
	struct sockaddr_un sun;
	socklen_t len = address(&sun);
	int s;

	if (len == 0)
		return;
	s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s == -1)
		return;
	(void)sendto(s, state, strlen(state), MSG_NOSIGNAL,
	    (struct sockaddr *)&sun, len);
	close(s);
}

uint32_t
notify_watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	uint64_t n, p;

	if (usec == NULL || num_parse_str(usec, 1, (uint64_t)UINT32_MAX * 1000,
	    &n) == -1)
		return 0;
	if (pid != NULL && (num_parse_str(pid, 1, INT32_MAX, &p) == -1 ||
	    (pid_t)p != getpid()))
		return 0;
	return n >= 1000 ? (uint32_t)(n / 1000) : 1;
}
