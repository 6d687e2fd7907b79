/*
 * casttext.h - asciicast v2 as text: no file, no clock, no allocation.
 *
 * https://docs.asciinema.org/manual/asciicast/v2/: one header line, then a line
 * an event, of which cast.c writes "o" (output), "r" (the terminal is COLSxROWS
 * from here on) and "m" (a marker).
 *
 * Text is exact: a UTF-8 character that is split over several outputs is joined;
 * octets that are no UTF-8 become U+FFFD, one for each maximal subpart of an
 * ill-formed sequence (Unicode 15, section 3.9, "U+FFFD Substitution of Maximal
 * Subparts").  Control characters (C0, DEL, C1) and U+2028, U+2029 are escaped,
 * so that a line is one line, and showing the file does nothing to a terminal.
 */
#ifndef CASTTEXT_H
#define CASTTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define CAST_CHAR_MAX	6u	/* octets that cast_escape() needs at least */
#define CAST_HEADER_MAX	1024u	/* octets of a header */
#define CAST_TIME_MAX	(1ull << 53)	/* microseconds; 285 years */

/* A character that has not come whole yet. */
struct cast_text {
	char		part[4];
	unsigned int	n;
};

/*
 * Turn octets into the inside of a JSON string: as many of the *LEN at *S as
 * fit into the CAP octets (CAST_CHAR_MAX at least) at OUT; both are moved on.
 * Returns the octets written.
 */
size_t	cast_escape(struct cast_text *t, const char **s, size_t *len,
	    char *out, size_t cap);

/* No more octets follow: what is left in T, into OUT.  Returns its length. */
size_t	cast_escape_end(struct cast_text *t, char out[3]);

/* The header line into OUT.  TITLE is UTF-8.  Returns its length. */
size_t	cast_header(char out[CAST_HEADER_MAX], unsigned int cols,
	    unsigned int rows, time_t when, const char *title);

/*
 * Read the header line at the beginning of the LEN octets at S, if it is one
 * that cast_header() wrote.  Returns its length with its LF, or 0.
 */
size_t	cast_read_header(const char *s, size_t len, time_t *when);

/* True if the LEN octets at S may be the beginning of such a line. */
bool	cast_is_header_begun(const char *s, size_t len);

/*
 * True if the LEN octets at S are an event line of ours without its LF; *US is
 * its time in microseconds.  Only its frame is looked at.
 */
bool	cast_read_event(const char *s, size_t len, uint64_t *us);

#endif
