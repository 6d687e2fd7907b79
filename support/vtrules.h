/*
 * vtrules.h - what of a terminal's language may reach an engineer's terminal:
 * a table for each kind of sequence, read by vtfilter.c and by its test.
 *
 * A sequence passes if the first row that fits says so; what fits no row does
 * not.  The rows that drop are there for what they say: why.
 */
#ifndef VTRULES_H
#define VTRULES_H

#include <stdbool.h>
#include <stddef.h>

enum vt_kind {
	VT_C0,		/* one control octet */
	VT_ESC,		/* ESC [intermediate] final */
	VT_CSI,		/* ESC [ [marker] parameters [intermediate] final */
	VT_DEC_MODE,	/* one of the numbers of CSI ? … h and l */
	VT_ANSI_MODE,	/* one of the numbers of CSI … h and l */
	VT_STRING,	/* ESC final, until ST: the strings but OSC */
	VT_OSC,		/* ESC ] number, until ST or BEL */
	VT_KINDS
};

enum vt_does {
	VT_DROP,
	VT_PASS,
	VT_MODES,	/* its numbers are looked up one by one */
	VT_TITLE	/* is not passed, but told */
};

/* What the parameters must be like for a row to fit. */
enum vt_params {
	VT_ANY,		/* numbers and semicolons */
	VT_COLONS,	/* colons, too */
	VT_ONE,		/* no semicolon */
	VT_NO		/* none at all */
};

struct vt_rule {
	enum vt_does	 does;
	enum vt_params	 params;
	char		 marker;	/* one of < = > ? or 0 */
	char		 inter;		/* intermediate octet or 0 */
	const char	*finals;	/* any of these; of modes: h, l or hl */
	unsigned int	 low, high;	/* numbers, of C0, modes and OSC */
	const char	*why;
};

/* The table of KIND; its length in *N. */
const struct vt_rule *vtrules(enum vt_kind kind, size_t *n);

/* A sequence taken apart. */
struct vt_sequence {
	enum vt_kind	 kind;
	char		 marker, inter, final;
	unsigned int	 number;	/* of C0, modes and OSC */
	const char	*params;
	size_t		 params_len;
};

enum vt_does vtrules_judge(const struct vt_sequence *seq);

#endif
