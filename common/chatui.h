/*
 * chatui.h - the chat screen, the same at the customer and at the engineer:
 * pinned rows, scrollback, an input line.
 *
 * ncursesw draws, libedit edits.  It owns the terminal from chatui_new() to
 * chatui_free(), reads it in the caller's event loop, and knows nothing of the
 * protocol.  Every text given to it may come from another machine: it is made
 * printable in here (control octets, C1, bidirectional overrides, broken
 * UTF-8), so that no caller can forget.
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
 * Take over the terminal on 0 and 1.  PROMPT is copied.  Returns NULL with
 * errno if they are no terminal or there is no memory; the terminal is then
 * as it was.
 */
struct chatui	*chatui_new(struct event_base *base,
		    const struct chatui_ops *ops, void *arg,
		    const char *prompt);

/* Give the terminal back as it was found. */
void	chatui_free(struct chatui *ui);

/* Set pinned row ROW (0..CHATUI_ROWS-1); cut to the width. */
void	chatui_header(struct chatui *ui, unsigned int row,
	    enum chatui_style style, const char *text);

/*
 * Append a line: local time of WHEN, then WHO (NULL for a notice of ours), then
 * the text, wrapped.  Returns a handle for chatui_mark(), never 0.
 */
unsigned int	chatui_line(struct chatui *ui, time_t when,
		    enum chatui_style style, const char *who, const char *text);

/*
 * Lay a notice over the header's last row until it is replaced, cleared with
 * NULL, or SECS have passed (0: stays until then).
 */
void	chatui_notice(struct chatui *ui, enum chatui_style style,
	    const char *text, unsigned int secs);

/* Mark a line as not yet delivered (dim, or a "…" behind it), or delivered. */
void	chatui_mark(struct chatui *ui, unsigned int line, int pending);

/* Take input, or refuse it and show WHY in the input line (copied). */
void	chatui_readonly(struct chatui *ui, const char *why);

#endif
