/*
 * localcast.h - the customer's own copy of the record: what the shell pane
 * showed, from its first octet on, whether the relay is there or not.
 *
 * It lies in the session's directory while the session lasts.  The disk never
 * holds the session up, nor ends it: what cannot be written is missing, with a
 * marker where.
 */
#ifndef LOCALCAST_H
#define LOCALCAST_H

#include <stdbool.h>
#include <stddef.h>

#include "cast.h"
#include "sessiondir.h"

struct event;
struct event_base;
struct panes_shot;

struct localcast_ops {
	/* Something for the customer to know. */
	void	(*say_cb)(void *arg, const char *text);
	/* Take a screen, please; localcast_shot() is called with it. */
	void	(*shoot_cb)(void *arg);
};

struct localcast {
	struct cast			 cast;
	const struct sessiondir		*sd;
	const struct settings		*set;
	const struct localcast_ops	*ops;
	void				*arg;
	struct event			*flush_ev, *retry_ev;
	enum cast_state			 told;
	bool				 announced;	/* trouble, once */
	bool				 armed;		/* flush_ev is */
	bool				 waits;		/* for a screen */
	bool				 up;		/* the link is */
	bool				 shared;	/* it was, ever */
};

/*
 * Begin, or go on with what a daemon before us began.  All pointers must
 * outlive it.  It does nothing if TUNL_CAST_DIR is none.
 */
void	localcast_open(struct localcast *l, struct event_base *base,
	    const struct sessiondir *sd, const struct settings *set,
	    const struct localcast_ops *ops, void *arg);

/* True if there is a recording that somebody besides the customer saw. */
bool	localcast_is_kept(const struct localcast *l);

/*
 * The session is over: close it and move it to where it is kept.  Returns as
 * castkeep_move(); one of a session that nobody ever saw is no record, and 0.
 */
int	localcast_end(struct localcast *l, char *path, size_t cap);

/* What the pane printed; that some of it is missing. */
void	localcast_output(struct localcast *l, const void *data, size_t len);
void	localcast_lost(struct localcast *l);

/* A screen was taken, for whatever reason. */
void	localcast_shot(struct localcast *l, const struct panes_shot *shot);

/* The link is up, or is not. */
void	localcast_link(struct localcast *l, bool up);

/* Anything else that is worth a marker. */
void	localcast_mark(struct localcast *l, const char *text);

#endif
