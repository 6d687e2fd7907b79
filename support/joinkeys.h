/*
 * joinkeys.h - keys, menus, hooks and status line of a join session.
 */
#ifndef JOINKEYS_H
#define JOINKEYS_H

struct joinwin;

/*
 * Bind them for the session of JW, which tmux knows as NAME and whose programs
 * have their FIFOs in DIR.  The prefix is a tmux key; a bad one is warned of
 * and C-b taken instead.  Returns 0, or -1.
 */
int	joinkeys_bind(const struct joinwin *jw, const char *name,
	    const char *dir);

void	joinkeys_unbind(const char *sid);

#endif
