/*
 * framing.h - where a request begins and ends, beyond doubt.
 *
 * libmicrohttpd forgives much about a head, and what it forgives it does not
 * show.  Whoever reads the same octets in another way (a proxy, an attacker's
 * victim) must not find other requests in them, so all of that is refused.
 */
#ifndef FRAMING_H
#define FRAMING_H

#include <stdbool.h>
#include <stddef.h>

struct MHD_Connection;

struct framing {
	size_t		 length;	/* octets of body */
	bool		 json;		/* the body says that it is JSON */
	unsigned int	 status;	/* if it is refused: what to answer, ... */
	const char	*why;		/* ... and in words */
};

/*
 * Judge the head that MC has just read; TARGET is the raw one.  A body may be
 * of MAX octets.  Returns true, or false if it is refused; then the connection
 * must be closed, as nothing that follows can be trusted.
 */
bool	framing_take(struct MHD_Connection *mc, const char *method,
	    const char *target, const char *version, size_t max,
	    struct framing *f);

#endif
