/*
 * sha256.h - SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104).
 *
 * For the programs that do not link libcrypto.  Header-only; allocates
 * nothing and does no I/O.  It must not grow into a crypto library: whoever
 * needs more than these two links one.
 */
#ifndef SHA256_H
#define SHA256_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SHA256_LEN	32		/* octets of a digest */
#define SHA256_BLOCK	64

struct sha256 {
	uint32_t	 h[8];
	uint64_t	 len;		/* octets hashed so far */
	unsigned char	 block[SHA256_BLOCK];	/* its first len % 64 are used */
};

struct sha256_hmac {
	struct sha256	 inner, outer;
};

static inline uint32_t
sha256_rotr(uint32_t x, unsigned int n)
{
	return x >> n | x << (32 - n);
}

/* Mix one block into H; FIPS 180-4, 6.2.2. */
static inline void
sha256_block(uint32_t h[8], const unsigned char *p)
{
	static const uint32_t k[64] = {
		0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b,
		0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
		0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7,
		0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
		0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152,
		0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
		0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
		0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
		0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
		0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
		0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
		0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
		0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
	};
	uint32_t w[64], v[8], t1, t2;
	unsigned int i;

	for (i = 0; i < 16; i++, p += 4)
		w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
		    (uint32_t)p[2] << 8 | p[3];
	for (; i < 64; i++) {
		t1 = sha256_rotr(w[i - 2], 17) ^ sha256_rotr(w[i - 2], 19) ^
		    w[i - 2] >> 10;
		t2 = sha256_rotr(w[i - 15], 7) ^ sha256_rotr(w[i - 15], 18) ^
		    w[i - 15] >> 3;
		w[i] = t1 + w[i - 7] + t2 + w[i - 16];
	}
	memcpy(v, h, sizeof v);		/* a b c d e f g h */
	for (i = 0; i < 64; i++) {
		t1 = v[7] + (sha256_rotr(v[4], 6) ^ sha256_rotr(v[4], 11) ^
		    sha256_rotr(v[4], 25)) + ((v[4] & v[5]) ^
		    (~v[4] & v[6])) + k[i] + w[i];
		t2 = (sha256_rotr(v[0], 2) ^ sha256_rotr(v[0], 13) ^
		    sha256_rotr(v[0], 22)) + ((v[0] & v[1]) ^ (v[0] & v[2]) ^
		    (v[1] & v[2]));
		memmove(v + 1, v, 7 * sizeof v[0]);
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (i = 0; i < 8; i++)
		h[i] += v[i];
}

static inline void
sha256_init(struct sha256 *s)
{
	static const uint32_t h[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};

	memset(s, 0, sizeof *s);
	memcpy(s->h, h, sizeof h);
}

static inline void
sha256_update(struct sha256 *s, const void *data, size_t len)
{
	const unsigned char *p = (const unsigned char *)data;
	size_t used = (size_t)(s->len % SHA256_BLOCK), n;

	if (len == 0)	/* then DATA may be NULL, which memcpy() may not get */
		return;
	s->len += len;
	if (used > 0) {
		n = SHA256_BLOCK - used < len ? SHA256_BLOCK - used : len;
		memcpy(s->block + used, p, n);
		if (used + n < SHA256_BLOCK)
			return;
		sha256_block(s->h, s->block);
		p += n;
		len -= n;
	}
	for (; len >= SHA256_BLOCK; p += SHA256_BLOCK, len -= SHA256_BLOCK)
		sha256_block(s->h, p);
	if (len > 0)
		memcpy(s->block, p, len);
}

/* S is wiped: it is of no more use, and may have seen a key. */
static inline void
sha256_final(struct sha256 *s, unsigned char out[SHA256_LEN])
{
	static const unsigned char pad[SHA256_BLOCK] = { 0x80 };
	uint64_t bits = s->len * 8;
	size_t used = (size_t)(s->len % SHA256_BLOCK);
	unsigned char tail[8];
	unsigned int i;

	for (i = 0; i < 8; i++)
		tail[i] = (unsigned char)(bits >> (56 - 8 * i));
	sha256_update(s, pad, (used < 56 ? 56 : 120) - used);
	sha256_update(s, tail, sizeof tail);
	for (i = 0; i < SHA256_LEN; i++)
		out[i] = (unsigned char)(s->h[i / 4] >> (24 - i % 4 * 8));
	explicit_bzero(s, sizeof *s);
}

/* All at once. */
static inline void
sha256(const void *data, size_t len, unsigned char out[SHA256_LEN])
{
	struct sha256 s;

	sha256_init(&s);
	sha256_update(&s, data, len);
	sha256_final(&s, out);
}

static inline void
sha256_hmac_init(struct sha256_hmac *m, const void *key, size_t keylen)
{
	unsigned char pad[SHA256_BLOCK] = { 0 };
	unsigned int i;

	if (keylen > SHA256_BLOCK)
		sha256(key, keylen, pad);
	else if (keylen > 0)
		memcpy(pad, key, keylen);
	for (i = 0; i < SHA256_BLOCK; i++)
		pad[i] ^= 0x36;
	sha256_init(&m->inner);
	sha256_update(&m->inner, pad, sizeof pad);
	for (i = 0; i < SHA256_BLOCK; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	sha256_init(&m->outer);
	sha256_update(&m->outer, pad, sizeof pad);
	explicit_bzero(pad, sizeof pad);
}

static inline void
sha256_hmac_update(struct sha256_hmac *m, const void *data, size_t len)
{
	sha256_update(&m->inner, data, len);
}

static inline void
sha256_hmac_final(struct sha256_hmac *m, unsigned char out[SHA256_LEN])
{
	sha256_final(&m->inner, out);
	sha256_update(&m->outer, out, SHA256_LEN);
	sha256_final(&m->outer, out);
}

/* All at once. */
static inline void
sha256_hmac(const void *key, size_t keylen, const void *data, size_t len,
    unsigned char out[SHA256_LEN])
{
	struct sha256_hmac m;

	sha256_hmac_init(&m, key, keylen);
	sha256_hmac_update(&m, data, len);
	sha256_hmac_final(&m, out);
}

/* LEN octets as 2 * LEN lower-case hex digits and a NUL. */
static inline void
sha256_hex(const unsigned char *p, size_t len, char *out)
{
	static const char hex[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < len; i++) {
		out[2 * i] = hex[p[i] >> 4];
		out[2 * i + 1] = hex[p[i] & 15];
	}
	out[2 * len] = '\0';
}

#endif
