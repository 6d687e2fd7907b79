/*
 * chatscreen.h - the chat drawn on a terminal by ncursesw: pinned rows, the
 * lines, the input row, at any size from 1x1 up.
 *
 * Everything is drawn anew each time; curses sends what has changed.  One at a
 * time in a process.  It neither reads the terminal nor keeps any of the text.
 */
#ifndef CHATSCREEN_H
#define CHATSCREEN_H

#include <stddef.h>
#include <wchar.h>

#include "chatscroll.h"
#include "chatui.h"

struct chatscreen;

struct chatbar {
	enum chatui_style style;
	const char	*text;		/* safe text */
};

/* What is to be seen. */
struct chatpicture {
	struct chatbar	 headers[CHATUI_ROWS];
	struct chatbar	 notice;	/* over the last of them, if text */
	struct chatscroll *scroll;
	const char	*prompt;	/* safe text */
	const char	*why;		/* not NULL: in place of the input */
	const wchar_t	*input;
	size_t		 input_len;
	size_t		 cursor;	/* 0..input_len */
};

/*
 * Take the terminal at 0 and 1 over: alternate screen, raw mode, bracketed
 * paste.  Returns NULL with errno, ENOTSUP if its type cannot be drawn on.
 */
struct chatscreen *chatscreen_new(void);

/* Give it back as it was. */
void	chatscreen_free(struct chatscreen *s);

/* The terminal may have another size now. */
void	chatscreen_resize(struct chatscreen *s);

/* Somebody else has written on it: send all of it next time. */
void	chatscreen_spoiled(struct chatscreen *s);

/* The rows and columns that are there for lines; both 1 or more. */
void	chatscreen_body(const struct chatscreen *s, int *height, int *width);

void	chatscreen_draw(struct chatscreen *s, const struct chatpicture *p);

#endif
