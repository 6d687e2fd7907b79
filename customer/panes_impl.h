/*
 * panes_impl.h - what the files behind panes.h share.
 *
 * panes.c	the control client; makes the panes and looks at them
 * paneshot.c	screens
 * panekeys.c	what is typed
 * panesize.c	sizes and zoom
 */
#ifndef PANES_IMPL_H
#define PANES_IMPL_H

#include <limits.h>

#include "panes.h"
#include "server.h"
#include "tmuxcaps.h"
#include "vtmodes.h"

#define NO_PANE		UINT_MAX

struct control;
struct event;

struct panes {
	struct event_base	*base;
	const struct sessiondir	*sd;
	const struct tmuxcaps	*caps;
	const struct panes_ops	*ops;
	void			*arg;
	struct control		*ct;
	struct event		*respawn;	/* the chat pane */
	struct event		*again;		/* attach once more */
	char			 session[SERVER_TARGET_MAX];
	char			 face[PATH_MAX + SESSIONDIR_PATH_MAX];
					/* the chat pane's command, quoted */
	unsigned int		 shell, chat;	/* pane ids, or NO_PANE */
	bool			 ready;
	bool			 ended;
	bool			 in_mode;	/* the customer scrolls */
	bool			 zoomed;
	unsigned int		 width, height;	/* the window */
	unsigned int		 base_width, base_height; /* at first */
	unsigned int		 wish_cols, wish_rows;	/* 0 0: none */
	unsigned int		 cols, rows;	/* the shell pane */
	bool			 main_stale;	/* they changed while the main
						 * screen was not shown, which */
	unsigned int		 leaves;	/* was when vt.leaves was this */
	struct vtmodes		 vt;
};

/* Ask tmux again for the size that is wished, as what it depends on changed. */
void	panesize_apply(struct panes *p);

#endif
