/*
 * audit.c - see audit.h.
 */
#include "audit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "files.h"
#include "log.h"

#define FIELD_MAX	192	/* octets of an escaped field, the outcome's */
#define OUTCOME_MAX	384	/* is longer */

int
audit_open_file(const char *dir, const char *sid, const char *suffix)
{
	char path[PATH_MAX];
	int n;

	n = snprintf(path, sizeof path, "%s/%s%s", dir, sid, suffix);
	if (n < 0 || (size_t)n >= sizeof path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW |
	    O_CLOEXEC | O_NONBLOCK, 0640);
}

int
audit_open(struct audit *a, const char *dir, const char *sid)
{
	memset(a, 0, sizeof *a);
	(void)snprintf(a->sid, sizeof a->sid, "%s", sid);
	a->fd = audit_open_file(dir, sid, ".log");
	return a->fd == -1 ? -1 : 0;
}

void
audit_close(struct audit *a)
{
	if (a->fd != -1)
		close(a->fd);
	a->fd = -1;
}

void
audit_stamp(char stamp[AUDIT_STAMP_LEN + 1])
{
	struct timespec now;
	struct tm tm;
	size_t n;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &tm);
	n = strftime(stamp, AUDIT_STAMP_LEN + 1, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(stamp + n, AUDIT_STAMP_LEN + 1 - n, ".%03ldZ",
	    now.tv_nsec / 1000000);
}

/* Append a field and what separates it from the next. */
static size_t
field(char *buf, size_t at, size_t max, const char *text, char end)
{
	char safe[OUTCOME_MAX];
	size_t n;

	if (*text == '\0')
		text = "-";
	(void)log_printable(safe, max, text, strlen(text));
	n = strlen(safe);
	memcpy(buf + at, safe, n);
	buf[at + n] = end;
	return at + n + 1;
}

size_t
audit_format(char *buf, const char *stamp, const char *sid, const char *who,
    const char *fingerprint, const char *what, const char *outcome)
{
	size_t n = 0;

	n = field(buf, n, AUDIT_STAMP_LEN + 1, stamp, '\t');
	n = field(buf, n, 64, sid, '\t');
	n = field(buf, n, FIELD_MAX, who, '\t');
	n = field(buf, n, 64, fingerprint, '\t');
	n = field(buf, n, FIELD_MAX, what, '\t');
	return field(buf, n, OUTCOME_MAX, outcome, '\n');
}

int
audit_write(struct audit *a, const char *who, const char *fingerprint,
    const char *what, const char *fmt, ...)
{
	char stamp[AUDIT_STAMP_LEN + 1], outcome[OUTCOME_MAX];
	char buf[AUDIT_LINE_MAX];
	va_list ap;
	size_t n;

	audit_stamp(stamp);
	va_start(ap, fmt);
	(void)vsnprintf(outcome, sizeof outcome, fmt, ap);
	va_end(ap);
	n = audit_format(buf, stamp, a->sid, who, fingerprint, what, outcome);
	a->failed = 0;
	if (a->fd == -1 || write_all(a->fd, buf, n) == -1)
		a->failed = a->fd == -1 ? EBADF : errno;
	if (a->failed != 0) {
		errno = a->failed;
		log_warn("audit: %s: %s: %s", who, what, outcome);
		errno = a->failed;
	}
	return a->failed == 0 ? 0 : -1;
}
