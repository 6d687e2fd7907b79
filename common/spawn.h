/*
 * spawn.h - start a program, and stop it again.
 *
 * Signals are blocked over the fork, only async-signal-safe calls follow it,
 * the child gets default signal actions and an empty mask, every descriptor
 * but the three it is given is close-on-exec already, and a failure to exec is
 * told to the parent through a pipe.
 */
#ifndef SPAWN_H
#define SPAWN_H

#include <sys/types.h>

#include <stddef.h>

struct spawn {
	const char *const *argv;	/* NULL-terminated; argv[0] looked up in
					 * PATH unless it has a slash */
	const char *const *envp;	/* NULL: ours */
	const char	*path;		/* what to exec; NULL: argv[0] */
	int		 in, out, err;	/* what becomes 0, 1, 2; -1: /dev/null */
	int		 keep;		/* one more descriptor to leave open (at
					 * its number), or -1 */
	unsigned int	 flags;
};

#define SPAWN_SETSID	0x1	/* a session of its own: no controlling tty */
#define SPAWN_PGROUP	0x2	/* a process group of its own */
#define SPAWN_DEATHSIG	0x4	/* SIGTERM when our thread dies */

/* A struct spawn that gives ARGV the three standard descriptors we have. */
#define SPAWN_INIT(args) { .argv = (args), .in = 0, .out = 1, .err = 2, \
	.keep = -1 }

/*
 * Start it.  The descriptors stay open in the caller.  Returns the pid, or -1
 * with errno, exec's included (then no child is left).
 */
pid_t	spawn_start(const struct spawn *sp);

/*
 * Wait for PID.  Returns 0..255, 128 + n if signal n ended it, or -1.
 */
int	spawn_wait(pid_t pid);

/* What spawn_wait() would say of the STATUS that waitpid() gave. */
int	spawn_status(int status);

/*
 * Run ARGV to its end with stdin and stderr from and to /dev/null, its stdout
 * into BUF (NUL-terminated, cut at CAP - 1), within MS milliseconds, after
 * which it is killed.  Returns its status as spawn_wait() does, -1 with errno
 * if it could not be run, or ETIMEDOUT.
 */
int	spawn_capture(const char *const *argv, char *buf, size_t cap, int ms);

/*
 * Stop PID: TERM, wait for up to MS milliseconds, KILL, reap.
 */
void	spawn_stop(pid_t pid, int ms);

#endif
