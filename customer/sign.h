/*
 * sign.h - the ways to ask the relay for a signature.
 *
 * What is asked, and what the answer means, is credentials.c's.  No secret is
 * in the argv or the environment of what is started here.  These calls wait.
 */
#ifndef SIGN_H
#define SIGN_H

#include <stdbool.h>

#include "settings.h"

#define SIGN_REPLY_MAX	65536	/* octets of the relay's answer */

/* What the relay said. */
struct sign_reply {
	int	 failed;	/* 0: there was an answer; else the status of
				 * the program that got none */
	int	 status;	/* HTTP's */
	bool	 plain;		/* an error's body is its text, not JSON */
	char	*body;		/* NUL-terminated; the program's complaint if it
				 * failed; sign_clear() frees it */
};

/*
 * POST BODY over HTTPS, by curl; again if the answer was lost, as the relay
 * forgives that.  Returns 0 with R filled, or -1 with errno: ENOENT if there is
 * no curl.
 */
int	sign_https(const struct settings *s, const char *body,
	    struct sign_reply *r);

/*
 * The same over ssh, for the public KEY, with a SID ("": none), TOKEN and RESUME
 * (NULL: none).  An answer that was lost may be asked for again.
 */
int	sign_ssh(const struct settings *s, const char *key, const char *sid,
	    const char *token, const char *resume, struct sign_reply *r);

/*
 * What ssh asks for: when this is in the environment, we are ssh's askpass, and
 * it names the file that has the answer.  Returns our exit status.
 */
#define SIGN_ASKPASS	"TUNL_ASKPASS"

int	sign_askpass(const char *path);

void	sign_clear(struct sign_reply *r);

#endif
