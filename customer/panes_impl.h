/*
 * panes_impl.h - what the files behind panes.h share.
 *
 * panes.c	the control client; makes the panes and looks at them
 * panepipe.c	the shell pane's pipe, both ways, where tmux has one
 * paneshot.c	screens
 * panekeys.c	what is typed
 * panesize.c	sizes and zoom
 */
#ifndef PANES_IMPL_H
#define PANES_IMPL_H

#include <limits.h>

#include "panes.h"
#include "pipe.h"
#include "server.h"
#include "snapshot.h"
#include "tmuxcaps.h"
#include "vtmodes.h"

#define NO_PANE		UINT_MAX
#define WHO_MAX		80
#define PANEPIPE_LINE_MAX (PIPE_COMMAND_MAX + 64)

struct control;
struct evbuffer;
struct event;

/* panepipe.c: how the shell pane is read and written. */
struct panepipe {
	struct pipe	*pipe;		/* NULL: control mode */
	struct event	*timer;
	char		 who[WHO_MAX];	/* the pane's process and its terminal:
					 * "4711 /dev/pts/3"; "": unknown */
	struct evbuffer	*typed;		/* waits for the pipe */
	size_t		 unread;	/* octets typed since the program was
					 * seen to have read all, */
	int64_t		 typed_ms;	/* and when the last of them were */
	bool		 closing;	/* it is about to be changed */
	bool		 awaited;	/* a new one is under way … */
	bool		 answered;	/* … and only its helper is missing */
	bool		 dead;		/* the pane is, and prints nothing */
	int64_t		 since_ms;	/* awaited */
	unsigned int	 tries;		/* that failed */
};

/* paneshot.c: the screen that is being taken. */
struct paneshot {
	struct event	*timer;		/* on with it */
	struct panes_shot taken;	/* it is not known yet whether it is
					 * exact; screen may be NULL */
	unsigned int	 history;	/* panes_shoot() wants so many lines */
	bool		 asked;		/* and waits for its answer */
	bool		 running;	/* commands are under way, which … */
	bool		 answers;	/* … will answer it */
	bool		 splices;	/* … change the pipe */
	bool		 corrected;	/* ask is; see snapshot_read() */
	unsigned int	 tries;		/* of a quiet screen */
	uint64_t	 total;		/* read from the pipe before this one */
	int64_t		 spliced_ms;	/* the last time; 0: never */
	bool		 unsettled;	/* what it left out may matter to what is
					 * drawn */
	bool		 drawn;		/* and something was: a screen is due */
};

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
	unsigned int		 stream;	/* the pane that is followed */
	bool			 lost;		/* some of its output; a screen
						 * is due that mends it */
	bool			 ready;
	bool			 ended;
	bool			 in_mode;	/* the customer scrolls */
	bool			 zoomed;
	unsigned int		 width, height;	/* the window */
	unsigned int		 base_width, base_height; /* at first, or what
						 * the clients allow */
	unsigned int		 wish_cols, wish_rows;	/* 0 0: none */
	unsigned int		 given_width, given_height; /* to the window;
						 * see panesize.c */
	bool			 sized;
	struct evbuffer		*typed;		/* that waits; see panekeys.c */
	bool			 typing;
	int			 paste;		/* a file of octets; -1: none */
	unsigned int		 cols, rows;	/* the shell pane */
	bool			 main_stale;	/* they changed while the main
						 * screen was not shown, which */
	unsigned int		 leaves;	/* was when vt.leaves was this */
	struct vtmodes		 vt;
	struct panepipe		 pipe;
	struct paneshot		 shot;
	struct snapshot_ask	 ask;		/* for a screen */
};

/* ---- panes.c ---- */

/* The shell pane printed LEN octets. */
void	panes_output(struct panes *p, const char *data, size_t len);

/* Output was lost or will be: what comes is dropped until a screen, for all,
 * takes its place, which is asked for. */
void	panes_mend(struct panes *p);

/* ---- panepipe.c ---- */

bool	panepipe_is_wanted(const struct tmuxcaps *caps);

/* 0, or -1 with errno; to be released in any case. */
int	panepipe_init(struct panes *p);
void	panepipe_release(struct panes *p);

/* True if tmux has read all that was typed, so that the pipe may be changed;
 * from the first question on it waits here. */
bool	panepipe_may_close(struct panes *p);

/*
 * The pipe-pane of a line, of the pane %PANE, into LINE.  Its answer must be
 * told by panepipe_switch() or panepipe_failed().  0, or -1.  Only while
 * pipe.pipe is there.
 */
int	panepipe_command(struct panes *p, unsigned int pane,
	    char line[PANEPIPE_LINE_MAX]);
void	panepipe_switch(struct panes *p);
void	panepipe_failed(struct panes *p);

/*
 * The end of the line that makes the shell's window, "" if there is to be no
 * pipe; and its answer, OK or not.
 */
void	panepipe_line(struct panes *p, char line[PANEPIPE_LINE_MAX]);
void	panepipe_made(struct panes *p, bool ok);

/* There is a shell pane, made before our time. */
void	panepipe_found(struct panes *p);

/* Another process may be the pane's. */
void	panepipe_identify(struct panes *p);

/* There is a new control client; what the old one was asked is not answered. */
void	panepipe_again(struct panes *p);

/*
 * Take what is typed, if it goes through the pipe now or later; false if it is
 * for the control client.
 */
bool	panepipe_type(struct panes *p, const void *data, size_t len);

/* True while much is typed that has not been read. */
bool	panepipe_busy(struct panes *p);

/* ---- paneshot.c ---- */

int	paneshot_init(struct panes *p);
void	paneshot_release(struct panes *p);

/* Take the screen that is due, if there is one and it can be taken now. */
void	paneshot_step(struct panes *p);

/* As panepipe_again(). */
void	paneshot_again(struct panes *p);

/* Output was drawn that may have looked otherwise elsewhere; see unsettled. */
void	paneshot_drawn(struct panes *p);

/* ---- panesize.c ---- */

/* Ask tmux again for the size that is wished, as what it depends on changed. */
void	panesize_apply(struct panes *p);

/* The control client that was typing is done, or is another one. */
void	panekeys_reset(struct panes *p);

/* Something changed, perhaps the clients; the shell pane is there. */
void	panesize_check(struct panes *p);

#endif
