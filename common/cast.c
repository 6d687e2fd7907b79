/*
 * cast.c - see cast.h.
 */
#include "cast.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "safetext.h"

#define FRAME_MAX	64u	/* octets of a line around its text */
#define RESERVE		256u	/* of the limit, for the last marker */
#define ROOM_MIN	(FRAME_MAX + 64u)	/* or a new line is not begun */
#define ASIDE_MAX	100u	/* files moved aside */

/* ---- time --------------------------------------------------------------- */

static int64_t
clock_us(clockid_t id)
{
	struct timespec ts;

	(void)clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* The file began at WHEN and goes on, after LAST_US, now. */
static void
set_clock(struct cast *c, time_t when, uint64_t last_us)
{
	int64_t past = clock_us(CLOCK_REALTIME) - (int64_t)when * 1000000;

	c->when = when;
	c->zero_us = clock_us(CLOCK_BOOTTIME) - (past > 0 ? past : 0);
	c->last_us = last_us;
}

static uint64_t
event_us(struct cast *c)
{
	int64_t now = clock_us(CLOCK_BOOTTIME) - c->zero_us;

	if (now > (int64_t)c->last_us)
		c->last_us = (uint64_t)now;
	return c->last_us;
}

/* ---- writing ------------------------------------------------------------ */

/* Pages of its own, so that an idle owner has them back. */
static int
get_buffer(struct cast *c)
{
	void *p = mmap(NULL, CAST_BUFFER, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return -1;
	c->buf = p;
	return 0;
}

static void
drop_buffer(struct cast *c)
{
	if (c->buf != NULL)
		(void)munmap(c->buf, CAST_BUFFER);
	c->buf = NULL;
	c->len = 0;
}

static void
failed(struct cast *c, int error)
{
	c->state = CAST_FAILED;
	c->error = error;
	c->text.n = 0;
	drop_buffer(c);
	/* what was told may be among what is lost */
	if (c->size == 0)
		c->begun = false;
	else
		c->cols = c->rows = 0;
}

/* A write ended after DONE octets: keep the whole lines of them. */
static void
keep_lines(struct cast *c, size_t done)
{
	while (done > 0 && c->buf[done - 1] != '\n')
		done--;
	c->size += done;
	(void)!ftruncate(c->fd, (off_t)c->size);
}

static void
write_out(struct cast *c)
{
	size_t done = 0;
	ssize_t n;
	int saved;

	while (done < c->len) {
		n = pwrite(c->fd, c->buf + done, c->len - done,
		    (off_t)(c->size + done));
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			saved = n == 0 ? ENOSPC : errno;
			keep_lines(c, done);
			failed(c, saved);
			return;
		}
		done += (size_t)n;
	}
	c->size += c->len;
	c->len = 0;
}

/* Put the header before what waits. */
static void
begin(struct cast *c, unsigned int cols, unsigned int rows)
{
	char head[CAST_HEADER_MAX];
	size_t n = cast_header(head, cols, rows, c->when, c->title);

	/* overhead() has left so much */
	memmove(c->buf + n, c->buf, c->len);
	memcpy(c->buf, head, n);
	c->len += n;
	c->begun = true;
}

/* The last line of a file that has reached its limit. */
static void
close_full(struct cast *c)
{
	c->len += (size_t)snprintf(c->buf + c->len, RESERVE, "[%llu.%06u, "
	    "\"m\", \"the record has reached its limit and ends here\"]\n",
	    (unsigned long long)(c->last_us / 1000000),
	    (unsigned int)(c->last_us % 1000000));
	c->text.n = 0;
	cast_flush(c);
	if (c->state == CAST_OPEN)
		c->state = CAST_FULL;
}

/* What is yet to come in the buffer besides events. */
static size_t
overhead(const struct cast *c)
{
	return RESERVE + (c->begun ? 0 : CAST_HEADER_MAX);
}

/* What may be added to the buffer, the file's limit considered. */
static size_t
room(const struct cast *c)
{
	size_t left = CAST_BUFFER - c->len;
	uint64_t used = c->size + c->len;

	if (used >= c->max)
		return 0;
	if (c->max - used < left)
		left = (size_t)(c->max - used);
	return left > overhead(c) ? left - overhead(c) : 0;
}

/* Have ROOM_MIN in the buffer.  False: there will be none. */
static bool
make_room(struct cast *c)
{
	if (c->state != CAST_OPEN)
		return false;
	if (c->buf == NULL && get_buffer(c) == -1) {
		failed(c, ENOMEM);
		return false;
	}
	if (room(c) >= ROOM_MIN)
		return true;
	if (!c->begun)
		begin(c, 80, 24);
	write_out(c);
	if (c->state == CAST_OPEN && room(c) < ROOM_MIN)
		close_full(c);
	return c->state == CAST_OPEN;
}

/*
 * One line of KIND with as much of the text as fits into it.  FINAL: with what
 * is left of a character too.
 */
static void
put_event(struct cast *c, char kind, struct cast_text *t, const char **s,
    size_t *len, bool final)
{
	size_t cap = room(c), at = c->len, text;
	uint64_t us = event_us(c);

	c->len += (size_t)snprintf(c->buf + at, FRAME_MAX,
	    "[%llu.%06u, \"%c\", \"", (unsigned long long)(us / 1000000),
	    (unsigned int)(us % 1000000), kind);
	text = c->len;
	c->len += cast_escape(t, s, len, c->buf + c->len,
	    at + cap - 6 - c->len);
	if (final)
		c->len += cast_escape_end(t, c->buf + c->len);
	if (c->len == text) {		/* only half a character came */
		c->len = at;
		return;
	}
	memcpy(c->buf + c->len, "\"]\n", 3);
	c->len += 3;
}

void
cast_output(struct cast *c, const void *data, size_t len)
{
	const char *s = data;

	while (len > 0 && make_room(c))
		put_event(c, 'o', &c->text, &s, &len, false);
}

void
cast_cut(struct cast *c, bool lost)
{
	const char *s = "";
	size_t len = 0;

	if (lost && c->text.n > 0 && make_room(c))
		put_event(c, 'o', &c->text, &s, &len, true);
	c->text.n = 0;
}

void
cast_size(struct cast *c, unsigned int cols, unsigned int rows)
{
	struct cast_text t = { .n = 0 };
	const char *s;
	char text[32];
	size_t len;

	if (c->cols == cols && c->rows == rows)
		return;
	if (!make_room(c))
		return;
	c->cols = cols;
	c->rows = rows;
	if (!c->begun) {
		begin(c, cols, rows);
		return;
	}
	len = (size_t)snprintf(text, sizeof text, "%ux%u", cols, rows);
	s = text;
	put_event(c, 'r', &t, &s, &len, true);
}

void
cast_mark(struct cast *c, const char *label)
{
	char text[CAST_MARK_MAX];
	struct cast_text t = { .n = 0 };
	const char *s = text;
	size_t len = safetext(text, sizeof text, label, strlen(label));

	if (len == 0 || !make_room(c))
		return;
	/* a marker is one line: a new buffer has room for it */
	if (c->begun && room(c) < FRAME_MAX + CAST_MARK_MAX) {
		write_out(c);
		if (c->state != CAST_OPEN)
			return;
	}
	put_event(c, 'm', &t, &s, &len, true);
}

bool
cast_waits(const struct cast *c)
{
	return c->state == CAST_OPEN && c->begun && c->len > 0;
}

void
cast_flush(struct cast *c)
{
	if (c->state != CAST_OPEN || !c->begun)
		return;
	if (c->len > 0)
		write_out(c);
	drop_buffer(c);
}

/*
 * A line may fit into the file's last block though the disk is full: see if
 * there is room for more than that, where the file system can tell.
 */
static bool
has_space(struct cast *c)
{
	bool full = fallocate(c->fd, FALLOC_FL_KEEP_SIZE, (off_t)c->size,
	    2 * CAST_BUFFER) == -1 && (errno == ENOSPC || errno == EDQUOT ||
	    errno == EFBIG || errno == EIO);

	if (full)
		c->error = errno;
	else
		(void)!ftruncate(c->fd, (off_t)c->size);
	return !full;
}

int
cast_retry(struct cast *c)
{
	char why[128];
	int error = c->error;

	if (c->state != CAST_FAILED || c->fd == -1 || !has_space(c))
		return -1;
	c->state = CAST_OPEN;
	(void)snprintf(why, sizeof why, "gap: it could not be recorded: %s",
	    strerror(error));
	cast_mark(c, why);
	if (c->state == CAST_OPEN && !c->begun)
		begin(c, c->cols > 0 ? c->cols : 80, c->rows > 0 ? c->rows :
		    24);
	cast_flush(c);
	return c->state == CAST_OPEN || c->state == CAST_FULL ? 0 : -1;
}

/* ---- opening ------------------------------------------------------------ */

enum taken {
	TAKEN,			/* to be continued, or begun */
	FOREIGN,		/* no cast */
	UNREADABLE		/* errno */
};

/*
 * The newest event line among the N octets at BUF, the last of a file, where
 * BASE is their place in it.  *END is where the file ends behind it.
 */
static bool
last_event(const char *buf, size_t n, uint64_t base, uint64_t *end,
    uint64_t *us)
{
	const char *lf, *start;

	while ((lf = memrchr(buf, '\n', n)) != NULL) {
		n = (size_t)(lf - buf);
		start = memrchr(buf, '\n', n);
		start = start == NULL ? buf : start + 1;
		*end = base + n + 1;
		if (cast_read_event(start, (size_t)(lf - start), us))
			return true;
	}
	return false;
}

/* Find where the file of SIZE octets, whose header ends at HEAD, goes on. */
static enum taken
find_end(struct cast *c, uint64_t size, uint64_t head, time_t when)
{
	size_t cap = 2 * CAST_BUFFER;
	uint64_t from = size - head > cap ? size - cap : head, us, end;
	char *buf = malloc(cap);
	bool found;
	ssize_t n;

	if (buf == NULL)
		return UNREADABLE;
	n = pread(c->fd, buf, cap, (off_t)from);
	if (n == -1) {
		free(buf);
		return UNREADABLE;
	}
	found = last_event(buf, (size_t)n, from, &end, &us);
	free(buf);
	if (!found && from > head)
		return FOREIGN;
	c->size = found ? end : head;
	set_clock(c, when, found ? us : 0);
	c->begun = true;
	return TAKEN;
}

/* Look at what is in the file. */
static enum taken
take_up(struct cast *c)
{
	char head[CAST_HEADER_MAX];
	struct stat st;
	size_t len;
	time_t when;
	ssize_t n;

	if (fstat(c->fd, &st) == -1)
		return UNREADABLE;
	if (!S_ISREG(st.st_mode))
		return FOREIGN;
	n = pread(c->fd, head, sizeof head, 0);
	if (n == -1)
		return UNREADABLE;
	len = cast_read_header(head, (size_t)n, &when);
	if (len > 0)
		return find_end(c, (uint64_t)st.st_size, len, when);
	/* half a header, with nothing behind it, is no loss */
	if (memchr(head, '\n', (size_t)n) != NULL ||
	    n == (ssize_t)sizeof head || !cast_is_header_begun(head, (size_t)n))
		return FOREIGN;
	set_clock(c, time(NULL), 0);
	return TAKEN;
}

/* Give a file that is no cast another name.  0, or -1 with errno. */
static int
move_aside(int dirfd, const char *name)
{
	char other[NAME_MAX + 1];
	unsigned int i;

	for (i = 1; i <= ASIDE_MAX; i++) {
		if (snprintf(other, sizeof other, "%s.%u", name, i) >=
		    (int)sizeof other) {
			errno = ENAMETOOLONG;
			return -1;
		}
		if (linkat(dirfd, name, dirfd, other, 0) == 0)
			return unlinkat(dirfd, name, 0);
		if (errno != EEXIST)
			return -1;
	}
	return -1;
}

static int
open_file(struct cast *c, int dirfd, const char *name, mode_t mode)
{
	enum taken taken;

	/* NONBLOCK: something else of that name must not hold us up */
	c->fd = openat(dirfd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC |
	    O_NONBLOCK | O_NOCTTY, mode);
	if (c->fd == -1)
		return -1;
	taken = take_up(c);
	if (taken == TAKEN && ftruncate(c->fd, (off_t)c->size) == 0)
		return 0;
	if (taken == FOREIGN && move_aside(dirfd, name) == 0)
		errno = EEXIST;
	return -1;
}

int
cast_open(struct cast *c, int dirfd, const char *name, mode_t mode,
    uint64_t max, const char *title)
{
	unsigned int tries;
	int saved;

	memset(c, 0, sizeof *c);
	c->max = max;
	(void)snprintf(c->title, sizeof c->title, "%s", title);
	for (tries = 0; tries < 2; tries++) {
		if (open_file(c, dirfd, name, mode) == 0) {
			c->state = c->size + overhead(c) + ROOM_MIN > max ?
			    CAST_FULL : CAST_OPEN;
			return 0;
		}
		saved = errno;
		if (c->fd != -1)
			close(c->fd);
		if (saved != EEXIST)
			break;
	}
	c->fd = -1;
	failed(c, saved);
	errno = saved;
	return -1;
}

void
cast_close(struct cast *c)
{
	if (c->state == CAST_CLOSED)
		return;
	cast_cut(c, true);
	if (c->state == CAST_OPEN && !c->begun && c->len > 0)
		begin(c, 80, 24);
	cast_flush(c);
	drop_buffer(c);
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
	c->state = CAST_CLOSED;
}
