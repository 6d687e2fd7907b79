/*
 * credit.c - see credit.h.
 */
#include "credit.h"

#include <string.h>

#define SAMPLE_MS	250u	/* a measurement is that long at least, */
#define SAMPLE_SHORT_MS	20u	/* or this, if it moved twice the credit */
#define QUEUE_MS	500u	/* what may stand in the link's queues */
#define TRIP_MS		100u	/* of round trip on top of it, until it is known */
#define TRIP_MAX_MS	500u
#define PROBE_MAX	1024u	/* what so few octets take is the trip alone */

void
credit_init(struct credit *c)
{
	memset(c, 0, sizeof *c);
	c->limit = CREDIT_START;
	c->trip_ms = TRIP_MS;
}

uint32_t
credit_free(const struct credit *c)
{
	uint64_t out = c->sent - c->acked;

	return out >= c->limit ? 0 : c->limit - (uint32_t)out;
}

void
credit_sent(struct credit *c, uint32_t n, uint64_t now_ms)
{
	if (c->acked == c->sent && n > 0 && n <= PROBE_MAX) {
		c->mark = c->sent + n;
		c->mark_ms = now_ms;
	}
	c->sent += n;
}

/* A few octets sent on an empty link have arrived: follow its round trip, at
 * once if it is shorter than we thought. */
static void
measure_trip(struct credit *c, uint64_t now_ms)
{
	uint64_t ms = now_ms - c->mark_ms;

	if (ms > TRIP_MAX_MS)
		ms = TRIP_MAX_MS;
	c->trip_ms = ms < c->trip_ms ? (uint32_t)ms :
	    (uint32_t)((7 * c->trip_ms + ms + 7) / 8);
	c->mark = 0;
}

/* Take a measurement if there is enough for one, and begin the next. */
static void
measure(struct credit *c, uint64_t now_ms)
{
	uint64_t ms = now_ms - c->since_ms, n = c->acked - c->since_acked;
	uint64_t want;

	if (ms < SAMPLE_SHORT_MS ||
	    (ms < SAMPLE_MS && n < 2 * (uint64_t)c->limit))
		return;
	want = n * (QUEUE_MS + c->trip_ms) / ms;
	c->limit = want < CREDIT_MIN ? CREDIT_MIN :
	    want > CREDIT_MAX ? CREDIT_MAX : (uint32_t)want;
	c->since_ms = now_ms;
	c->since_acked = c->acked;
}

int
credit_acked(struct credit *c, uint64_t total, uint64_t now_ms)
{
	if (total < c->acked || total > c->sent)
		return -1;
	c->acked = total;
	if (c->mark != 0 && total >= c->mark)
		measure_trip(c, now_ms);
	if (c->measuring)
		measure(c, now_ms);
	return 0;
}

void
credit_waiting(struct credit *c, bool waiting, uint64_t now_ms)
{
	if (waiting && !c->measuring) {
		c->since_ms = now_ms;
		c->since_acked = c->acked;
	}
	c->measuring = waiting;
}
