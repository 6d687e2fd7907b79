/*
 * link.h - the ssh connection to the relay, kept up.
 *
 * One ssh at a time, its stdin and stdout a socket that carries the control
 * protocol, its stderr the session's log.  A lost link is made again with
 * backoff for as long as the session lasts; a CLOSED from the relay is final.
 * It knows HELLO, PING and CLOSED; every other frame is the caller's.
 */
#ifndef LINK_H
#define LINK_H

#include <stdbool.h>
#include <stddef.h>

#include "proto.h"
#include "sessiondir.h"
#include "settings.h"

struct event_base;
struct link;

enum link_state {
	LINK_IDLE,		/* not started yet */
	LINK_CONNECTING,
	LINK_UP,		/* HELLO was exchanged */
	LINK_WAITING,		/* lost; will be tried again */
	LINK_AWAY,		/* the customer disconnected it */
	LINK_OVER		/* for good */
};

struct link_ops {
	/*
	 * The state changed.  WHY is in the customer's words, printable ASCII
	 * or UTF-8 from the relay ("" for nothing to say).
	 */
	void	(*state_cb)(void *arg, enum link_state state, const char *why);
	/* A frame from the relay, checked against the table. */
	void	(*frame_cb)(void *arg, enum proto_form form,
		    const struct proto_frame *f);
};

/*
 * A link for the session of SD.  TMUX is tmux's version, an argument for HELLO.
 * All pointers must outlive it.  NULL: no memory.
 */
struct link	*link_new(struct event_base *base, const struct sessiondir *sd,
		    const struct settings *s, const char *tmux,
		    const struct link_ops *ops, void *arg);

/* End its ssh at once and free it. */
void	link_free(struct link *l);

/* Connect; again, if it is away or over. */
void	link_start(struct link *l);

/* BYE away: the shell stays, the relay keeps the session for a while. */
void	link_away(struct link *l);

/* BYE: the state is LINK_OVER when the relay has taken it, or cannot. */
void	link_bye(struct link *l);

enum link_state	link_state(const struct link *l);

/* The reason word of the relay's CLOSED, or "". */
const char	*link_closed(const struct link *l);

/* Send a frame, as proto_put().  Lost if the link is not up. */
__attribute__((format(printf, 5, 6)))
void	link_send(struct link *l, enum proto_form form, const void *payload,
	    size_t len, const char *fmt, ...);

/* Stop reading while the caller cannot take more, or go on. */
void	link_hold(struct link *l, bool hold);

/* SIGCHLD came: look for the end of a child of ours. */
void	link_reap(struct link *l);

#endif
