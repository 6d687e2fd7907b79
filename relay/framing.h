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
#include <stdint.h>

struct MHD_Connection;

struct framing {
	uint64_t	 length;	/* octets of body */
	bool		 json;		/* the body says that it is JSON */
	/* Fields as they came, or NULL; MC's. */
	const char	*authorization, *content_range, *encoding, *forwarded;
	const char	*range;
	unsigned int	 status;	/* if it is refused: what to answer, ... */
	const char	*why;		/* ... and in words */
};

/*
 * Judge the head that MC has just read; TARGET is the raw one.  Returns true,
 * or false if it is refused; then the connection must be closed, as nothing
 * that follows can be trusted.
 */
bool	framing_take(struct MHD_Connection *mc, const char *method,
	    const char *target, const char *version, struct framing *f);

#endif
