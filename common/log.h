/*
 * log.h - diagnostics of a daemon, and the last words of any program.
 *
 * Text is made printable inside the logger, so nobody can forget: octets
 * outside printable ASCII leave as \ooo.  Tokens, keys and terminal octets are
 * logged at no level.
 */
#ifndef LOG_H
#define LOG_H

#include <stddef.h>

/*
 * Name the program.  With TO_STDERR lines go there, prefixed with the name;
 * else to syslog (facility daemon).  LEVEL 0 is info and up, 1 debug too.
 */
void	log_init(const char *name, int to_stderr, int level);

/* Send the lines to descriptor FD (append-only file), with the time. */
void	log_to_fd(int fd);

/* Put the session ID on every line from now on; "" for none.  Copied. */
void	log_session(const char *sid);

#define LOG_PRINTF(a, b) __attribute__((format(printf, a, b)))

void	log_debug(const char *fmt, ...) LOG_PRINTF(1, 2);
void	log_info(const char *fmt, ...) LOG_PRINTF(1, 2);
/* With ": " and strerror(errno) behind it; errno is kept. */
void	log_warn(const char *fmt, ...) LOG_PRINTF(1, 2);
void	log_warnx(const char *fmt, ...) LOG_PRINTF(1, 2);

/* Log, then exit(1).  fatal() adds strerror(errno). */
void	fatal(const char *fmt, ...) LOG_PRINTF(1, 2)
	    __attribute__((noreturn));
void	fatalx(const char *fmt, ...) LOG_PRINTF(1, 2)
	    __attribute__((noreturn));

/*
 * Copy the LEN octets at SRC to DST (CAP octets, NUL included) with everything
 * but printable ASCII as \ooo and backslash as \\.  What does not fit is cut.
 * Returns DST.
 */
char	*log_printable(char *dst, size_t cap, const char *src, size_t len);

#endif
