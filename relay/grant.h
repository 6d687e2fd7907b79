/*
 * grant.h - grant files: what a session's certificates may do right now.
 *
 * relay-api writes RUN_DIR/grants/SID by rename whenever that changes, and a
 * symbolic link RUN_DIR/grants/SERIAL -> SID for every certificate; the
 * programs that sshd starts read them, so that logins go on while the API is
 * down.  The file is exactly these lines, in this order:
 *
 *	v=1
 *	session=SID
 *	serials=FIRST-LAST
 *	ports=N[,N...]
 *	state=active|ended
 *	until=UNIX				only when ended
 *	reason=ended|terminated|cancelled|lost	only when ended
 *
 * Depends on the C library, common/files.c and common/sid.c alone.
 */
#ifndef GRANT_H
#define GRANT_H

#include <stddef.h>
#include <stdint.h>

#include "sid.h"

#define GRANT_DIR	"grants"	/* in the run directory */
#define GRANT_SIZE_MAX	1024		/* octets of a file */
#define GRANT_PORTS_MAX	16

enum grant_state {
	GRANT_ACTIVE,
	GRANT_ENDED
};

enum grant_reason {
	GRANT_REASON_ENDED,		/* by the customer */
	GRANT_REASON_TERMINATED,	/* by support */
	GRANT_REASON_CANCELLED,		/* taken out of the registry */
	GRANT_REASON_LOST		/* nothing heard for the grace time */
};

struct grant {
	char			sid[SID_MAX + 1];
	uint64_t		serial_first, serial_last; /* first <= last */
	unsigned int		nports;		/* 1..GRANT_PORTS_MAX */
	uint16_t		ports[GRANT_PORTS_MAX];
	enum grant_state	state;
	int64_t			until;	/* Unix seconds; ended: tell the reason
					 * until then */
	enum grant_reason	reason;	/* meaningful when ended */
};

/*
 * Read the grant of session SID, or of the certificate SERIAL, from the
 * directory DIRFD (RUN_DIR/grants).  Returns 0, or -1 with errno: ENOENT if
 * there is none, EINVAL if what is there is not a grant file of that session,
 * or if SERIAL is not in its range.
 */
int	grant_read(int dirfd, const char *sid, struct grant *g);
int	grant_read_serial(int dirfd, uint64_t serial, struct grant *g);

/* The file's contents alone: 0, or -1 if the LEN octets at S are not one. */
int	grant_parse(const char *s, size_t len, struct grant *g);

/* Write it into BUF.  Returns its length, or 0 if CAP is too small. */
size_t	grant_format(const struct grant *g, char *buf, size_t cap);

/*
 * Put the file in place by rename, and link SERIAL to it.  Each returns 0, or
 * -1 with errno.
 */
int	grant_write(int dirfd, const struct grant *g);
int	grant_link(int dirfd, const char *sid, uint64_t serial);

/* The word that a file has for it, and back (0, or -1 if it is none). */
const char *grant_reason_name(enum grant_reason reason);
int	grant_reason_parse(const char *s, enum grant_reason *reason);

#endif
