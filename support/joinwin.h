/*
 * joinwin.h - the local tmux session of a join: its windows, options, keys and
 * menus, and its end.
 *
 * Everything is local to that session (options, hooks, key tables of its own
 * name), so that none of the engineer's other sessions notices.
 */
#ifndef JOINWIN_H
#define JOINWIN_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime.h"
#include "settings.h"
#include "sid.h"

#define JOINWIN_NAME_MAX	(sizeof "=tunl-join-:" + SID_MAX)

struct joinwin {
	const struct settings	*set;
	const struct runtime	*rt;
	const char		*sid;
	const char		*client;	/* 16 hex digits */
	const char		*name;		/* percent-encoded */
	bool			 read_only;
	bool			 debug;
	/* joinwin_find() sets these. */
	unsigned int		 version;	/* of tmux, 303 for 3.3a */
	uint32_t		 scrollback;	/* lines that a pane keeps */
};

enum joinwin_found {
	JOINWIN_NONE,		/* or one whose session is over */
	JOINWIN_SAME,		/* there is one, with the same access */
	JOINWIN_OTHER,		/* there is one that may type and we may not,
				 * or the other way round */
	JOINWIN_NO_TMUX		/* the version says how: 0, it cannot be run */
};

/* What it is called: "=tunl-join-SID:", which no other session's name can be
 * taken for. */
void	joinwin_target(const char *sid, char name[JOINWIN_NAME_MAX]);

enum joinwin_found joinwin_find(struct joinwin *jw);

/*
 * Make the session.  COLS and ROWS are our terminal's.  Returns 0, or -1 after
 * saying why not.
 */
int	joinwin_make(const struct joinwin *jw, unsigned int cols,
	    unsigned int rows);

/*
 * Show it on this terminal: does not return but with an exit status, and not at
 * all if tmux takes this process's place.
 */
int	joinwin_attach(const struct joinwin *jw);

/*
 * Called by the programs in its windows when they leave: if the session is
 * gone, so must be its key tables and its files, and the directory unless
 * somebody else's files are in it.
 */
void	joinwin_leave(const struct runtime *rt, const char *sid,
	    const char *client);

/*
 * For the programs in its windows, which know theirs from $TMUX_PANE.
 */

/* True if we run in a window of a tmux. */
bool	joinwin_inside(void);

/* Ask for a window of this size; it comes with a SIGWINCH. */
void	joinwin_resize(unsigned int cols, unsigned int rows);

/*
 * The size that the smallest of the clients of SID's session shows, without
 * the status line; 0 0 if there are none.
 */
void	joinwin_clients(const char *sid, unsigned int *cols,
	    unsigned int *rows);

/* Show LEN octets of TEXT, anybody's words, for a moment. */
void	joinwin_notice(const char *text, size_t len);

/* From now on mark the window when something is drawn in it. */
void	joinwin_watch(void);

/* End it, and with it the caller if that is in one of its windows. */
void	joinwin_kill(const char *sid);

/* Remember that there is nothing to come back to. */
void	joinwin_over(const char *sid);

#endif
