/*
 * api_sign.c - a stranger's public key and a secret in, a certificate out.
 *
 * The secret is the ID of a pending session, which is claimed by it once, or
 * the resume secret of a session that was.  A claim is on disk before anything
 * is signed; the grant is in place before the certificate leaves.
 */
#include "api.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "files.h"
#include "json.h"
#include "log.h"
#include "pubkey.h"
#include "record.h"
#include "signer.h"

enum { KEY, SID, RESUME, FIELDS };

static const struct json_field fields[FIELDS] = {
	[KEY] = { "public_key", JSON_TEXT, JSON_REQUIRED, 1, PUBKEY_LINE_MAX,
	    json_is_plain, "one line: an OpenSSH public key" },
	[SID] = { "session_id", JSON_TEXT, JSON_NULLABLE, 1, SID_MAX,
	    sid_is_valid, "a session ID (four lower-case words joined by -)" },
	[RESUME] = { "resume", JSON_TEXT, JSON_NULLABLE, SECRET_HEX, SECRET_HEX,
	    secret_is_hex, "64 hex digits" },
};

/* A certificate that is being signed. */
struct signing {
	struct request		*rq;
	struct store_grant	 grant;
};

static void
signing_free(struct signing *sn)
{
	free(sn->grant.certificate);
	wipe(sn, sizeof *sn);
	free(sn);
}

/* The answer, when the certificate is there. */
static void
send_certificate(struct signing *sn)
{
	const struct grant *g = &sn->grant.grant;
	char resume[SECRET_HEX + 1];
	cJSON *o = cJSON_CreateObject(), *ports;
	unsigned int i;

	secret_resume(&sn->rq->api->secret, sn->grant.nonce, resume);
	(void)cJSON_AddStringToObject(o, "session_id", g->sid);
	(void)cJSON_AddStringToObject(o, "certificate", sn->grant.certificate);
	ports = cJSON_AddArrayToObject(o, "ports");
	for (i = 0; i < g->nports; i++)
		(void)cJSON_AddItemToArray(ports,
		    cJSON_CreateNumber(g->ports[i]));
	(void)cJSON_AddStringToObject(o, "resume", resume);
	(void)cJSON_AddNumberToObject(o, "expires_at",
	    (double)sn->grant.expires_at);
	wipe(resume, sizeof resume);
	request_json(sn->rq, 200, o);
}

static void
signed_cb(void *arg, const char *certificate)
{
	struct signing *sn = arg;
	struct request *rq = sn->rq;
	enum store_result r;

	if (certificate == NULL) {
		rq->retry_after = 5;
		request_fail(rq, 503, "the relay could not sign the "
		    "certificate; try again with the same key");
	} else {
		r = store_certificate(rq->api->store, &sn->grant, certificate);
		if (r == STORE_OK)
			send_certificate(sn);
		else	/* closed meanwhile: as any claim that is over */
			api_fail_store(rq, r == STORE_NONE ? STORE_REFUSED : r);
	}
	signing_free(sn);
}

/* The grant file first: whoever has the certificate can log in. */
static void
sign(struct signing *sn, const struct pubkey *key)
{
	struct request *rq = sn->rq;
	const struct grant *g = &sn->grant.grant;
	struct signer_request what = {
		.public_key = key->line,
		.key_id = g->sid,
		.serial = sn->grant.serial,
		.expires_at = sn->grant.expires_at,
	};

	if (grant_write(rq->api->grants, g) == -1 ||
	    grant_link(rq->api->grants, g->sid,
	    (uint64_t)sn->grant.serial) == -1) {
		log_warn("%s: cannot write its grant file", g->sid);
		rq->retry_after = 5;
		request_fail(rq, 503, "the relay cannot store the grant; try "
		    "again with the same key");
		signing_free(sn);
	} else if (sn->grant.certificate != NULL) {
		send_certificate(sn);
		signing_free(sn);
	} else
		signer_start(rq->api->signer, &what, signed_cb, sn);
}

static enum store_result
claim(struct api *api, const char *id, const struct pubkey *key,
    struct store_grant *g)
{
	int64_t now = api_now();
	struct store_claim c = {
		.id = id,
		.repeat = api_seconds(api->conf.sign_repeat_ms),
		.expires_at = now + api_seconds(api->conf.cert_ttl_ms),
		.port_first = api->conf.port_first,
		.port_last = api->conf.port_last,
		.ports = api->conf.ports_per_session,
	};
	char resume[SECRET_HEX + 1];
	enum store_result r;

	memcpy(c.key, key->digest, sizeof c.key);
	if (secret_nonce(c.nonce) == -1)
		return STORE_ERROR;
	secret_resume(&api->secret, c.nonce, resume);
	(void)secret_resume_mac(&api->secret, resume, c.mac);
	wipe(resume, sizeof resume);
	r = store_claim(api->store, &c, now, api_mono(), g);
	if (r == STORE_OK)
		log_info("%s: claimed, serial %lld, ports %u-%u", id,
		    (long long)g->serial, (unsigned int)g->grant.ports[0],
		    (unsigned int)g->grant.ports[g->grant.nports - 1]);
	return r;
}

static enum store_result
resume(struct api *api, const char *secret, const char *id,
    struct store_grant *g)
{
	unsigned char mac[SECRET_LEN];
	enum store_result r;

	if (secret_resume_mac(&api->secret, secret, mac) == -1)
		return STORE_REFUSED;
	r = store_resume(api->store, mac, id, api_now() +
	    api_seconds(api->conf.cert_ttl_ms), api_mono(), g);
	if (r == STORE_OK)
		log_info("%s: resumed, serial %lld", g->grant.sid,
		    (long long)g->serial);
	return r;
}

/* The body is what it should be; the key is one that we sign. */
static void
claim_and_sign(struct request *rq, const struct json_value *v,
    const struct pubkey *key)
{
	struct signing *sn;
	enum store_result r;

	sn = calloc(1, sizeof *sn);
	if (sn == NULL) {
		api_fail_store(rq, STORE_ERROR);
		return;
	}
	sn->rq = rq;
	r = v[RESUME].text != NULL ?
	    resume(rq->api, v[RESUME].text, v[SID].text, &sn->grant) :
	    claim(rq->api, v[SID].text, key, &sn->grant);
	if (r == STORE_OK || r == STORE_AGAIN) {
		sign(sn, key);
		return;
	}
	api_fail_store(rq, r);
	signing_free(sn);
}

void
api_sign(struct request *rq)
{
	struct json_body body;
	const struct json_value *v = body.value;
	struct pubkey key;

	if (!request_take_body(rq, &body, fields, FIELDS))
		return;
	if (v[SID].text == NULL && v[RESUME].text == NULL)
		request_fail(rq, 422, "session_id: is missing");
	else if (pubkey_parse(v[KEY].text, strlen(v[KEY].text), &key) == -1)
		request_fail(rq, 422, "public_key: expected an ed25519, ecdsa "
		    "or rsa (2048 bits or more) public key in one line");
	else
		claim_and_sign(rq, v, &key);
	json_clear(&body);
}
