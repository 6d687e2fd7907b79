/*
 * penguess.h - the pen that a program draws with, told from what it has drawn.
 *
 * Pure.  For when output was lost and tmux, which knows the pen, does not say.
 */
#ifndef PENGUESS_H
#define PENGUESS_H

#include <stdbool.h>
#include <stddef.h>

struct vtpen;

/*
 * The pen of the cell before the cursor, which is in column CX of row CY, into
 * PEN; SCREEN is LEN octets of rows as capture-pane -p -e -N gives them.
 * Returns false, with PEN as it was, where there is no such cell, or where it
 * cannot be told which it is, for wide characters before it.
 */
bool	penguess(const char *screen, size_t len, unsigned int cx,
	    unsigned int cy, struct vtpen *pen);

#endif
