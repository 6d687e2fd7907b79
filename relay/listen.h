/*
 * listen.h - the addresses that relay-api may listen at.
 */
#ifndef LISTEN_H
#define LISTEN_H

#include <stddef.h>

/*
 * Listen at ADDRESS, `unix:/PATH` or HOST:PORT with HOST a numeric loopback
 * address (an IPv6 one in brackets); port 0 lets the kernel choose.  The socket
 * is non-blocking and close-on-exec.  What was bound is written to BOUND (CAP
 * octets), its path, if it has one, to *PATH, which the caller frees.  Returns
 * the descriptor, or -1 with one line in ERR (ERRCAP octets).
 */
int	listen_at(const char *address, char *bound, size_t cap, char **path,
	    char *err, size_t errcap);

#endif
