/*
 * authinfo_test.c - what sshd says about a login: keys and certificates.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../relay/authinfo.h"

#define LEN(a)	(sizeof (a) / sizeof (a)[0])

static const char plain_key[] =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8FKty6kvW/EP0Fokyty4oVFnJuwn"
    "FdZoQDN6fdl6t7";

/* key ID swift-fox-jumps-barrel, serial 4000001 */
static const char user_cert[] =
    "ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQ"
    "G9wZW5zc2guY29tAAAAIEJ7BVMkk0xFTV91STk6xkPmrbQbDVnWpODmJzm2wV6FAAA"
    "AIJ8FKty6kvW/EP0Fokyty4oVFnJuwnFdZoQDN6fdl6t7AAAAAAA9CQEAAAABAAAAF"
    "nN3aWZ0LWZveC1qdW1wcy1iYXJyZWwAAAARAAAADXR1bmwtY3VzdG9tZXIAAAAAAAA"
    "AAAAAAABrAmK9AAAAAAAAAB4AAAAWcGVybWl0LXBvcnQtZm9yd2FyZGluZwAAAAAAA"
    "AAAAAAAMwAAAAtzc2gtZWQyNTUxOQAAACAF1yIJO2X1CmxOSKQoXFfzzZmDWMc145B"
    "zGa1kWfgJpAAAAFMAAAALc3NoLWVkMjU1MTkAAABArVuVXsW3+H3e+YDSkRZkL+E1O"
    "RoAOvc32sfh+NyBDPYq0u3PCpyP++EGHmZ/MssIYfjEZmVFNHXQmKj8an3mCQ==";

/* the same */
static const char ecdsa_cert[] =
    "ecdsa-sha2-nistp256-cert-v01@openssh.com AAAAKGVjZHNhLXNoYTItbmlzd"
    "HAyNTYtY2VydC12MDFAb3BlbnNzaC5jb20AAAAgPy/NwQfy9fRIOQL740qBowmMxWl"
    "QAUJxRyLa/+Bg9xQAAAAIbmlzdHAyNTYAAABBBHm8ybhvihNFo2dEevZPM/Ma780wK"
    "JAEDYeMqy9iwZeCKeASqaFRyMCHluYbsp+Ngf3gEH1hiVTQsy0jx13CyqMAAAAAAD0"
    "JAQAAAAEAAAAWc3dpZnQtZm94LWp1bXBzLWJhcnJlbAAAABEAAAANdHVubC1jdXN0b"
    "21lcgAAAAAAAAAAAAAAAGsCYr0AAAAAAAAAHgAAABZwZXJtaXQtcG9ydC1mb3J3YXJ"
    "kaW5nAAAAAAAAAAAAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIAXXIgk7ZfUKbE5IpChcV"
    "/PNmYNYxzXjkHMZrWRZ+AmkAAAAUwAAAAtzc2gtZWQyNTUxOQAAAEAL+vRQVwE8Pnq"
    "Cb5p9qralsXUJzXO3ofuyZxJNRRsQjPx9PypWXT0Ko+FriNDAsTxJpjaLuXdVkx8QJ"
    "I7243wF";

static const char host_cert[] =
    "ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQ"
    "G9wZW5zc2guY29tAAAAIJ9SvR2Ks24jzjsjuI0gFc+4c8BNtH5DFrSMH2oScyRmAAA"
    "AIJ8FKty6kvW/EP0Fokyty4oVFnJuwnFdZoQDN6fdl6t7AAAAAAAAAAAAAAACAAAAB"
    "XJlbGF5AAAABQAAAAFoAAAAAAAAAAD//////////wAAAAAAAAAAAAAAAAAAADMAAAA"
    "Lc3NoLWVkMjU1MTkAAAAgBdciCTtl9QpsTkikKFxX882Zg1jHNeOQcxmtZFn4CaQAA"
    "ABTAAAAC3NzaC1lZDI1NTE5AAAAQHjRrNFIjR2UGV4djxTGc5LhGiD/INIBFUiOv5l"
    "d7j8GvqZUT/HWqe5AAs4fiS+IuEgh+hPU5XWNv3dYlVSk9QU=";

/* key ID "a b", serial 2^64 - 1 */
static const char spaced_cert[] =
    "ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQ"
    "G9wZW5zc2guY29tAAAAIJFlPMdFvl1GzptvelmuIcEqBotVoWubBuqtMsyZAbT/AAA"
    "AIJ8FKty6kvW/EP0Fokyty4oVFnJuwnFdZoQDN6fdl6t7//////////8AAAABAAAAA"
    "2EgYgAAAAUAAAABeAAAAAAAAAAA//////////8AAAAAAAAAggAAABVwZXJtaXQtWDE"
    "xLWZvcndhcmRpbmcAAAAAAAAAF3Blcm1pdC1hZ2VudC1mb3J3YXJkaW5nAAAAAAAAA"
    "BZwZXJtaXQtcG9ydC1mb3J3YXJkaW5nAAAAAAAAAApwZXJtaXQtcHR5AAAAAAAAAA5"
    "wZXJtaXQtdXNlci1yYwAAAAAAAAAAAAAAMwAAAAtzc2gtZWQyNTUxOQAAACAF1yIJO"
    "2X1CmxOSKQoXFfzzZmDWMc145BzGa1kWfgJpAAAAFMAAAALc3NoLWVkMjU1MTkAAAB"
    "An4I+Ss7640nQIfv5OphOWGRhbatARVYaXqCZ6qP/Ff43swzqZ9CrCoxe0b1b47VtV"
    "RfJIlafV2TkXK0bPDzsDg==";

static int
parse(const char *text, struct authinfo *ai)
{
	return authinfo_parse(text, strlen(text), ai);
}

static void
test_plain_key(void **state)
{
	char text[1024];
	struct authinfo ai;

	(void)state;
	assert_int_equal(authinfo_parse_key(plain_key, strlen(plain_key), &ai),
	    0);
	assert_false(ai.is_cert);
	assert_string_equal(ai.type, "ssh-ed25519");
	assert_string_equal(ai.fingerprint,
	    "SHA256:Czcj6SLD/mBGo7EQKJGKbqMJGLfykXxg1PDO4kqcJU8");
	assert_int_equal(ai.key_len, strlen(plain_key));
	assert_memory_equal(ai.key, plain_key, ai.key_len);
	(void)snprintf(text, sizeof text, "keyboard-interactive/pam\n"
	    "publickey %s\npublickey ssh-rsa AAAA\n", plain_key);
	assert_int_equal(parse(text, &ai), 0);
	assert_int_equal(ai.key_len, strlen(plain_key));
	assert_string_equal(ai.type, "ssh-ed25519");
}

static void
test_certificates(void **state)
{
	static const char *const certs[] = { user_cert, ecdsa_cert };
	char text[1024];
	struct authinfo ai;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(certs); i++) {
		(void)snprintf(text, sizeof text, "publickey %s", certs[i]);
		assert_int_equal(parse(text, &ai), 0);
		assert_true(ai.is_cert);
		assert_string_equal(ai.key_id, "swift-fox-jumps-barrel");
		assert_int_equal(ai.serial, 4000001);
	}
}

static void
test_refused_certificates(void **state)
{
	struct authinfo ai;

	(void)state;
	assert_int_equal(authinfo_parse_key(host_cert, strlen(host_cert), &ai),
	    -1);
	assert_int_equal(authinfo_parse_key(spaced_cert, strlen(spaced_cert),
	    &ai), -1);
}

/* A key that is cut anywhere is none, or (in the signature) is still itself. */
static void
test_cut_anywhere(void **state)
{
	struct authinfo ai;
	size_t n;

	(void)state;
	for (n = 0; n < strlen(user_cert); n++) {
		char *copy = malloc(n + 1);	/* of that size, for the sanitizer */

		memcpy(copy, user_cert, n);
		if (authinfo_parse_key(copy, n, &ai) == 0) {
			assert_true(ai.is_cert);
			assert_string_equal(ai.key_id, "swift-fox-jumps-barrel");
		}
		free(copy);
	}
	for (n = 0; n < strlen(plain_key) - 4; n++)
		if (authinfo_parse_key(plain_key, n, &ai) == 0)
			assert_string_equal(ai.type, "ssh-ed25519");
}

static void
test_not_keys(void **state)
{
	static const char *const bad[] = {
		"", "\n", "publickey", "publickey ", "publickey x",
		"publickey ssh-ed25519", "publickey ssh-ed25519 ",
		"publickey ssh-ed25519 AAAA", "password",
		"publickey  ssh-ed25519 AAAAC3NzaC1lZDI1NTE5",
		/* base64 in another spelling, or with something behind it */
		"publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AA",
		"publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAB= ",
		"publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8FKt== x",
		"publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTF=",
		/* a type that the key does not say */
		"publickey ssh-rsa AAAAC3NzaC1lZDI1NTE5",
		/* a certificate of a kind that is not known */
		"publickey x-cert-v01@openssh.com "
		    "AAAAGHgtY2VydC12MDFAb3BlbnNzaC5jb20=",
		/* a string that is longer than the rest */
		"publickey ssh-ed25519 /////3NzaC1lZDI1NTE5",
	};
	struct authinfo ai;
	char type[256];
	size_t i;

	(void)state;
	for (i = 0; i < LEN(bad); i++)
		if (parse(bad[i], &ai) != -1)
			fail_msg("%s was taken", bad[i]);
	memset(type, 'x', sizeof type);
	memcpy(type, "publickey ", 10);
	memcpy(type + 200, " AAAA", 6);
	assert_int_equal(parse(type, &ai), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_key),
		cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_refused_certificates),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_not_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
