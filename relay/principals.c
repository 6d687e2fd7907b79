/*
 * principals.c - relay-principals SERIAL: sshd's AuthorizedPrincipalsCommand.
 *
 * Prints what the certificate with that serial may do right now, in the form
 * of an authorized_principals line: listen on its own session's ports; nothing
 * for a session that ended (it may log in once more to be told so); no line at
 * all, which refuses the login, for whatever else.  It reads the grant file
 * and nothing else, and always exits 0: sshd decides by the line.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "files.h"
#include "grant.h"
#include "log.h"
#include "num.h"

#define PRINCIPAL	"tunl-customer"
#define RUN_DIR		"/run/linbit-tunl"

/* The line for an active session goes to BUF; -1 if it does not fit. */
static int
allow_ports(const struct grant *g, char *buf, size_t cap)
{
	size_t o;
	unsigned int i;

	o = (size_t)snprintf(buf, cap, "restrict,port-forwarding");
	for (i = 0; i < g->nports && o < cap; i++)
		o += (size_t)snprintf(buf + o, cap - o,
		    ",permitlisten=\"127.0.0.1:%u\"",
		    (unsigned int)g->ports[i]);
	if (o < cap)
		o += (size_t)snprintf(buf + o, cap - o, " " PRINCIPAL "\n");
	return o < cap ? 0 : -1;
}

static int
principal_line(const struct grant *g, time_t now, char *buf, size_t cap)
{
	buf[0] = '\0';
	if (g->state == GRANT_ACTIVE)
		return allow_ports(g, buf, cap);
	if ((int64_t)now < g->until)
		(void)snprintf(buf, cap, "restrict " PRINCIPAL "\n");
	return 0;
}

/* The grants directory, or -1. */
static int
grants_open(void)
{
	const char *run = getenv("TUNL_RUN_DIR");
	char path[PATH_MAX];

	if (snprintf(path, sizeof path, "%s/" GRANT_DIR,
	    run != NULL ? run : RUN_DIR) >= (int)sizeof path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Log why there is no line; a certificate without a grant is nothing new. */
static void
refuse(const char *serial, int dir)
{
	if (dir == -1)
		log_warn("cannot read the grants");
	else if (errno == ENOENT)
		log_info("serial %s: no grant", serial);
	else
		log_warn("serial %s: cannot read its grant", serial);
}

int
main(int argc, char **argv)
{
	char line[64 + GRANT_PORTS_MAX * 40];
	struct grant g;
	uint64_t serial;
	int dir;

	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return puts("relay-principals " TUNL_VERSION) == EOF;
	log_init("relay-principals", 0, 0);
	if (argc != 2 || num_parse_str(argv[1], 1, INT64_MAX, &serial) == -1) {
		log_warnx("expected a certificate's serial number");
		return 0;
	}
	dir = grants_open();
	if (dir == -1 || grant_read_serial(dir, serial, &g) == -1) {
		refuse(argv[1], dir);
		return 0;
	}
	if (principal_line(&g, time(NULL), line, sizeof line) == 0)
		(void)write_all(STDOUT_FILENO, line, strlen(line));
	return 0;
}
