/*
 * throttle.h - how many failed attempts are too many; pure.
 *
 * After LIMIT failures within the last WINDOW seconds the next attempt has to
 * wait until one of them is older than that.  Who counts failures, and keeps
 * them, does not matter here.
 */
#ifndef THROTTLE_H
#define THROTTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define THROTTLE_SOURCE_MAX	47	/* octets of a source's name */

struct throttle_rule {
	uint32_t	limit;		/* at least 1 */
	int64_t		window;		/* seconds */
};

/*
 * Seconds to wait at the time NOW, when the LIMIT-th newest failure was at AT;
 * 0: none, at most the window, whatever clocks have been set to meanwhile.
 */
int64_t	throttle_wait(const struct throttle_rule *rule, int64_t at,
	    int64_t now);

/*
 * Who an address counts as: an IPv4 address (written as IPv6 or not) alone, an
 * IPv6 one with its /64.  A zone (`%eth0`) is ignored.  Returns true, or false
 * with OUT empty if the LEN octets at S are no address.
 */
bool	throttle_source(const char *s, size_t len,
	    char out[THROTTLE_SOURCE_MAX + 1]);

#endif
