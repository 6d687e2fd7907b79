/*
 * chatkey.h - what a person's terminal sends, as keys.
 *
 * A pure parser: octets in, keys out, never more state than the caller's
 * buffer and one flag.  Sequences it does not know are swallowed whole.
 */
#ifndef CHATKEY_H
#define CHATKEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHATKEY_MAX	32	/* octets of the longest sequence that is kept */

enum chatkey {
	CHATKEY_NONE,		/* swallowed */
	CHATKEY_CHAR,		/* a character, pasted ones included */
	CHATKEY_ENTER,
	CHATKEY_CLEAR,		/* Ctrl-C */
	CHATKEY_EOF,		/* Ctrl-D */
	CHATKEY_REDRAW,		/* Ctrl-L */
	CHATKEY_PAGE_UP,
	CHATKEY_PAGE_DOWN,
	/* From here on: for the line editor. */
	CHATKEY_UP,
	CHATKEY_DOWN,
	CHATKEY_LEFT,
	CHATKEY_RIGHT,
	CHATKEY_HOME,
	CHATKEY_END,
	CHATKEY_WORD_LEFT,
	CHATKEY_WORD_RIGHT,
	CHATKEY_BACKSPACE,
	CHATKEY_DELETE,
	CHATKEY_KILL_WORD,	/* Ctrl-W */
	CHATKEY_KILL_NEXT_WORD,	/* Alt-d */
	CHATKEY_KILL_START,	/* Ctrl-U: to the start of the line */
	CHATKEY_KILL_END,	/* Ctrl-K */
	CHATKEY_YANK,
	CHATKEY_TRANSPOSE,
	CHATKEYS
};

/*
 * Take one key off the LEN octets (at least 1) at S.  *PASTING is the state
 * between calls, false at first: in a bracketed paste line feeds and tabs are
 * spaces, other control octets are left out, and nothing is a command but
 * Ctrl-C, which ends it.  A CHATKEY_CHAR is in *CP, fit to be shown.  Returns
 * the octets used up, or 0 if more are needed.
 */
size_t	chatkey_next(const char *s, size_t len, bool *pasting,
	    enum chatkey *key, uint32_t *cp);

#endif
