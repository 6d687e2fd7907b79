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

#define SNAPSHOT_MAX		(1u << 20)	/* octets of one screen, or of one
						 * history */
#define SNAPSHOT_TABS_MAX	512

/* What a pane says of itself: the answer to SNAPSHOT_FORMAT. */
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

#define SNAPSHOT_FORMAT							\
	"#{pane_width} #{pane_height} #{cursor_x} #{cursor_y} "		\
	"#{alternate_on} #{alternate_saved_x} #{alternate_saved_y} "	\
	"#{scroll_region_upper} #{scroll_region_lower} #{cursor_flag} "	\
	"#{insert_flag} #{wrap_flag} #{origin_flag} #{keypad_flag} "	\
	"#{keypad_cursor_flag} #{mouse_standard_flag} "			\
	"#{mouse_button_flag} #{mouse_all_flag} #{mouse_utf8_flag} "	\
	"#{mouse_sgr_flag} #{history_size} #{pane_tabs}"

/* Octets that may stand between two lines of an answer. */
struct snapshot_text {
	const char	*s;
	size_t		 len;
};

/* Read the answer to SNAPSHOT_FORMAT.  Returns 0, or -1 if it is none. */
int	snapshot_parse(struct snapshot_info *info, const char *s, size_t len);

/*
 * Append to OUT what paints the pane: SCREEN is what capture-pane -p -e -N
 * gave, SAVED what it gave with -a -q (used if INFO says so), VT what the
 * stream said up to that moment.  At most SNAPSHOT_MAX octets.  Returns 0, or
 * -1 with errno.
 */
int	snapshot_screen(struct evbuffer *out, const struct snapshot_info *info,
	    struct snapshot_text screen, struct snapshot_text saved,
	    const struct vtmodes *vt);

/*
 * Append to OUT what leaves the lines of HISTORY (capture-pane -p -e -N -S -n
 * -E -1) in the scrollback above an empty screen of INFO's size; the last ones,
 * if they are more than SNAPSHOT_MAX octets.  Returns 0, or -1 with errno.
 */
int	snapshot_history(struct evbuffer *out, const struct snapshot_info *info,
	    struct snapshot_text history);

#endif
