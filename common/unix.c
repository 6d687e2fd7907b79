/*
 * unix.c - see unix.h.
 */
#include "unix.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>


/*
 * Fill SA with PATH.  If it is too long, its directory is opened into *DIRFD
 * and the name goes through that; the caller closes it after use.
 */
static int
address(const char *path, struct sockaddr_un *sa, int *dirfd)
{
	char dir[PATH_MAX];
	const char *base;
	int n;

	*dirfd = -1;
	memset(sa, 0, sizeof *sa);
	sa->sun_family = AF_UNIX;
	if (strlen(path) < sizeof sa->sun_path) {
		memcpy(sa->sun_path, path, strlen(path));
		return 0;
	}
	base = strrchr(path, '/');
	if (base == NULL || (size_t)(base - path) >= sizeof dir) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(dir, path, (size_t)(base - path));
	dir[base - path] = '\0';
	*dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*dirfd == -1)
		return -1;
	n = snprintf(sa->sun_path, sizeof sa->sun_path, "/proc/self/fd/%d%s",
	    *dirfd, base);
	if (n < 0 || (size_t)n >= sizeof sa->sun_path) {
		close(*dirfd);
		*dirfd = -1;
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

/* Close FD (which may be -1) without losing errno. */
static void
close_keep_errno(int fd)
{
	int saved = errno;

	if (fd != -1)
		close(fd);
	errno = saved;
}

int
unix_connect(const char *path)
{
	struct sockaddr_un sa;
	int s, rv, dirfd;

	if (address(path, &sa, &dirfd) == -1)
		return -1;
	s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s != -1) {
		do
			rv = connect(s, (struct sockaddr *)&sa, sizeof sa);
		while (rv == -1 && errno == EINTR);
		if (rv == -1) {
			close_keep_errno(s);
			s = -1;
		}
	}
	close_keep_errno(dirfd);
	return s;
}

int
unix_listen(const char *path, mode_t mode)
{
	struct sockaddr_un sa;
	int s, dirfd;

	if (address(path, &sa, &dirfd) == -1)
		return -1;
	s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s == -1)
		goto fail;
	(void)unlink(sa.sun_path);
	/* fchmod() before bind() gives the file its mode from the start. */
	if (fchmod(s, mode) == -1 ||
	    bind(s, (struct sockaddr *)&sa, sizeof sa) == -1 ||
	    chmod(sa.sun_path, mode) == -1 || listen(s, 128) == -1)
		goto fail;
	close_keep_errno(dirfd);
	return s;
fail:
	close_keep_errno(s);
	close_keep_errno(dirfd);
	return -1;
}

int
unix_send(int s, const void *data, size_t len, const int *fds,
    unsigned int nfds)
{
	union {
		struct cmsghdr	 align;
		char		 buf[CMSG_SPACE(UNIX_FDS_MAX * sizeof(int))];
	} ctl;
	struct iovec iov = { (void *)(size_t)data, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (nfds > UNIX_FDS_MAX || len == 0) {
		errno = EINVAL;
		return -1;
	}
	if (nfds > 0) {
		struct cmsghdr *c;

		memset(&ctl, 0, sizeof ctl);
		msg.msg_control = ctl.buf;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
	}
	do
		n = sendmsg(s, &msg, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return -1;
	/* The descriptors went with the first octet; the rest is plain. */
	while ((size_t)n < len) {
		ssize_t more = send(s, (const char *)data + n, len - (size_t)n,
		    MSG_NOSIGNAL);

		if (more == -1 && errno == EINTR)
			continue;
		if (more == -1)
			return -1;
		n += more;
	}
	return 0;
}

ssize_t
unix_recv(int s, void *buf, size_t cap, int fds[UNIX_FDS_MAX],
    unsigned int *nfds)
{
	union {
		struct cmsghdr	 align;
		char		 buf[CMSG_SPACE(UNIX_FDS_MAX * sizeof(int))];
	} ctl;
	struct iovec iov = { buf, cap };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = ctl.buf, .msg_controllen = sizeof ctl.buf };
	struct cmsghdr *c;
	size_t i, count;
	ssize_t n;
	int fd;

	*nfds = 0;
	do
		n = recvmsg(s, &msg, MSG_CMSG_CLOEXEC);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return -1;
	for (c = CMSG_FIRSTHDR(&msg); c != NULL; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < count; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (*nfds < UNIX_FDS_MAX)
				fds[(*nfds)++] = fd;
			else {	/* alignment leaves room for one more */
				close(fd);
				msg.msg_flags |= MSG_CTRUNC;
			}
		}
	}
	if ((msg.msg_flags & MSG_CTRUNC) != 0) {
		while (*nfds > 0)
			close(fds[--*nfds]);
		errno = EMSGSIZE;
		return -1;
	}
	return n;
}

int
unix_peer(int s, uid_t *uid, pid_t *pid)
{
	struct ucred cred;
	socklen_t len = sizeof cred;

	if (getsockopt(s, SOL_SOCKET, SO_PEERCRED, &cred, &len) == -1)
		return -1;
	*uid = cred.uid;
	*pid = cred.pid;
	return 0;
}
