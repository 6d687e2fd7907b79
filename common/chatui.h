/*
 * chatui.h - the chat screen, the same at the customer and at the engineer:
 * pinned rows, scrollback, an input line.
 *
 * ncursesw draws, libedit edits.  It owns the terminal from chatui_new() to
 * chatui_free(), reads it in the caller's event loop, and knows nothing of the
 * protocol.  Every text given to it may come from another machine: it is made
 * printable in here (control octets, C1, bidirectional overrides, broken
 * UTF-8), so that no caller can forget.
 *
 * Keys: Enter; the arrows, Home, End, Delete, Ctrl-A -B -D -E -F -H -K -N -P -T
 * -U -W -Y and Alt-b -d -f edit, Up and Down recall the last 100 lines; PageUp
 * and PageDown scroll; Ctrl-L redraws, Ctrl-C empties the line, Ctrl-D on an
 * empty one is the end; nothing else does anything, Ctrl-Z included.  A paste
 * never sends: its line ends become spaces.  A line has 1,000 characters at
 * most.
 *
 * Any size from 1x1 up is drawn on, and any terminal with cursor motion; colour
 * is used where there is some and NO_COLOR is not set.  The last 2,000 lines
 * (512 KiB) are kept.  LC_CTYPE is set to the user's locale, or to C.UTF-8 if
 * that is not UTF-8.  SIGWINCH is taken; a program that wants its terminal back
 * when it is killed takes SIGTERM and SIGHUP as events and calls chatui_free().
 */
#ifndef CHATUI_H
#define CHATUI_H

#include <stddef.h>
#include <time.h>

struct event_base;
struct chatui;

#define CHATUI_ROWS	2	/* pinned rows at the top */

enum chatui_style {
	CHATUI_NORMAL,
	CHATUI_GOOD,		/* green where there is colour */
	CHATUI_WARN,		/* yellow */
	CHATUI_BAD		/* red; without colour: reverse */
};

struct chatui_ops {
	/* A line was entered (UTF-8, not empty, no line feed).  Return 0 to
	 * take it; -1 to leave it in the input line. */
	int	(*submit_cb)(void *arg, const char *text);
	/* Once a second, for rows that tick.  May be NULL. */
	void	(*tick_cb)(void *arg);
	/* Ctrl-D on an empty line, or the terminal went away. */
	void	(*eof_cb)(void *arg, int terminal_gone);
};

/*
 * Take over the terminal on 0 and 1.  PROMPT and OPS are copied.  Returns NULL
 * with errno if they are no terminal (ENOTTY), one that cannot be drawn on
 * (ENOTSUP), or there is no memory; the terminal is then as it was.  One at a
 * time in a process.
 */
struct chatui	*chatui_new(struct event_base *base,
		    const struct chatui_ops *ops, void *arg,
		    const char *prompt);

/* Give the terminal back as it was found.  May be called in a callback. */
void	chatui_free(struct chatui *ui);

/*
 * Set pinned row ROW (0..CHATUI_ROWS-1); cut to the width.  A window of three
 * rows has one of them, a smaller one none.
 */
void	chatui_header(struct chatui *ui, unsigned int row,
	    enum chatui_style style, const char *text);

/*
 * Append a line: local time of WHEN, then WHO in bold between < and > (NULL for
 * a notice of ours, which so cannot be forged), then the text, wrapped.
 * Returns a handle for chatui_mark(), never 0.
 */
unsigned int	chatui_line(struct chatui *ui, time_t when,
		    enum chatui_style style, const char *who, const char *text);

/*
 * Lay a notice over the header's last row until it is replaced, cleared with
 * NULL, or SECS have passed (0: stays until then).
 */
void	chatui_notice(struct chatui *ui, enum chatui_style style,
	    const char *text, unsigned int secs);

/* Mark a line as not yet delivered (dim, with "…" behind it), or delivered. */
void	chatui_mark(struct chatui *ui, unsigned int line, int pending);

/*
 * Refuse input and show WHY in the input line (copied); NULL: take it again.
 */
void	chatui_readonly(struct chatui *ui, const char *why);

#endif
