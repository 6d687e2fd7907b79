/*
 * grantdir.c - see grantdir.h.
 */
#include "grantdir.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "grant.h"
#include "log.h"
#include "store.h"

int
grantdir_open(const char *run_dir)
{
	char path[PATH_MAX];
	struct stat st;
	int fd;

	if (snprintf(path, sizeof path, "%s/" GRANT_DIR, run_dir) >=
	    (int)sizeof path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (mkdir(path, 0755) == -1 && errno != EEXIST)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1 || st.st_uid != geteuid()) {
		close(fd);
		errno = EPERM;
		return -1;
	}
	if (fchmod(fd, 0755) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The names that belong in there. */
struct rebuild {
	int	  dirfd;
	char	**names;
	size_t	  n, room;
	int	  failed;
};

static void
remember(struct rebuild *rb, const char *name)
{
	char **more;

	if (rb->n == rb->room) {
		rb->room = rb->room * 2 + 64;
		more = realloc(rb->names, rb->room * sizeof *more);
		if (more == NULL) {
			rb->failed = 1;
			rb->room = rb->n;
			return;
		}
		rb->names = more;
	}
	rb->names[rb->n] = strdup(name);
	if (rb->names[rb->n] == NULL)
		rb->failed = 1;
	else
		rb->n++;
}

static void
put_grant(void *arg, const struct grant *g)
{
	struct rebuild *rb = arg;

	remember(rb, g->sid);
	if (grant_write(rb->dirfd, g) == -1) {
		log_warn("cannot write a grant file");
		rb->failed = 1;
	}
}

static void
put_link(void *arg, const char *sid, uint64_t serial)
{
	struct rebuild *rb = arg;
	char name[24];

	(void)snprintf(name, sizeof name, "%" PRIu64, serial);
	remember(rb, name);
	if (grant_link(rb->dirfd, sid, serial) == -1) {
		log_warn("cannot link a grant file");
		rb->failed = 1;
	}
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Everything that was not put there goes, half-written files included. */
static int
remove_others(struct rebuild *rb)
{
	struct dirent *e;
	const char *name;
	DIR *d;
	int fd;

	if (rb->n > 0)
		qsort(rb->names, rb->n, sizeof *rb->names, compare);
	fd = openat(rb->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd != -1 ? fdopendir(fd) : NULL;
	if (d == NULL)
		return -1;
	while ((e = readdir(d)) != NULL) {
		name = e->d_name;
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		    (rb->n > 0 && bsearch(&name, rb->names, rb->n,
		    sizeof *rb->names, compare) != NULL))
			continue;
		(void)unlinkat(rb->dirfd, name, 0);
	}
	closedir(d);
	return 0;
}

int
grantdir_rebuild(int dirfd, struct store *st, int64_t now)
{
	struct rebuild rb = { .dirfd = dirfd };
	int rv = -1;

	if (store_grants(st, put_grant, &rb) == STORE_OK &&
	    store_serials(st, now, put_link, &rb) == STORE_OK && !rb.failed)
		rv = remove_others(&rb);
	while (rb.n > 0)
		free(rb.names[--rb.n]);
	free(rb.names);
	return rv;
}

static void
drop_grant(void *arg, const char *sid)
{
	(void)unlinkat(*(const int *)arg, sid, 0);
}

static void
drop_link(void *arg, const char *sid, uint64_t serial)
{
	char name[24];

	(void)sid;
	(void)snprintf(name, sizeof name, "%" PRIu64, serial);
	(void)unlinkat(*(const int *)arg, name, 0);
}

void
grantdir_sweep(int dirfd, struct store *st, int64_t now)
{
	(void)store_expire_grants(st, now, drop_grant, &dirfd);
	(void)store_expire_serials(st, now, drop_link, &dirfd);
}
