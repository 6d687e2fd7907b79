/*
 * grant.c - see grant.h.  The reader accepts what the writer writes, octet for
 * octet, and nothing else.
 */
#include "grant.h"

#include <sys/stat.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "num.h"

#define SERIAL_LEN	20	/* digits of the largest */

static const char *const reasons[] = {
	[GRANT_REASON_ENDED] = "ended",
	[GRANT_REASON_TERMINATED] = "terminated",
	[GRANT_REASON_CANCELLED] = "cancelled",
	[GRANT_REASON_LOST] = "lost",
};

const char *
grant_reason_name(enum grant_reason reason)
{
	return reasons[reason];
}

int
grant_reason_parse(const char *s, enum grant_reason *reason)
{
	size_t i;

	for (i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
		if (strcmp(s, reasons[i]) == 0) {
			*reason = (enum grant_reason)i;
			return 0;
		}
	return -1;
}

/*
 * Take the line `KEY=value` off the front of *S: the value's length goes to
 * *LEN.  Returns the value, or NULL if the next line is none.
 */
static const char *
take_line(const char **s, const char *end, const char *key, size_t *len)
{
	size_t n = strlen(key);
	const char *value, *nl;

	if ((size_t)(end - *s) <= n || memcmp(*s, key, n) != 0 ||
	    (*s)[n] != '=')
		return NULL;
	value = *s + n + 1;
	nl = memchr(value, '\n', (size_t)(end - value));
	if (nl == NULL)
		return NULL;
	*s = nl + 1;
	*len = (size_t)(nl - value);
	return value;
}

static int
parse_serials(const char *s, size_t len, struct grant *g)
{
	const char *dash = memchr(s, '-', len);

	if (dash == NULL)
		return -1;
	if (num_parse(s, (size_t)(dash - s), 1, INT64_MAX,
	    &g->serial_first) == -1)
		return -1;
	return num_parse(dash + 1, len - (size_t)(dash + 1 - s),
	    g->serial_first, INT64_MAX, &g->serial_last);
}

static int
parse_ports(const char *s, size_t len, struct grant *g)
{
	const char *end = s + len, *comma;
	uint64_t port;

	for (;; s = comma + 1) {
		comma = memchr(s, ',', (size_t)(end - s));
		if (g->nports == GRANT_PORTS_MAX || num_parse(s,
		    (size_t)((comma != NULL ? comma : end) - s), 1, 65535,
		    &port) == -1)
			return -1;
		g->ports[g->nports++] = (uint16_t)port;
		if (comma == NULL)
			return 0;
	}
}

static int
parse_ended(const char **s, const char *end, struct grant *g)
{
	const char *v;
	char word[16];
	uint64_t until;
	size_t len;

	g->state = GRANT_ENDED;
	v = take_line(s, end, "until", &len);
	if (v == NULL || num_parse(v, len, 0, INT64_MAX, &until) == -1)
		return -1;
	g->until = (int64_t)until;
	v = take_line(s, end, "reason", &len);
	if (v == NULL || len >= sizeof word)
		return -1;
	memcpy(word, v, len);
	word[len] = '\0';
	if (strlen(word) != len)
		return -1;
	return grant_reason_parse(word, &g->reason);
}

int
grant_parse(const char *s, size_t len, struct grant *g)
{
	const char *end = s + len, *v;

	memset(g, 0, sizeof *g);
	v = take_line(&s, end, "v", &len);
	if (v == NULL || len != 1 || *v != '1')
		return -1;
	v = take_line(&s, end, "session", &len);
	if (v == NULL || !sid_is_valid(v, len))
		return -1;
	memcpy(g->sid, v, len);
	v = take_line(&s, end, "serials", &len);
	if (v == NULL || parse_serials(v, len, g) == -1)
		return -1;
	v = take_line(&s, end, "ports", &len);
	if (v == NULL || parse_ports(v, len, g) == -1)
		return -1;
	v = take_line(&s, end, "state", &len);
	if (v == NULL)
		return -1;
	if (len == 5 && memcmp(v, "ended", 5) == 0) {
		if (parse_ended(&s, end, g) == -1)
			return -1;
	} else if (len != 6 || memcmp(v, "active", 6) != 0)
		return -1;
	return s == end ? 0 : -1;
}

size_t
grant_format(const struct grant *g, char *buf, size_t cap)
{
	char ports[GRANT_PORTS_MAX * 6], end[64];
	size_t o = 0;
	unsigned int i;
	int n;

	for (i = 0; i < g->nports; i++)
		o += (size_t)snprintf(ports + o, sizeof ports - o, "%s%u",
		    i > 0 ? "," : "", (unsigned int)g->ports[i]);
	end[0] = '\0';
	if (g->state == GRANT_ENDED)
		(void)snprintf(end, sizeof end, "until=%" PRId64 "\n"
		    "reason=%s\n", g->until, reasons[g->reason]);
	n = snprintf(buf, cap, "v=1\nsession=%s\nserials=%" PRIu64 "-%" PRIu64
	    "\nports=%s\nstate=%s\n%s", g->sid, g->serial_first, g->serial_last,
	    ports, g->state == GRANT_ENDED ? "ended" : "active", end);
	return n > 0 && (size_t)n < cap ? (size_t)n : 0;
}

int
grant_read(int dirfd, const char *sid, struct grant *g)
{
	char *text;
	size_t len;
	int rv;

	if (!sid_is_valid(sid, strlen(sid))) {
		errno = EINVAL;
		return -1;
	}
	text = file_read(dirfd, sid, GRANT_SIZE_MAX, &len);
	if (text == NULL)
		return -1;
	rv = grant_parse(text, len, g);
	free(text);
	if (rv == -1 || strcmp(g->sid, sid) != 0) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

int
grant_read_serial(int dirfd, uint64_t serial, struct grant *g)
{
	char name[SERIAL_LEN + 1], sid[SID_MAX + 2];
	ssize_t n;

	(void)snprintf(name, sizeof name, "%" PRIu64, serial);
	n = readlinkat(dirfd, name, sid, sizeof sid - 1);
	if (n == -1)
		return -1;
	sid[n] = '\0';
	if (grant_read(dirfd, sid, g) == -1)
		return -1;
	if (serial < g->serial_first || serial > g->serial_last) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

int
grant_write(int dirfd, const struct grant *g)
{
	char buf[GRANT_SIZE_MAX];
	size_t len;

	len = grant_format(g, buf, sizeof buf);
	if (len == 0) {
		errno = EINVAL;
		return -1;
	}
	return file_replace(dirfd, g->sid, buf, len, 0644, 0);
}

int
grant_link(int dirfd, const char *sid, uint64_t serial)
{
	char name[SERIAL_LEN + 1];

	(void)snprintf(name, sizeof name, "%" PRIu64, serial);
	if (symlinkat(sid, dirfd, name) == 0)
		return 0;
	if (errno != EEXIST || unlinkat(dirfd, name, 0) == -1)
		return -1;
	return symlinkat(sid, dirfd, name);
}
