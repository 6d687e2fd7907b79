/*
 * vtmodes.h - what a program told its terminal that tmux does not report.
 *
 * A pure state machine, fed with everything a pane prints from its first octet
 * on.  It follows the pen (SGR), the character sets, bracketed paste, focus
 * reports and the cursor's shape as tmux's own input parser does, the modes that
 * only old ones do not report, and keeps the octets of a sequence that has begun
 * and not ended.  It is no terminal
 * emulator: it knows no cell and no cursor position, so that a position saved
 * by DECSC before a snapshot is not restored after it.
 */
#ifndef VTMODES_H
#define VTMODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VTMODES_PARAM_MAX	64	/* octets of a CSI's parameters */
#define VTMODES_PENDING_MAX	1024	/* octets kept of what is incomplete */
#define VTMODES_TEXT_MAX	256	/* octets that vtmodes_pen() and
					 * vtmodes_set() write at most */

/* Attributes, as bits. */
#define VT_BOLD		0x001
#define VT_DIM		0x002
#define VT_ITALIC	0x004
#define VT_BLINK	0x008
#define VT_REVERSE	0x010
#define VT_HIDDEN	0x020
#define VT_STRIKE	0x040
#define VT_OVERLINE	0x080

/* A colour: 0 is the default, else one of these and its value.  31 and 38;5;1
 * are two things: a terminal may show the first one bright. */
#define VT_BASIC	0x4000000u	/* | 0..15 */
#define VT_INDEXED	0x1000000u	/* | 0..255 */
#define VT_RGB		0x2000000u	/* | r << 16 | g << 8 | b */

struct vtpen {
	uint16_t	attr;
	uint8_t		underline;	/* SGR 4:n, 0..5 */
	uint32_t	fg, bg, us;	/* us: of the underline */
	bool		g0_lines, g1_lines; /* designated DEC line drawing */
	bool		shift;		/* SO: G1 is in use */
};

struct vtmodes {
	struct vtpen	pen;
	bool		unsure;		/* of the pen, as output was lost */
	struct vtpen	saved;		/* DECSC */
	struct vtpen	main;		/* at the switch to the alternate screen */
	bool		main_saved;	/* with a cursor, so it can come back */
	bool		alternate;
	unsigned int	leaves;		/* how often that was left */
	bool		paste;		/* ?2004 */
	bool		focus;		/* ?1004 */
	uint8_t		shape;		/* DECSCUSR, 0..6 */
	bool		origin;		/* ?6 */
	bool		saved_origin;	/* DECSC */
	bool		mouse_utf8;	/* ?1005 */
	bool		mouse_sgr;	/* ?1006 */

	/* the parser */
	uint8_t		state;
	char		param[VTMODES_PARAM_MAX];
	uint8_t		nparam;
	char		inter[2];	/* intermediates */
	uint8_t		ninter;
	uint8_t		utf8;		/* octets of a character still missing */
	char		pending[VTMODES_PENDING_MAX];
	uint16_t	npending;
};

void	vtmodes_init(struct vtmodes *vt);
void	vtmodes_feed(struct vtmodes *vt, const void *data, size_t len);

/*
 * Octets were lost, up to a moment when the alternate screen was shown or not,
 * and tmux had the LEN octets PENDING of a sequence.  The pen and the character
 * sets are then taken for the default ones, to which programs always come back
 * soon; of the modes, which are seldom changed, what was known is the best guess.
 */
void	vtmodes_lost(struct vtmodes *vt, bool alternate, const char *pending,
	    size_t len);

/*
 * Write the octets that bring a terminal's pen from any state to PEN, as SGR
 * alone.  OUT has VTMODES_TEXT_MAX octets.  Returns the length.
 */
size_t	vtmodes_sgr(const struct vtpen *pen, char *out);

/*
 * Write the octets that bring a terminal to the character sets, modes and pen
 * that VT has followed, but for the modes that tmux reports since 3.0.  OUT has VTMODES_TEXT_MAX octets.  Moves no cursor.
 * Returns the length.  The pending octets are for the caller to add.
 */
size_t	vtmodes_set(const struct vtmodes *vt, char *out);

#endif
