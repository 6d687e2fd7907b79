/*
 * secret.h - the relay's one secret: a key beside, never in, the database.
 *
 * Whoever has the database alone can neither make nor recognise a resume
 * secret or a one-time token.  Losing the key only makes those useless that
 * are given out.
 */
#ifndef SECRET_H
#define SECRET_H

#include <stdbool.h>
#include <stddef.h>

#define SECRET_LEN	32	/* octets of nonces and MACs */
#define SECRET_HEX	(2 * SECRET_LEN)
#define SECRET_KEY_MAX	4096	/* octets of the key file */

struct secret {
	unsigned char	key[SECRET_KEY_MAX];
	size_t		len;	/* at least SECRET_LEN */
};

/*
 * Read the key from PATH, which must be a regular file of ours that nobody
 * else can read; if there is none, draw one and put it there (0600).  Returns
 * 0, or -1 with errno (EPERM: others could read it, or it is not ours; EINVAL:
 * too short).
 */
int	secret_load(struct secret *s, const char *path);

/* Draw a nonce: 0, or -1 with errno. */
int	secret_nonce(unsigned char nonce[SECRET_LEN]);

/* The resume secret that belongs to NONCE, in hex. */
void	secret_resume(const struct secret *s,
	    const unsigned char nonce[SECRET_LEN], char hex[SECRET_HEX + 1]);

/*
 * What is stored to recognise the resume secret HEX.  Returns 0, or -1 if HEX
 * is not SECRET_HEX lower-case hex digits.
 */
int	secret_resume_mac(const struct secret *s, const char *hex,
	    unsigned char mac[SECRET_LEN]);

/* Does the resume secret look like one?  For the reader of bodies. */
bool	secret_is_hex(const char *s, size_t len);

/* What is stored to recognise the one-time token TOKEN (token.h). */
void	secret_token_mac(const struct secret *s, const char *token,
	    unsigned char mac[SECRET_LEN]);

#endif
