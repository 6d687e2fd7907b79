/*
 * credit.h - how much of a stream may be under way to a peer.
 *
 * ssh takes megabytes before a writer notices anything, so what is written is
 * not what has arrived.  The receiver acknowledges the octets it has taken
 * (ACK); no more than the credit may be unacknowledged.  The credit is what
 * the link carries in half a second, measured while there is always more to
 * send, and in the time that an octet takes on the empty link (or a long round
 * trip alone would shrink it).  Pure: the caller brings the clock.
 */
#ifndef CREDIT_H
#define CREDIT_H

#include <stdbool.h>
#include <stdint.h>

#define CREDIT_START	16384u
#define CREDIT_MIN	4096u
#define CREDIT_MAX	262144u

struct credit {
	uint64_t	sent, acked;	/* payload octets since HELLO */
	uint32_t	limit;		/* CREDIT_MIN..CREDIT_MAX */
	bool		measuring;	/* there has been more to send since: */
	uint64_t	since_ms;
	uint64_t	since_acked;
	uint64_t	mark;		/* few octets, sent on an empty link; 0: none */
	uint64_t	mark_ms;
	uint32_t	trip_ms;	/* round trip of the empty link */
};

void	credit_init(struct credit *c);

/* Octets that may be sent now. */
uint32_t credit_free(const struct credit *c);

/* N octets were sent (N at most credit_free()). */
void	credit_sent(struct credit *c, uint32_t n, uint64_t now_ms);

/*
 * TOTAL octets have arrived.  Returns 0, or -1 if that is less than was
 * acknowledged before or more than was sent: a broken peer.
 */
int	credit_acked(struct credit *c, uint64_t total, uint64_t now_ms);

/*
 * Whether more waits than the credit lets pass.  Only such time says anything
 * about the link.
 */
void	credit_waiting(struct credit *c, bool waiting, uint64_t now_ms);

#endif
