/*
 * legproc.h - the process behind a leg, on three pipes: an ssh over the private
 * master, or where there is none `tunl leg`, which starts it and becomes that
 * ssh.
 */
#ifndef LEGPROC_H
#define LEGPROC_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#include "relaycall.h"

struct leg_conf;

#define LEGPROC_WORDS	512	/* octets of its stderr that are kept */

struct legproc {
	pid_t	 pid;			/* -1: none, or reaped */
	int	 status;		/* spawn_status(), once it is reaped */
	int	 in, out, err;		/* our ends, non-blocking; -1: closed */
	char	 words[LEGPROC_WORDS];	/* the last of what it said */
	size_t	 words_len;
};

void	legproc_init(struct legproc *lp);

/*
 * The argv of the ssh over the master of RELAY that is a leg's other end;
 * it points into both.
 */
void	legproc_argv(const struct leg_conf *conf, const struct relay *relay,
	    const char *argv[RELAY_ARGV_MAX]);

/*
 * Start it, in a session of its own, so that no key of the terminal signals it
 * and it asks nothing there; it ends with us.  0, or -1 with errno and only
 * legproc_stop() left to do.
 */
int	legproc_start(struct legproc *lp, const struct leg_conf *conf,
	    const struct relay *relay);

/* Close its stdin, on which it should end. */
void	legproc_hangup(struct legproc *lp);

/* Close the pipes, end it and reap it. */
void	legproc_stop(struct legproc *lp);

/* After SIGCHLD: true if it ended; pid is then -1. */
bool	legproc_reap(struct legproc *lp);

/* Read from its stderr; false at the end. */
bool	legproc_listen(struct legproc *lp);

/* Its last words, without the name of whose they are, or FALLBACK. */
const char *legproc_words(struct legproc *lp, const char *fallback);

#endif
