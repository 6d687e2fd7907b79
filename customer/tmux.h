/*
 * tmux.h - what a tmux control-mode client reads, taken apart.
 *
 * A pure incremental parser: octets in, callbacks out.  It starts no program,
 * opens nothing and knows nothing of panes or sessions.  Lines are octets, not
 * text: a pane may print anything, invalid UTF-8 included, and a captured row
 * may look like a line of the protocol; only the %end or %error that repeats
 * its %begin ends a reply.  (tmux 2.6 to 3.7; tmux(1), CONTROL MODE.)
 */
#ifndef TMUX_H
#define TMUX_H

#include <stdbool.h>
#include <stddef.h>

#define TMUX_LINE_MAX	(1u << 20)	/* octets of one line */
#define TMUX_REPLY_MAX	(8u << 20)	/* octets of one reply */
#define TMUX_GUARD_MAX	64		/* octets of "TIME NUMBER FLAGS" */

struct tmux_events {
	/* Pane %PANE printed LEN octets. */
	void	(*output_cb)(void *arg, unsigned int pane, const char *data,
		    size_t len);
	/* A command was answered: its lines, each with its LF.  OURS is false
	 * for what was not asked for by this client. */
	void	(*reply_cb)(void *arg, bool ok, bool ours, const char *body,
		    size_t len);
	/* Any other notification: its name without "%". */
	void	(*notify_cb)(void *arg, const char *name);
};

/* Octets that grow. */
struct tmux_buf {
	char	*data;
	size_t	 len, cap;
};

struct tmux_parser {
	const struct tmux_events	*events;
	void				*arg;
	struct tmux_buf			 line;	/* the one that is incomplete */
	struct tmux_buf			 reply;
	bool				 in_reply;
	char				 guard[TMUX_GUARD_MAX];	/* of %begin */
};

/* EVENTS and ARG must outlive P. */
void	tmux_parser_init(struct tmux_parser *p, const struct tmux_events *events,
	    void *arg);
void	tmux_parser_release(struct tmux_parser *p);

/*
 * Take LEN octets as they were read.  The callbacks are called from here and
 * must not call it again, nor release P.  Returns 0, or -1 with errno (EMSGSIZE
 * over a limit, ENOMEM): the connection is then of no further use.
 */
int	tmux_parser_feed(struct tmux_parser *p, const void *data, size_t len);

/* Undo the \ooo of LEN octets in place.  Returns the new length. */
size_t	tmux_unescape(char *s, size_t len);

/*
 * Quote TEXT for a tmux command line: in single quotes, so that nothing in it
 * is expanded.  Returns the length, or -1 if it does not fit into CAP, or
 * holds a quote or a control octet.
 */
int	tmux_quote(char *out, size_t cap, const char *text);

#endif
