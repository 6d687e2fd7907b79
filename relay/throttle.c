/*
 * throttle.c - see throttle.h.
 */
#include "throttle.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <stdio.h>
#include <string.h>

int64_t
throttle_wait(const struct throttle_rule *rule, int64_t at, int64_t now)
{
	if (at > now)		/* the clock was set back */
		at = now;
	return now - at < rule->window ? rule->window - (now - at) : 0;
}

static void
source_of6(const struct in6_addr *a, char out[THROTTLE_SOURCE_MAX + 1])
{
	char text[INET6_ADDRSTRLEN] = "";
	struct in6_addr net = *a;

	if (IN6_IS_ADDR_V4MAPPED(a)) {
		(void)inet_ntop(AF_INET, &a->s6_addr[12], out,
		    THROTTLE_SOURCE_MAX);
		return;
	}
	memset(&net.s6_addr[8], 0, 8);
	(void)inet_ntop(AF_INET6, &net, text, sizeof text);
	(void)snprintf(out, THROTTLE_SOURCE_MAX + 1, "%.42s/64", text);
}

bool
throttle_source(const char *s, size_t len, char out[THROTTLE_SOURCE_MAX + 1])
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr six;
	struct in_addr four;
	const char *zone = memchr(s, '%', len);

	out[0] = '\0';
	if (zone != NULL)
		len = (size_t)(zone - s);
	if (len >= sizeof text || memchr(s, '\0', len) != NULL)
		return false;
	memcpy(text, s, len);
	text[len] = '\0';
	if (inet_pton(AF_INET, text, &four) == 1) {
		if (zone == NULL)
			(void)inet_ntop(AF_INET, &four, out,
			    THROTTLE_SOURCE_MAX);
	} else if (inet_pton(AF_INET6, text, &six) == 1)
		source_of6(&six, out);
	return out[0] != '\0';
}
