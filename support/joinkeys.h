/*
 * joinkeys.h - keys, menus, hooks and status line of a join session.
 */
#ifndef JOINKEYS_H
#define JOINKEYS_H

/*
 * Bind them for the session of SID, which tmux knows as NAME and whose
 * directory is DIR.  PREFIX is a tmux key; a bad one is warned of and C-b taken
 * instead.  Returns 0, or -1.
 */
int	joinkeys_bind(const char *sid, const char *name, const char *dir,
	    const char *prefix);

void	joinkeys_unbind(const char *sid);

#endif
