/*
 * control.h - our tmux control-mode client: commands out, events in.
 *
 * Always drained, whatever becomes of what it reads: tmux buffers without
 * bound for a client that does not read.  A command line ("a ; b ; c") is
 * carried out at one moment of the panes' output, and its answers stand at
 * that place among the output events.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdbool.h>
#include <stddef.h>

struct control;
struct event_base;
struct tmuxcaps;

/* The answer to one command of a line. */
struct control_answer {
	char	*s;		/* NUL-terminated; each line with its LF */
	size_t	 len;
};

/*
 * The answers to a line of N commands.  OK is false if one failed, and then
 * only those before it (N of them) are there.  They are freed afterwards.
 */
typedef void	control_reply_cb(void *arg, bool ok,
		    const struct control_answer *answers, unsigned int n);

struct control_ops {
	void	(*output_cb)(void *arg, unsigned int pane, const char *data,
		    size_t len);
	/* A notification, by its name (layout-change, …). */
	void	(*notify_cb)(void *arg, const char *name);
	/* The client has ended, and with it tmux, or our session. */
	void	(*end_cb)(void *arg);
};

/*
 * Attach to SESSION on the server at SOCKET, of a tmux that can do CAPS, to get
 * its panes' OUTPUT or not (tmux 3.2).  OPS and ARG must outlive it.  NULL with
 * errno if tmux cannot be started.
 */
struct control	*control_new(struct event_base *base,
		    const struct tmuxcaps *caps, const char *socket,
		    const char *session, bool output,
		    const struct control_ops *ops, void *arg);

/* Detach and free it.  Replies that are due are not called. */
void	control_free(struct control *ct);

/*
 * Send a command line of COMMANDS commands; DONE (may be NULL) is called with
 * their answers.  The text must hold no LF.  A line that cannot be sent is
 * answered by the end of the client.
 */
void	control_command(struct control *ct, unsigned int commands,
	    control_reply_cb *done, void *arg, const char *fmt, ...)
	    __attribute__((format(printf, 5, 6)));

/* Lines that tmux has not answered yet. */
unsigned int	control_pending(const struct control *ct);

/* SIGCHLD came. */
void	control_reap(struct control *ct);

#endif
