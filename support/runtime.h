/*
 * runtime.h - where tunl keeps sockets and other things of the moment: in
 * $XDG_RUNTIME_DIR as "tunl-NAME", or where that cannot be had in
 * /tmp/tunl-UID as "NAME".
 *
 * The directory is private to us (0700) and of short and plain letters, so that
 * a path in it fits into a socket address and needs no quoting anywhere.
 */
#ifndef RUNTIME_H
#define RUNTIME_H

#include <stddef.h>

#define RUNTIME_DIR_MAX		66	/* octets */
#define RUNTIME_PATH_MAX	192	/* with "/tunl-", a name, NUL */

struct runtime {
	int	 fd;			/* the directory; -1: none */
	char	 dir[RUNTIME_DIR_MAX + 1];
	const char *prefix;		/* "tunl-" or "" */
};

/*
 * Find or make it.  Returns 0, or -1 with in ERR (CAP octets) which directory
 * is not ours.
 */
int	runtime_open(struct runtime *rt, char *err, size_t cap);

void	runtime_close(struct runtime *rt);

/* The path of NAME, in front of SUFFIX. */
void	runtime_path(const struct runtime *rt, const char *name,
	    const char *suffix, char path[RUNTIME_PATH_MAX]);

/*
 * Wait for the lock NAME.  Returns a descriptor for runtime_unlock(), or -1
 * with errno.  The lock's file goes away with it.
 */
int	runtime_lock(const struct runtime *rt, const char *name);
void	runtime_unlock(const struct runtime *rt, const char *name, int lock);

/*
 * Open the ssh log for appending: PATH, or ssh.log in /tmp/tunl-UID if PATH is
 * NULL.  It is begun anew when it has grown over 1 MiB.  Never follows a link.
 * Returns a descriptor, or -1: there is no log then.
 */
int	runtime_log(const char *path);

#endif
