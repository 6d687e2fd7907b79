/*
 * api.h - what the handlers of relay-api share.
 */
#ifndef API_H
#define API_H

#include <stdint.h>

#include "enrollment.h"
#include "grant.h"
#include "relayconf.h"
#include "request.h"
#include "secret.h"
#include "store.h"
#include "store_token.h"

struct pubkey;
#define API_CLASSES	6

struct signer;
struct uploads;

struct api {
	struct relayconf	 conf;
	struct secret		 secret;
	struct store		*store;
	struct enroll		 enroll;
	struct signer		*signer;
	struct uploads		*uploads;
	int			 grants;	/* RUN_DIR/grants */
	int64_t			 started;	/* Unix seconds */
	uint64_t		 answers[API_CLASSES];	/* by status / 100 */
};

/* Unix seconds; monotonic milliseconds. */
int64_t	api_now(void);
int64_t	api_mono(void);

/* Milliseconds of a setting, as seconds rounded up. */
int64_t	api_seconds(uint32_t ms);

/* Answer for a result that no handler has a better word for. */
void	api_fail_store(struct request *rq, enum store_result r);

/*
 * Close session ID for REASON and publish the end of its grant.  As
 * store_end().
 */
enum store_result api_end_session(struct api *api, const char *id,
	    enum grant_reason reason);

/* What a customer authenticates with; NULL: not there. */
struct api_secret {
	const char	*session_id;
	const char	*token;
	const char	*resume;	/* used before all others */
};

/*
 * Would S be good, for the key with that digest?  Answers RQ if not; a wrong
 * one counts.
 */
bool	api_sign_try(struct request *rq, const struct api_secret *s,
	    const unsigned char key[STORE_KEY_LEN]);

enum store_kind	api_kind(const struct api_secret *s);

/* Claim with S, or resume, and answer with a certificate for KEY. */
void	api_sign_for(struct request *rq, const struct api_secret *s,
	    const struct pubkey *key);

/*
 * May RQ try a claim of that KIND?  If there were too many wrong ones, false
 * with the request answered: 429.
 */
bool	api_may_try(struct request *rq, enum store_kind kind);

/*
 * RQ's attempt failed; of a token that came with the session ID, unless that is
 * NULL.  It is noted before the answer can be read; false with the request
 * answered if it cannot be.
 */
bool	api_failed_try(struct request *rq, enum store_kind kind,
	    const char *id);

/* [{"code", "message", "until"}]: what engineers must know of that. */
struct cJSON	*api_warnings(struct api *api);

/* What was due to expire, does. */
void	api_sweep(struct api *api);
void	api_upload_sweep(struct api *api);

/* Files of uploads that are not on record go. */
void	api_upload_sweep_files(struct api *api);

/* The handlers, as the route table names them. */
void	api_healthz(struct request *rq);
void	api_info(struct request *rq);
void	api_ca_pub(struct request *rq);
void	api_host_ca_pub(struct request *rq);
void	api_sign(struct request *rq);
void	api_enroll_check(struct request *rq);
void	api_enroll_sign(struct request *rq);
void	api_pending_add(struct request *rq);
void	api_pending_list(struct request *rq);
void	api_pending_get(struct request *rq);
void	api_pending_cancel(struct request *rq);
void	api_token_add(struct request *rq);
void	api_token_get(struct request *rq);
void	api_token_revoke(struct request *rq);
void	api_session_register(struct request *rq);
void	api_session_list(struct request *rq);
void	api_session_get(struct request *rq);
void	api_session_patch(struct request *rq);
void	api_session_end(struct request *rq);
void	api_session_heartbeat(struct request *rq);
void	api_session_cast(struct request *rq);
void	api_metrics(struct request *rq);
void	api_support_keys(struct request *rq);
void	api_case(struct request *rq);
void	api_upload_add(struct request *rq);
void	api_upload_list(struct request *rq);
void	api_upload_get(struct request *rq);
void	api_upload_delete(struct request *rq);
void	api_upload_put(struct request *rq);
void	api_upload_data(struct request *rq);
void	api_upload_complete(struct request *rq);

#endif
