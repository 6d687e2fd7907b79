/*
 * term.c - see term.h.
 */
#include "term.h"

#include <event2/buffer.h>
#include <event2/event.h>

#include <sys/ioctl.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>


struct term {
	int			 fd;	/* an open file of our own */
	struct termios		 before;
	bool			 raw;
	struct evbuffer		*out;
	struct event		*ev_read, *ev_write;
	const struct term_ops	*ops;
	void			*arg;
};

/*
 * Whatever the customer's programs have set: no alternate screen, mouse or
 * bracketed paste, the whole screen scrolls and wraps, the cursor is shown.
 */
static const char term_reset[] = "\030\033\\\033[?2026l\033[?1049l\033[r"
    "\033[?6l\033[?7h\033[4l\033[?1l\033>\033[?1000l\033[?1002l\033[?1003l"
    "\033[?1005l\033[?1006l\033[?2004l\033(B\033)B\017\033[m\033[?25h"
    "\033[0 q\033[999;1H\r\n";

static void
flush(struct term *term)
{
	while (evbuffer_get_length(term->out) > 0)
		if (evbuffer_write(term->out, term->fd) <= 0)
			break;
	if (evbuffer_get_length(term->out) > 0)
		event_add(term->ev_write, NULL);
}

static void
write_cb(evutil_socket_t fd, short what, void *arg)
{
	struct term *term = arg;

	(void)fd;
	(void)what;
	flush(term);
	term->ops->written_cb(term->arg);
}

static void
read_cb(evutil_socket_t fd, short what, void *arg)
{
	struct term *term = arg;
	char keys[4096];
	ssize_t n;

	(void)what;
	n = read(fd, keys, sizeof keys);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		event_del(term->ev_read);
		n = 0;
	}
	term->ops->keys_cb(term->arg, keys, (size_t)n);
}

/* O_NONBLOCK belongs to an open file, and 0 and 1 are shared with others. */
static int
tty_open(void)
{
	const char *name;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		errno = ENOTTY;
		return -1;
	}
	name = ttyname(STDIN_FILENO);
	if (name == NULL)
		return -1;
	return open(name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
}

static int
make_raw(struct term *term)
{
	struct termios tio;

	if (tcgetattr(term->fd, &term->before) == -1)
		return -1;
	tio = term->before;
	cfmakeraw(&tio);
	if (tcsetattr(term->fd, TCSANOW, &tio) == -1)
		return -1;
	/* what was typed, or answered to others, before is not for the session */
	(void)tcflush(term->fd, TCIFLUSH);
	term->raw = true;
	return 0;
}

struct term *
term_new(struct event_base *base, const struct term_ops *ops, void *arg)
{
	struct term *term = calloc(1, sizeof *term);
	int saved;

	if (term == NULL)
		return NULL;
	term->ops = ops;
	term->arg = arg;
	term->fd = tty_open();
	if (term->fd == -1)
		goto fail;
	term->out = evbuffer_new();
	term->ev_read = event_new(base, term->fd, EV_READ | EV_PERSIST,
	    read_cb, term);
	term->ev_write = event_new(base, term->fd, EV_WRITE, write_cb, term);
	if (term->out == NULL || term->ev_read == NULL ||
	    term->ev_write == NULL) {
		errno = ENOMEM;
		goto fail;
	}
	if (make_raw(term) == -1)
		goto fail;
	event_add(term->ev_read, NULL);
	return term;
fail:
	saved = errno;
	term_free(term);
	errno = saved;
	return NULL;
}

void
term_free(struct term *term)
{
	if (term == NULL)
		return;
	if (term->raw) {
		/* what still waits is of no use, and the tty may be stopped */
		(void)!write(term->fd, term_reset, sizeof term_reset - 1);
		(void)tcsetattr(term->fd, TCSANOW, &term->before);
	}
	if (term->ev_read != NULL)
		event_free(term->ev_read);
	if (term->ev_write != NULL)
		event_free(term->ev_write);
	if (term->out != NULL)
		evbuffer_free(term->out);
	if (term->fd != -1)
		close(term->fd);
	free(term);
}

void
term_write(struct term *term, const void *data, size_t len)
{
	bool waits = evbuffer_get_length(term->out) > 0;

	(void)evbuffer_add(term->out, data, len);
	if (!waits)
		flush(term);
}

size_t
term_waiting(const struct term *term)
{
	return evbuffer_get_length(term->out);
}

void
term_size(const struct term *term, unsigned int *cols, unsigned int *rows)
{
	struct winsize ws = { 0, 0, 0, 0 };

	(void)ioctl(term->fd, TIOCGWINSZ, &ws);
	*cols = ws.ws_col;
	*rows = ws.ws_row;
}
