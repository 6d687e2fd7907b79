/*
 * pubkey.c - see pubkey.h.  Checks the form (RFC 4253 6.6, RFC 5656 3.1, RFC
 * 8709 4), not the mathematics: a key that is no key is of no use to whoever
 * sent it.
 */
#include "pubkey.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

#define RSA_MIN_BITS	2048
#define RSA_MAX_BITS	16384

struct blob {
	const unsigned char	*p;
	size_t			 left;
};

/* Take one length-prefixed string off the front. */
static bool
take(struct blob *b, const unsigned char **s, size_t *len)
{
	uint32_t n;

	if (b->left < 4)
		return false;
	n = (uint32_t)b->p[0] << 24 | (uint32_t)b->p[1] << 16 |
	    (uint32_t)b->p[2] << 8 | b->p[3];
	if (n > b->left - 4)
		return false;
	*s = b->p + 4;
	*len = n;
	b->p += 4 + n;
	b->left -= 4 + n;
	return true;
}

static bool
take_exactly(struct blob *b, const char *want)
{
	const unsigned char *s;
	size_t len;

	return take(b, &s, &len) && len == strlen(want) &&
	    memcmp(s, want, len) == 0;
}

/* A positive mpint in its shortest form; how many bits it has, or 0. */
static size_t
take_mpint(struct blob *b)
{
	const unsigned char *s;
	size_t len, bits;
	unsigned char top;

	if (!take(b, &s, &len) || len == 0 || (s[0] & 0x80) != 0)
		return 0;
	if (s[0] == 0) {
		if (len < 2 || (s[1] & 0x80) == 0)
			return 0;
		s++;
		len--;
	}
	bits = 8 * (len - 1);
	for (top = s[0]; top != 0; top >>= 1)
		bits++;
	return bits;
}

static bool
is_ed25519(struct blob *b)
{
	const unsigned char *s;
	size_t len;

	return take(b, &s, &len) && len == 32;
}

/* CURVE and an uncompressed point of it. */
static bool
is_ecdsa(struct blob *b, const char *curve, size_t octets)
{
	const unsigned char *s;
	size_t len;

	return take_exactly(b, curve) && take(b, &s, &len) &&
	    len == 1 + 2 * octets && s[0] == 4;
}

static bool
is_rsa(struct blob *b)
{
	size_t e = take_mpint(b), n = take_mpint(b);

	return e >= 2 && e <= 64 && n >= RSA_MIN_BITS && n <= RSA_MAX_BITS;
}

static bool
is_key(const char *type, struct blob b)
{
	bool good = false;

	if (!take_exactly(&b, type))
		return false;
	if (strcmp(type, "ssh-ed25519") == 0)
		good = is_ed25519(&b);
	else if (strcmp(type, "ssh-rsa") == 0)
		good = is_rsa(&b);
	else if (strcmp(type, "ecdsa-sha2-nistp256") == 0)
		good = is_ecdsa(&b, "nistp256", 32);
	else if (strcmp(type, "ecdsa-sha2-nistp384") == 0)
		good = is_ecdsa(&b, "nistp384", 48);
	else if (strcmp(type, "ecdsa-sha2-nistp521") == 0)
		good = is_ecdsa(&b, "nistp521", 66);
	return good && b.left == 0;
}

/*
 * Decode canonical base64: what is decoded must encode to the same text.
 * Returns the number of octets, or -1.
 */
static int
decode(const char *s, size_t len, unsigned char *out)
{
	unsigned char again[PUBKEY_LINE_MAX + 4];
	int n;

	/* EVP_DecodeBlock() counts padding as octets, and forgives blanks. */
	if (len == 0 || len % 4 != 0)
		return -1;
	n = EVP_DecodeBlock(out, (const unsigned char *)s, (int)len);
	if (n < 0)
		return -1;
	n -= (s[len - 1] == '=') + (s[len - 2] == '=');
	if (EVP_EncodeBlock(again, out, n) != (int)len ||
	    memcmp(again, s, len) != 0)
		return -1;
	return n;
}

static bool
is_comment(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
			return false;
	return true;
}

int
pubkey_blob(const char *line, unsigned char blob[PUBKEY_LINE_MAX])
{
	const char *data = strchr(line, ' ');

	if (data == NULL || strlen(line) > PUBKEY_LINE_MAX)
		return -1;
	return decode(data + 1, strlen(data + 1), blob);
}

int
pubkey_parse(const char *s, size_t len, struct pubkey *key)
{
	unsigned char octets[PUBKEY_LINE_MAX];
	char type[32];
	const char *data, *end;
	size_t n, used;
	int got;

	if (len > 0 && s[len - 1] == '\n')
		len--;
	data = memchr(s, ' ', len);
	if (len > PUBKEY_LINE_MAX || data == NULL ||
	    (n = (size_t)(data - s)) >= sizeof type)
		return -1;
	memcpy(type, s, n);
	type[n] = '\0';
	data++;
	end = memchr(data, ' ', len - n - 1);
	used = end != NULL ? (size_t)(end - s) : len;
	if (!is_comment(s, len))
		return -1;
	got = decode(data, used - n - 1, octets);
	if (got == -1 || !is_key(type, (struct blob){ octets, (size_t)got }))
		return -1;
	memcpy(key->line, s, used);
	key->line[used] = '\0';
	(void)SHA256(octets, (size_t)got, key->digest);
	return 0;
}
