/*
 * intake.c - see intake.h.
 */
#include "intake.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#define STRIDE		(4u << 20)	/* octets between two looks at the disk */
#define STACK		(128u << 10)	/* octets */
#define BLOCK		(64u << 10)	/* octets read at a time */

enum job { RECEIVE, FINISH };

struct intake {
	const struct intake_conf *conf;
	char		 part[INTAKE_NAME_MAX + sizeof ".part"];
	char		 name[INTAKE_NAME_MAX + 1];

	/* The thread's while it runs, else the loop's. */
	pthread_t	 thread;
	bool		 running;
	enum job	 job;
	int		 fd;
	EVP_MD_CTX	*hash;
	uint64_t	 hashed;	/* octets in it, from the first on */
	uint64_t	 at, synced;	/* written; told to go to the disk */
	uint64_t	 size;		/* FINISH */
	bool		 has_want;
	unsigned char	 want[INTAKE_DIGEST], digest[INTAKE_DIGEST];
	enum intake_result result;
	int		 errnum;

	/* Both threads'. */
	pthread_mutex_t	 lock;
	pthread_cond_t	 more;		/* octets, or the end */
	unsigned char	*buf;		/* a ring; INTAKE_BUFFER octets */
	uint64_t	 put, got;	/* octets ever put in and taken out */
	uint64_t	 written;
	bool		 ended, starved, over;
};

/* ---- the thread's side ---- */

static void
failed(struct intake *in)
{
	in->errnum = errno;
	in->result = errno == ENOSPC || errno == EDQUOT ? INTAKE_FULL :
	    INTAKE_ERROR;
}

static int
hash_reset(struct intake *in)
{
	in->hashed = 0;
	if (in->hash == NULL)
		in->hash = EVP_MD_CTX_new();
	if (in->hash != NULL &&
	    EVP_DigestInit_ex(in->hash, EVP_sha256(), NULL) == 1)
		return 0;
	errno = ENOMEM;
	return -1;
}

static int
hash_add(struct intake *in, const void *data, size_t len)
{
	if (EVP_DigestUpdate(in->hash, data, len) != 1) {
		errno = ENOMEM;
		return -1;
	}
	in->hashed += len;
	return 0;
}

/*
 * Bring the hash to the octet END of the file.  It mostly is there; after a
 * restart it is made again from what is on the disk.
 */
static int
hash_catch_up(struct intake *in, uint64_t end)
{
	unsigned char *block;
	ssize_t n = 0;
	int rv = 0;

	if ((in->hash == NULL || in->hashed > end) && hash_reset(in) == -1)
		return -1;
	if (in->hashed == end)
		return 0;
	block = malloc(BLOCK);
	if (block == NULL)
		return -1;
	while (rv == 0 && in->hashed < end) {
		n = pread(in->fd, block, end - in->hashed < BLOCK ?
		    (size_t)(end - in->hashed) : BLOCK, (off_t)in->hashed);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO;	/* shorter than it was */
		rv = n <= 0 ? -1 : hash_add(in, block, (size_t)n);
	}
	free(block);
	return rv;
}

static int
room_on_disk(struct intake *in)
{
	struct statvfs vfs;

	if (fstatvfs(in->fd, &vfs) == -1)
		return -1;
	if ((uint64_t)vfs.f_bavail * vfs.f_frsize >= in->conf->floor)
		return 0;
	errno = ENOSPC;
	return -1;
}

/*
 * Every so often: is there room still?  And have the disk begin with what it
 * has got, waiting for what it began with before.  So little of it is ever
 * unwritten that neither the last fsync nor anybody else's takes long.
 */
static int
stride(struct intake *in)
{
	uint64_t before = in->synced < STRIDE ? 0 : in->synced - STRIDE;

	if (in->at - in->synced < STRIDE)
		return 0;
	if (in->synced > 0)
		(void)sync_file_range(in->fd, (off_t)before,
		    (off_t)(in->synced - before), SYNC_FILE_RANGE_WAIT_BEFORE |
		    SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
	(void)sync_file_range(in->fd, (off_t)in->synced,
	    (off_t)(in->at - in->synced), SYNC_FILE_RANGE_WRITE);
	in->synced = in->at;
	return room_on_disk(in);
}

static int
write_out(struct intake *in, const unsigned char *p, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = pwrite(in->fd, p, len, (off_t)in->at);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 || hash_add(in, p, (size_t)n) == -1)
			return -1;
		in->at += (uint64_t)n;
		p += n;
		len -= (size_t)n;
	}
	return stride(in);
}

/* What there is to write, in one piece; 0 at the end.  Waits. */
static size_t
wait_for_octets(struct intake *in, const unsigned char **p)
{
	size_t n, from;

	(void)pthread_mutex_lock(&in->lock);
	while (in->put == in->got && !in->ended)
		(void)pthread_cond_wait(&in->more, &in->lock);
	from = (size_t)(in->got % INTAKE_BUFFER);
	n = (size_t)(in->put - in->got);
	(void)pthread_mutex_unlock(&in->lock);
	*p = in->buf + from;
	return n < INTAKE_BUFFER - from ? n : INTAKE_BUFFER - from;
}

static void
octets_gone(struct intake *in, size_t n)
{
	bool wake;

	(void)pthread_mutex_lock(&in->lock);
	in->got += n;
	in->written = in->at;
	wake = in->starved && in->put - in->got <= INTAKE_BUFFER / 2;
	(void)pthread_mutex_unlock(&in->lock);
	if (wake)
		in->conf->wake(in->conf->wake_arg);
}

static int
receive(struct intake *in)
{
	const unsigned char *p;
	size_t n;

	if (hash_catch_up(in, in->at) == -1 || room_on_disk(in) == -1)
		return -1;
	while ((n = wait_for_octets(in, &p)) > 0) {
		if (write_out(in, p, n) == -1)
			return -1;
		octets_gone(in, n);
	}
	return 0;
}

/* Give NAME.part its name, durably; it may have it, or both names, already. */
static int
give_name(struct intake *in)
{
	int d = in->conf->dirfd;

	if (linkat(d, in->part, d, in->name, 0) == -1 && errno != EEXIST &&
	    errno != ENOENT)
		return -1;
	if (unlinkat(d, in->part, 0) == -1 && errno != ENOENT)
		return -1;
	return fsync(d);
}

/* (It has its name if we were killed as it was just given one.) */
static int
mismatch(struct intake *in)
{
	(void)unlinkat(in->conf->dirfd, in->part, 0);
	(void)unlinkat(in->conf->dirfd, in->name, 0);
	EVP_MD_CTX_free(in->hash);
	in->hash = NULL;
	in->hashed = 0;
	in->result = INTAKE_MISMATCH;
	return 0;
}

static int
finish(struct intake *in)
{
	struct stat st;
	unsigned int len = sizeof in->digest;

	if (fstat(in->fd, &st) == -1)
		return -1;
	if ((uint64_t)st.st_size != in->size)
		return mismatch(in);
	if (hash_catch_up(in, in->size) == -1)
		return -1;
	in->hashed = UINT64_MAX;	/* of no more use */
	if (EVP_DigestFinal_ex(in->hash, in->digest, &len) != 1) {
		errno = EIO;
		return -1;
	}
	if (in->has_want &&
	    CRYPTO_memcmp(in->digest, in->want, sizeof in->want) != 0)
		return mismatch(in);
	if (fdatasync(in->fd) == -1)
		return -1;
	return give_name(in);
}

static int
open_file(struct intake *in)
{
	in->fd = openat(in->conf->dirfd, in->part, O_RDWR | O_CLOEXEC |
	    O_NOFOLLOW | (in->job == RECEIVE ? O_CREAT : 0), 0600);
	if (in->fd == -1 && in->job == FINISH && errno == ENOENT)
		in->fd = openat(in->conf->dirfd, in->name,
		    O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	return in->fd == -1 ? -1 : 0;
}

static void *
thread_main(void *arg)
{
	struct intake *in = arg;

	if (open_file(in) == -1 ||
	    (in->job == RECEIVE ? receive : finish)(in) == -1)
		failed(in);
	/* Also after a failure: what the size promises is to be there. */
	if (in->job == RECEIVE && in->fd != -1 && fdatasync(in->fd) == -1 &&
	    in->result == INTAKE_OK)
		failed(in);
	if (in->fd != -1)
		close(in->fd);
	in->fd = -1;
	(void)pthread_mutex_lock(&in->lock);
	in->over = true;
	(void)pthread_mutex_unlock(&in->lock);
	in->conf->wake(in->conf->wake_arg);
	return NULL;
}

/* ---- the loop's side ---- */

/* A thread with a small stack that no signal is delivered to. */
static int
start(struct intake *in, enum job job)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int e;

	in->job = job;
	in->result = INTAKE_OK;
	in->errnum = 0;
	in->put = in->got = 0;
	in->ended = in->starved = in->over = false;
	(void)sigfillset(&all);
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, STACK);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	e = pthread_create(&in->thread, &attr, thread_main, in);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	(void)pthread_attr_destroy(&attr);
	in->running = e == 0;
	errno = e;
	return e == 0 ? 0 : -1;
}

struct intake *
intake_new(const struct intake_conf *conf, const char *name)
{
	struct intake *in;

	in = calloc(1, sizeof *in);
	if (in == NULL)
		return NULL;
	in->conf = conf;
	in->fd = -1;
	(void)snprintf(in->name, sizeof in->name, "%s", name);
	(void)snprintf(in->part, sizeof in->part, "%s.part", in->name);
	(void)pthread_mutex_init(&in->lock, NULL);
	(void)pthread_cond_init(&in->more, NULL);
	return in;
}

void
intake_free(struct intake *in)
{
	if (in->running) {
		intake_end(in);
		(void)pthread_join(in->thread, NULL);
	}
	EVP_MD_CTX_free(in->hash);
	(void)pthread_cond_destroy(&in->more);
	(void)pthread_mutex_destroy(&in->lock);
	free(in->buf);
	free(in);
}

uint64_t
intake_offset(const struct intake_conf *conf, const char *name)
{
	char part[INTAKE_NAME_MAX + sizeof ".part"];
	struct stat st;

	(void)snprintf(part, sizeof part, "%.*s.part", INTAKE_NAME_MAX, name);
	if (fstatat(conf->dirfd, part, &st, AT_SYMLINK_NOFOLLOW) == -1 &&
	    fstatat(conf->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return 0;
	return (uint64_t)st.st_size;
}

int
intake_receive(struct intake *in, uint64_t offset)
{
	in->buf = malloc(INTAKE_BUFFER);
	if (in->buf == NULL)
		return -1;
	in->at = in->synced = in->written = offset;
	if (start(in, RECEIVE) == 0)
		return 0;
	free(in->buf);
	in->buf = NULL;
	return -1;
}

size_t
intake_put(struct intake *in, const void *data, size_t len)
{
	size_t room, at, first;

	(void)pthread_mutex_lock(&in->lock);
	room = INTAKE_BUFFER - (size_t)(in->put - in->got);
	in->starved = len > room;
	(void)pthread_mutex_unlock(&in->lock);
	if (len > room)
		len = room;
	at = (size_t)(in->put % INTAKE_BUFFER);
	first = len < INTAKE_BUFFER - at ? len : INTAKE_BUFFER - at;
	memcpy(in->buf + at, data, first);
	memcpy(in->buf, (const unsigned char *)data + first, len - first);
	(void)pthread_mutex_lock(&in->lock);
	in->put += len;
	(void)pthread_cond_signal(&in->more);
	(void)pthread_mutex_unlock(&in->lock);
	return len;
}

bool
intake_has_room(struct intake *in)
{
	bool room;

	(void)pthread_mutex_lock(&in->lock);
	room = in->starved && in->put - in->got <= INTAKE_BUFFER / 2;
	if (room)
		in->starved = false;
	(void)pthread_mutex_unlock(&in->lock);
	return room;
}

void
intake_end(struct intake *in)
{
	(void)pthread_mutex_lock(&in->lock);
	in->ended = true;
	(void)pthread_cond_signal(&in->more);
	(void)pthread_mutex_unlock(&in->lock);
}

int
intake_finish(struct intake *in, uint64_t size,
    const unsigned char want[INTAKE_DIGEST])
{
	in->size = size;
	in->has_want = want != NULL;
	if (want != NULL)
		memcpy(in->want, want, INTAKE_DIGEST);
	return start(in, FINISH);
}

bool
intake_done(struct intake *in, enum intake_result *result,
    unsigned char digest[INTAKE_DIGEST], int *errnum)
{
	bool over;

	(void)pthread_mutex_lock(&in->lock);
	over = in->running && in->over;
	(void)pthread_mutex_unlock(&in->lock);
	if (!over)
		return false;
	(void)pthread_join(in->thread, NULL);
	in->running = false;
	free(in->buf);
	in->buf = NULL;
	*result = in->result;
	*errnum = in->errnum;
	memcpy(digest, in->digest, INTAKE_DIGEST);
	return true;
}

uint64_t
intake_written(struct intake *in)
{
	uint64_t n;

	(void)pthread_mutex_lock(&in->lock);
	n = in->written;
	(void)pthread_mutex_unlock(&in->lock);
	return n;
}
