/*
 * store.h - what the relay remembers: sessions, their claims, certificates.
 *
 * One SQLite file, one connection, one process (a lock beside the file sees to
 * that).  The SQL is in sql.c.  What a function reports as done is on disk.
 *
 * A session is pending until its first producer registers it, active until it
 * is closed, then closed.  A pending one is claimed once, by the first public
 * key that is presented with its ID; a pending session that nobody claimed is
 * forgotten when it expires or is cancelled, a claimed one is closed.
 *
 * Wall-clock times (now, *_at) are Unix seconds.  Liveness is kept in memory
 * on a monotonic clock (milliseconds), so that a stepped clock closes nothing
 * and every start counts anew.
 */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "grant.h"
#include "sid.h"

#define STORE_HEX_LEN	64	/* digits of a SHA-256 */
#define STORE_KEY_LEN	32	/* octets of digests, nonces and MACs */

struct store;

enum store_result {
	STORE_OK,
	STORE_NONE,		/* no such session (any more) */
	STORE_AGAIN,		/* already done, see there */
	STORE_CONFLICT,		/* not in the state for that */
	STORE_GONE,		/* closed */
	STORE_REFUSED,		/* no such claim */
	STORE_EXHAUSTED,	/* no ports or serials left */
	STORE_FULL,		/* the disk is */
	STORE_ERROR		/* logged */
};

/*
 * Open PATH, creating or migrating it, and take its lock.  START is the
 * monotonic time now.  Returns NULL with one line in ERR (CAP octets).
 */
struct store	*store_open(const char *path, int64_t start, char *err,
		    size_t cap);
void		 store_close(struct store *st);

/* True if a read works. */
bool		 store_healthy(struct store *st);

/* A session as it is stored.  Absent texts are NULL, absent numbers 0; the
 * pointers are good until the callback returns. */
struct store_row {
	int64_t		 number;	/* order of creation, a cursor */
	const char	*id;
	const char	*status;	/* pending, active, closed, archived */
	const char	*case_id, *customer;
	bool		 ad_hoc;
	int64_t		 created_at, expires_at;
	int64_t		 registered_at, closed_at;
	const char	*mode;
	int64_t		 tunnel_port;
	const char	*host, *user, *remote_ip;
	const char	*ips, *nets, *dns;	/* JSON arrays of strings */
};

typedef void	 store_row_cb(void *arg, const struct store_row *row);

/* STORE_OK, STORE_NONE. */
enum store_result store_get(struct store *st, const char *id, int64_t now,
		    store_row_cb *cb, void *arg);

struct store_filter {
	const char	*status;
	const char	*customer, *case_id;	/* NULL: any */
	int64_t		 since;		/* registered (pending: created) then
					 * or later */
	int64_t		 below;		/* only numbers below it */
	int64_t		 limit;
};

/* Newest first.  An expired pending session is in no list. */
enum store_result store_list(struct store *st, const struct store_filter *f,
		    int64_t now, store_row_cb *cb, void *arg);

struct store_pending {
	const char	*id;
	const char	*case_id, *customer;	/* or NULL */
	bool		 ad_hoc;
	int64_t		 expires_at;
};

/* STORE_OK, STORE_CONFLICT if the ID was used. */
enum store_result store_pending_add(struct store *st,
		    const struct store_pending *p, int64_t now);

/* A certificate to be made, or made before. */
struct store_grant {
	int64_t		 number;
	struct grant	 grant;		/* serials up to this one */
	int64_t		 serial;
	int64_t		 expires_at;	/* of the certificate */
	unsigned char	 nonce[STORE_KEY_LEN];	/* the resume secret's */
	char		*certificate;	/* free it; NULL: not signed yet */
};

struct store_claim {
	const char	*id;		/* NULL: a token alone */
	const unsigned char *token;	/* its MAC; NULL: the ID alone */
	const char	*fresh;		/* ID of the session that a token alone
					 * starts; it must register before … */
	int64_t		 fresh_until;
	unsigned char	 key[STORE_KEY_LEN];	/* digest of the public key */
	unsigned char	 nonce[STORE_KEY_LEN];	/* used if it is the first */
	unsigned char	 mac[STORE_KEY_LEN];	/* of the resume secret */
	int64_t		 repeat;	/* seconds that a claim may be
					 * repeated by the same key */
	int64_t		 expires_at;	/* of the certificate, if first */
	unsigned int	 port_first, port_last, ports;
};

/*
 * Claim a pending session, by its ID or by a token (store_token.h), which is
 * used up by it.  STORE_OK the first time; STORE_AGAIN for the same key within
 * the repeat time, with the same serial; STORE_REFUSED for anything else,
 * whatever it is; STORE_EXHAUSTED, or STORE_CONFLICT if there is a session
 * FRESH (then nothing is claimed or used).
 */
enum store_result store_claim(struct store *st, const struct store_claim *c,
		    int64_t now, int64_t mono, struct store_grant *g);

/* What store_claim() or store_resume() would say, without doing it. */
enum store_result store_claim_try(struct store *st,
		    const struct store_claim *c, int64_t now);
enum store_result store_resume_try(struct store *st,
		    const unsigned char mac[STORE_KEY_LEN], const char *id);

/*
 * A new serial for the session whose resume secret has MAC, and whose ID is ID
 * unless that is NULL.  STORE_OK, STORE_REFUSED, STORE_EXHAUSTED.
 */
enum store_result store_resume(struct store *st,
		    const unsigned char mac[STORE_KEY_LEN], const char *id,
		    int64_t expires_at, int64_t mono, struct store_grant *g);

/*
 * Keep the certificate of G's serial, unless there is one; then that one goes
 * into G.  STORE_OK; STORE_NONE if the session is closed by now.
 */
enum store_result store_certificate(struct store *st, struct store_grant *g,
		    const char *certificate);

struct store_register {
	const char	*id;
	int64_t		 serial;
	const char	*mode, *host, *user, *remote_ip;
	const char	*ips, *nets, *dns;
	const char	*case_id;	/* taken where none is known */
};

/*
 * STORE_OK the first time, STORE_AGAIN later (the record is updated),
 * STORE_GONE, STORE_NONE; STORE_CONFLICT if SERIAL is not the session's.
 */
enum store_result store_register(struct store *st,
		    const struct store_register *r, int64_t now, int64_t mono);

/* STORE_OK, STORE_GONE, STORE_NONE (unknown, or not active). */
enum store_result store_heartbeat(struct store *st, const char *id,
		    int64_t mono);

struct store_patch {
	bool		 set_mode, set_port, set_case, set_customer;
	const char	*mode, *case_id, *customer;	/* NULL: remove */
	int64_t		 tunnel_port;	/* 0: remove */
};

/*
 * STORE_OK, STORE_NONE, STORE_GONE; STORE_CONFLICT if the port is none of the
 * session's, or the session is not active for a mode or port.
 */
enum store_result store_patch(struct store *st, const char *id,
		    const struct store_patch *p);

/*
 * Close a session, or forget a pending one that nobody claimed.  Until
 * GRANT_UNTIL its grant tells why.  STORE_OK with the grant file to write in G
 * (G->sid is "" if there is none); STORE_AGAIN if it is closed; STORE_NONE.
 */
enum store_result store_end(struct store *st, const char *id,
		    enum grant_reason reason, int64_t now, int64_t grant_until,
		    struct grant *g);

typedef void	 store_id_cb(void *arg, const char *id);
typedef void	 store_serial_cb(void *arg, const char *id, uint64_t serial);
typedef void	 store_grant_cb(void *arg, const struct grant *g);

/* Every grant file that should be there; every certificate's link. */
enum store_result store_grants(struct store *st, store_grant_cb *cb,
		    void *arg);
enum store_result store_serials(struct store *st, int64_t now,
		    store_serial_cb *cb, void *arg);

/* Forget pending sessions that expired unclaimed. */
enum store_result store_expire_pending(struct store *st, int64_t now);

/*
 * Fill IDS with at most MAX sessions of which nothing was heard since the
 * monotonic time BEFORE.  Returns how many.
 */
size_t		 store_silent(struct store *st, int64_t before,
		    char ids[][SID_MAX + 1], size_t max);

/*
 * Name each session whose ended grant is over, each certificate that expired,
 * and then forget that it was so.  The callback removes the file; it must not
 * call back.
 */
enum store_result store_expire_grants(struct store *st, int64_t now,
		    store_id_cb *cb, void *arg);
enum store_result store_expire_serials(struct store *st, int64_t now,
		    store_serial_cb *cb, void *arg);

/* ---- uploads (store_upload.c) ---- */

#define STORE_UPLOADS_OPEN	16	/* of one owner */

/* As store_row. */
struct store_upload {
	int64_t		 number;
	const char	*id;		/* 32 hex digits */
	bool		 complete;
	const char	*case_id, *session, *name;
	int64_t		 size;
	const char	*sha256;	/* announced, then computed; hex */
	int64_t		 created_at, expires_at, completed_at;
	bool		 has_owner;	/* what its sender must show: */
	unsigned char	 owner[STORE_KEY_LEN];
};

typedef void	 store_upload_cb(void *arg, const struct store_upload *up);

struct store_upload_filter {
	const char	*case_id, *session;	/* NULL: any */
	int64_t		 complete;	/* 0, 1, or -1: any */
	int64_t		 since, below, limit;	/* as of store_filter */
};

/*
 * Find the session that is not closed whose resume secret has MAC: its ID, and
 * its case ("" for none).  STORE_OK, STORE_REFUSED.
 */
enum store_result store_upload_session(struct store *st,
		    const unsigned char mac[STORE_KEY_LEN],
		    char id[SID_MAX + 1], char *case_id, size_t cap);

/*
 * STORE_OK; STORE_EXHAUSTED if all uploads together would be of more than QUOTA
 * octets; STORE_CONFLICT if STORE_UPLOADS_OPEN of its owner's are open, if it
 * has one.  UP->number and the times but expires_at are not looked at.
 */
enum store_result store_upload_add(struct store *st,
		    const struct store_upload *up, int64_t now, int64_t quota);

/* STORE_OK, STORE_NONE. */
enum store_result store_upload_get(struct store *st, const char *id,
		    store_upload_cb *cb, void *arg);

/* Newest first. */
enum store_result store_upload_list(struct store *st,
		    const struct store_upload_filter *f, store_upload_cb *cb,
		    void *arg);

/* STORE_OK; STORE_NONE if it is not, or not open any more. */
enum store_result store_upload_complete(struct store *st, const char *id,
		    const char sha256[STORE_HEX_LEN + 1], int64_t now);

/* STORE_OK, STORE_NONE. */
enum store_result store_upload_delete(struct store *st, const char *id);

/* Name each upload that was not completed in time. */
enum store_result store_upload_stale(struct store *st, int64_t now,
		    store_id_cb *cb, void *arg);

/* Sessions by status, uploads by completeness: how many. */
struct store_counts {
	int64_t		 pending, active, closed, archived;
	int64_t		 uploads_open, uploads_complete, upload_octets;
};

enum store_result store_count(struct store *st, int64_t now,
		    struct store_counts *c);

#endif
