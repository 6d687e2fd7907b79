/*
 * term.h - the terminal that `tunl view` draws on: raw, read and written
 * without blocking, and given back as it was.
 */
#ifndef TERM_H
#define TERM_H

#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct term;

struct term_ops {
	/* Keys were pressed.  The terminal went away if LEN is 0. */
	void	(*keys_cb)(void *arg, const char *keys, size_t len);
	/* Some of what waited was written; term_waiting() has fallen. */
	void	(*written_cb)(void *arg);
};

/*
 * Take over the terminal on 0 and 1.  NULL with errno (ENOTTY if they are
 * none); it is then as it was.
 */
struct term	*term_new(struct event_base *base, const struct term_ops *ops,
		    void *arg);

/* Give it back: modes that the stream may have left set, and tty settings. */
void		 term_free(struct term *term);

/* Write, now or as soon as the terminal takes it. */
void		 term_write(struct term *term, const void *data, size_t len);

/* Octets that are not written yet. */
size_t		 term_waiting(const struct term *term);

/* Its size; 0 0 if it has none. */
void		 term_size(const struct term *term, unsigned int *cols,
		    unsigned int *rows);

#endif
