/*
 * runtime.c - see runtime.h.
 */
#include "runtime.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

#define LOG_MAX	(1 << 20)	/* octets */

/* True if the path S is short and of letters that no program interprets. */
static bool
is_plain_path(const char *s)
{
	size_t i;

	if (s[0] != '/')
		return false;
	for (i = 0; s[i] != '\0'; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') ||
		    (s[i] >= 'A' && s[i] <= 'Z') ||
		    (s[i] >= '0' && s[i] <= '9') ||
		    strchr("/._-", s[i]) != NULL))
			return false;
	return i <= RUNTIME_DIR_MAX;
}

/* Open what exists: a directory of ours, closed to others.  -1: it is not. */
static int
open_private(const char *path)
{
	struct stat st;
	int fd;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1 || st.st_uid != geteuid() ||
	    (st.st_mode & 077) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* /tmp/tunl-UID, of this user. */
static void
tmp_path(char *path, size_t cap)
{
	(void)snprintf(path, cap, "/tmp/tunl-%lu", (unsigned long)geteuid());
}

int
runtime_open(struct runtime *rt, char *err, size_t cap)
{
	const char *xdg = getenv("XDG_RUNTIME_DIR");

	if (xdg != NULL && is_plain_path(xdg)) {
		rt->fd = open_private(xdg);
		if (rt->fd != -1) {
			(void)snprintf(rt->dir, sizeof rt->dir, "%s", xdg);
			rt->prefix = "tunl-";
			return 0;
		}
	}
	tmp_path(rt->dir, sizeof rt->dir);
	rt->prefix = "";
	rt->fd = dir_private(rt->dir);
	if (rt->fd == -1) {
		(void)snprintf(err, cap, "cannot use the directory %s: %s",
		    rt->dir, errno == EPERM ?
		    "it belongs to someone else or is open to others" :
		    strerror(errno));
		return -1;
	}
	return 0;
}

void
runtime_close(struct runtime *rt)
{
	if (rt->fd != -1)
		close(rt->fd);
	rt->fd = -1;
}

void
runtime_path(const struct runtime *rt, const char *name, const char *suffix,
    char path[RUNTIME_PATH_MAX])
{
	(void)snprintf(path, RUNTIME_PATH_MAX, "%s/%s%.64s%s", rt->dir,
	    rt->prefix, name, suffix);
}

/* True if FD is still what PATH names. */
static bool
is_in_place(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && lstat(path, &b) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int
runtime_lock(const struct runtime *rt, const char *name)
{
	char path[RUNTIME_PATH_MAX];
	int fd;

	runtime_path(rt, name, ".lock", path);
	for (;;) {
		fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
		    0600);
		if (fd == -1)
			return -1;
		while (flock(fd, LOCK_EX) == -1)
			if (errno != EINTR) {
				close(fd);
				return -1;
			}
		/* its last holder may have removed it meanwhile */
		if (is_in_place(fd, path))
			return fd;
		close(fd);
	}
}

void
runtime_unlock(const struct runtime *rt, const char *name, int lock)
{
	char path[RUNTIME_PATH_MAX];

	runtime_path(rt, name, ".lock", path);
	(void)unlink(path);
	close(lock);
}

int
runtime_log(const char *path)
{
	char dir[32], file[48];
	struct stat st;
	int fd;

	if (path == NULL) {
		tmp_path(dir, sizeof dir);
		fd = dir_private(dir);
		if (fd == -1)
			return -1;
		close(fd);
		(void)snprintf(file, sizeof file, "%s/ssh.log", dir);
		path = file;
	}
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW |
	    O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_uid != geteuid()) {
		close(fd);
		return -1;
	}
	if (st.st_size > LOG_MAX)
		(void)!ftruncate(fd, 0);
	return fd;
}
