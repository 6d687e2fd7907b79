/*
 * vtfilter.h - the escape filter between a customer's stream and an
 * engineer's terminal.
 *
 * The stream comes from someone else's machine.  What draws passes, octet for
 * octet; what acts is dropped: clipboard, queries that the terminal would
 * answer into the customer's shell, device control strings, colours of the
 * palette, window operations, printing, unknown sequences of every kind.  What
 * is not listed in vtrules.c does not pass (Paul Williams' parser for the VT500
 * series gives the states; xterm's ctlseqs.txt the meaning).  What is not UTF-8
 * is dropped as well, and so are U+0080 to U+009F, which some terminals obey and
 * tmux gives no width.
 *
 * As nothing that asks passes, no terminal answers, and what comes from the
 * engineer's needs no filter: it is typed, or a mouse that a program of the
 * customer's asked for.
 *
 * A sequence is held until it is whole, so the output never ends inside one,
 * and filtering it again changes nothing.  Pure: no I/O, no allocation, bounded
 * state.
 */
#ifndef VTFILTER_H
#define VTFILTER_H

#include <stddef.h>

#define VTFILTER_SEQ_MAX	256	/* octets; a longer sequence is dropped */
#define VTFILTER_TITLE_MAX	128	/* octets of a title, NUL included */

struct vtfilter {
	int	 state;
	size_t	 len;			/* octets held in seq */
	char	 seq[VTFILTER_SEQ_MAX];
	unsigned int need;		/* octets that a character still lacks */
	unsigned char lo, hi;		/* bounds of the next of them */
	void	(*title_cb)(void *arg, const char *title);
	void	*arg;
};

/*
 * Begin.  TITLE_CB (may be NULL) is told each window title that the stream
 * sets (OSC 0 and 2): UTF-8, printable, with no '#', which tmux would read as
 * a format; it may be empty.
 */
void	vtfilter_init(struct vtfilter *vf,
	    void (*title_cb)(void *arg, const char *title), void *arg);

/* Forget a sequence of which only the beginning has come. */
void	vtfilter_reset(struct vtfilter *vf);

/*
 * Filter the LEN octets at IN into OUT, which has room for LEN +
 * VTFILTER_SEQ_MAX.  Returns how many were written.
 */
size_t	vtfilter_run(struct vtfilter *vf, const void *in, size_t len,
	    void *out);

#endif
