/*
 * capture.h - what the main pane printed, on its way to the relay.
 *
 * A bounded queue of output, screens, history and sizes, in their order, let
 * out as flow credit allows.  What grows over the bound is dropped and replaced
 * by one fresh screen, asked for when the link can take it again; so the pane
 * never waits for the link, and nobody watches old output.  The queue starts
 * nothing and waits for nothing: frames leave through a callback, and the
 * caller brings the clock.
 */
#ifndef CAPTURE_H
#define CAPTURE_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "credit.h"
#include "proto.h"

#define CAPTURE_QUEUE_MIN	8192u
#define CAPTURE_QUEUE_MAX	262144u	/* octets that wait at most */
#define CAPTURE_CHUNK		16384u	/* octets of one frame at most */
#define CAPTURE_COALESCE_MS	3u	/* between two frames under load */

struct evbuffer;
struct capture_item;

struct capture_ops {
	/* Put a frame on the link: its args (may be ""), and LEN octets of
	 * payload, or none if PAYLOAD is NULL. */
	void	(*frame_cb)(void *arg, enum proto_form form, const char *args,
		    const void *payload, size_t len);
	/* Octets were lost: please call capture_screen() with GAP soon. */
	void	(*resync_cb)(void *arg);
};

struct capture {
	const struct capture_ops	*ops;
	void				*arg;
	TAILQ_HEAD(capture_queue, capture_item) queue;
	size_t				 queued;	/* octets in it */
	size_t				 kept;	/* of them not to be dropped */
	struct credit			 credit;
	bool				 up;
	bool				 gap;	/* output is dropped until a
						 * screen comes */
	bool				 asked;	/* and it was asked for */
	unsigned int			 cols, rows; /* last SIZE; 0: none */
	uint64_t			 sent_ms; /* the last frame of output */
};

/* OPS and ARG must outlive C. */
void	capture_init(struct capture *c, const struct capture_ops *ops,
	    void *arg);
void	capture_release(struct capture *c);

/* The link is up: begin anew, with a size and a screen; or it is down, and
 * everything is dropped. */
void	capture_up(struct capture *c);
void	capture_down(struct capture *c);

/* The pane printed LEN octets. */
void	capture_output(struct capture *c, const void *data, size_t len);

/*
 * A screen of COLS x ROWS, drained from OCTETS.  A size that differs from the
 * last one is told first, and makes it a GAP, for all viewers.
 */
void	capture_screen(struct capture *c, unsigned int cols, unsigned int rows,
	    bool gap, struct evbuffer *octets);

/*
 * Scrollback, drained from OCTETS, for the screen that follows; both were asked
 * for, so they are not dropped, and count towards no bound.
 */
void	capture_history(struct capture *c, struct evbuffer *octets);

/* The relay has TOTAL octets.  Returns 0, or -1 if that cannot be. */
int	capture_acked(struct capture *c, uint64_t total, uint64_t now_ms);

/*
 * Let out what may leave now.  Returns in how many milliseconds to call again,
 * or -1: after the next event.
 */
int	capture_pump(struct capture *c, uint64_t now_ms);

#endif
