/*
 * hostinfo.c - see hostinfo.h.
 */
#include "hostinfo.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

#define RESOLV_CONF	"/etc/resolv.conf"

void
hostinfo_name(char out[CONTEXT_HOST_MAX + 1])
{
	struct addrinfo hints = { .ai_flags = AI_CANONNAME,
	    .ai_socktype = SOCK_STREAM }, *found;
	char name[CONTEXT_HOST_MAX + 1];

	memset(name, 0, sizeof name);
	if (gethostname(name, sizeof name - 1) == -1 ||
	    !context_is_host(name, strlen(name)))
		(void)snprintf(name, sizeof name, "unknown");
	(void)snprintf(out, CONTEXT_HOST_MAX + 1, "%s", name);
	if (getaddrinfo(name, NULL, &hints, &found) != 0)
		return;
	if (found->ai_canonname != NULL && context_is_host(found->ai_canonname,
	    strlen(found->ai_canonname)))
		(void)snprintf(out, CONTEXT_HOST_MAX + 1, "%s",
		    found->ai_canonname);
	freeaddrinfo(found);
}

/* The length of a netmask's prefix. */
static unsigned int
prefix_length(const unsigned char *mask, size_t len)
{
	unsigned int bits = 0;
	size_t i;

	for (i = 0; i < len; i++)
		bits += (unsigned int)__builtin_popcount(mask[i]);
	return bits;
}

/* One address with its net.  Loopback and link-local tell nothing. */
static void
add_interface(struct context *c, const struct ifaddrs *ifa)
{
	struct in_addr addr, mask, net;
	char text[INET_ADDRSTRLEN], slash[INET_ADDRSTRLEN + 4];

	if (ifa->ifa_addr == NULL || ifa->ifa_netmask == NULL ||
	    ifa->ifa_addr->sa_family != AF_INET ||
	    (ifa->ifa_flags & (IFF_LOOPBACK | IFF_UP)) != IFF_UP)
		return;
	addr = ((struct sockaddr_in *)(void *)ifa->ifa_addr)->sin_addr;
	mask = ((struct sockaddr_in *)(void *)ifa->ifa_netmask)->sin_addr;
	if (inet_ntop(AF_INET, &addr, text, sizeof text) == NULL)
		return;
	(void)context_add(c->ips, text, false);
	net.s_addr = addr.s_addr & mask.s_addr;
	if (inet_ntop(AF_INET, &net, text, sizeof text) == NULL)
		return;
	(void)snprintf(slash, sizeof slash, "%s/%u", text,
	    prefix_length((const unsigned char *)&mask, sizeof mask));
	(void)context_add(c->nets, slash, true);
}

static void
add_interfaces(struct context *c)
{
	struct ifaddrs *all, *ifa;

	if (getifaddrs(&all) == -1)
		return;
	for (ifa = all; ifa != NULL; ifa = ifa->ifa_next)
		add_interface(c, ifa);
	freeifaddrs(all);
}

static void
add_resolvers(struct context *c)
{
	char line[256], *p;
	FILE *f = fopen(RESOLV_CONF, "re");

	if (f == NULL)
		return;
	while (fgets(line, sizeof line, f) != NULL) {
		if (strncmp(line, "nameserver", 10) != 0)
			continue;
		p = line + 10;
		p += strspn(p, " \t");
		p[strcspn(p, " \t\r\n%#")] = '\0';
		(void)context_add(c->dns, p, false);
	}
	(void)fclose(f);
}

void
hostinfo_fill(struct context *c, const struct sessiondir *sd,
    const struct settings *s)
{
	const struct passwd *pw = getpwuid(geteuid());
	char *host = file_read(sd->fd, FILE_HOST, CONTEXT_HOST_MAX, NULL);

	memset(c, 0, sizeof *c);
	(void)snprintf(c->id, sizeof c->id, "%s", sd->sid);
	(void)snprintf(c->host, sizeof c->host, "%s",
	    host != NULL ? host : "unknown");
	free(host);
	c->mode = s->restricted ? CONTEXT_RESTRICTED : CONTEXT_SHARE;
	c->perm = context_default_perm(c->mode);
	(void)snprintf(c->support_case, sizeof c->support_case, "%.64s",
	    s->support_case);
	if (pw != NULL && context_is_user(pw->pw_name, strlen(pw->pw_name)))
		(void)snprintf(c->user, sizeof c->user, "%s", pw->pw_name);
	add_interfaces(c);
	add_resolvers(c);
}

int
hostinfo_ssh_config(const struct context *c, char *out, size_t cap)
{
	char line[CONTEXT_LINE_MAX + 1];
	size_t at, i;
	int n = context_format(c, line, sizeof line);

	if (n == -1)
		return -1;
	n = snprintf(out, cap, "RemoteCommand ");
	if (n < 0 || (size_t)n >= cap)
		return -1;
	at = (size_t)n;
	for (i = 0; line[i] != '\0'; i++) {
		if (cap - at < 4)
			return -1;
		if (line[i] == '%')
			out[at++] = '%';
		out[at++] = line[i];
	}
	out[at++] = '\n';
	out[at] = '\0';
	return (int)at;
}
