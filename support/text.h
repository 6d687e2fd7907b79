/*
 * text.h - words from other machines, made fit for this terminal, and the
 * columns that they take.
 *
 * Everything that the relay, a customer or a colleague wrote goes through
 * text_safe() before it is printed.  Prints nothing itself.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Say whether this terminal shows UTF-8.  Until it is called: it does not.
 */
void	text_init(bool utf8);

/*
 * Copy the LEN octets at SRC to DST (CAP octets, at least 1, NUL included) as
 * safetext() does; where the terminal does not show UTF-8, whatever is not
 * ASCII as '?'.  Returns DST.
 */
char	*text_safe(char *dst, size_t cap, const char *src, size_t len);

/* The mark of text that was cut: "…" or "~"; one column. */
const char *text_ellipsis(void);

/* Columns that S, an output of text_safe(), takes. */
size_t	text_width(const char *s);

/* How many octets of S fit into COLS columns. */
size_t	text_fit(const char *s, size_t cols);

#endif
