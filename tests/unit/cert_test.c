/*
 * cert_test.c - certificates that relay/cert.c writes, read back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../relay/authinfo.h"
#include "../../relay/cert.h"
#include "../../relay/pubkey.h"

static const char ed25519[] =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8Q"
    "ERITFBUWFxgZGhscHR4f";

static struct cert_octets
blob_of(const char *line, unsigned char buf[PUBKEY_LINE_MAX])
{
	int n = pubkey_blob(line, buf);

	assert_true(n > 0);
	return (struct cert_octets){ buf, (size_t)n };
}

static struct cert_what
example(unsigned char buf[PUBKEY_LINE_MAX])
{
	struct cert_what what = { .key_id = "swift-fox-jumps-barrel",
	    .serial = 0x0102030405060708, .expires_at = 1800000000 };

	what.key = what.ca = blob_of(ed25519, buf);
	memset(what.nonce, 7, sizeof what.nonce);
	return what;
}

static void
test_is_read_back(void **state)
{
	static const unsigned char signature[] = "signature";
	unsigned char buf[PUBKEY_LINE_MAX], blob[CERT_BLOB_MAX];
	char line[CERT_LINE_MAX];
	struct cert_what what = example(buf);
	struct authinfo ai;
	size_t len;

	(void)state;
	len = cert_body(&what, blob);
	assert_true(len > 0);
	assert_int_equal(cert_line(blob, len,
	    (struct cert_octets){ signature, sizeof signature }, line), 0);
	assert_int_equal(authinfo_parse_key(line, strlen(line), &ai), 0);
	assert_true(ai.is_cert);
	assert_string_equal(ai.type, "ssh-ed25519-cert-v01@openssh.com");
	assert_string_equal(ai.key_id, "swift-fox-jumps-barrel");
	assert_true(ai.serial == 0x0102030405060708);
}

/* Every octet of the body, from PROTOCOL.certkeys. */
static void
test_octets_of_the_body(void **state)
{
	static const char after_key[] =
	    "\1\2\3\4\5\6\7\10"				/* serial */
	    "\0\0\0\1"					/* user */
	    "\0\0\0\26swift-fox-jumps-barrel"
	    "\0\0\0\21\0\0\0\15tunl-customer"
	    "\0\0\0\0\0\0\0\0"				/* from always */
	    "\0\0\0\0\153\111\322\0"			/* to 1800000000 */
	    "\0\0\0\0"					/* critical options */
	    "\0\0\0\36\0\0\0\26permit-port-forwarding\0\0\0\0"
	    "\0\0\0\0"					/* reserved */
	    "\0\0\0\63\0\0\0\13ssh-ed25519\0\0\0\40";
	unsigned char buf[PUBKEY_LINE_MAX], blob[CERT_BLOB_MAX];
	struct cert_what what = example(buf);
	size_t len = cert_body(&what, blob), at = 4 + 32 + 4 + 32 + 4 + 32;

	(void)state;
	assert_int_equal(len, at + sizeof after_key - 1 + 32);
	assert_memory_equal(blob + at, after_key, sizeof after_key - 1);
}

static void
test_too_long_is_refused(void **state)
{
	static unsigned char huge[CERT_BLOB_MAX];
	unsigned char buf[PUBKEY_LINE_MAX], blob[CERT_BLOB_MAX];
	char line[CERT_LINE_MAX];
	struct cert_what what = example(buf);
	size_t len = cert_body(&what, blob);

	(void)state;
	assert_int_equal(cert_line(blob, len,
	    (struct cert_octets){ huge, sizeof huge }, line), -1);
	what.ca = (struct cert_octets){ huge, sizeof huge };
	assert_int_equal(cert_body(&what, blob), 0);
	what.key = (struct cert_octets){ huge, 3 };
	assert_int_equal(cert_body(&what, blob), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_read_back),
		cmocka_unit_test(test_octets_of_the_body),
		cmocka_unit_test(test_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
