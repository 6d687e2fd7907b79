/*
 * customer.h - the faces of linbit-tunl, one program started in several ways.
 *
 * The hidden ones are started with "@face" and the session directory, named by
 * a hash: no argv of theirs shows the session ID.
 */
#ifndef CUSTOMER_H
#define CUSTOMER_H

#include <stdbool.h>

struct settings;

#define LAUNCH_TOKEN_LEN	6	/* digits */

/* What the command line said. */
struct launch {
	const char	*sid;		/* NULL: the relay tells it */
	const char	*token;		/* six digits, or NULL */
	bool		 attach;
};

/* The launcher: start or find the session, and become its tmux's client. */
int	launch_main(const struct launch *la, const struct settings *s);

/* The hidden faces of the session in the directory PATH. */
int	daemon_main(const char *path);
int	chat_main(const char *path);
int	renew_main(const char *path);	/* 0, 1 refused, 75 later */
int	key_main(const char *path, const char *what);	/* "away" or "end" */
/* … and pipe_main() of pipe.h */

#endif
