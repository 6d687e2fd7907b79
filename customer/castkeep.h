/*
 * castkeep.h - where the customer's copy of the record goes when its session is
 * over: out of the session's directory, into the one of TUNL_CAST_DIR, as
 * SID-TIME.cast.
 *
 * Nothing is ever overwritten, nor lost: what cannot be moved stays where it is
 * until a later start of linbit-tunl tries again.
 */
#ifndef CASTKEEP_H
#define CASTKEEP_H

#include <stddef.h>

#include "sessiondir.h"

#define CASTKEEP_NAME_MAX	64	/* a file name in SD, NUL included */

/* The name of the recording in SD, into OUT. */
const char	*castkeep_name(const struct sessiondir *sd,
	    char out[CASTKEEP_NAME_MAX]);

/*
 * The directory that SETTING, the value of TUNL_CAST_DIR, names: a leading "~"
 * is the home of the effective user.  Returns OUT, or NULL with errno if there
 * is no such home or no room.
 */
const char	*castkeep_dir(const char *setting, char *out, size_t cap);

/*
 * Move the recording of SD to the directory of SETTING, which is made (0700) if
 * it is not there.  Returns 1 with its new path in OUT, 0 if there is no
 * recording, or -1 with errno and the path where it still is.
 */
int		castkeep_move(const struct sessiondir *sd, const char *setting,
	    char *out, size_t cap);

/*
 * Before SD is removed: the same, by the settings in it.  Returns 0, or -1 if
 * the recording is still there.
 */
int		castkeep_rescue(const struct sessiondir *sd);

#endif
