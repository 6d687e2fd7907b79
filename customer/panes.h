/*
 * panes.h - the session's tmux: the shell pane that is shared, the chat pane
 * below it, sizes, keys and screens.
 *
 * It runs in a window of the same tmux that nobody sees.  It makes the two
 * panes if they are not there, keeps the chat pane alive and in its place, and
 * follows the shell's output from its first octet on.  It knows nothing of the
 * relay.
 */
#ifndef PANES_H
#define PANES_H

#include <stdbool.h>
#include <stddef.h>

#include "sessiondir.h"

#define PANES_CHAT_ROWS	9

struct event_base;
struct evbuffer;
struct panes;
struct tmuxcaps;

/* A screen, and perhaps what is above it, at this place in the output. */
struct panes_shot {
	unsigned int	 cols, rows;
	struct evbuffer	*screen;
	struct evbuffer	*history;	/* NULL: not asked for */
	bool		 gap;		/* the output before it is not all there
					 * is: everybody needs it */
	bool		 asked;		/* it answers panes_shoot() */
};

struct panes_ops {
	/* Both panes are there. */
	void	(*ready_cb)(void *arg);
	/* What the shell pane printed. */
	void	(*output_cb)(void *arg, const char *data, size_t len);
	/* The answer to panes_shoot(), NULL if it could not be taken; or a
	 * screen that was not asked for, after a gap. */
	void	(*shot_cb)(void *arg, const struct panes_shot *shot);
	/* Sizes may have changed. */
	void	(*changed_cb)(void *arg);
	/* The output up to here does not draw what the pane shows. */
	void	(*stale_cb)(void *arg);
	/* The shell has ended, or (TMUX) tmux itself.  The last call. */
	void	(*end_cb)(void *arg, bool tmux);
};

/*
 * Attach to the session of SD on a tmux that can do CAPS.  All pointers must
 * outlive it.  NULL with errno.
 */
struct panes	*panes_new(struct event_base *base,
		    const struct sessiondir *sd, const struct tmuxcaps *caps,
		    const struct panes_ops *ops, void *arg);
void	panes_free(struct panes *p);

/*
 * Take a screen, with HISTORY lines above it; shot_cb comes later, once, and not
 * from here.  Not while another is due.
 */
void	panes_shoot(struct panes *p, unsigned int history);

/* Type LEN octets into the shell pane. */
void	panes_keys(struct panes *p, const void *data, size_t len);

/* True while tmux, or the program in the shell, has much to do yet; hold back
 * what makes it more. */
bool	panes_busy(struct panes *p);

/* True while the customer scrolls and tmux (before 3.2) holds the pane still. */
bool	panes_frozen(const struct panes *p);

/* Make the shell pane at most COLS x ROWS; 0 0: as large as it may be. */
void	panes_resize(struct panes *p, unsigned int cols, unsigned int rows);

/* Zoom the shell pane, or unzoom it. */
void	panes_zoom(struct panes *p);

/* End tmux; end_cb follows. */
void	panes_kill(struct panes *p);

/* SIGCHLD came. */
void	panes_reap(struct panes *p);

#endif
