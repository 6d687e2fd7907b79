/*
 * state.h - SID.state: what a new broker of a session has to know of the one
 * before it.
 *
 * Lines of words, each ended by LF, `linbit-tunl-state 1` first and `end` last:
 *
 *	perm STATE		the customer's policy
 *	next N			the number of the next viewer
 *	terminating		support has asked for the end
 *	over REASON		the session is over (a word of CLOSED)
 *	wary			keys without a line are read-only
 *	key FINGERPRINT GRADE	rw, ro or kicked
 *	viewer N CLIENT FINGERPRINT
 *	chat ID			the newest line of SID.chat when this was written
 *	owed ID			of a line that the customer's machine may lack
 *
 * Each of the first five, and `chat`, at most once, perm and next exactly once;
 * in any order.  A word that is not known makes the whole of it worthless: a
 * later version that says more has to say so in the first line.  Pure.
 */
#ifndef STATE_H
#define STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chatlog.h"
#include "session.h"

#define STATE_MAX	16384	/* octets of the file */
#define STATE_REASON_MAX 15

/* A viewer that is to have its number again. */
struct state_viewer {
	uint32_t	n;
	char		client[SESSION_CLIENT_LEN + 1];
	char		fingerprint[AUTHINFO_FP_LEN + 1];
};

struct state {
	unsigned int		perm;		/* PROTO_CONFIRM … */
	uint32_t		next_n;
	bool			terminating, wary;
	char			over[STATE_REASON_MAX + 1];	/* "": it is not */
	struct grade		grades[SESSION_GRADES];
	unsigned int		ngrades;
	struct state_viewer	viewers[SESSION_VIEWERS];
	unsigned int		nviewers;
	struct chat_owed	chat;
};

/* Write ST into BUF.  Returns its length, or 0 if it does not fit. */
size_t	state_format(const struct state *st, char *buf, size_t cap);

/*
 * Read the LEN octets at S into ST.  Returns NULL, or what is wrong with them;
 * then ST holds nothing of use.
 */
const char *state_parse(const char *s, size_t len, struct state *st);

#endif
