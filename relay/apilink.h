/*
 * apilink.h - what the broker tells relay-api about its session, over the
 * API's unix socket and inside the broker's loop.
 *
 * Says what is wanted (registered, mode, alive, closed) and keeps trying until
 * the API has it: one request at a time, each on a connection of its own, with
 * backoff while the API is down.  The session never waits for it.
 */
#ifndef APILINK_H
#define APILINK_H

#include <stdbool.h>
#include <stdint.h>

#include "context.h"
#include "relayconf.h"

struct apilink;
struct event_base;

struct apilink_ops {
	/* Registered; what the record says of the case and the customer ("" if
	 * nothing). */
	void	(*registered_cb)(void *arg, const char *support_case,
		    const char *customer);
	/* The API has closed the session on its own (cancelled, lost). */
	void	(*gone_cb)(void *arg);
	/* apilink_close() has reached the API, or never will. */
	void	(*closed_cb)(void *arg);
};

/*
 * CONF, SID and OPS stay the caller's and must outlive it.  Returns NULL if
 * there is no memory, or if TUNL_API_LISTEN names no unix socket (EINVAL).
 */
struct apilink	*apilink_new(struct event_base *base,
		    const struct relayconf *conf, const char *sid,
		    const struct apilink_ops *ops, void *arg);
void		 apilink_free(struct apilink *l);

/* Register the session, or again: its customer connected from REMOTE. */
int		 apilink_register(struct apilink *l, const struct context *ctx,
		    const char *mode, const char *remote, uint64_t serial);

/* The record's mode, from now on; static text. */
void		 apilink_mode(struct apilink *l, const char *mode);

/* Whether the customer is connected: only then the session is kept alive. */
void		 apilink_alive(struct apilink *l, bool alive);

/* Close the session's record: ended, terminated or lost; static text. */
void		 apilink_close(struct apilink *l, const char *reason);

#endif
