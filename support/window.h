/*
 * window.h - what `tunl view` and `tunl chat` have in common: their arguments,
 * the leg's configuration, the FIFO, the debug log, and leaving.
 */
#ifndef WINDOW_H
#define WINDOW_H

#include <stdbool.h>

#include "leg.h"
#include "tunl.h"

struct poke;

struct window {
	struct event_base	*base;
	struct relay		*relay;
	struct leg_conf		 conf;
	bool			 debug;
	bool			 in_tmux;	/* of a join session */
	struct poke		*poke;
	struct event		*signals[3];
	int			 log;		/* -1: none */
};

/*
 * Take the arguments and prepare; ROLE is PROTO_VIEW or PROTO_CHAT, NAME that
 * of the FIFO, whose lines go to POKE_CB.  TERM, HUP and INT end the event
 * loop.  Returns 0, or -1 after saying why not.
 */
int	window_init(struct window *w, struct tunl *t, const struct args *args,
	    unsigned int role, const char *name,
	    void (*poke_cb)(void *arg, const char *line), void *arg);

/* Undo it; the last to leave a join session clears up after it. */
void	window_clear(struct window *w);

#endif
