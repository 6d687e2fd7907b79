/*
 * secret.c - see secret.h.
 */
#include "secret.h"

#include <sys/random.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "files.h"
#include "token.h"

/* HMAC-SHA-256 over LABEL, a NUL, and LEN octets, SECRET_LEN at most. */
static void
mac(const struct secret *s, const char *label, const void *data, size_t len,
    unsigned char out[SECRET_LEN])
{
	unsigned char msg[64 + SECRET_LEN];
	size_t n = strlen(label) + 1;

	memcpy(msg, label, n);
	memcpy(msg + n, data, len);
	/* Cannot fail: a fixed digest, and lengths within its limits. */
	if (HMAC(EVP_sha256(), s->key, (int)s->len, msg, n + len, out,
	    NULL) == NULL)
		abort();
	wipe(msg, sizeof msg);
}

int
secret_nonce(unsigned char nonce[SECRET_LEN])
{
	ssize_t n;

	do
		n = getrandom(nonce, SECRET_LEN, 0);
	while (n == -1 && errno == EINTR);
	return n == SECRET_LEN ? 0 : -1;
}

void
secret_resume(const struct secret *s, const unsigned char nonce[SECRET_LEN],
    char hex[SECRET_HEX + 1])
{
	unsigned char raw[SECRET_LEN];
	size_t i;

	mac(s, "linbit-tunl resume secret", nonce, SECRET_LEN, raw);
	for (i = 0; i < SECRET_LEN; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", raw[i]);
	wipe(raw, sizeof raw);
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
secret_is_hex(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (hex_digit(s[i]) == -1)
			return false;
	return len == SECRET_HEX;
}

int
secret_resume_mac(const struct secret *s, const char *hex,
    unsigned char out[SECRET_LEN])
{
	unsigned char raw[SECRET_LEN];
	size_t i;

	if (!secret_is_hex(hex, strlen(hex)))
		return -1;
	for (i = 0; i < SECRET_LEN; i++)
		raw[i] = (unsigned char)(hex_digit(hex[2 * i]) << 4 |
		    hex_digit(hex[2 * i + 1]));
	mac(s, "linbit-tunl resume lookup", raw, sizeof raw, out);
	wipe(raw, sizeof raw);
	return 0;
}

void
secret_token_mac(const struct secret *s, const char *token,
    unsigned char out[SECRET_LEN])
{
	mac(s, "linbit-tunl token", token, TOKEN_LEN, out);
}

/* ---- the key ---- */

/* A new key in DIRFD/NAME; 0, or -1 with errno. */
static int
key_create(int dirfd, const char *name)
{
	unsigned char key[SECRET_LEN];
	int rv;

	if (secret_nonce(key) == -1)
		return -1;
	rv = file_replace(dirfd, name, key, sizeof key, 0600, 1);
	wipe(key, sizeof key);
	return rv;
}

static int
key_read(struct secret *s, int dirfd, const char *name)
{
	struct stat st;
	char *text;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	if (st.st_uid != geteuid() || (st.st_mode & 077) != 0) {
		errno = EPERM;
		return -1;
	}
	text = file_read(dirfd, name, SECRET_KEY_MAX, &s->len);
	if (text == NULL)
		return -1;
	memcpy(s->key, text, s->len);
	wipe(text, s->len);
	free(text);
	if (s->len >= SECRET_LEN)
		return 0;
	errno = EINVAL;
	return -1;
}

int
secret_load(struct secret *s, const char *path)
{
	char dir[PATH_MAX];
	const char *name = strrchr(path, '/');
	int dirfd, rv, saved;

	if (name == NULL || snprintf(dir, sizeof dir, "%.*s/",
	    (int)(name - path), path) >= (int)sizeof dir) {
		errno = EINVAL;
		return -1;
	}
	name++;
	dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd == -1)
		return -1;
	rv = key_read(s, dirfd, name);
	if (rv == -1 && errno == ENOENT && key_create(dirfd, name) == 0)
		rv = key_read(s, dirfd, name);
	saved = errno;
	close(dirfd);
	errno = saved;
	return rv;
}
