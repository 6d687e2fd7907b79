/*
 * audit.h - SID.log: what was done in a session, by whom, and what came of it.
 *
 * One line an act, of six fields separated by tabs: time (UTC, milliseconds),
 * session, who, key fingerprint ("-": none), what, outcome.  It is written
 * before the act takes effect.  Of what is typed it has the number of octets,
 * never the octets.  Fields are escaped in here (log_printable()), so one act
 * is one line whatever a peer says.
 */
#ifndef AUDIT_H
#define AUDIT_H

#include <stddef.h>

#define AUDIT_LINE_MAX	1024
#define AUDIT_STAMP_LEN	24	/* 2026-01-02T03:04:05.678Z */

struct audit {
	int	 fd;		/* SID.log, O_APPEND; -1: none */
	char	 sid[64];
	int	 failed;	/* errno of the last write, 0: it went well */
};

/*
 * Open DIR/SID.log, which is made if need be.  Returns 0, or -1 with errno.
 */
int	audit_open(struct audit *a, const char *dir, const char *sid);
void	audit_close(struct audit *a);

/*
 * Write one line.  Returns 0, or -1 with errno if it could not be written
 * whole; the caller says so to people.
 */
__attribute__((format(printf, 5, 6)))
int	audit_write(struct audit *a, const char *who, const char *fingerprint,
	    const char *what, const char *fmt, ...);

/*
 * The line alone, into BUF (AUDIT_LINE_MAX octets): returns its length, LF
 * included.  What does not fit is cut within its field.
 */
size_t	audit_format(char *buf, const char *stamp, const char *sid,
	    const char *who, const char *fingerprint, const char *what,
	    const char *outcome);

/* The time now, for a line. */
void	audit_stamp(char stamp[AUDIT_STAMP_LEN + 1]);

/* Open DIR/SID<suffix> for appending; shared with the chat log. */
int	audit_open_file(const char *dir, const char *sid, const char *suffix);

#endif
