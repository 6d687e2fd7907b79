/*
 * pipe.h - a pane's pipe: what it prints read straight from tmux, and what is
 * typed written straight into it.
 *
 * tmux gives the other end of a pipe to a command of its own choosing, never
 * to us: so that command is a helper, this program's face @pipe, which passes
 * its two descriptors on over a socket in the session's directory and is gone.
 * Whoever holds them must read, or tmux buffers without bound.  (tmux 2.7 to
 * 3.7; tmux(1), pipe-pane.)
 */
#ifndef PIPE_H
#define PIPE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sessiondir.h"

#define PIPE_COMMAND_MAX	(PATH_MAX + SESSIONDIR_PATH_MAX + 64)

struct event_base;
struct pipe;

struct pipe_ops {
	/* The pane printed LEN octets. */
	void	(*output_cb)(void *arg, const char *data, size_t len);
	/* It is there: output comes, and keys may go. */
	void	(*open_cb)(void *arg);
	/* tmux has closed it; all that was in it has been given. */
	void	(*end_cb)(void *arg);
};

/* Listen for helpers in the directory SD.  All pointers must outlive it.  NULL
 * with errno. */
struct pipe	*pipe_new(struct event_base *base, const struct sessiondir *sd,
		    const struct pipe_ops *ops, void *arg);
void	pipe_free(struct pipe *pp);

/*
 * The argument for the next pipe-pane -IO, quoted for tmux, into OUT.  From now
 * on only the helper that it starts is let in.  Returns 0, or -1 with errno.
 */
int	pipe_command(struct pipe *pp, char out[PIPE_COMMAND_MAX]);

/*
 * tmux has carried out that pipe-pane, so the pipe of before is closed: what is
 * left in that is given, and the new one is opened, now or when its helper has
 * come.
 */
void	pipe_switch(struct pipe *pp);

bool	pipe_is_open(const struct pipe *pp);

/*
 * Read all that is there now, through output_cb.  Returns how many octets were
 * ever read; *MORE (which may be NULL) says that it did not become empty.
 */
uint64_t pipe_drain(struct pipe *pp, bool *more);

/* Write into the pipe, which is open; what does not go now goes later. */
void	pipe_write(struct pipe *pp, const void *data, size_t len);

/* Octets written that tmux has not taken yet. */
size_t	pipe_unread(const struct pipe *pp);

/* The helper's face: pass descriptors 0 and 1 on to the daemon of the session in
 * the directory PATH, which knows it by TOKEN.  An exit status. */
int	pipe_main(const char *path, const char *token);

#endif
