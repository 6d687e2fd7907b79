/*
 * poke.c - see poke.h.
 */
#include "poke.h"

#include <event2/event.h>

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct poke {
	int		 fd;
	char		*path;
	struct event	*ev;
	void		(*cb)(void *arg, const char *line);
	void		*arg;
	char		 buf[POKE_MAX];
	size_t		 len;
};

/* Tell the whole lines in the buffer; a line that is too long is dropped. */
static void
tell_lines(struct poke *poke)
{
	char *lf;

	while ((lf = memchr(poke->buf, '\n', poke->len)) != NULL) {
		char line[POKE_MAX];
		size_t n = (size_t)(lf - poke->buf);

		memcpy(line, poke->buf, n);
		line[n] = '\0';
		poke->len -= n + 1;
		memmove(poke->buf, lf + 1, poke->len);
		poke->cb(poke->arg, line);
	}
	if (poke->len == sizeof poke->buf)
		poke->len = 0;
}

static void
read_cb(evutil_socket_t fd, short what, void *arg)
{
	struct poke *poke = arg;
	ssize_t n;

	(void)what;
	n = read(fd, poke->buf + poke->len, sizeof poke->buf - poke->len);
	if (n <= 0)
		return;
	poke->len += (size_t)n;
	tell_lines(poke);
}

/* True if FD, of which ST is told, is what PATH names. */
static bool
is_in_place(const char *path, int fd, struct stat *st)
{
	struct stat there;

	return fstat(fd, st) == 0 && lstat(path, &there) == 0 &&
	    there.st_dev == st->st_dev && there.st_ino == st->st_ino;
}

/*
 * A FIFO, and ours; -1 with errno.  Before it is open somebody may take it for
 * one that was left, and remove it.
 */
static int
fifo_open(const char *path)
{
	struct stat st;
	int fd, tries;

	for (tries = 0; tries < 10; tries++) {
		if (mkfifo(path, 0600) == -1 && errno != EEXIST)
			return -1;
		/* for writing as well: then there is never an end of file */
		fd = open(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
		if (fd == -1 && errno == ENOENT)
			continue;
		if (fd == -1)
			return -1;
		if (is_in_place(path, fd, &st)) {
			if (S_ISFIFO(st.st_mode) && st.st_uid == geteuid())
				return fd;
			tries = 10;
		}
		close(fd);
	}
	errno = EEXIST;
	return -1;
}

struct poke *
poke_new(struct event_base *base, const char *path,
    void (*cb)(void *arg, const char *line), void *arg)
{
	struct poke *poke = calloc(1, sizeof *poke);
	int saved;

	if (poke == NULL)
		return NULL;
	poke->cb = cb;
	poke->arg = arg;
	poke->path = strdup(path);
	poke->fd = poke->path == NULL ? -1 : fifo_open(path);
	if (poke->fd != -1)
		poke->ev = event_new(base, poke->fd, EV_READ | EV_PERSIST,
		    read_cb, poke);
	if (poke->ev == NULL) {
		saved = errno;
		poke_free(poke);
		errno = saved;
		return NULL;
	}
	event_add(poke->ev, NULL);
	return poke;
}

void
poke_free(struct poke *poke)
{
	struct stat st;

	if (poke == NULL)
		return;
	if (poke->ev != NULL)
		event_free(poke->ev);
	if (poke->fd != -1) {
		if (is_in_place(poke->path, poke->fd, &st))
			(void)unlink(poke->path);
		close(poke->fd);
	}
	free(poke->path);
	free(poke);
}
