/*
 * joinfiles.c - see joinfiles.h.
 */
#include "joinfiles.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void
joinfiles_path(const char *dir, const char *name, const char *client,
    char path[JOINFILES_PATH_MAX])
{
	(void)snprintf(path, JOINFILES_PATH_MAX, "%s/%.8s-%.16s", dir, name,
	    client);
}

void
joinfiles_remove(const char *dir, const char *client)
{
	static const char *const names[] = { "view", "chat" };
	char path[JOINFILES_PATH_MAX];
	size_t i;

	for (i = 0; i < sizeof names / sizeof names[0]; i++) {
		joinfiles_path(dir, names[i], client, path);
		(void)unlink(path);
	}
}

/* True if FD/NAME is a FIFO that no program has open for reading. */
static bool
is_abandoned(int fd, const char *name)
{
	struct stat st;
	int end;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !S_ISFIFO(st.st_mode))
		return false;
	end = openat(fd, name, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (end != -1)
		close(end);
	return end == -1 && errno == ENXIO;
}

void
joinfiles_sweep(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL)
		if (is_abandoned(dirfd(d), e->d_name))
			(void)unlinkat(dirfd(d), e->d_name, 0);
	(void)closedir(d);
}
