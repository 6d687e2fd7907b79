/*
 * api_enroll.c - the same as api_sign.c for customers who cannot reach HTTPS:
 * they log in by ssh with their secret, and send their key there.
 *
 * validate-token asks whether the secret would be good; relay-share enroll, on
 * the same connection, brings the key, and only that uses the secret up.
 */
#include "api.h"

#include <string.h>

#include "enrollment.h"
#include "files.h"
#include "json.h"
#include "pubkey.h"

#define CONNECTION(flags) { "connection", JSON_TEXT, (flags), 1, \
	ENROLL_CONNECTION_MAX, enroll_is_connection, "what sshd calls " \
	"SSH_CONNECTION" }

enum { C_CONNECTION, C_SECRET, C_FIELDS };

static const struct json_field check_fields[C_FIELDS] = {
	[C_CONNECTION] = CONNECTION(JSON_REQUIRED),
	[C_SECRET] = { "secret", JSON_TEXT, JSON_REQUIRED, 1,
	    ENROLL_SECRET_MAX, json_is_plain, "a secret" },
};

enum { S_CONNECTION, S_KEY, S_FIELDS };

static const struct json_field sign_fields[S_FIELDS] = {
	[S_CONNECTION] = CONNECTION(JSON_REQUIRED),
	[S_KEY] = { "public_key", JSON_TEXT, JSON_REQUIRED, 1, PUBKEY_LINE_MAX,
	    json_is_plain, "one line: an OpenSSH public key" },
};

static struct api_secret
secret_of(const struct enroll_secret *s)
{
	return (struct api_secret){ s->session_id, s->token, s->resume };
}

static unsigned char
hex_value(char c)
{
	return (unsigned char)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* The digest that S says its key has; none if it does not. */
static void
key_digest(const struct enroll_secret *s, unsigned char out[STORE_KEY_LEN])
{
	size_t i;

	memset(out, 0, STORE_KEY_LEN);
	for (i = 0; s->key != NULL && i < STORE_KEY_LEN; i++)
		out[i] = (unsigned char)(hex_value(s->key[2 * i]) << 4 |
		    hex_value(s->key[2 * i + 1]));
}

static void
check(struct request *rq, const char *connection, const char *text)
{
	unsigned char key[STORE_KEY_LEN];
	struct enroll_secret s;
	struct api_secret secret;
	int64_t now = api_mono();

	enroll_put(&rq->api->enroll, connection, NULL, now, now);
	(void)throttle_source(connection, strcspn(connection, " "), rq->source);
	if (enroll_parse(text, strlen(text), &s) == -1)
		request_unauthorized(rq);
	else {
		key_digest(&s, key);
		secret = secret_of(&s);
		if (api_sign_try(rq, &secret, key)) {
			enroll_put(&rq->api->enroll, connection, text, now,
			    now + rq->api->conf.enroll_wait_ms);
			request_nothing(rq);
		}
	}
	wipe(&s, sizeof s);
}

void
api_enroll_check(struct request *rq)
{
	struct json_body body;
	const struct json_value *v = body.value;

	if (!request_take_body(rq, &body, check_fields, C_FIELDS))
		return;
	check(rq, v[C_CONNECTION].text, v[C_SECRET].text);
	json_clear(&body);
}

static void
sign(struct request *rq, const char *connection, const struct pubkey *key)
{
	char text[ENROLL_SECRET_MAX + 1];
	struct enroll_secret s;
	struct api_secret secret;

	(void)throttle_source(connection, strcspn(connection, " "), rq->source);
	if (!enroll_take(&rq->api->enroll, connection, api_mono(), text)) {
		rq->retry_after = 1;
		request_fail(rq, 503, "the relay has lost this login; log in "
		    "again");
		return;
	}
	if (enroll_parse(text, strlen(text), &s) == -1)
		request_unauthorized(rq);
	else {
		secret = secret_of(&s);
		api_sign_for(rq, &secret, key);
	}
	wipe(&s, sizeof s);
	wipe(text, sizeof text);
}

void
api_enroll_sign(struct request *rq)
{
	struct json_body body;
	const struct json_value *v = body.value;
	struct pubkey key;

	if (!request_take_body(rq, &body, sign_fields, S_FIELDS))
		return;
	if (pubkey_parse(v[S_KEY].text, strlen(v[S_KEY].text), &key) == -1)
		request_fail(rq, 422, "public_key: expected an ed25519, ecdsa "
		    "or rsa (2048 bits or more) public key in one line");
	else
		sign(rq, v[S_CONNECTION].text, &key);
	json_clear(&body);
}
