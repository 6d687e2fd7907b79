/*
 * broker.h - the process that carries one session, and what its files share.
 *
 * broker.c	starts it, accepts legs, reaps peers, ends the session
 * inform.c	what it says: the audit log, notices, SESSION_INFO
 * persist.c	SID.state, for a broker that takes over from a dead one
 * stream.c	the customer's screen comes in, screens are asked for and kept
 * recording.c	what is kept of it, SID.cast
 * viewing.c	it goes out to one viewer
 * customer.c	what the customer's frames mean
 * support.c	what the engineers' frames mean
 */
#ifndef BROKER_H
#define BROKER_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "audit.h"
#include "chatlog.h"
#include "context.h"
#include "credit.h"
#include "peer.h"
#include "recording.h"
#include "relayconf.h"
#include "ring.h"
#include "session.h"
#include "state.h"

struct apilink;
struct event;
struct event_base;
struct evbuffer;

#define BROKER_PEERS	256	/* connections at a time */
#define BROKER_RECORD_MAX 128	/* octets of a text from the API's record */

TAILQ_HEAD(peers, peer);

/*
 * A complete screen that serves who comes later, with the place in the ring
 * where what followed it begins.
 */
struct kept {
	struct ring_cursor	 cursor;
	struct blob		*history;	/* taken with it; may be NULL */
	struct blob		*screen;	/* NULL: none is kept */
	uint32_t		 lines;		/* that were asked of history */
	uint64_t		 ms;		/* when it came */
};

enum { KEPT_NEWEST, KEPT_FULL, KEPT };	/* FULL: the newest with history */

#define VIEW_BLOBS	3	/* one half sent, HISTORY, SCREEN */
#define VIEW_CRUMB	1024u	/* less is not sent if more is to come */

/* Where a viewer is in the stream. */
struct view {
	struct credit		 credit;
	struct ring_cursor	 cursor;
	struct blob		*blobs[VIEW_BLOBS];	/* go before the cursor */
	unsigned int		 nblobs;
	size_t			 done;		/* octets sent of the first */
	bool			 waiting;	/* for a SCREEN */
	uint32_t		 history;	/* lines wanted before it */
	bool			 gap;		/* it was skipped ahead: its next
						 * screen says so, */
	bool			 set_gap;	/* and this one did */
	uint64_t		 heard_ms;	/* its last ACK */
};

/* The stream from the customer, see stream.c. */
struct stream {
	struct ring	 ring;
	struct blob	*history;	/* a set that is coming, or complete */
	bool		 history_done;
	struct blob	*screen;	/* a set that is coming */
	struct kept	 kept[KEPT];
	struct event	*keep_ev;
	bool		 used;		/* memory, that could be given back */
	uint64_t	 taken, acked;	/* payload octets since its HELLO */
	bool		 asked;		/* a SNAPSHOT is unanswered: */
	uint32_t	 asked_lines;
	uint64_t	 asked_ms;
	struct event	*ask_ev, *ack_ev;
};

/* SID.state, see persist.c. */
struct persist {
	int		 dirfd;		/* -1: none can be kept */
	struct event	*ev;		/* it is to be written */
	uint64_t	 wrote_ms, synced_ms;
	bool		 unsynced;	/* what was written should be on disk */
	bool		 told;		/* that it cannot be written */
	bool		 lost;		/* the old one was broken: to be told */
	char		 over[STATE_REASON_MAX + 1];	/* it said so */
};

struct broker {
	const struct relayconf	*conf;
	const char		*sid;
	struct event_base	*base;
	uid_t			 support_uid;

	int			 listener;
	struct event		*listen_ev, *accept_ev;
	struct peers		 peers;
	unsigned int		 npeers;
	struct event		*reap_ev;

	struct session		 session;
	struct stream		 stream;
	struct persist		 persist;
	struct audit		 audit;
	struct chatlog		 chat;
	struct recording	 recording;
	struct apilink		*api;
	bool			 audit_told;	/* that the log cannot be written */

	struct peer		*producer;	/* the customer's leg, or NULL */
	struct context		 context;	/* of the newest */
	bool			 away;		/* it said so before it went */
	uint64_t		 heard_ms;	/* from one that is gone */
	char			 customer[BROKER_RECORD_MAX];
	char			 support_case[BROKER_RECORD_MAX];

	struct event		*info_ev;	/* SESSION_INFO is due */
	uint64_t		 info_ms;	/* when the last one went */
	struct event		*linger_ev;	/* no customer for too long */
	struct event		*terminate_ev;	/* the customer does not end it */
	struct event		*tick_ev;
	struct event		*term_ev;	/* SIGTERM */

	bool			 closing;
	const char		*reason;	/* of CLOSED */
	bool			 recorded;	/* the API has it */
};

/* ---- broker.c ----------------------------------------------------------- */

/*
 * Carry the session SID until it is over.  READY gets one octet when the
 * socket is there.  Returns the exit status.
 */
int	broker_run(const struct relayconf *conf, const char *sid, int ready);

/* RUN_DIR/SID.SUFFIX into BUF; -1 if it does not fit. */
int	broker_path(const struct relayconf *conf, const char *sid,
	    const char *suffix, char *buf, size_t cap);

/* Do what follows from a change of the session. */
void	broker_follow(struct broker *b, unsigned int follows);

/*
 * The session is over for good: REASON is a word of CLOSED.  HANG_UP: the
 * customer's ssh connection does not end by itself.  RECORD: the API is to be
 * told.
 */
void	broker_close(struct broker *b, const char *reason, bool hang_up,
	    bool record);

/* What the REASON of CLOSED means, for people. */
const char *broker_reason_text(const char *reason);

/* ---- inform.c ----------------------------------------------------------- */

/* A line in SID.log about what P (NULL: the relay) did. */
__attribute__((format(printf, 4, 5)))
void	broker_audit(struct broker *b, struct peer *p, const char *what,
	    const char *fmt, ...);

/* STATUS to the customer; to all legs of V; to all engineers. */
__attribute__((format(printf, 2, 3)))
void	broker_tell_customer(struct broker *b, const char *fmt, ...);
__attribute__((format(printf, 3, 4)))
void	broker_tell_viewer(struct broker *b, const struct viewer *v,
	    const char *fmt, ...);
__attribute__((format(printf, 2, 3)))
void	broker_tell_support(struct broker *b, const char *fmt, ...);

/* SESSION_INFO: to one that has just come; to all, soon. */
int	inform_init(struct broker *b);
void	inform_one(struct broker *b, struct peer *p);
void	inform_due(struct broker *b);

/* Send the SESSION_INFO that is due without waiting for its time. */
void	inform_now(struct broker *b);

/* ---- persist.c ---------------------------------------------------------- */

/*
 * Take up what an earlier broker of this session left, also of its chat.  0, or
 * -1 without memory; whatever is wrong with the files is said.
 */
int	persist_open(struct broker *b);

/* Something that is kept has changed: write it soon; or now, to be on the disk
 * before it takes effect. */
void	persist_due(struct broker *b);
void	persist_now(struct broker *b);

/* Tell the customer what was lost, if anything was. */
void	persist_tell(struct broker *b);

/* The end of this process: write what is due, or remove it if the session is
 * over. */
void	persist_close(struct broker *b);

/* ---- stream.c ----------------------------------------------------------- */

int	stream_init(struct broker *b);
void	stream_release(struct broker *b);

/* A new customer's leg is up: nothing that was before it counts. */
void	stream_restart(struct broker *b);

/*
 * OUTPUT, HISTORY, SCREEN or SIZE of the customer.  Returns NULL, or what is
 * wrong with it.
 */
const char *stream_take(struct broker *b, enum proto_form form,
	    const struct proto_frame *f);

/*
 * P waits for a screen: give it one that is kept.  False: there is none that
 * it can take.
 */
bool	stream_serve(struct broker *b, struct peer *p);

/* Ask for a screen if somebody waits for one and it is time. */
void	stream_ask(struct broker *b);

/* Forget what nobody needs any more. */
void	stream_trim(struct broker *b);

/* Now and then: give memory back. */
void	stream_idle(struct broker *b);

/* ---- viewing.c ---------------------------------------------------------- */

/* A view leg comes, and wants HISTORY lines above its first screen; goes. */
int	stream_open(struct broker *b, struct peer *p, uint32_t history);
void	stream_close(struct broker *b, struct peer *p);

/* Its ACK.  -1: it acknowledges what was not sent. */
int	stream_acked(struct peer *p, uint64_t total);

/* struct peer_ops.stream_cb */
bool	stream_next(struct peer *p, struct evbuffer *out);

/* Make a viewer wait for a screen; a set that it has half of it gets whole. */
void	view_wait(struct view *v);

/* It gets nothing any more, not even the rest of a set. */
void	view_forget(struct view *v);

/* Give a viewer a screen, after the HISTORY (or NULL) if it wants one; then what
 * is in the ring from CURSOR on. */
void	view_give(struct peer *p, struct blob *history, struct blob *screen,
	    struct ring_cursor cursor);

/* ---- customer.c, support.c ---------------------------------------------- */

/* struct peer_ops.attach_cb, up_cb and frame_cb of either side. */
const char *customer_attach(struct peer *p, const struct attach *a);
void	customer_up(struct peer *p, const struct proto_frame *hello);
void	customer_frame(struct peer *p, enum proto_form form,
	    const struct proto_frame *f);
const char *support_attach(struct peer *p, const struct attach *a);
void	support_up(struct peer *p, const struct proto_frame *hello);
void	support_frame(struct peer *p, enum proto_form form,
	    const struct proto_frame *f);

/* Read again what the engineers type. */
void	support_resume(struct broker *b);

/* Show a chat line to everybody but the peer that it came from. */
void	chat_spread(struct broker *b, const struct peer *from,
	    const struct chat_line *l);
void	chat_send(struct peer *to, const struct chat_line *l);

#endif
