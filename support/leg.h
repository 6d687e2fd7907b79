/*
 * leg.h - one leg to a session's broker: an ssh that is kept alive.
 *
 * It starts `tunl leg`, speaks HELLO and PING, tells good frames from bad ones,
 * notices a dead link and tries again, ever more slowly, until the session is
 * over.  What a frame means is the caller's business.
 */
#ifndef LEG_H
#define LEG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto.h"
#include "relaycall.h"

struct event_base;
struct leg;

enum leg_taken {
	LEG_DONE,	/* go on with the next frame */
	LEG_HOLD	/* read nothing until leg_resume(), and then present
			 * this frame again */
};

struct leg_ops {
	/* The relay has said HELLO. */
	void	(*up_cb)(void *arg);
	/* A frame that the protocol's table allows, but HELLO, PING, PONG,
	 * CLOSED and ERROR, which are seen to. */
	enum leg_taken (*frame_cb)(void *arg, enum proto_form form,
		    const struct proto_frame *f);
	/* There is no link: WHY, and how long until it is tried again. */
	void	(*down_cb)(void *arg, const char *why, unsigned int ms);
	/* The session is over for us, and why.  The last call. */
	void	(*over_cb)(void *arg, const char *why);
};

/* The strings are the caller's, who frees the leg in none of its callbacks. */
struct leg_conf {
	const char	*sid;
	const char	*client;	/* 16 hex digits */
	const char	*name;		/* percent-encoded */
	unsigned int	 role;		/* PROTO_VIEW or PROTO_CHAT */
	bool		 read_only;
};

/* Start it.  NULL with errno. */
struct leg	*leg_new(struct event_base *base, struct relay *relay,
		    const struct leg_conf *conf, const struct leg_ops *ops,
		    void *arg);
void		 leg_free(struct leg *leg);

/* The features of the next HELLO ("history=2000"), or NULL.  Not copied. */
void		 leg_features(struct leg *leg, const char *features);

/*
 * Send a frame; see proto_put().  Returns 0, or -1 if there is no link, too
 * much waits already, or the frame is none.
 */
int		 leg_send(struct leg *leg, enum proto_form form,
		    const void *payload, size_t len, const char *fmt, ...)
		    __attribute__((format(printf, 5, 6)));

/* Go on after LEG_HOLD; from outside the callbacks only. */
void		 leg_resume(struct leg *leg);

/*
 * Have the relay begin anew with us: on another ssh, while this one stays until
 * it is up, so that we never left.  From outside the callbacks only.  Returns
 * 0, or -1 if there is no link or something waits to be sent.
 */
int		 leg_redial(struct leg *leg);

/* Do not wait any longer for the next try. */
void		 leg_retry(struct leg *leg);

bool		 leg_is_up(const struct leg *leg);

/* Milliseconds since the relay was last heard. */
int64_t		 leg_silent_ms(const struct leg *leg);

#endif
