/*
 * apicall.h - one question to relay-api over its unix socket, for the short
 * programs that wait for the answer.
 */
#ifndef APICALL_H
#define APICALL_H

#include "http.h"
#include "relayconf.h"

/*
 * POST the JSON BODY to TARGET within TUNL_API_TIMEOUT.  Returns 0 with REPLY
 * filled, or -1 with errno.
 */
int	api_call(const struct relayconf *conf, const char *target,
	    const char *body, struct http_reply *reply);

#endif
