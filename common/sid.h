/*
 * sid.h - session IDs: four words, adjective-noun-verb-noun.
 *
 * Ours are drawn from four lists of 256 (32 bits).  A supplied one has the
 * same form with any lower-case words of 2 to 12 letters; nothing else is a
 * SESSION_ID, so one is safe as a file name, in a URL and on a terminal.
 */
#ifndef SID_H
#define SID_H

#include <stdbool.h>
#include <stddef.h>

#define SID_MAX		51		/* octets, NUL not counted */
#define SID_HASH_LEN	12		/* hex digits */

/* True if the LEN octets at S have the form of a session ID. */
bool	sid_is_valid(const char *s, size_t len);

/* Draw one (getrandom) into OUT.  Returns 0, or -1 with errno. */
int	sid_generate(char out[SID_MAX + 1]);

/*
 * The first 12 hex digits of its SHA-256: names directories and the tmux
 * session, where other local users can read it.
 */
void	sid_hash(const char *sid, char out[SID_HASH_LEN + 1]);

#endif
