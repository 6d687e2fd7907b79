/*
 * poke.c - see poke.h.
 */
#include "poke.h"

#include <event2/event.h>

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct poke {
	int		 fd;
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

/* A FIFO, and ours; -1 with errno. */
static int
fifo_open(const char *path)
{
	struct stat st;
	int fd;

	if (mkfifo(path, 0600) == -1 && errno != EEXIST)
		return -1;
	/* for writing as well: then there is never an end of file */
	fd = open(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1 || !S_ISFIFO(st.st_mode) ||
	    st.st_uid != geteuid()) {
		close(fd);
		errno = EEXIST;
		return -1;
	}
	return fd;
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
	poke->fd = fifo_open(path);
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
	if (poke == NULL)
		return;
	if (poke->ev != NULL)
		event_free(poke->ev);
	if (poke->fd != -1)
		close(poke->fd);
	free(poke);
}
