/*
 * castkeep.c - see castkeep.h.
 */
#include "castkeep.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "casttext.h"
#include "files.h"

#define SAME_TIME	100u	/* files that begin in the same second */
#define PART		".part"	/* of a copy that is not whole yet */

const char *
castkeep_name(const struct sessiondir *sd, char out[CASTKEEP_NAME_MAX])
{
	(void)snprintf(out, CASTKEEP_NAME_MAX, "%s.cast", sd->sid);
	return out;
}

/* ---- where to ----------------------------------------------------------- */

/* A home of somebody else's, as sudo may leave it in HOME, will not do. */
static const char *
own_home(void)
{
	const struct passwd *pw;
	const char *home = getenv("HOME");
	struct stat st;

	if (home != NULL && home[0] == '/' && stat(home, &st) == 0 &&
	    S_ISDIR(st.st_mode) && st.st_uid == geteuid())
		return home;
	pw = getpwuid(geteuid());
	return pw != NULL && pw->pw_dir[0] == '/' ? pw->pw_dir : NULL;
}

const char *
castkeep_dir(const char *setting, char *out, size_t cap)
{
	const char *home = "";
	int n;

	if (setting[0] == '~') {
		home = own_home();
		setting++;
	}
	if (home == NULL) {
		errno = ENOENT;
		return NULL;
	}
	n = snprintf(out, cap, "%s%s", home, setting);
	if (n < 0 || (size_t)n >= cap) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	return out;
}

static int
open_dir(const char *path)
{
	if (mkdir(path, 0700) == -1 && errno != EEXIST)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* When the recording FD begins; now, if it does not say. */
static time_t
began(int fd)
{
	char head[CAST_HEADER_MAX];
	ssize_t n = pread(fd, head, sizeof head, 0);
	time_t when;

	if (n > 0 && cast_read_header(head, (size_t)n, &when) > 0)
		return when;
	return time(NULL);
}

/* The Nth name to try, from 0. */
static void
make_name(const char *sid, time_t when, unsigned int n, char *out, size_t cap)
{
	char stamp[32] = "", again[16] = "";
	struct tm tm;

	if (gmtime_r(&when, &tm) != NULL)
		(void)strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm);
	if (n > 0)
		(void)snprintf(again, sizeof again, "-%u", n + 1);
	(void)snprintf(out, cap, "%s-%s%s.cast", sid, stamp, again);
}

/* ---- moving ------------------------------------------------------------- */

static int
copy_octets(int from, int to)
{
	static char buf[65536];
	ssize_t n;

	if (lseek(from, 0, SEEK_SET) == -1)
		return -1;
	while ((n = read(from, buf, sizeof buf)) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 || write_all(to, buf, (size_t)n) == -1)
			return -1;
	}
	return fsync(to);
}

/* The file FD, whole, as DIR/NAME, which is a new file.  0, or -1 (errno). */
static int
copy_file(int fd, int dir, const char *name)
{
	int to, rv, saved;

	(void)unlinkat(dir, name, 0);	/* of one who did not get so far */
	to = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (to == -1)
		return -1;
	rv = copy_octets(fd, to);
	saved = errno;
	close(to);
	if (rv == -1) {
		(void)unlinkat(dir, name, 0);
		errno = saved;
	}
	return rv;
}

/* Give FROMDIR/FROM the first free name in DIR, which goes into NAME. */
static int
link_free(int fromdir, const char *from, int dir, const char *sid, time_t when,
    char *name, size_t cap)
{
	unsigned int i;

	for (i = 0; i < SAME_TIME; i++) {
		make_name(sid, when, i, name, cap);
		if (linkat(fromdir, from, dir, name, 0) == 0)
			return 0;
		if (errno != EEXIST)
			return -1;
	}
	return -1;
}

/* To another file system: a copy, which gets its name when it is whole. */
static int
move_far(const struct sessiondir *sd, int fd, int dir, time_t when, char *name,
    size_t cap)
{
	char part[CASTKEEP_NAME_MAX + sizeof PART];
	int rv, saved;

	(void)snprintf(part, sizeof part, ".%s" PART, sd->sid);
	if (copy_file(fd, dir, part) == -1)
		return -1;
	rv = link_free(dir, part, dir, sd->sid, when, name, cap);
	if (rv == -1 && errno != EEXIST && faccessat(dir, name, F_OK,
	    AT_SYMLINK_NOFOLLOW) == -1)	/* no links there: nobody is so fast */
		rv = renameat(dir, part, dir, name);
	saved = errno;
	(void)unlinkat(dir, part, 0);
	(void)fsync(dir);
	errno = saved;
	return rv;
}

static int
move_file(const struct sessiondir *sd, const char *from, int fd, int dir,
    char *name, size_t cap)
{
	time_t when = began(fd);

	if (link_free(sd->fd, from, dir, sd->sid, when, name, cap) == -1 &&
	    (errno == EEXIST || move_far(sd, fd, dir, when, name, cap) == -1))
		return -1;
	(void)unlinkat(sd->fd, from, 0);
	return 0;
}

int
castkeep_move(const struct sessiondir *sd, const char *setting, char *out,
    size_t cap)
{
	char from[CASTKEEP_NAME_MAX], name[2 * CASTKEEP_NAME_MAX];
	char path[PATH_MAX];
	int fd, dir = -1, rv = -1, saved;

	fd = openat(sd->fd, castkeep_name(sd, from), O_RDONLY | O_NOFOLLOW |
	    O_CLOEXEC | O_NONBLOCK);
	if (fd == -1 && errno == ENOENT)
		return 0;
	if (fd != -1 && castkeep_dir(setting, path, sizeof path) != NULL &&
	    (dir = open_dir(path)) != -1)
		rv = move_file(sd, from, fd, dir, name, sizeof name);
	saved = errno;
	if (rv == 0)
		(void)snprintf(out, cap, "%s/%s", path, name);
	else
		(void)snprintf(out, cap, "%s/%s", sd->path, from);
	if (dir != -1)
		close(dir);
	if (fd != -1)
		close(fd);
	errno = saved;
	return rv == 0 ? 1 : -1;
}

int
castkeep_rescue(const struct sessiondir *sd)
{
	struct settings s;
	char path[PATH_MAX];

	if (sessiondir_load(sd, &s) == -1)
		settings_init(&s);
	return castkeep_move(sd, s.cast_dir, path, sizeof path) == -1 ? -1 : 0;
}
