/*
 * snapshot.h - a pane's screen as octets that repaint it on any terminal.
 *
 * Pure: it says which tmux commands to ask in one line (so that they are
 * answered at one moment), reads their answers, and writes the octets.  What
 * tmux does not report comes from vtmodes.h.
 */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>

#include "vtmodes.h"

struct evbuffer;
struct tmuxcaps;

#define SNAPSHOT_MAX		(1u << 20)	/* octets of one screen, or of one
						 * history */
#define SNAPSHOT_TABS_MAX	512

/* What a pane says of itself. */
struct snapshot_info {
	unsigned int	cols, rows;		/* 1..9999 */
	unsigned int	cx, cy;			/* cx == cols: the next character
						 * wraps first */
	bool		alternate;
	bool		saved_cursor;		/* the next two are known */
	unsigned int	saved_x, saved_y;	/* below the alternate screen */
	unsigned int	upper, lower;		/* scroll region */
	bool		cursor, insert, wrap, origin, keypad, cursor_keys;
	bool		mouse_standard, mouse_button, mouse_all;
	bool		mouse_utf8, mouse_sgr;
	unsigned int	history;		/* lines above the screen */
	char		tabs[SNAPSHOT_TABS_MAX]; /* "8,16,24" */
};

/* Octets that may stand between two lines of an answer. */
struct snapshot_text {
	const char	*s;
	size_t		 len;
};

/* What is asked of tmux. */
struct snapshot_ask {
	unsigned int	pane;
	unsigned int	rows;		/* of it, as far as is known */
	bool		alternate;	/* screen is shown, so the main one is
					 * wanted too; as far as is known */
	unsigned int	history;	/* lines above the screen, or 0 */
};

/* What tmux answered. */
struct snapshot_answer {
	struct snapshot_info	 info;
	struct snapshot_text	 screen, saved, history;
	struct snapshot_text	 pending; /* of a sequence, as \ooo */
	struct evbuffer		*rows;	/* what they point into, or NULL */
	unsigned int		 above;	/* rows that history takes */
};

/*
 * Append to LINE the commands of ASK, for one line: " ; " stands between them.
 * Returns how many.
 */
unsigned int	snapshot_commands(struct evbuffer *line,
		    const struct tmuxcaps *caps, const struct snapshot_ask *ask);

/*
 * Read the answers to the N commands of ASK; VT is what the stream said up to
 * that moment.  Returns 0; or 1 if the pane was not as far as was known: ASK is
 * set right, ask again; or -1 if they make no sense.  ANSWERS must outlive AN,
 * which snapshot_release() frees in any case.
 */
int	snapshot_read(struct snapshot_answer *an, const struct tmuxcaps *caps,
	    struct snapshot_ask *ask, const struct snapshot_text *answers,
	    unsigned int n, const struct vtmodes *vt);
void	snapshot_release(struct snapshot_answer *an);

/* Read what a pane says of itself.  Returns 0, or -1 if it does not. */
int	snapshot_parse(struct snapshot_info *info, const char *s, size_t len);

/*
 * Append to OUT what paints the pane: SCREEN is its rows as captured, SAVED those
 * below the alternate screen (used if INFO says so), VT what the stream said up
 * to that moment.  At most SNAPSHOT_MAX octets.  Returns 0, or
 * -1 with errno.
 */
int	snapshot_screen(struct evbuffer *out, const struct snapshot_info *info,
	    struct snapshot_text screen, struct snapshot_text saved,
	    const struct vtmodes *vt);

/*
 * Append to OUT what leaves the lines of HISTORY, which take ABOVE rows, in the
 * scrollback above an empty screen of INFO's size; the last ones, if they are
 * more than SNAPSHOT_MAX octets.  Returns 0, or -1 with errno.
 */
int	snapshot_history(struct evbuffer *out, const struct snapshot_info *info,
	    struct snapshot_text history, unsigned int above);

#endif
