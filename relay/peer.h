/*
 * peer.h - one connected leg: the local process that came over the broker's
 * socket, and the descriptors 0 and 1 that it handed over.
 *
 * Reads frames and checks them against the protocol's table, queues and writes
 * frames, keeps the deadlines (ATTACH, HELLO, PING).  What a frame means is
 * its owner's business.  A peer is only marked dead, under whatever callback;
 * its owner reaps it later, from the loop.
 */
#ifndef PEER_H
#define PEER_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attach.h"
#include "proto.h"
#include "relayconf.h"

struct evbuffer;
struct event;
struct event_base;
struct peer;
struct view;
struct viewer;

#define PEER_QUEUE_MAX	(256u << 10)	/* octets waiting for a peer */

enum peer_state {
	PEER_NEW,	/* its ATTACH is awaited */
	PEER_GREETING,	/* its HELLO */
	PEER_UP,
	PEER_LEAVING,	/* what is queued is written, then it has to go */
	PEER_DEAD	/* nothing is open any more; to be reaped */
};

struct peer_ops {
	/*
	 * ATTACH has come, with the descriptors that peer_adopt() takes.
	 * Returns NULL, or why the leg is not wanted.
	 */
	const char *(*attach_cb)(struct peer *p, const struct attach *a);
	/* HELLO has come. */
	void	(*up_cb)(struct peer *p, const struct proto_frame *hello);
	/* Any other frame that the table lets through but PING and PONG. */
	void	(*frame_cb)(struct peer *p, enum proto_form form,
		    const struct proto_frame *f);
	/*
	 * Nothing waits: put one frame of stream into OUT.  False if there is
	 * none, or no credit for it.
	 */
	bool	(*stream_cb)(struct peer *p, struct evbuffer *out);
	/* A frame was dropped, or was the last: for the log. */
	void	(*fault_cb)(struct peer *p, const char *what);
	/* What was queued has gone down to a quarter of PEER_HIGH. */
	void	(*drained_cb)(struct peer *p);
	/* It is PEER_DEAD now. */
	void	(*dead_cb)(struct peer *p);
};

#define PEER_HIGH	(64u << 10)	/* more should not be queued for it */
#define PEER_ACTS	256u		/* lines in a log at a time */
#define PEER_ACTS_MS	250u

struct peer {
	TAILQ_ENTRY(peer)	 entry;		/* the owner's */
	const struct peer_ops	*ops;
	void			*owner;
	const struct relayconf	*conf;
	struct event_base	*base;
	enum peer_state		 state;
	unsigned int		 role;		/* PROTO_VIEW …; 0: customer */
	bool			 attached;	/* role is known */

	int			 ctl;		/* the leg's socket */
	int			 in, out;	/* its descriptors 0 and 1 */
	int			 pidfd;		/* the customer's sshd, or -1 */
	int			 fds[3];	/* received, not yet adopted */
	unsigned int		 nfds;
	char			*ctl_buf;	/* an ATTACH that is not complete */
	size_t			 ctl_len;

	char			*rest;		/* input that is no whole frame */
	size_t			 rest_len;
	bool			 left;		/* frames in it were not taken */
	unsigned int		 holds;		/* why its input is not read */
	unsigned int		 acts;		/* what it did that is written
						 * down, since: */
	uint64_t		 acts_ms;

	struct evbuffer		*tx;		/* being written: whole frames but
						 * for what is out already */
	struct evbuffer		*queue;		/* next */
	bool			 high;		/* drained_cb is owed */

	/* How it leaves. */
	enum proto_form		 parting;	/* PROTO_END or PROTO_HANGUP */
	int			 status;
	char			 words[256];
	uint64_t		 leave_ms;	/* since when */
	unsigned int		 settled;	/* ticks since all is written */

	uint64_t		 heard_ms;	/* last octet from it */
	unsigned int		 missed;	/* PINGs without a word from it */
	uint64_t		 ping;

	struct event		*ctl_ev, *in_ev, *out_ev, *timer;

	/* The owner's. */
	uid_t			 uid;
	struct viewer		*viewer;	/* of a support leg */
	struct view		*view;		/* of a view leg */
};

/*
 * A peer for the connection CTL, which it takes over.  NULL (CTL closed) if
 * there is no memory.
 */
struct peer	*peer_new(struct event_base *base, const struct relayconf *conf,
		    int ctl, const struct peer_ops *ops, void *owner);

/* Free a peer that is PEER_DEAD. */
void		 peer_free(struct peer *p);

/* Queue a frame.  Dropped unless the peer is greeting, up or leaving. */
__attribute__((format(printf, 5, 6)))
void		 peer_send(struct peer *p, enum proto_form form,
		    const void *payload, size_t len, const char *fmt, ...);

/* There is something for stream_cb to give. */
void		 peer_wake(struct peer *p);

/*
 * Stop or go on reading what it sends.  By itself it stops for a support leg
 * that does not read its answers, and for who does PEER_ACTS in PEER_ACTS_MS.
 */
void		 peer_pause(struct peer *p, bool pause);
bool		 peer_is_paused(const struct peer *p);

/* Octets queued for it. */
size_t		 peer_queued(const struct peer *p);

/*
 * Let it go: write what is queued, then tell its leg FORM (PROTO_END, or
 * PROTO_HANGUP to end its ssh connection too) with STATUS and WORDS, then die.
 */
void		 peer_leave(struct peer *p, enum proto_form form, int status,
		    const char *words);

/* A frame broke the rules: say WHAT in an ERROR, then let it go. */
void		 peer_fault(struct peer *p, const char *what);

/* The end at once; its leg is told if that can be done without waiting. */
void		 peer_kill(struct peer *p, enum proto_form form, int status,
		    const char *words);

/* The same without a word to anybody. */
void		 peer_drop(struct peer *p);

/* Milliseconds of a clock that only goes forward. */
uint64_t	 peer_clock(void);

#endif
