/*
 * view.h - what the parts of `tunl view` share: view.c has the stream, the keys
 * and the notices, viewsize.c the sizes.
 */
#ifndef VIEW_H
#define VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "term.h"
#include "vtfilter.h"
#include "window.h"

#define VIEW_NOTICE_MAX	512	/* octets */

struct evbuffer;
struct event;

struct size {
	unsigned int	cols, rows;	/* 0 0: none */
};

struct view {
	struct window	 win;
	struct leg	*leg;
	struct term	*term;
	struct vtfilter	 filter;
	uint64_t	 taken;		/* payload octets since HELLO */
	uint64_t	 acked;
	bool		 holding;	/* the leg waits for us */
	bool		 over;
	bool		 told_ro;
	struct evbuffer	*history;	/* waits for its SCREEN */
	char		 why[VIEW_NOTICE_MAX];
	int64_t		 down_ms;	/* how long there is no link */
	int64_t		 next_ms;	/* until the next try */
	struct event	*ev_ack, *ev_notice, *ev_winch;

	/* viewsize.c */
	struct size	 want;		/* the customer's */
	struct size	 asked;		/* of tmux, while ev_resize is pending */
	struct size	 gave_up;	/* a size that cannot be had */
	struct size	 ours;		/* what the engineer's terminals show */
	struct size	 wish;		/* last sent */
	bool		 looked;	/* ours is known */
	bool		 forced;	/* our size holds, whatever others' are */
	bool		 viewport;	/* we wish for none */
	struct event	*ev_resize, *ev_look;
};

/* The stream goes on if nothing is in its way any more. */
void	view_go_on(struct view *v);

/* Tell the engineer, for a moment. */
void	view_tell(const struct view *v, const char *text);

/* 0, or -1: out of memory. */
int	viewsize_init(struct view *v);
void	viewsize_clear(struct view *v);

struct size viewsize_now(const struct view *v);

/* The customer's size is S: follow it. */
void	viewsize_follow(struct view *v, struct size s);

/* True if the terminal has the customer's size, or never will. */
bool	viewsize_is_right(const struct view *v);

/* After SIGWINCH. */
void	viewsize_changed(struct view *v);

/* The engineer's terminals may have changed: see, soon. */
void	viewsize_look(struct view *v);

/* There is a link: the relay must know what size we would like. */
void	viewsize_up(struct view *v);

/* Our size holds, whatever others have, or no longer. */
void	viewsize_force(struct view *v);

/* We wish for no size, but show a part of the customer's, or no longer. */
void	viewsize_viewport(struct view *v);

/* There is no link any more: nothing is waited for. */
void	viewsize_down(struct view *v);

#endif
