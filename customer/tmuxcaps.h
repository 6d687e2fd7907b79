/*
 * tmuxcaps.h - what the installed tmux can do.
 *
 * One table: a capability, since which version tmux has it, and (here) what is
 * done without it.  TUNL_TMUX_CAPS overrides what the version says, so that
 * every way of an old tmux is walked in tests on a new one, and so that a person
 * can switch off what a patched tmux gets wrong.
 */
#ifndef TMUXCAPS_H
#define TMUXCAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TMUXCAPS_VERSION_MAX	32	/* octets of a version, NUL included */

#define TMUXCAPS_OLDEST		"2.6"	/* that all is done with */

enum tmux_cap {
	TMUX_PIPE_BOTH,		/* pipe-pane -I (2.7); else control mode */
	TMUX_WINDOW_SIZE,	/* window-size, resize-window (2.9); else the
				 * smallest client and force-width */
	TMUX_ORIGIN,		/* obeys origin mode, ?6 (2.9) */
	TMUX_KEYS_HEX,		/* send-keys -H (3.0); else by code and paste */
	TMUX_MODE_FORMATS,	/* origin_flag, mouse_utf8_flag, mouse_sgr_flag
				 * (3.0); else vtmodes.h follows them */
	TMUX_MENUS,		/* display-menu (3.0) */
	TMUX_CAPTURE_BLANKS,	/* capture-pane -N (3.1); else row by row */
	TMUX_CLIENT_FLAGS,	/* attach -f, refresh-client -f: ignore-size,
				 * no-output (3.2); else resize-window */
	TMUX_MODE_RUNS,		/* a pane in copy mode goes on (3.2) */
	TMUX_CONTROL_CHEAP,	/* control mode costs nothing: no pipe (3.7) */
	TMUX_PASTE_ENCODES,	/* paste-buffer does, unless told -S (3.7) */
	TMUX_CAPS
};

struct tmuxcaps {
	char		version[TMUXCAPS_VERSION_MAX]; /* as tmux -V says it */
	uint32_t	bits;		/* 1 << enum tmux_cap */
	uint32_t	real;		/* whatever version the override says */
};

/*
 * Ask the tmux in PATH for its version, and take what OVERRIDE (the setting
 * TUNL_TMUX_CAPS; NULL or "": nothing) says instead: words separated by
 * commas, a version first ("2.6": exactly what that had), and +NAME or -NAME
 * for a capability, by its name in the table ("-pipe": control mode).  Returns
 * 0, or -1 with errno: ENOENT, there is no tmux; EPROTO, it says no version;
 * EINVAL, OVERRIDE is ill-formed.
 */
int	tmuxcaps_load(struct tmuxcaps *caps, const char *override);

static inline bool
tmuxcaps_has(const struct tmuxcaps *caps, enum tmux_cap cap)
{
	return (caps->bits & (UINT32_C(1) << cap)) != 0;
}

/*
 * The same, but a version in the override does not count: for where a new tmux
 * no longer has the old way.
 */
static inline bool
tmuxcaps_really(const struct tmuxcaps *caps, enum tmux_cap cap)
{
	return (caps->real & (UINT32_C(1) << cap)) != 0;
}

/* True if OVERRIDE has the form of tmuxcaps_load(). */
bool	tmuxcaps_is_override(const char *override);

/*
 * The version as a number: 303 for "3.3a", "3.3-rc2" and "next-3.3"; 0 for one
 * that has no number (a development build, taken for the newest).
 */
unsigned int	tmuxcaps_number(const char *version);

/* True if a tmux of this VERSION is not older than TMUXCAPS_OLDEST. */
bool	tmuxcaps_suffices(const char *version);

#endif
