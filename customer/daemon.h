/*
 * daemon.h - the hidden daemon's parts and what they share: daemon.c (its life
 * and tmux), fromrelay.c (what the relay sends, and what becomes of the link).
 */
#ifndef DAEMON_H
#define DAEMON_H

#include <stdbool.h>
#include <stdint.h>

#include "capture.h"
#include "info.h"
#include "localcast.h"
#include "sessiondir.h"
#include "settings.h"
#include "tmuxcaps.h"

struct link_ops;
struct talk_line;

/* How far the end of the session has got. */
enum ending {
	RUNNING,
	LEAVING,	/* the relay is told */
	CLOSING		/* tmux is told */
};

struct daemon {
	struct event_base	*base;
	struct sessiondir	 sd;
	struct settings		 set;
	struct tmuxcaps		 tmux;
	unsigned int		 perm;		/* PROTO_BLOCKED … */
	int			 lock;
	struct link		*link;
	struct panes		*panes;
	struct faces		*faces;
	struct capture		 capture;
	struct localcast	 cast;
	struct info		 info;
	struct event		*pump;
	struct event		*ender;		/* the end takes too long */
	struct event		*sigs[5];
	enum ending		 ending;
	bool			 tmux_gone;
	bool			 held;		/* the link is not read, … */
	bool			 stuck;		/* … or is, and keys are dropped */
	uint64_t		 held_ms;	/* since when */
	size_t			 dropped;	/* octets typed in vain */
	bool			 frozen;	/* the pane, and support knows */

	/* Screens: one at a time is asked for. */
	bool			 shooting;
	bool			 again;		/* and one more after it */
	bool			 waiting;	/* a viewer waits for one */
	unsigned int		 history;	/* with so many lines above */
	struct event		*reshoot;	/* one failed: try again */
};

/* Monotonic, in milliseconds. */
uint64_t	daemon_now_ms(void);

/* Ask for a screen, now or after the one that is being taken. */
void	daemon_shoot(struct daemon *d);

/* Let out of the queue what may leave. */
void	daemon_pump(struct daemon *d);

/* Read no more from the relay while tmux has enough to do. */
void	daemon_hold(struct daemon *d);

/* Support typed LEN octets. */
void	daemon_type(struct daemon *d, const void *data, size_t len);

/* End the session for good: tell the relay, tell the customer, end tmux.  WHY is
 * for the customer. */
void	daemon_end(struct daemon *d, const char *why);

/* The relay was told, or tmux has gone: on with the end. */
void	daemon_next_step(struct daemon *d);

/* The link's callbacks. */
extern const struct link_ops	relay_link_ops;

/* Send a line of the customer's, or send it again. */
void	relay_send_chat(struct daemon *d, const struct talk_line *line);

#endif
