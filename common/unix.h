/*
 * unix.h - unix stream sockets: names of any length, descriptors, peers.
 */
#ifndef UNIX_H
#define UNIX_H

#include <sys/types.h>

#include <stddef.h>

#define UNIX_FDS_MAX	3

/*
 * Connect to the socket PATH; blocking, close-on-exec.  A path longer than
 * sun_path goes through /proc/self/fd.  Returns the descriptor, or -1.
 */
int	unix_connect(const char *path);

/*
 * Listen at PATH with MODE, non-blocking, close-on-exec.  A socket that is
 * there is replaced: the caller holds the lock that makes it stale.
 * Returns the descriptor, or -1.
 */
int	unix_listen(const char *path, mode_t mode);

/*
 * Send LEN octets with NFDS (at most UNIX_FDS_MAX) descriptors on a blocking
 * socket.  Returns 0, or -1.
 */
int	unix_send(int s, const void *data, size_t len, const int *fds,
	    unsigned int nfds);

/*
 * One recvmsg().  Descriptors that come with it are close-on-exec in FDS, their
 * number in *NFDS; more of them than fit are closed and errno is EMSGSIZE.
 * Returns the octets read (0 at end of file), or -1.
 */
ssize_t	unix_recv(int s, void *buf, size_t cap, int fds[UNIX_FDS_MAX],
	    unsigned int *nfds);

/* Who is at the other end (SO_PEERCRED).  Returns 0, or -1. */
int	unix_peer(int s, uid_t *uid, pid_t *pid);

#endif
