/*
 * child.h - the program that the link runs at the moment: ssh, or a face of
 * ours that gets a new certificate.
 *
 * Its stderr goes line by line into the session's log.  It has no terminal, so
 * that nothing in it can ever ask, and it dies with us.
 */
#ifndef CHILD_H
#define CHILD_H

#include <sys/types.h>

#include <stdbool.h>

#include "sessiondir.h"
#include "settings.h"

#define CHILD_LINE_MAX	256	/* octets of a line, NUL included */

struct event;
struct event_base;
struct evbuffer;

enum child_kind {
	CHILD_NONE,
	CHILD_RENEW,
	CHILD_SSH
};

struct child {
	struct event_base	*base;
	const struct sessiondir	*sd;
	const struct settings	*set;
	enum child_kind		 kind;		/* what runs */
	pid_t			 pid;
	struct event		*err;		/* its stderr; NULL: closed */
	struct evbuffer		*lines;		/* what came on it */
	char			 last[CHILD_LINE_MAX];	/* the last line */
	struct event		*kill;		/* TERM was not enough */
};

/* Prepare C; the pointers must outlive it.  Returns 0, or -1: no memory. */
int	child_init(struct child *c, struct event_base *base,
	    const struct sessiondir *sd, const struct settings *s);

/* End what runs, waiting for it, and release C. */
void	child_release(struct child *c);

/* Start ssh with IO as its stdin and stdout.  0, or -1 with errno. */
int	child_start_ssh(struct child *c, int io);

/* Start a face that gets a certificate (renew_main()).  0, or -1 with errno. */
int	child_start_renew(struct child *c);

/* Make it end: TERM, and KILL if that is not enough. */
void	child_stop(struct child *c);

/*
 * SIGCHLD came.  Returns the exit status (128 + n for signal n), with its last
 * words in c->last, or -1 if it runs on or there is none.
 */
int	child_reap(struct child *c);

#endif
