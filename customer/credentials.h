/*
 * credentials.h - the key of this session and the relay's certificate for it.
 *
 * A fresh ed25519 key lives in the session directory; the relay signs it, over
 * HTTPS or, where that leads nowhere, over ssh, for a session ID or a token that
 * support has given out, once, and later for the resume secret that came with
 * the first certificate.  curl, ssh and ssh-keygen do
 * the work; no secret and no session ID is in their argv.  These calls wait:
 * not for use in an event loop.
 */
#ifndef CREDENTIALS_H
#define CREDENTIALS_H

#include <stddef.h>

#include "sessiondir.h"
#include "settings.h"

#define CREDENTIALS_MARGIN	60	/* seconds that a certificate must have
					 * left to be used */

enum credentials_answer {
	CREDENTIALS_OK,
	CREDENTIALS_REFUSED,	/* by the relay, for good */
	CREDENTIALS_LATER	/* unreachable, or in trouble: worth a retry */
};

/*
 * True if the certificate in SD is good for another CREDENTIALS_MARGIN
 * seconds.
 */
int	credentials_valid(const struct sessiondir *sd);

/*
 * See that SD holds a key and a valid certificate: the ones that are there, or
 * signed for the resume secret that is there, or for TOKEN (six digits, unless
 * it is NULL) and the session ID.  An SD without a session ID, which needs a
 * token, gets that in sd->sid.  Unless the answer is OK, ERR (CAP octets) says
 * what happened and what to do, in the customer's words.
 */
enum credentials_answer credentials_get(struct sessiondir *sd,
	    const struct settings *s, const char *token, char *err, size_t cap);

#endif
