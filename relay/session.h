/*
 * session.h - the broker's state of one session: who may what, and what
 * follows from it.
 *
 * A pure state machine: no I/O, no clock, no allocation.  Who may send a verb
 * is the protocol's table (proto_row()); this adds who that is.  Every change
 * answers with a mask of what the broker has to do about it.
 */
#ifndef SESSION_H
#define SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "authinfo.h"
#include "keyfile.h"
#include "proto.h"
#include "sid.h"

#define SESSION_VIEWERS		64	/* engineers at a time */
#define SESSION_GRADES		64	/* keys the customer re-graded */
#define SESSION_CLIENT_LEN	16	/* hex digits of a client id */

/* What follows from a change. */
#define SESSION_INFORM	0x1	/* tell everybody SESSION_INFO */
#define SESSION_RESIZE	0x2	/* tell the customer the size that is wanted */
#define SESSION_PERM	0x4	/* tell the chat legs PERM */
#define SESSION_EVICT	0x8	/* end the legs of kicked viewers */
#define SESSION_MODE	0x10	/* tell the API the mode */
#define SESSION_SAVE	0x20	/* write down the state, soon */
#define SESSION_SAVE_FIRST 0x40	/* or before anything else */

/* Whether a frame of a viewer may pass. */
enum session_verdict {
	SESSION_PASS,
	SESSION_READONLY,	/* drop: this engineer may only look */
	SESSION_POLICY,		/* drop: the customer's policy */
	SESSION_NO_LINK,	/* drop: the customer is not connected */
	SESSION_VERDICTS
};

/* One engineer's one `tunl join`: its view leg and its chat leg. */
struct viewer {
	uint32_t	n;			/* 0: a free slot */
	char		client[SESSION_CLIENT_LEN + 1];
	char		name[PROTO_NAME_MAX + 1];	/* claimed */
	char		comment[KEYFILE_COMMENT_MAX + 1];
	char		fingerprint[AUTHINFO_FP_LEN + 1];
	uint16_t	legs, watching;		/* all; of them view and chat, */
	uint16_t	viewing;		/* and of those view */
	bool		asked_ro;		/* joined as read-only */
	uint16_t	cols, rows;		/* the wish; 0: none */
	uint32_t	override;		/* order of an override; 0: none */
	uint16_t	told;			/* verdicts it was told of, bits */
	bool		typed;
};

/* What the customer decided about one key, for the rest of the session. */
struct grade {
	char		fingerprint[AUTHINFO_FP_LEN + 1];
	bool		ro, kicked;
};

struct session {
	struct viewer	viewers[SESSION_VIEWERS];
	struct grade	grades[SESSION_GRADES];
	unsigned int	ngrades;
	uint32_t	next_n;
	uint32_t	overrides;	/* given out so far */
	unsigned int	perm;		/* PROTO_CONFIRM … */
	bool		link;		/* the customer is connected */
	bool		terminating;	/* support asked for the end */
	bool		wary;		/* grades were lost: a key without one
					 * is read-only */
	uint16_t	cols, rows;	/* last size asked of the customer */
};

/* Who joins. */
struct session_who {
	const char	*client, *name, *comment, *fingerprint;
	bool		 ro;
	unsigned int	 role;		/* PROTO_VIEW … */
};

enum session_joined {
	SESSION_JOINED,
	SESSION_KICKED,		/* this key was put out */
	SESSION_FULL
};

void	session_init(struct session *s);

/*
 * The customer's leg is there, and its context says PERM; or it is gone.
 */
unsigned int session_link_up(struct session *s, unsigned int perm);
unsigned int session_link_lost(struct session *s);

/* The customer changed its policy. */
unsigned int session_perm(struct session *s, unsigned int perm);

/*
 * A support leg comes; *V is its viewer (the same for legs with the same
 * client id and key), *FOLLOWS what follows.
 */
enum session_joined session_join(struct session *s,
	    const struct session_who *who, struct viewer **v,
	    unsigned int *follows);

/* A leg of V with ROLE goes.  V is not to be used after its last leg went. */
unsigned int session_leave(struct session *s, struct viewer *v,
	    unsigned int role);

/* The viewer with number N, who may have no leg just now, or NULL. */
struct viewer *session_viewer(struct session *s, uint64_t n);

/* True if the customer made this engineer read-only, or they asked for it. */
bool	session_is_ro(const struct session *s, const struct viewer *v);
bool	session_is_kicked(const struct session *s, const struct viewer *v);

/* May V send FORM to the customer now? */
enum session_verdict session_judge(const struct session *s,
	    const struct viewer *v, enum proto_form form);

/* True the first time that V is to be told of this verdict. */
bool	session_tell(struct viewer *v, enum session_verdict verdict);

/* The verdict in words for the engineer. */
const char *session_verdict_text(enum session_verdict verdict);

/*
 * The customer re-grades viewer N: GRADE is rw, ro or kick (VIEWER).  Who is
 * put out stays out, whatever is said later.
 */
unsigned int session_grade(struct session *s, uint64_t n,
	    struct proto_str grade);

/*
 * Of an earlier broker of this session: the grade of a key; a viewer's number.
 * Only before anybody joins.
 */
void	session_recall_grade(struct session *s, const struct grade *g);
void	session_recall_viewer(struct session *s, uint32_t n,
	    const char *client, const char *fingerprint);

/* V wishes for a size (0 0: none), or forces one. */
unsigned int session_wish(struct session *s, struct viewer *v, uint16_t cols,
	    uint16_t rows, bool override);

/* What the customer is to be asked for: the smallest wish, or an override. */
void	session_wanted(const struct session *s, uint16_t *cols,
	    uint16_t *rows);

/* The `mode` of the session's record. */
const char *session_mode(const struct session *s);

#endif
