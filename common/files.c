/*
 * files.c - see files.h.
 */
#include "files.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
dir_private(const char *path)
{
	struct stat st;
	int fd;

	if (mkdir(path, 0700) == -1 && errno != EEXIST)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1) {
		if (errno == ELOOP)
			errno = ENOTDIR;
		return -1;
	}
	if (fstat(fd, &st) == -1 || st.st_uid != geteuid() ||
	    (st.st_mode & 077) != 0) {
		close(fd);
		errno = EPERM;
		return -1;
	}
	return fd;
}

int
write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The file's contents and mode; the caller renames or unlinks it. */
static int
file_fill(int fd, const void *data, size_t len, mode_t mode, int sync)
{
	if (fchmod(fd, mode) == -1 || write_all(fd, data, len) == -1)
		return -1;
	return sync ? fsync(fd) : 0;
}

int
file_replace(int dirfd, const char *name, const void *data, size_t len,
    mode_t mode, int sync)
{
	char tmp[NAME_MAX + 1];
	int fd, saved;

	if (snprintf(tmp, sizeof tmp, ".%s.%ld", name, (long)getpid()) >=
	    (int)sizeof tmp) {
		errno = ENAMETOOLONG;
		return -1;
	}
	(void)unlinkat(dirfd, tmp, 0);	/* of a former process of this pid */
	fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	if (file_fill(fd, data, len, mode, sync) == -1) {
		saved = errno;
		close(fd);
		goto fail;
	}
	if (close(fd) == -1 || renameat(dirfd, tmp, dirfd, name) == -1) {
		saved = errno;
		goto fail;
	}
	if (sync && fsync(dirfd) == -1)
		return -1;
	return 0;
fail:
	(void)unlinkat(dirfd, tmp, 0);
	errno = saved;
	return -1;
}

/* Read the SIZE octets of FD, or as many as there are. */
static ssize_t
read_up_to(int fd, char *buf, size_t size)
{
	size_t got = 0;

	while (got < size) {
		ssize_t n = read(fd, buf + got, size - got);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

char *
file_read(int dirfd, const char *name, size_t max, size_t *len)
{
	struct stat st;
	char *buf = NULL;
	ssize_t n = -1;
	int fd, saved;

	/* O_NONBLOCK: a FIFO planted here must not hold us up. */
	fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC);
	if (fd == -1)
		return NULL;
	if (fstat(fd, &st) == -1)
		goto out;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		goto out;
	}
	if ((uintmax_t)st.st_size > max) {
		errno = EFBIG;
		goto out;
	}
	buf = malloc((size_t)st.st_size + 1);
	if (buf == NULL)
		goto out;
	n = read_up_to(fd, buf, (size_t)st.st_size);
	if (n >= 0)
		buf[n] = '\0';
out:
	saved = errno;
	close(fd);
	if (n < 0) {
		free(buf);
		errno = saved;
		return NULL;
	}
	if (len != NULL)
		*len = (size_t)n;
	return buf;
}

static int	dir_empty(int fd, dev_t dev);

/* Remove one entry, whatever it is; 0, or -1 with errno. */
static int
entry_remove(int dirfd, const char *name, dev_t dev)
{
	struct stat st;
	int fd, saved;

	if (unlinkat(dirfd, name, 0) == 0)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -1;
	saved = errno;
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	if (fd == -1) {
		if (errno == ENOTDIR)	/* so it was not for being one */
			errno = saved;
		return -1;
	}
	if (fstat(fd, &st) == -1 || st.st_dev != dev) {
		close(fd);
		errno = EXDEV;
		return -1;
	}
	if (dir_empty(fd, dev) == -1)
		return -1;
	return unlinkat(dirfd, name, AT_REMOVEDIR);
}

/* Remove what is in the directory FD, which is closed. */
static int
dir_empty(int fd, dev_t dev)
{
	struct dirent *e;
	DIR *d;
	int rv = 0, saved = 0;

	d = fdopendir(fd);
	if (d == NULL) {
		close(fd);
		return -1;
	}
	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		/* ENOENT: somebody else is clearing up as well */
		if (entry_remove(dirfd(d), e->d_name, dev) == -1 &&
		    errno != ENOENT && rv == 0) {
			rv = -1;
			saved = errno;
		}
	}
	closedir(d);
	if (rv == -1)
		errno = saved;
	return rv;
}

int
dir_remove(int dirfd, const char *name)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	return entry_remove(dirfd, name, st.st_dev);
}

int
fd_nonblock(int fd, int on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags == -1)
		return -1;
	flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags) == -1 ? -1 : 0;
}

void
wipe(void *p, size_t len)
{
	explicit_bzero(p, len);
}
