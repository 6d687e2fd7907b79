/*
 * forwarded.h - for whom a proxy asks.
 */
#ifndef FORWARDED_H
#define FORWARDED_H

#include <stdbool.h>

#include "throttle.h"

/* Is the peer of the socket FD in PROXIES, addresses separated by spaces? */
bool	forwarded_by_proxy(int fd, const char *proxies);

/*
 * The source of the last address in an X-Forwarded-For, which the proxy itself
 * has put there; what stands before it anybody may have written.  False if it
 * is none.
 */
bool	forwarded_source(const char *field, char out[THROTTLE_SOURCE_MAX + 1]);

#endif
