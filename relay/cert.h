/*
 * cert.h - the one place that says what a session certificate may do: listen
 * for forwarded ports, as principal tunl-customer, until it expires.
 *
 * Pure: it assembles the octets that the CA signs, and the certificate from
 * them and the signature (OpenSSH's PROTOCOL.certkeys).  ssh-keygen would do
 * the same, but shows the key ID, which is the session ID, in its argv.
 */
#ifndef CERT_H
#define CERT_H

#include <stddef.h>
#include <stdint.h>

#define CERT_PRINCIPAL	"tunl-customer"
#define CERT_BLOB_MAX	12288	/* octets of a certificate, undecoded */
#define CERT_NONCE	32
#define CERT_LINE_MAX	(CERT_BLOB_MAX / 3 * 4 + 64)

/* Octets with a length. */
struct cert_octets {
	const unsigned char	*s;
	size_t			 len;
};

struct cert_what {
	struct cert_octets	 key;		/* blob of the customer's key */
	struct cert_octets	 ca;		/* blob of the CA's key */
	const char		*key_id;
	uint64_t		 serial;
	uint64_t		 expires_at;	/* Unix seconds */
	unsigned char		 nonce[CERT_NONCE];
};

/*
 * Write what is to be signed into OUT (CERT_BLOB_MAX octets).  The key blobs
 * have been checked (pubkey.h).  Returns its length, or 0 if it does not fit.
 */
size_t	cert_body(const struct cert_what *what, unsigned char *out);

/*
 * Append SIGNATURE to the LEN octets of body in BLOB (CERT_BLOB_MAX octets) and
 * write the line `type base64` into LINE (CERT_LINE_MAX octets).  Returns 0, or
 * -1 if it does not fit.
 */
int	cert_line(unsigned char *blob, size_t len,
	    struct cert_octets signature, char *line);

#endif
