/*
 * api.h - what the handlers of relay-api share.
 */
#ifndef API_H
#define API_H

#include <stdint.h>

#include "grant.h"
#include "relayconf.h"
#include "request.h"
#include "secret.h"
#include "store.h"

struct signer;

struct api {
	struct relayconf	 conf;
	struct secret		 secret;
	struct store		*store;
	struct signer		*signer;
	int			 grants;	/* RUN_DIR/grants */
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

/* What was due to expire, does. */
void	api_sweep(struct api *api);

/* The handlers, as the route table names them. */
void	api_healthz(struct request *rq);
void	api_info(struct request *rq);
void	api_ca_pub(struct request *rq);
void	api_host_ca_pub(struct request *rq);
void	api_sign(struct request *rq);
void	api_pending_add(struct request *rq);
void	api_pending_list(struct request *rq);
void	api_pending_get(struct request *rq);
void	api_pending_cancel(struct request *rq);
void	api_session_register(struct request *rq);
void	api_session_list(struct request *rq);
void	api_session_get(struct request *rq);
void	api_session_patch(struct request *rq);
void	api_session_end(struct request *rq);
void	api_session_heartbeat(struct request *rq);

#endif
