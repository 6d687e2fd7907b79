/*
 * keeper.h - starting a session's broker, and clearing up after it.
 *
 * The keeper is the broker's parent: it holds the lock that makes the broker
 * the only one, sleeps until the broker is no more, however that came, notes
 * how, and removes its files.  The session ID goes to it through a pipe, so
 * that no command line shows it.
 */
#ifndef KEEPER_H
#define KEEPER_H

#include "relayconf.h"

enum keeper_started {
	KEEPER_READY,		/* the broker listens */
	KEEPER_BUSY,		/* there is one already, or it is just ending */
	KEEPER_FAILED		/* errno says why, or 0: see the log */
};

/*
 * Start keeper and broker of the session SID, and wait until it listens.
 * They are in a session of their own and outlive the caller.
 */
enum keeper_started keeper_start(const struct relayconf *conf,
	    const char *sid);

/* What the started program does.  Returns its exit status. */
int	keeper_main(const struct relayconf *conf);

#endif
