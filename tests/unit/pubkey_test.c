/*
 * pubkey_test.c - which public keys of strangers are signed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "../../relay/pubkey.h"

#define ED25519	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8Q" \
		"ERITFBUWFxgZGhscHR4f"

static void
put(unsigned char *blob, size_t *n, const void *s, size_t len)
{
	blob[(*n)++] = 0;
	blob[(*n)++] = (unsigned char)(len >> 16);
	blob[(*n)++] = (unsigned char)(len >> 8);
	blob[(*n)++] = (unsigned char)len;
	memcpy(blob + *n, s, len);
	*n += len;
}

/* A line of TYPE with the N octets of BLOB; 0 or -1 as it is taken. */
static int
take(const char *type, const unsigned char *blob, size_t n)
{
	char line[2 * PUBKEY_LINE_MAX];
	struct pubkey key;
	int o = snprintf(line, sizeof line, "%s ", type);

	o += EVP_EncodeBlock((unsigned char *)line + o, blob, (int)n);
	return pubkey_parse(line, (size_t)o, &key);
}

static int
rsa(size_t bits, const char *e, size_t elen)
{
	unsigned char blob[4096], n[2200];
	size_t o = 0, len = (bits + 7) / 8;

	memset(n, 0xff, sizeof n);
	n[0] = 0;
	if (bits % 8 != 0)
		n[1] = (unsigned char)((1u << bits % 8) - 1);
	put(blob, &o, "ssh-rsa", 7);
	put(blob, &o, e, elen);
	if (bits % 8 != 0)
		put(blob, &o, n + 1, len);
	else
		put(blob, &o, n, len + 1);
	return take("ssh-rsa", blob, o);
}

static void
test_ed25519(void **state)
{
	struct pubkey key, again;

	(void)state;
	assert_int_equal(pubkey_parse(ED25519, strlen(ED25519), &key), 0);
	assert_string_equal(key.line, ED25519);
	assert_int_equal(pubkey_parse(ED25519 " me@host \xc3\xa4\n",
	    strlen(ED25519) + 12, &again), 0);
	assert_string_equal(again.line, ED25519);
	assert_memory_equal(key.digest, again.digest, sizeof key.digest);
}

static void
test_refused(void **state)
{
	static const char *const bad[] = {
		"", " ", "\n", "ssh-ed25519", "ssh-ed25519 ", "ssh-ed25519 AAAA",
		" " ED25519, ED25519 "A", ED25519 "=", ED25519 "\n\n",
		ED25519 "\n" ED25519, ED25519 " a\tb", ED25519 "\t",
		"no-pty " ED25519, "ssh-rsa",
		"ssh-ed25519  AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8Q"
		    "ERITFBUWFxgZGhscHR4f",
		"ssh-ed25519-cert-v01@openssh.com AAAAC3NzaC1lZDI1NTE5AAAAIAAB"
		    "AgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f",
		"ecdsa-sha2-nistp256 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkK"
		    "CwwNDg8QERITFBUWFxgZGhscHR4f",
	};
	struct pubkey key;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (pubkey_parse(bad[i], strlen(bad[i]), &key) != -1)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(pubkey_parse(ED25519 " a\0b", strlen(ED25519) + 4,
	    &key), -1);
}

static void
test_rsa(void **state)
{
	(void)state;
	assert_int_equal(rsa(2048, "\1\0\1", 3), 0);
	assert_int_equal(rsa(2047, "\1\0\1", 3), -1);
	assert_int_equal(rsa(16384, "\1\0\1", 3), 0);
	assert_int_equal(rsa(16392, "\1\0\1", 3), -1);
	assert_int_equal(rsa(2048, "\1", 1), -1);
	assert_int_equal(rsa(2048, "", 0), -1);
	assert_int_equal(rsa(2048, "\0\1\0\1", 4), -1);
	assert_int_equal(rsa(2048, "\xff\0\1", 3), -1);
}

static void
test_ecdsa(void **state)
{
	unsigned char blob[256], point[200];
	size_t n = 0;

	(void)state;
	memset(point, 9, sizeof point);
	point[0] = 4;
	put(blob, &n, "ecdsa-sha2-nistp256", 19);
	put(blob, &n, "nistp256", 8);
	put(blob, &n, point, 65);
	assert_int_equal(take("ecdsa-sha2-nistp256", blob, n), 0);
	assert_int_equal(take("ecdsa-sha2-nistp384", blob, n), -1);
	assert_int_equal(take("ecdsa-sha2-nistp256", blob, n - 1), -1);
	blob[n] = 0;
	assert_int_equal(take("ecdsa-sha2-nistp256", blob, n + 1), -1);
	blob[n - 65] = 2;
	assert_int_equal(take("ecdsa-sha2-nistp256", blob, n), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ed25519),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_rsa),
		cmocka_unit_test(test_ecdsa),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
