/*
 * sha256_test.c - SHA-256 against NIST's examples, HMAC against RFC 4231.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sha256.h"

#define LEN(a)		(sizeof (a) / sizeof (a)[0])
#define ABC56	"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
#define ABC112	"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn" \
		"hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"

/* FIPS 180-2 appendix B, and NIST's further examples for SHA-256. */
static const struct {
	const char	*s;
	const char	*digest;
} vectors[] = {
	{ "", "e3b0c44298fc1c149afbf4c8996fb924"
	    "27ae41e4649b934ca495991b7852b855" },
	{ "\xbd", "68325720aabd7c82f30f554b313d0570"
	    "c95accbb7dc4b5aae11204c08ffe732b" },
	{ "abc", "ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad" },
	{ "\xc9\x8c\x8e\x55", "7abc22c0ae5af26ce93dbb94433a0e0b"
	    "2e119d014f8e7f65bd56c61ccccd9504" },
	{ ABC56, "248d6a61d20638b8e5c026930c3e6039"
	    "a33ce45964ff2167f6ecedd419db06c1" },
	{ ABC112, "cf5b16a778af8380036ce59e7b049237"
	    "0b249b11e8f07a51afac45037afee9d1" },
};

/* LEN octets of value C. */
static const struct {
	int		 c;
	size_t		 len;
	const char	*digest;
} runs[] = {
	{ 0, 55, "02779466cdec163811d078815c633f21"
	    "901413081449002f24aa3e80f0b88ef7" },
	{ 0, 56, "d4817aa5497628e7c77e6b606107042b"
	    "bba3130888c5f47a375e6179be789fbb" },
	{ 0, 57, "65a16cb7861335d5ace3c60718b5052e"
	    "44660726da4cd13bb745381b235a1785" },
	{ 0, 64, "f5a5fd42d16a20302798ef6ed309979b"
	    "43003d2320d9f0e8ea9831a92759fb4b" },
	{ 0, 1000, "541b3e9daa09b20bf85fa273e5cbd3e8"
	    "0185aa4ec298e765db87742b70138a53" },
	{ 'A', 1000, "c2e686823489ced2017f6059b8b23931"
	    "8b6364f6dcd835d0a519105a1eadd6e4" },
	{ 'U', 1005, "f4d62ddec0f3dd90ea1380fa16a5ff8d"
	    "c4c54b21740650f24afc4120903552b0" },
	{ 'a', 1000000, "cdc76e5c9914fb9281a1c7e284d73e67"
	    "f1809a48a497200e046d39ccc7112cd0" },
	{ 0, 1000000, "d29751f2649b32ff572b5e0a9f541ea6"
	    "60a50f94ff0beedfb0b692b924cc8025" },
};

static void
digest_is(const unsigned char digest[SHA256_LEN], const char *want)
{
	char hex[2 * SHA256_LEN + 1];

	sha256_hex(digest, SHA256_LEN, hex);
	assert_string_equal(hex, want);
}

static void
test_vectors(void **state)
{
	unsigned char digest[SHA256_LEN];
	size_t i;

	(void)state;
	for (i = 0; i < LEN(vectors); i++) {
		sha256(vectors[i].s, strlen(vectors[i].s), digest);
		digest_is(digest, vectors[i].digest);
	}
	sha256(NULL, 0, digest);
	digest_is(digest, vectors[0].digest);
}

static void
test_runs(void **state)
{
	unsigned char digest[SHA256_LEN], *data;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(runs); i++) {
		data = malloc(runs[i].len);
		assert_non_null(data);
		memset(data, runs[i].c, runs[i].len);
		sha256(data, runs[i].len, digest);
		digest_is(digest, runs[i].digest);
		free(data);
	}
}

static void
test_any_pieces_give_the_same(void **state)
{
	unsigned char data[200], whole[SHA256_LEN], parts[SHA256_LEN];
	struct sha256 s;
	size_t i, at;

	(void)state;
	for (i = 0; i < sizeof data; i++)
		data[i] = (unsigned char)(i * 31);
	sha256(data, sizeof data, whole);
	for (i = 1; i <= sizeof data; i++) {
		sha256_init(&s);
		for (at = 0; at + i <= sizeof data; at += i)
			sha256_update(&s, data + at, i);
		sha256_update(&s, data + at, sizeof data - at);
		sha256_update(&s, NULL, 0);
		sha256_final(&s, parts);
		assert_memory_equal(whole, parts, SHA256_LEN);
	}
}

static void
test_final_wipes(void **state)
{
	static const struct sha256 none;
	unsigned char digest[SHA256_LEN];
	struct sha256 s;

	(void)state;
	sha256_init(&s);
	sha256_update(&s, "secret", 6);
	sha256_final(&s, digest);
	assert_memory_equal(&s, &none, sizeof s);
}

/* RFC 4231; a run stands for a key or text of one repeated octet. */
struct text {
	int		 run;		/* the octet, or -1: S */
	size_t		 len;
	const char	*s;
};

#define RUN(c, n)	{ (c), (n), NULL }
#define TEXT(s)		{ -1, sizeof(s) - 1, (s) }

static const struct {
	struct text	 key, data;
	const char	*digest;
} macs[] = {
	{ RUN(0x0b, 20), TEXT("Hi There"),
	    "b0344c61d8db38535ca8afceaf0bf12b"
	    "881dc200c9833da726e9376c2e32cff7" },
	{ TEXT("Jefe"), TEXT("what do ya want for nothing?"),
	    "5bdcc146bf60754e6a042426089575c7"
	    "5a003f089d2739839dec58b964ec3843" },
	{ RUN(0xaa, 20), RUN(0xdd, 50),
	    "773ea91e36800e46854db8ebd09181a7"
	    "2959098b3ef8c122d9635514ced565fe" },
	{ TEXT("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"
	    "\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19"), RUN(0xcd, 50),
	    "82558a389a443c0ea4cc819899f2083a"
	    "85f0faa3e578f8077a2e3ff46729665b" },
	{ RUN(0xaa, 131),
	    TEXT("Test Using Larger Than Block-Size Key - Hash Key First"),
	    "60e431591ee0b67f0d8a26aacbf5b77f"
	    "8e0bc6213728c5140546040f0ee37f54" },
	{ RUN(0xaa, 131),
	    TEXT("This is a test using a larger than block-size key and a "
	    "larger than block-size data. The key needs to be hashed before "
	    "being used by the HMAC algorithm."),
	    "9b09ffa71b942fcb27635fbcd5b0e944"
	    "bfdc63644f0713938a7f51535c3a35e2" },
};

static const void *
text_of(const struct text *t, unsigned char *buf)
{
	if (t->run == -1)
		return t->s;
	return memset(buf, t->run, t->len);
}

static void
test_hmac(void **state)
{
	unsigned char digest[SHA256_LEN], key[256], data[256];
	struct sha256_hmac m;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(macs); i++) {
		const void *k = text_of(&macs[i].key, key);
		const char *d = text_of(&macs[i].data, data);

		sha256_hmac(k, macs[i].key.len, d, macs[i].data.len, digest);
		digest_is(digest, macs[i].digest);
		sha256_hmac_init(&m, k, macs[i].key.len);
		sha256_hmac_update(&m, d, 3);
		sha256_hmac_update(&m, d + 3, macs[i].data.len - 3);
		sha256_hmac_final(&m, digest);
		digest_is(digest, macs[i].digest);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_any_pieces_give_the_same),
		cmocka_unit_test(test_final_wipes),
		cmocka_unit_test(test_hmac),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
