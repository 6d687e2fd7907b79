/*
 * tmuxcaps.h - what the installed tmux can do, by its version.
 */
#ifndef TMUXCAPS_H
#define TMUXCAPS_H

#include <stddef.h>

#define TMUXCAPS_VERSION_MAX	32	/* octets of a version, NUL included */

/*
 * Ask the tmux in PATH for its version, as it prints it ("3.3a", "next-3.5").
 * Returns 0 with VERSION filled, or -1 with errno (ENOENT: there is none).
 */
int	tmuxcaps_version(char version[TMUXCAPS_VERSION_MAX]);

/*
 * The version as a number: 303 for "3.3a", "3.3-rc2" and "next-3.3"; 0 for one
 * that has no number (a development build, taken for the newest).
 */
unsigned int	tmuxcaps_number(const char *version);

/*
 * Returns NULL if a tmux of this VERSION has all that is used here, else the
 * first thing that it lacks, in words.
 */
const char	*tmuxcaps_missing(const char *version);

#endif
