/*
 * chatscroll.h - the lines of a chat, and which of their rows are in sight.
 *
 * Bounded: the oldest lines go when there are too many, or too long ones.
 * Pure but for memory; knows nothing of curses or of the event loop.
 */
#ifndef CHATSCROLL_H
#define CHATSCROLL_H

#include <stdbool.h>
#include <stddef.h>
#include <wchar.h>

#define CHATSCROLL_LINES	2000
#define CHATSCROLL_OCTETS	(512 * 1024)	/* in all lines together */
#define CHATSCROLL_TEXT_MAX	4608		/* octets in one; more is cut */

struct chatscroll;

/* A row to draw.  All of it belongs to the chatscroll. */
struct chatrow {
	const wchar_t	*text;
	size_t		 len;		/* characters */
	int		 indent;	/* columns to leave free before it */
	size_t		 bold_from;	/* of text: the speaker's name */
	size_t		 bold_to;
	int		 style;
	bool		 pending;
};

/* NULL if there is no memory. */
struct chatscroll *chatscroll_new(void);

void	chatscroll_free(struct chatscroll *sc);

/*
 * Append STAMP, then <WHO> (may be NULL), then TEXT, all from outside.
 * Returns the line's number, never 0.  Without memory the line stays empty.
 */
unsigned int chatscroll_add(struct chatscroll *sc, int style,
	    const char *stamp, const char *who, const char *text);

/* Show or stop showing that line ID is not delivered yet; it may be gone. */
void	chatscroll_mark(struct chatscroll *sc, unsigned int id, bool pending);

/*
 * Move the view by ROWS (below 0: towards older lines) in a window of HEIGHT
 * rows and WIDTH columns, both 1 or more.
 */
void	chatscroll_move(struct chatscroll *sc, int rows, int height, int width);

/* Back to the newest line, and stay there as lines are added. */
void	chatscroll_follow(struct chatscroll *sc);

/* True if rows are hidden below; *NEW is how many lines came meanwhile. */
bool	chatscroll_below(const struct chatscroll *sc, unsigned int *new);

/*
 * Call DRAW for each row that a window of HEIGHT rows and WIDTH columns shows,
 * from the bottom (y = HEIGHT - 1) up; nothing is called for rows that stay
 * empty.
 */
void	chatscroll_draw(struct chatscroll *sc, int height, int width,
	    void (*draw)(void *arg, int y, const struct chatrow *row),
	    void *arg);

#endif
