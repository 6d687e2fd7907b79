/*
 * joinfiles.h - the files in the directory of a joined session: a FIFO and
 * perhaps a log of each program in its windows.
 *
 * Their names end in the client id, as several tmux servers of one engineer may
 * be joined to the same session.
 */
#ifndef JOINFILES_H
#define JOINFILES_H

#include "runtime.h"

#define JOINFILES_PATH_MAX	(RUNTIME_PATH_MAX + 32)

/* The FIFO of the program NAME ("view", "chat") of CLIENT. */
void	joinfiles_path(const char *dir, const char *name, const char *client,
	    char path[JOINFILES_PATH_MAX]);

/* Remove the FIFOs of CLIENT; logs stay. */
void	joinfiles_remove(const char *dir, const char *client);

/* Remove the FIFOs that nobody listens to any more: a SIGKILL left them. */
void	joinfiles_sweep(const char *dir);

#endif
