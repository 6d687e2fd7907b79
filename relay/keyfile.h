/*
 * keyfile.h - the relay's own list of support keys (authorized_keys form).
 *
 * Whoever logged in is told apart by the key; this finds the comment that the
 * relay's operator wrote beside it, which is what a customer is shown.
 */
#ifndef KEYFILE_H
#define KEYFILE_H

#include <stddef.h>

#define KEYFILE_SIZE_MAX	(1u << 20)	/* octets of the file */
#define KEYFILE_COMMENT_MAX	128		/* octets, NUL not counted */

/*
 * Look for the key of KEYLEN octets "TYPE BASE64" in the LEN octets at TEXT
 * and copy its comment, made fit for a terminal, to COMMENT ("" if it has
 * none).  Returns 0, or -1 if the key is not listed.
 */
int	keyfile_comment(const char *text, size_t len, const char *key,
	    size_t keylen, char comment[KEYFILE_COMMENT_MAX + 1]);

#endif
