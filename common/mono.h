/*
 * mono.h - the clock that deadlines are measured by: it is never set.
 *
 * Header-only; depends on the C library alone.
 */
#ifndef MONO_H
#define MONO_H

#include <stdint.h>
#include <time.h>

/* Milliseconds since some moment before our start. */
static inline int64_t
mono_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

#endif
