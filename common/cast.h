/*
 * cast.h - a recording of a terminal: an asciicast v2 file, see casttext.h.
 * What is typed is never in it.
 *
 * A file of an earlier process is continued.  Times count from the header's
 * timestamp; they never go backwards, whatever the clock does.
 *
 * Nothing here waits, has a timer or tells people: a file that cannot be written
 * is in state CAST_FAILED until the caller tries again.
 */
#ifndef CAST_H
#define CAST_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "casttext.h"

#define CAST_BUFFER	32768u	/* octets that wait at most; also of a line */
#define CAST_MAX_MIN	4096u	/* the smallest limit of a file */
#define CAST_MARK_MAX	512u	/* octets of a marker's label */

enum cast_state {
	CAST_CLOSED,
	CAST_OPEN,
	CAST_FULL,		/* its limit is reached; for good */
	CAST_FAILED		/* see error; cast_retry() may mend it */
};

struct cast {
	enum cast_state	 state;
	int		 error;		/* errno, in CAST_FAILED */
	int		 fd;
	bool		 begun;		/* there is a header */
	unsigned int	 cols, rows;	/* last told; 0: none */
	char		 title[128];
	uint64_t	 size, max;	/* octets in the file; its limit */
	time_t		 when;		/* the header's timestamp, */
	int64_t		 zero_us;	/* and a clock's reading then */
	uint64_t	 last_us;	/* time of the newest event */
	struct cast_text text;
	char		*buf;		/* lines not yet written, or NULL */
	size_t		 len;
};

/*
 * Open DIRFD/NAME (no path), which is made with MODE if need be, and continued if it is a
 * cast (a half last line is cut off).  A file that is none is moved aside, to
 * NAME.1 or the next free one.  MAX is CAST_MAX_MIN at least.  Returns 0, or -1
 * with errno.
 */
int	cast_open(struct cast *c, int dirfd, const char *name, mode_t mode,
	    uint64_t max, const char *title);

/* Write what waits, and close. */
void	cast_close(struct cast *c);

/*
 * The terminal has this size.  The first one begins the file; what came before
 * waits for it.
 */
void	cast_size(struct cast *c, unsigned int cols, unsigned int rows);

/* The terminal was sent these octets. */
void	cast_output(struct cast *c, const void *data, size_t len);

/*
 * The octets that follow do not continue those before.  LOST: half a character
 * at their end is a broken one; else it comes again.
 */
void	cast_cut(struct cast *c, bool lost);

/* A marker.  LABEL is cut to CAST_MARK_MAX octets and made printable. */
void	cast_mark(struct cast *c, const char *label);

/* True if something waits to be written. */
bool	cast_waits(const struct cast *c);

/* Write it, and give the buffer back. */
void	cast_flush(struct cast *c);

/*
 * Try again after CAST_FAILED; a marker that says why there is a gap is the
 * first that is written.  Returns 0 if it can be written again, else -1.
 */
int	cast_retry(struct cast *c);

#endif
