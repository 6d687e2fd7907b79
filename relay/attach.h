/*
 * attach.h - what a local leg tells the broker with its descriptors: the
 * `key=value` lines in the payload of ATTACH.
 *
 * Written by `produce` and the support verbs, read by the broker.  Pure.
 */
#ifndef ATTACH_H
#define ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "authinfo.h"
#include "context.h"
#include "keyfile.h"
#include "proto.h"
#include "session.h"

#define ATTACH_MAX	16384	/* octets of the payload */
#define ATTACH_REMOTE_MAX	63

struct attach {
	unsigned int	role;	/* PROTO_VIEW …; 0: the customer */
	char		remote[ATTACH_REMOTE_MAX + 1];	/* an address, or "" */
	/* Of a support leg: */
	char		client[SESSION_CLIENT_LEN + 1];
	bool		ro;
	char		name[PROTO_NAME_MAX + 1];
	char		comment[KEYFILE_COMMENT_MAX + 1];
	char		fingerprint[AUTHINFO_FP_LEN + 1];
	/* Of the customer: */
	char		context[CONTEXT_LINE_MAX + 1];
	char		key_id[SID_MAX + 1];
	uint64_t	serial;
};

/* Write A into BUF.  Returns its length, or 0 if it does not fit. */
size_t	attach_format(const struct attach *a, char *buf, size_t cap);

/*
 * Read the LEN octets at S into A.  Returns NULL, or what is wrong with them.
 * A line that is not known is passed over; one that is given twice is not.
 */
const char *attach_parse(const char *s, size_t len, struct attach *a);

/* True if NAME may be shown as somebody's name: no control octets, UTF-8. */
bool	attach_name_ok(const char *name);

/* True if S is a client id: 16 lower-case hex digits. */
bool	attach_client_ok(const char *s);

#endif
