/*
 * log.c - see log.h.  Must not allocate: it also speaks of memory running out.
 */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_OCTETS	1024

static const char	*log_name = "";
static char		 log_sid[64];
static int		 log_stderr = 1;
static int		 log_fd = -1;
static int		 log_level;

void
log_init(const char *name, int to_stderr, int level)
{
	log_name = name;
	log_stderr = to_stderr;
	log_level = level;
	if (!to_stderr)
		openlog(name, LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

void
log_to_fd(int fd)
{
	log_fd = fd;
}

void
log_session(const char *sid)
{
	log_printable(log_sid, sizeof log_sid, sid, strlen(sid));
}

char *
log_printable(char *dst, size_t cap, const char *src, size_t len)
{
	size_t i, o = 0;

	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)src[i];

		if (c == '\\') {
			if (o + 2 >= cap)
				break;
			dst[o++] = '\\';
			dst[o++] = '\\';
		} else if (c >= 0x20 && c < 0x7f) {
			if (o + 1 >= cap)
				break;
			dst[o++] = (char)c;
		} else {
			if (o + 4 >= cap)
				break;
			dst[o++] = '\\';
			dst[o++] = (char)('0' + (c >> 6));
			dst[o++] = (char)('0' + (c >> 3 & 7));
			dst[o++] = (char)('0' + (c & 7));
		}
	}
	dst[o] = '\0';
	return dst;
}

static void
log_to_file(const char *text)
{
	char stamp[32];
	time_t now = time(NULL);
	struct tm tm;

	if (localtime_r(&now, &tm) == NULL ||
	    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S%z", &tm) == 0)
		stamp[0] = '\0';
	(void)dprintf(log_fd, "%s %s: %s%s%s\n", stamp, log_name, log_sid,
	    log_sid[0] != '\0' ? ": " : "", text);
}

LOG_PRINTF(3, 0)
static void
log_line(int priority, const char *error, const char *fmt, va_list ap)
{
	char raw[LINE_MAX_OCTETS], text[2 * LINE_MAX_OCTETS];
	int n;

	n = vsnprintf(raw, sizeof raw, fmt, ap);
	if (n < 0)
		return;
	if ((size_t)n < sizeof raw && error != NULL)
		(void)snprintf(raw + n, sizeof raw - (size_t)n, ": %s", error);
	log_printable(text, sizeof text, raw, strlen(raw));
	if (log_fd != -1)
		log_to_file(text);
	else if (log_stderr)
		(void)dprintf(STDERR_FILENO, "%s: %s%s%s\n", log_name, log_sid,
		    log_sid[0] != '\0' ? ": " : "", text);
	else
		syslog(priority, "%s%s%s", log_sid,
		    log_sid[0] != '\0' ? ": " : "", text);
}

#define LOG_IT(priority, error) do {					\
	int saved_errno = errno;					\
	va_list ap;							\
									\
	va_start(ap, fmt);						\
	log_line((priority), (error), fmt, ap);				\
	va_end(ap);							\
	errno = saved_errno;						\
} while (0)

void
log_debug(const char *fmt, ...)
{
	if (log_level > 0)
		LOG_IT(LOG_DEBUG, NULL);
}

void
log_info(const char *fmt, ...)
{
	LOG_IT(LOG_INFO, NULL);
}

void
log_warn(const char *fmt, ...)
{
	LOG_IT(LOG_WARNING, strerror(saved_errno));
}

void
log_warnx(const char *fmt, ...)
{
	LOG_IT(LOG_WARNING, NULL);
}

void
fatal(const char *fmt, ...)
{
	LOG_IT(LOG_ERR, strerror(saved_errno));
	exit(1);
}

void
fatalx(const char *fmt, ...)
{
	LOG_IT(LOG_ERR, NULL);
	exit(1);
}
