/*
 * pubkey.h - an SSH public key from a stranger: is it one that we sign?
 *
 * Accepted: ssh-ed25519, ecdsa-sha2-nistp{256,384,521}, and ssh-rsa of 2048 to
 * 16384 bits, in one well-formed line `type base64 [comment]`.
 */
#ifndef PUBKEY_H
#define PUBKEY_H

#include <stddef.h>

#define PUBKEY_LINE_MAX	4096	/* octets of the line */
#define PUBKEY_DIGEST	32

struct pubkey {
	char		line[PUBKEY_LINE_MAX + 1]; /* `type base64`, canonical */
	unsigned char	digest[PUBKEY_DIGEST];	/* SHA-256 of the blob */
};

/* Read the LEN octets at S.  Returns 0, or -1 if we do not sign that. */
int	pubkey_parse(const char *s, size_t len, struct pubkey *key);

/*
 * The octets behind the `type base64` of LINE into BLOB.  Returns how many, or
 * -1 if it is no such line.
 */
int	pubkey_blob(const char *line, unsigned char blob[PUBKEY_LINE_MAX]);

#endif
