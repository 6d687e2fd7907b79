/*
 * chatedit.h - the input line: libedit, one key at a time, drawing nothing.
 *
 * The caller reads the terminal and draws; libedit only keeps the text, the
 * cursor, the kill buffer and the history.
 */
#ifndef CHATEDIT_H
#define CHATEDIT_H

#include <stddef.h>
#include <wchar.h>

#include "chatkey.h"

struct chatedit;

/*
 * Characters in a line.  Below libedit's own first buffer, past which its
 * history loses text, and at four octets each below what a frame of chat takes.
 */
#define CHATEDIT_MAX	1000

/*
 * A new, empty line.  Libedit insists on seeing a terminal at 0 and 1, and
 * changes its modes: the caller sets its own afterwards, and restores the ones
 * it found after chatedit_free().  LC_CTYPE must have been set.  Returns NULL
 * with errno.
 */
struct chatedit	*chatedit_new(void);

void	chatedit_free(struct chatedit *e);

/* Put C in at the cursor.  Returns 0, or -1 if the line is full. */
int	chatedit_insert(struct chatedit *e, wchar_t c);

/* Do what KEY (CHATKEY_UP or later) says. */
void	chatedit_key(struct chatedit *e, enum chatkey key);

/*
 * The text, not NUL-terminated, valid until the next call; its length and the
 * cursor in characters.
 */
const wchar_t *chatedit_line(struct chatedit *e, size_t *len, size_t *cursor);

/* Empty the line; with REMEMBER, put it into the history before. */
void	chatedit_clear(struct chatedit *e, int remember);

#endif
