/*
 * api_sign.c - a stranger's public key and a secret in, a certificate out.
 *
 * The secret is the ID of a pending session, which is claimed by it once; a
 * one-time token, which starts a session or stands beside the ID of one; or the
 * resume secret of a session that was claimed.  A claim is on disk before
 * anything is signed; the grant is in place before the certificate leaves.
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
#include "sid.h"
#include "signer.h"
#include "token.h"

#define TRIES	16	/* for an ID that is free */

enum { KEY, SID, TOKEN, RESUME, FIELDS };

static const struct json_field fields[FIELDS] = {
	[KEY] = { "public_key", JSON_TEXT, JSON_REQUIRED, 1, PUBKEY_LINE_MAX,
	    json_is_plain, "one line: an OpenSSH public key" },
	[SID] = { "session_id", JSON_TEXT, JSON_NULLABLE, 1, SID_MAX,
	    sid_is_valid, "a session ID (four lower-case words joined by -)" },
	[TOKEN] = { "token", JSON_TEXT, JSON_NULLABLE, TOKEN_LEN, TOKEN_LEN,
	    token_is_valid, "six digits" },
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

/* A claim with S, under the new session ID FRESH if it makes one. */
struct claim {
	struct store_claim	 c;
	unsigned char		 token[SECRET_LEN];
	char			 fresh[SID_MAX + 1];
};

static int
claim_init(struct claim *cl, const struct api *api, const struct api_secret *s,
    const unsigned char key[STORE_KEY_LEN], int64_t now)
{
	char resume[SECRET_HEX + 1];

	cl->c = (struct store_claim){
		.id = s->session_id,
		.fresh_until = now + api_seconds(api->conf.pending_ttl_ms),
		.repeat = api_seconds(api->conf.sign_repeat_ms),
		.expires_at = now + api_seconds(api->conf.cert_ttl_ms),
		.port_first = api->conf.port_first,
		.port_last = api->conf.port_last,
		.ports = api->conf.ports_per_session,
	};
	memcpy(cl->c.key, key, sizeof cl->c.key);
	if (secret_nonce(cl->c.nonce) == -1 || sid_generate(cl->fresh) == -1)
		return -1;
	if (s->token != NULL) {
		secret_token_mac(&api->secret, s->token, cl->token);
		cl->c.token = cl->token;
		cl->c.fresh = cl->fresh;
	}
	secret_resume(&api->secret, cl->c.nonce, resume);
	(void)secret_resume_mac(&api->secret, resume, cl->c.mac);
	wipe(resume, sizeof resume);
	return 0;
}

static enum store_result
claim(struct api *api, const struct api_secret *s, const struct pubkey *key,
    struct store_grant *g)
{
	enum store_result r = STORE_CONFLICT;
	int64_t now = api_now();
	struct claim cl;
	int i;

	for (i = 0; r == STORE_CONFLICT && i < TRIES; i++)
		r = claim_init(&cl, api, s, key->digest, now) == -1 ?
		    STORE_ERROR :
		    store_claim(api->store, &cl.c, now, api_mono(), g);
	if (r == STORE_OK)
		log_info("%s: claimed%s, serial %lld, ports %u-%u",
		    g->grant.sid, s->token != NULL ? " by a token" : "",
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

/* Count a wrong session ID or token, and say no more than that. */
static void
refuse(struct request *rq, const struct api_secret *s)
{
	if (s->resume != NULL || api_failed_try(rq, api_kind(s),
	    s->token != NULL ? s->session_id : NULL))
		request_unauthorized(rq);
}

enum store_kind
api_kind(const struct api_secret *s)
{
	return s->session_id != NULL ? STORE_BY_ID : STORE_BY_TOKEN;
}

bool
api_sign_try(struct request *rq, const struct api_secret *s,
    const unsigned char key[STORE_KEY_LEN])
{
	unsigned char mac[SECRET_LEN];
	enum store_result r = STORE_REFUSED;
	struct claim cl;

	if (s->resume == NULL && !api_may_try(rq, api_kind(s)))
		return false;
	if (s->resume == NULL)
		r = claim_init(&cl, rq->api, s, key, api_now()) == -1 ?
		    STORE_ERROR : store_claim_try(rq->api->store, &cl.c,
		    api_now());
	else if (secret_resume_mac(&rq->api->secret, s->resume, mac) == 0)
		r = store_resume_try(rq->api->store, mac, s->session_id);
	if (r == STORE_OK || r == STORE_AGAIN || r == STORE_CONFLICT)
		return true;
	if (r == STORE_REFUSED)
		refuse(rq, s);
	else
		api_fail_store(rq, r);
	return false;
}

void
api_sign_for(struct request *rq, const struct api_secret *s,
    const struct pubkey *key)
{
	struct signing *sn;
	enum store_result r;

	if (s->resume == NULL && !api_may_try(rq, api_kind(s)))
		return;
	sn = calloc(1, sizeof *sn);
	if (sn == NULL) {
		api_fail_store(rq, STORE_ERROR);
		return;
	}
	sn->rq = rq;
	r = s->resume != NULL ?
	    resume(rq->api, s->resume, s->session_id, &sn->grant) :
	    claim(rq->api, s, key, &sn->grant);
	if (r == STORE_OK || r == STORE_AGAIN) {
		sign(sn, key);
		return;
	}
	if (r == STORE_REFUSED)
		refuse(rq, s);
	else
		api_fail_store(rq, r);
	signing_free(sn);
}

void
api_sign(struct request *rq)
{
	struct json_body body;
	const struct json_value *v = body.value;
	struct api_secret s;
	struct pubkey key;

	if (!request_take_body(rq, &body, fields, FIELDS))
		return;
	s = (struct api_secret){ v[SID].text, v[TOKEN].text, v[RESUME].text };
	if (s.session_id == NULL && s.token == NULL && s.resume == NULL)
		request_fail(rq, 422, "session_id: is missing, and so are "
		    "token and resume");
	else if (pubkey_parse(v[KEY].text, strlen(v[KEY].text), &key) == -1)
		request_fail(rq, 422, "public_key: expected an ed25519, ecdsa "
		    "or rsa (2048 bits or more) public key in one line");
	else
		api_sign_for(rq, &s, &key);
	json_clear(&body);
}
