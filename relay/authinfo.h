/*
 * authinfo.h - what sshd says about how somebody logged in.
 *
 * With ExposeAuthInfo, SSH_USER_AUTH names a file of one line a completed
 * method, `publickey TYPE BASE64` among them, where BASE64 is the plain key or
 * the whole certificate (PROTOCOL.certkeys of OpenSSH).  sshd has verified
 * every signature already; this only reads what it verified.
 */
#ifndef AUTHINFO_H
#define AUTHINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUTHINFO_FILE_MAX	65536	/* octets of the file */
#define AUTHINFO_BLOB_MAX	16384	/* octets of a decoded key */
#define AUTHINFO_TYPE_MAX	63
#define AUTHINFO_ID_MAX		127	/* octets of a key ID */
#define AUTHINFO_FP_LEN		50	/* "SHA256:" and 43 of base64 */

struct authinfo {
	const char	*key;	/* "TYPE BASE64", in the caller's text */
	size_t		 key_len;
	char		 type[AUTHINFO_TYPE_MAX + 1];
	char		 fingerprint[AUTHINFO_FP_LEN + 1];	/* of the blob */
	bool		 is_cert;
	/* Of a certificate only: */
	char		 key_id[AUTHINFO_ID_MAX + 1];	/* printable ASCII */
	uint64_t	 serial;
};

/*
 * Read the LEN octets at TEXT, the contents of such a file, and fill AI from
 * its first public key.  Returns 0, or -1 if there is none or it is not
 * well-formed; a certificate must be a user certificate.
 */
int	authinfo_parse(const char *text, size_t len, struct authinfo *ai);

/* The same of one key, without the word `publickey` before it. */
int	authinfo_parse_key(const char *key, size_t len, struct authinfo *ai);

#endif
