/*
 * enrollment.h - who has logged in with a secret and has not sent a key yet.
 *
 * PAM learns the secret before the login, `relay-share enroll` gets the public
 * key after it; what joins them is the connection, as sshd names it
 * (SSH_CONNECTION).  A secret is kept in memory alone, for a minute at most,
 * and wiped.  Nothing is used up before the key is there.
 */
#ifndef ENROLLMENT_H
#define ENROLLMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENROLL_CONNECTION_MAX	127	/* octets */
#define ENROLL_SECRET_MAX	255
#define ENROLL_MAX		64	/* logins between the two */

/* Begin with all octets 0. */
struct enroll {
	struct enroll_login {
		char	connection[ENROLL_CONNECTION_MAX + 1];	/* "": free */
		char	secret[ENROLL_SECRET_MAX + 1];
		int64_t	until;			/* monotonic milliseconds */
	} login[ENROLL_MAX];
};

/* The parts of a secret, which it points into. */
struct enroll_secret {
	char		 text[ENROLL_SECRET_MAX + 1];
	const char	*session_id, *token, *resume;	/* or NULL */
	const char	*key;	/* hex digest of the public key, or NULL */
};

/*
 * Take the LEN octets at S apart: words with one blank between, each at most
 * once: a session ID, a token, a resume secret (64 hex digits), `key=` and the
 * SHA-256 of the public key's blob in hex.  One of the first three must be
 * there.  Returns 0, or -1.
 */
int	enroll_parse(const char *s, size_t len, struct enroll_secret *out);

/*
 * CONNECTION (sid_is_valid lengths checked by the caller) logged in with SECRET
 * at NOW, good until UNTIL; SECRET NULL: it did not.  Where there are too many,
 * the oldest is forgotten.
 */
void	enroll_put(struct enroll *e, const char *connection, const char *secret,
	    int64_t now, int64_t until);

/* What it logged in with goes to OUT and is forgotten; false if there is none. */
bool	enroll_take(struct enroll *e, const char *connection, int64_t now,
	    char out[ENROLL_SECRET_MAX + 1]);

void	enroll_clear(struct enroll *e);

/* The form of SSH_CONNECTION: addresses and ports, with single blanks. */
bool	enroll_is_connection(const char *s, size_t len);

#endif
