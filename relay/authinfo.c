/*
 * authinfo.c - see authinfo.h.  Pure: reads memory, writes memory.
 */
#include "authinfo.h"

#include <string.h>

#include "sha256.h"

#define CERT_SUFFIX	"-cert-v01@openssh.com"
#define CERT_USER	1	/* SSH2_CERT_TYPE_USER */

/* What is left of a key's wire form. */
struct wire {
	const unsigned char	*p;
	size_t			 len;
};

/* Certificates: how many strings the public key is made of. */
static const struct {
	const char	*type;
	unsigned int	 strings;
} certs[] = {
	{ "ssh-ed25519" CERT_SUFFIX, 1 },
	{ "ssh-rsa" CERT_SUFFIX, 2 },
	{ "rsa-sha2-256" CERT_SUFFIX, 2 },
	{ "rsa-sha2-512" CERT_SUFFIX, 2 },
	{ "ecdsa-sha2-nistp256" CERT_SUFFIX, 2 },
	{ "ecdsa-sha2-nistp384" CERT_SUFFIX, 2 },
	{ "ecdsa-sha2-nistp521" CERT_SUFFIX, 2 },
	{ "sk-ssh-ed25519" CERT_SUFFIX, 2 },
	{ "sk-ecdsa-sha2-nistp256" CERT_SUFFIX, 3 },
};

static int
base64_value(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Decode padded base64 (RFC 4648, 4) in its one spelling.  Length or -1. */
static int
base64_decode(const char *s, size_t len, unsigned char *out, size_t cap)
{
	size_t pad = 0, o = 0, i;
	uint32_t v = 0;
	int d;

	if (len == 0 || len % 4 != 0 || len / 4 * 3 > cap)
		return -1;
	while (pad < 2 && s[len - 1 - pad] == '=')
		pad++;
	for (i = 0; i < len - pad; i++) {
		d = base64_value((unsigned char)s[i]);
		if (d == -1)
			return -1;
		v = v << 6 | (uint32_t)d;
		if (i % 4 != 3)
			continue;
		out[o++] = (unsigned char)(v >> 16);
		out[o++] = (unsigned char)(v >> 8);
		out[o++] = (unsigned char)v;
		v = 0;
	}
	if (pad == 1) {
		out[o++] = (unsigned char)(v >> 10);
		out[o++] = (unsigned char)(v >> 2);
		return (v & 3) == 0 ? (int)o : -1;
	}
	if (pad == 2) {
		out[o++] = (unsigned char)(v >> 4);
		return (v & 15) == 0 ? (int)o : -1;
	}
	return (int)o;
}

/* Base64 without padding, as ssh-keygen prints a fingerprint. */
static void
base64_encode(const unsigned char *p, size_t len, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t v = 0;
	unsigned int bits = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		v = (v << 8 | p[i]) & 0xffff;
		for (bits += 8; bits >= 6; bits -= 6)
			*out++ = digits[v >> (bits - 6) & 63];
	}
	if (bits > 0)
		*out++ = digits[v << (6 - bits) & 63];
	*out = '\0';
}

static int
wire_number(struct wire *w, size_t octets, uint64_t *v)
{
	size_t i;

	if (w->len < octets)
		return -1;
	for (*v = 0, i = 0; i < octets; i++)
		*v = *v << 8 | w->p[i];
	w->p += octets;
	w->len -= octets;
	return 0;
}

static int
wire_string(struct wire *w, struct wire *s)
{
	uint64_t len;

	if (wire_number(w, 4, &len) == -1 || len > w->len)
		return -1;
	s->p = w->p;
	s->len = (size_t)len;
	w->p += len;
	w->len -= (size_t)len;
	return 0;
}

/* The key ID: a session ID later, so nothing but printable ASCII will do. */
static int
copy_id(const struct wire *s, char id[AUTHINFO_ID_MAX + 1])
{
	size_t i;

	if (s->len == 0 || s->len > AUTHINFO_ID_MAX)
		return -1;
	for (i = 0; i < s->len; i++)
		if (s->p[i] <= 0x20 || s->p[i] >= 0x7f)
			return -1;
	memcpy(id, s->p, s->len);
	id[s->len] = '\0';
	return 0;
}

/* The rest of a certificate after its type, up to the key ID. */
static int
parse_cert(struct wire w, unsigned int strings, struct authinfo *ai)
{
	struct wire s;
	uint64_t kind;
	unsigned int i;

	for (i = 0; i < strings + 1; i++)	/* a nonce comes first */
		if (wire_string(&w, &s) == -1)
			return -1;
	if (wire_number(&w, 8, &ai->serial) == -1 ||
	    wire_number(&w, 4, &kind) == -1 || kind != CERT_USER ||
	    wire_string(&w, &s) == -1)
		return -1;
	ai->is_cert = true;
	return copy_id(&s, ai->key_id);
}

static int
parse_blob(const unsigned char *blob, size_t len, struct authinfo *ai)
{
	struct wire w = { blob, len }, type;
	size_t tlen = strlen(ai->type), slen = strlen(CERT_SUFFIX), i;

	if (wire_string(&w, &type) == -1 || type.len != tlen ||
	    memcmp(type.p, ai->type, tlen) != 0)
		return -1;
	if (tlen < slen || strcmp(ai->type + tlen - slen, CERT_SUFFIX) != 0)
		return 0;
	for (i = 0; i < sizeof certs / sizeof certs[0]; i++)
		if (strcmp(ai->type, certs[i].type) == 0)
			return parse_cert(w, certs[i].strings, ai);
	return -1;
}

int
authinfo_parse_key(const char *key, size_t len, struct authinfo *ai)
{
	unsigned char blob[AUTHINFO_BLOB_MAX], digest[SHA256_LEN];
	const char *space = len == 0 ? NULL : memchr(key, ' ', len);
	size_t tlen;
	int n;

	memset(ai, 0, sizeof *ai);
	tlen = space == NULL ? 0 : (size_t)(space - key);
	if (tlen == 0 || tlen > AUTHINFO_TYPE_MAX)
		return -1;
	memcpy(ai->type, key, tlen);
	n = base64_decode(space + 1, len - tlen - 1, blob, sizeof blob);
	if (n == -1 || parse_blob(blob, (size_t)n, ai) == -1)
		return -1;
	sha256(blob, (size_t)n, digest);
	memcpy(ai->fingerprint, "SHA256:", 7);
	base64_encode(digest, sizeof digest, ai->fingerprint + 7);
	ai->key = key;
	ai->key_len = len;
	return 0;
}

int
authinfo_parse(const char *text, size_t len, struct authinfo *ai)
{
	static const char method[] = "publickey ";
	const char *end = text + len, *lf;

	for (; text < end; text = lf + 1) {
		lf = memchr(text, '\n', (size_t)(end - text));
		if (lf == NULL)
			lf = end;
		if ((size_t)(lf - text) >= sizeof method &&
		    memcmp(text, method, sizeof method - 1) == 0) {
			text += sizeof method - 1;
			return authinfo_parse_key(text, (size_t)(lf - text),
			    ai);
		}
	}
	return -1;
}
