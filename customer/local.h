/*
 * local.h - what the faces of this program say to each other over the session
 * directory's socket: the frames of proto.h, with verbs of their own.
 *
 *	from the daemon
 *	READY			both panes are there
 *	LINK state +why		the link's state: idle connecting up waiting
 *				away over
 *	INFO +json		the relay's SESSION_INFO
 *	PERM state		as in proto.h
 *	LINE style id time name +text	a line of chat: style notice, warn,
 *				mine, peer; pending if mine and not kept yet
 *	KEPT id			a line of ours is in the relay's chat file
 *	NOTICE +text		from the relay, laid over the header
 *	CLOSED +text		the session has ended
 *	from the others
 *	HELLO face		chat, launch or key
 *	CHAT id +text		a line that was typed
 *	BYE [away]		end the session; or only the link
 */
#ifndef LOCAL_H
#define LOCAL_H

#include <stddef.h>

#include "proto.h"

struct bufferevent;

/* Write a frame; NULL for no PAYLOAD, FMT as for proto_put(). */
__attribute__((format(printf, 5, 6)))
void	local_send(struct bufferevent *bev, const char *verb,
	    const void *payload, size_t len, const char *fmt, ...);

/*
 * Take one frame off the LEN octets at BUF.  Returns its length, 0 if it is not
 * whole yet, or -1 if it is none.
 */
int	local_take(const void *buf, size_t len, struct proto_frame *f);

/* Copy arg I, or the payload, NUL-terminated; cut to CAP.  Returns OUT. */
char	*local_arg(const struct proto_frame *f, unsigned int i, char *out,
	    size_t cap);
char	*local_text(const struct proto_frame *f, char *out, size_t cap);

#endif
