/*
 * forwarded.c - see forwarded.h.
 */
#include "forwarded.h"

#include <sys/socket.h>

#include <netdb.h>
#include <netinet/in.h>

#include <string.h>

static bool
is_word(const char *list, const char *word)
{
	size_t n;

	for (list += strspn(list, " "); *list != '\0';
	    list += n, list += strspn(list, " ")) {
		n = strcspn(list, " ");
		if (n == strlen(word) && memcmp(list, word, n) == 0)
			return true;
	}
	return false;
}

bool
forwarded_by_proxy(int fd, const char *proxies)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;
	char host[INET6_ADDRSTRLEN];

	return getpeername(fd, (struct sockaddr *)(void *)&ss, &len) == 0 &&
	    (ss.ss_family == AF_INET || ss.ss_family == AF_INET6) &&
	    getnameinfo((struct sockaddr *)(void *)&ss, len, host, sizeof host,
	    NULL, 0, NI_NUMERICHOST) == 0 && is_word(proxies, host);
}

bool
forwarded_source(const char *field, char out[THROTTLE_SOURCE_MAX + 1])
{
	const char *last = strrchr(field, ',');
	size_t len;

	last = last != NULL ? last + 1 : field;
	last += strspn(last, " \t");
	len = strlen(last);
	while (len > 0 && (last[len - 1] == ' ' || last[len - 1] == '\t'))
		len--;
	return throttle_source(last, len, out);
}
