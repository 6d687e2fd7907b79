/*
 * route.h - the one table of endpoints: who may reach what.
 *
 * The dispatcher, 404, and 405 with its Allow are derived from it.
 */
#ifndef ROUTE_H
#define ROUTE_H

#include <stddef.h>

#include "request.h"

/* Classes of endpoints, and of what a listening socket lets its peers reach. */
#define ROUTE_PUBLIC	0x1	/* customers, through the web server */
#define ROUTE_SUPPORT	0x2	/* engineers, over ssh to the loopback port */
#define ROUTE_INTERNAL	0x4	/* the relay's own programs, on the unix socket */
#define ROUTE_ENROLL	0x8	/* relay-share enroll, there */

#define ROUTE_BODY	0x1	/* takes a JSON body, which must be there */
#define ROUTE_DATA	0x2	/* takes octets: the handler is called when the
				 * head is there, and sets a sink */

struct route {
	const char	*method;
	const char	*path;		/* <id> stands for a SESSION_ID,
					 * <token> for a one-time token,
					 * <upload> for an upload's ID,
					 * <name> for any one name */
	unsigned int	 class;		/* one ROUTE_PUBLIC … bit */
	unsigned int	 flags;
	const char	*query;		/* parameters it knows, or "" */
	void		(*handler)(struct request *rq);
};

extern const struct route	routes[];
extern const size_t		nroutes;

/*
 * Find what METHOD (HEAD counts as GET) and TARGET (path and query, raw) ask
 * for, among what RQ->classes may reach; fills in route, sid and query.  A path
 * is compared octet by octet: it has one spelling.  Returns true, or false
 * with the request answered: 404, 405, or 400 for the query.
 */
bool	route_find(struct request *rq, const char *method, const char *target);

#endif
