/*
 * server.h - the session's tmux server, by tmux's own command line: what is
 * done before there is a control client, or after it.
 */
#ifndef SERVER_H
#define SERVER_H

#include <stdbool.h>

#include "sessiondir.h"
#include "settings.h"

/* The name of the session of SD, as an exact target; OUT has 32 octets. */
#define SERVER_TARGET_MAX	32
const char	*server_target(const struct sessiondir *sd,
	    char out[SERVER_TARGET_MAX]);

/* True if the server runs and has the session. */
bool	server_runs(const struct sessiondir *sd);

/* End it, if it runs. */
void	server_kill(const struct sessiondir *sd);

/* True if tmux takes KEY for a prefix; asked of a server of its own. */
bool	server_takes_key(const struct sessiondir *sd, const char *key);

/*
 * Write its configuration.  Returns 0, or -1 with errno: EINVAL if this program
 * lies in a directory whose name may not stand in a shell's line.
 */
int	server_configure(const struct sessiondir *sd, const struct settings *s);

/* Start it, with one window that nobody sees, in which the daemon runs.  0, or
 * -1. */
int	server_start(const struct sessiondir *sd);

/* Start a daemon in another such window.  0, or -1. */
int	server_add_daemon(const struct sessiondir *sd);

#endif
