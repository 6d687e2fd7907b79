/*
 * sessiondir.c - see sessiondir.h.
 */
#include "sessiondir.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "files.h"

#define NEW	"new-"		/* in the name while the ID is not known */

/* The session ID in the directory, or -1. */
static int
read_sid(struct sessiondir *sd)
{
	size_t len;
	char *text = file_read(sd->fd, FILE_SID, SID_MAX, &len);

	if (text == NULL)
		return -1;
	if (!sid_is_valid(text, len)) {
		free(text);
		errno = EINVAL;
		return -1;
	}
	memcpy(sd->sid, text, len + 1);
	free(text);
	return 0;
}

/* Write SID into a directory that has none, or compare it. */
static int
claim(struct sessiondir *sd, const char *sid)
{
	if (read_sid(sd) == 0) {
		if (strcmp(sd->sid, sid) == 0)
			return 0;
		errno = EINVAL;
		return -1;
	}
	if (errno != ENOENT)
		return -1;
	sd->made = true;
	memcpy(sd->sid, sid, strlen(sid) + 1);
	return file_replace(sd->fd, FILE_SID, sid, strlen(sid), 0600, 0);
}

int
sessiondir_create(struct sessiondir *sd, const char *sid)
{
	int saved;

	memset(sd, 0, sizeof *sd);
	sid_hash(sid, sd->hash);
	(void)snprintf(sd->path, sizeof sd->path, SESSIONDIR_PREFIX "%s",
	    sd->hash);
	sd->fd = dir_private(sd->path);
	if (sd->fd == -1)
		return -1;
	if (claim(sd, sid) == -1) {
		saved = errno;
		sessiondir_close(sd);
		errno = saved;
		return -1;
	}
	return 0;
}

int
sessiondir_new(struct sessiondir *sd)
{
	memset(sd, 0, sizeof *sd);
	sd->made = true;
	(void)snprintf(sd->path, sizeof sd->path, SESSIONDIR_PREFIX NEW
	    "XXXXXX");
	sd->fd = mkdtemp(sd->path) != NULL ? dir_private(sd->path) : -1;
	return sd->fd == -1 ? -1 : 0;
}

int
sessiondir_settle(struct sessiondir *sd)
{
	char path[sizeof sd->path];

	if (file_replace(sd->fd, FILE_SID, sd->sid, strlen(sd->sid), 0600,
	    0) == -1)
		return -1;
	sid_hash(sd->sid, sd->hash);
	(void)snprintf(path, sizeof path, SESSIONDIR_PREFIX "%s", sd->hash);
	if (rename(sd->path, path) == -1)
		return -1;
	memcpy(sd->path, path, sizeof path);
	sessiondir_close(sd);
	return 0;
}

int
sessiondir_open(struct sessiondir *sd, const char *path)
{
	struct stat st;
	int saved;

	memset(sd, 0, sizeof *sd);
	sd->fd = -1;
	if (snprintf(sd->path, sizeof sd->path, "%s", path) >=
	    (int)sizeof sd->path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (lstat(path, &st) == -1)	/* do not make one that is gone */
		return -1;
	sd->fd = dir_private(path);
	if (sd->fd == -1)
		return -1;
	if (read_sid(sd) == -1) {
		saved = errno;
		sessiondir_close(sd);
		errno = saved;
		return -1;
	}
	sid_hash(sd->sid, sd->hash);
	return 0;
}

void
sessiondir_close(struct sessiondir *sd)
{
	if (sd->fd != -1)
		close(sd->fd);
	sd->fd = -1;
}

void
sessiondir_remove(struct sessiondir *sd)
{
	(void)dir_remove(AT_FDCWD, sd->path);
	sessiondir_close(sd);
}

static bool
is_for_record(const char *name)
{
	static const char *const names[] = { ".", "..", FILE_SID,
	    FILE_SETTINGS, FILE_LOCK };
	size_t len = strlen(name), i;

	for (i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return len > 5 && strcmp(name + len - 5, ".cast") == 0;
}

void
sessiondir_strip(struct sessiondir *sd)
{
	int fd = openat(sd->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd != -1 ? fdopendir(fd) : NULL;
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL)
		if (!is_for_record(e->d_name))
			(void)unlinkat(sd->fd, e->d_name, 0);
	if (d != NULL)
		closedir(d);
	else if (fd != -1)
		close(fd);
	sessiondir_close(sd);
}

const char *
sessiondir_file(const struct sessiondir *sd, const char *name,
    char out[SESSIONDIR_PATH_MAX])
{
	(void)snprintf(out, SESSIONDIR_PATH_MAX, "%s/%s", sd->path, name);
	return out;
}

int
sessiondir_lock(const struct sessiondir *sd, const char *name)
{
	int fd = openat(sd->fd, name, O_RDWR | O_CREAT | O_NOFOLLOW |
	    O_CLOEXEC, 0600), saved;

	if (fd == -1)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

bool
sessiondir_locked(const struct sessiondir *sd, const char *name)
{
	int fd = sessiondir_lock(sd, name);

	if (fd == -1)
		return errno == EWOULDBLOCK;
	close(fd);
	return false;
}

/* True if nobody is at work in the open directory, and it is that old. */
static bool
is_dead(const struct sessiondir *sd, unsigned int secs)
{
	struct stat st;

	return fstat(sd->fd, &st) == 0 && st.st_mtime + (time_t)secs <
	    time(NULL) && !sessiondir_locked(sd, FILE_START) &&
	    !sessiondir_locked(sd, FILE_LOCK);
}

/* Open what may be a directory of ours, NAME in /tmp. */
static int
open_named(struct sessiondir *sd, const char *name)
{
	static const char prefix[] = SESSIONDIR_PREFIX;
	const char *base = strrchr(prefix, '/') + 1;
	const char *rest = name + strlen(base);
	char path[sizeof sd->path];

	if (strncmp(name, base, strlen(base)) != 0 ||
	    strlen(rest) > SID_HASH_LEN)
		return -1;
	(void)snprintf(path, sizeof path, SESSIONDIR_PREFIX "%.*s",
	    SID_HASH_LEN, rest);
	if (strncmp(rest, NEW, strlen(NEW)) != 0)
		return strlen(rest) == SID_HASH_LEN ?
		    sessiondir_open(sd, path) : -1;
	memset(sd, 0, sizeof *sd);
	memcpy(sd->path, path, sizeof path);
	sd->fd = dir_private(path);
	return sd->fd == -1 ? -1 : 0;
}

void
sessiondir_sweep(unsigned int secs,
    int (*rescue)(const struct sessiondir *sd))
{
	struct sessiondir sd;
	struct dirent *e;
	DIR *d = opendir("/tmp");

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (open_named(&sd, e->d_name) == -1)
			continue;
		if (!is_dead(&sd, secs))
			sessiondir_close(&sd);
		else if (rescue(&sd) == -1)
			sessiondir_strip(&sd);
		else
			sessiondir_remove(&sd);
	}
	if (d != NULL)
		closedir(d);
}

int
sessiondir_save(const struct sessiondir *sd, const struct settings *s)
{
	char text[16 * SETTINGS_TEXT];
	int n = settings_format(s, text, sizeof text);

	if (n == -1) {
		errno = EMSGSIZE;
		return -1;
	}
	return file_replace(sd->fd, FILE_SETTINGS, text, (size_t)n, 0600, 0);
}

int
sessiondir_load(const struct sessiondir *sd, struct settings *s)
{
	size_t len;
	char *text = file_read(sd->fd, FILE_SETTINGS, SETTINGS_MAX, &len);
	char err[256];
	int rv;

	if (text == NULL)
		return -1;
	settings_init(s);
	rv = settings_parse(s, FILE_SETTINGS, text, len, err, sizeof err);
	free(text);
	if (rv == -1)
		errno = EINVAL;
	return rv;
}
