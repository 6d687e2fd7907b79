/*
 * upload.c - see upload.h: the directory, and the jobs that intake.c does, tied
 * to requests and to the loop.
 */
#include "upload.h"

#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "files.h"
#include "log.h"
#include "request.h"
#include "sha256.h"

#define IDLE_MAX	64	/* whose hashes are remembered between requests */

/* An upload that is worked on, or was a while ago. */
struct live {
	TAILQ_ENTRY(live)	 entry;
	char			 id[UPLOAD_ID_LEN + 1];
	struct uploads		*u;
	struct intake		*intake;
	bool			 busy;
	struct request		*rq;	/* NULL: it went away */
	upload_done		*done;
};

struct uploads {
	struct intake_conf	 intake;
	unsigned int		 parallel, busy, idle;
	struct event		*woken;
	TAILQ_HEAD(lives, live)	 lives;	/* last used last */
};

/* ---- jobs ---- */

static void
live_free(struct live *l)
{
	TAILQ_REMOVE(&l->u->lives, l, entry);
	intake_free(l->intake);
	free(l);
}

static struct live *
live_find(struct uploads *u, const char *id)
{
	struct live *l;

	TAILQ_FOREACH(l, &u->lives, entry)
		if (strcmp(l->id, id) == 0)
			return l;
	return NULL;
}

static struct live *
live_new(struct uploads *u, const char *id)
{
	struct live *l;

	l = calloc(1, sizeof *l);
	if (l == NULL)
		return NULL;
	l->u = u;
	(void)snprintf(l->id, sizeof l->id, "%s", id);
	l->intake = intake_new(&u->intake, id);
	if (l->intake == NULL) {
		free(l);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&u->lives, l, entry);
	u->idle++;
	return l;
}

/* The longest idle one is made anew when it is wanted. */
static void
forget_idle(struct uploads *u)
{
	struct live *l, *next;

	for (l = TAILQ_FIRST(&u->lives); l != NULL && u->idle > IDLE_MAX;
	    l = next) {
		next = TAILQ_NEXT(l, entry);
		if (l->busy)
			continue;
		live_free(l);
		u->idle--;
	}
}

static void
job_over(struct live *l, enum intake_result result,
    const unsigned char digest[INTAKE_DIGEST])
{
	struct uploads *u = l->u;
	struct request *rq = l->rq;

	l->busy = false;
	l->rq = NULL;
	u->busy--;
	u->idle++;
	TAILQ_REMOVE(&u->lives, l, entry);
	TAILQ_INSERT_TAIL(&u->lives, l, entry);
	if (rq != NULL)
		l->done(rq, result, digest);
}

static void
look(struct live *l)
{
	unsigned char digest[INTAKE_DIGEST];
	enum intake_result result;
	int errnum;

	if (intake_done(l->intake, &result, digest, &errnum)) {
		if (result == INTAKE_ERROR)
			log_warnx("upload %s: %s", l->id, strerror(errnum));
		job_over(l, result, digest);
	} else if (l->rq != NULL && intake_has_room(l->intake))
		request_resume(l->rq);
}

static void
woken_cb(evutil_socket_t fd, short what, void *arg)
{
	struct uploads *u = arg;
	struct live *l, *next;
	eventfd_t n;

	(void)what;
	(void)eventfd_read(fd, &n);
	for (l = TAILQ_FIRST(&u->lives); l != NULL; l = next) {
		next = TAILQ_NEXT(l, entry);
		if (l->busy)
			look(l);
	}
	forget_idle(u);
}

/* Called by the threads. */
static void
wake(void *arg)
{
	const struct uploads *u = arg;

	(void)eventfd_write(event_get_fd(u->woken), 1);
}

/* ---- requests ---- */

static size_t
sink_take(struct request *rq, const void *data, size_t len)
{
	struct live *l = rq->sink_arg;

	return intake_put(l->intake, data, len);
}

static void
sink_end(struct request *rq, bool whole)
{
	struct live *l = rq->sink_arg;

	if (!whole)
		l->rq = NULL;
	intake_end(l->intake);
}

static const struct request_sink sink = { sink_take, sink_end };

/* The upload's, if it may be given a job; else *WHY. */
static struct live *
live_ready(struct uploads *u, const char *id, enum upload_start *why)
{
	struct live *l = live_find(u, id);

	*why = UPLOAD_BUSY;
	if (l != NULL && l->busy)
		return NULL;
	*why = UPLOAD_MANY;
	if (u->busy >= u->parallel)
		return NULL;
	*why = UPLOAD_FAILED;
	return l != NULL ? l : live_new(u, id);
}

static enum upload_start
job_begun(struct live *l, int rv, struct request *rq, upload_done *done)
{
	if (rv == -1) {
		log_warn("upload %s: cannot begin", l->id);
		return UPLOAD_FAILED;
	}
	l->busy = true;
	l->rq = rq;
	l->done = done;
	l->u->busy++;
	l->u->idle--;
	return UPLOAD_STARTED;
}

enum upload_start
upload_receive(struct uploads *u, struct request *rq, const char *id,
    uint64_t offset, upload_done *done)
{
	enum upload_start r;
	struct live *l = live_ready(u, id, &r);

	if (l == NULL)
		return r;
	r = job_begun(l, intake_receive(l->intake, offset), rq, done);
	if (r == UPLOAD_STARTED) {
		rq->sink = &sink;
		rq->sink_arg = l;
	}
	return r;
}

enum upload_start
upload_finish(struct uploads *u, struct request *rq, const char *id,
    uint64_t size, const unsigned char want[INTAKE_DIGEST], upload_done *done)
{
	enum upload_start r;
	struct live *l = live_ready(u, id, &r);

	if (l == NULL)
		return r;
	return job_begun(l, intake_finish(l->intake, size, want), rq, done);
}

/* ---- files ---- */

int
upload_draw_id(char id[UPLOAD_ID_LEN + 1])
{
	unsigned char raw[UPLOAD_ID_LEN / 2];
	ssize_t n;

	do
		n = getrandom(raw, sizeof raw, 0);
	while (n == -1 && errno == EINTR);
	if (n != (ssize_t)sizeof raw)
		return -1;
	sha256_hex(raw, sizeof raw, id);
	return 0;
}

uint64_t
upload_offset(struct uploads *u, const char *id)
{
	struct live *l = live_find(u, id);

	if (l != NULL && l->busy)
		return intake_written(l->intake);
	return intake_offset(&u->intake, id);
}

bool
upload_is_busy(struct uploads *u, const char *id)
{
	struct live *l = live_find(u, id);

	return l != NULL && l->busy;
}

unsigned int
uploads_busy(const struct uploads *u)
{
	return u->busy;
}

uint64_t
uploads_room(struct uploads *u)
{
	struct statvfs vfs;
	uint64_t room;

	if (fstatvfs(u->intake.dirfd, &vfs) == -1)
		return 0;
	room = (uint64_t)vfs.f_bavail * vfs.f_frsize;
	return room > u->intake.floor ? room - u->intake.floor : 0;
}

int
upload_open(struct uploads *u, const char *id, uint64_t *size)
{
	struct stat st;
	int fd;

	fd = openat(u->intake.dirfd, id, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -1;
	}
	*size = (uint64_t)st.st_size;
	return fd;
}

void
upload_remove(struct uploads *u, const char *id)
{
	char part[UPLOAD_ID_LEN + sizeof ".part"];
	struct live *l = live_find(u, id);

	if (l != NULL) {
		live_free(l);
		u->idle--;
	}
	(void)snprintf(part, sizeof part, "%s.part", id);
	if ((unlinkat(u->intake.dirfd, part, 0) == -1 && errno != ENOENT) ||
	    (unlinkat(u->intake.dirfd, id, 0) == -1 && errno != ENOENT))
		log_warn("upload %s: cannot remove it", id);
}

void
uploads_sweep(struct uploads *u, bool (*is_known)(void *arg, const char *id),
    void *arg)
{
	int fd = openat(u->intake.dirfd, ".", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC);
	char id[UPLOAD_ID_LEN + 1];
	struct dirent *de;
	size_t n;
	DIR *d = fd != -1 ? fdopendir(fd) : NULL;

	while (d != NULL && (de = readdir(d)) != NULL) {
		n = strcspn(de->d_name, ".");
		if (!upload_is_id(de->d_name, n) || (de->d_name[n] != '\0' &&
		    strcmp(de->d_name + n, ".part") != 0))
			continue;	/* none of ours */
		(void)snprintf(id, sizeof id, "%.*s", (int)n, de->d_name);
		if (!is_known(arg, id)) {
			log_info("upload %s: nobody's, removed", id);
			upload_remove(u, id);
		}
	}
	if (d != NULL)
		(void)closedir(d);
	else if (fd != -1)
		close(fd);
}

/* ---- start, stop ---- */

struct uploads *
uploads_new(const struct uploads_conf *conf)
{
	char path[PATH_MAX];
	struct uploads *u;
	int fd;

	u = calloc(1, sizeof *u);
	if (u == NULL)
		return NULL;
	(void)snprintf(path, sizeof path, "%s/uploads", conf->data_dir);
	u->parallel = conf->parallel;
	u->intake = (struct intake_conf){ .floor = conf->floor, .wake = wake,
	    .wake_arg = u };
	TAILQ_INIT(&u->lives);
	u->intake.dirfd = dir_private(path);
	fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (fd != -1)
		u->woken = event_new(conf->base, fd, EV_READ | EV_PERSIST,
		    woken_cb, u);
	if (u->intake.dirfd != -1 && u->woken != NULL &&
	    event_add(u->woken, NULL) == 0)
		return u;
	if (u->woken == NULL && fd != -1)
		close(fd);
	uploads_free(u);
	return NULL;
}

void
uploads_set_limits(struct uploads *u, uint64_t floor, unsigned int parallel)
{
	u->intake.floor = floor;
	u->parallel = parallel;
}

void
uploads_free(struct uploads *u)
{
	struct live *l;
	int fd;

	while ((l = TAILQ_FIRST(&u->lives)) != NULL) {
		if (l->rq != NULL)
			request_fail(l->rq, 503, "the relay is stopping; go "
			    "on where it is then");
		live_free(l);
	}
	if (u->woken != NULL) {
		fd = event_get_fd(u->woken);
		event_free(u->woken);
		close(fd);
	}
	if (u->intake.dirfd != -1)
		close(u->intake.dirfd);
	free(u);
}
