/*
 * cert.c - see cert.h.
 */
#include "cert.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#define USER_CERTIFICATE	1u	/* PROTOCOL.certkeys: SSH2_CERT_TYPE_USER */
#define TYPE_SUFFIX		"-cert-v01@openssh.com"

/* Where octets go; once something does not fit, nothing more does. */
struct out {
	unsigned char	*s;
	size_t		 len;
	bool		 full;
};

static void
put(struct out *o, const void *s, size_t len)
{
	if (o->full || len > CERT_BLOB_MAX - o->len) {
		o->full = true;
		return;
	}
	if (len > 0)
		memcpy(o->s + o->len, s, len);
	o->len += len;
}

static void
put_u32(struct out *o, uint32_t v)
{
	const unsigned char s[4] = { (unsigned char)(v >> 24),
	    (unsigned char)(v >> 16), (unsigned char)(v >> 8),
	    (unsigned char)v };

	put(o, s, sizeof s);
}

static void
put_u64(struct out *o, uint64_t v)
{
	put_u32(o, (uint32_t)(v >> 32));
	put_u32(o, (uint32_t)v);
}

static void
put_string(struct out *o, const void *s, size_t len)
{
	put_u32(o, (uint32_t)len);
	put(o, s, len);
}

/* The length of the string that the LEN octets at S begin with. */
static size_t
string_length(const unsigned char *s, size_t len)
{
	size_t n;

	if (len < 4)
		return 0;
	n = (size_t)s[0] << 24 | (size_t)s[1] << 16 | (size_t)s[2] << 8 | s[3];
	return n <= len - 4 ? n : 0;
}

/* A list of one string: LIST { string }, as principals and extensions are. */
static void
put_list_of_one(struct out *o, const char *s, const char *data)
{
	size_t len = strlen(s);

	put_u32(o, (uint32_t)(4 + len + (data != NULL ? 4 + strlen(data) : 0)));
	put_string(o, s, len);
	if (data != NULL)
		put_string(o, data, strlen(data));
}

size_t
cert_body(const struct cert_what *what, unsigned char *out)
{
	struct out o = { .s = out };
	size_t type = string_length(what->key.s, what->key.len);

	if (type == 0)
		return 0;
	put_u32(&o, (uint32_t)(type + strlen(TYPE_SUFFIX)));
	put(&o, what->key.s + 4, type);
	put(&o, TYPE_SUFFIX, strlen(TYPE_SUFFIX));
	put_string(&o, what->nonce, sizeof what->nonce);
	put(&o, what->key.s + 4 + type, what->key.len - 4 - type);
	put_u64(&o, what->serial);
	put_u32(&o, USER_CERTIFICATE);
	put_string(&o, what->key_id, strlen(what->key_id));
	put_list_of_one(&o, CERT_PRINCIPAL, NULL);
	put_u64(&o, 0);				/* the clocks may differ */
	put_u64(&o, what->expires_at);
	put_string(&o, NULL, 0);		/* no critical options */
	put_list_of_one(&o, "permit-port-forwarding", "");
	put_string(&o, NULL, 0);		/* reserved */
	put_string(&o, what->ca.s, what->ca.len);
	return o.full ? 0 : o.len;
}

int
cert_line(unsigned char *blob, size_t len, struct cert_octets signature,
    char *line)
{
	struct out o = { .s = blob, .len = len };
	size_t type = string_length(blob, len);
	int n;

	put_string(&o, signature.s, signature.len);
	if (o.full || type == 0)
		return -1;
	n = snprintf(line, 64, "%.*s ", (int)type, (const char *)blob + 4);
	if (n < 0 || n >= 64)
		return -1;
	(void)EVP_EncodeBlock((unsigned char *)line + n, blob, (int)o.len);
	return 0;
}
