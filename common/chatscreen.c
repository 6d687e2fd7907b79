/*
 * chatscreen.c - see chatscreen.h.  The only file that sees curses.
 */
#define NCURSES_WIDECHAR	1
#define NCURSES_NOMACROS	1

#include "chatscreen.h"

#include <sys/ioctl.h>

#include <curses.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "chatwrap.h"
#include "files.h"

#define BAR_MAX		512	/* characters of a pinned row that can be seen */
#define PROMPT_ROOM	8	/* columns that a prompt must leave */

static const char paste_on[] = "\033[?2004h", paste_off[] = "\033[?2004l";

struct chatscreen {
	SCREEN		*screen;
	struct termios	 found;		/* the modes to leave behind */
	bool		 colour;
	bool		 spoiled;
	size_t		 input_start;	/* the first character in sight */
	/* Where things are; computed from the size. */
	int		 height, width;
	int		 headers;	/* rows of them, 0..CHATUI_ROWS */
	int		 body;		/* rows of lines, 0 in a single row */
};

/* True if TYPE (NULL: $TERM) is known here, and as one with cursor motion. */
static bool
can_draw(const char *type, bool *known)
{
	TERMINAL *before = cur_term;
	int status;
	bool can;

	*known = setupterm(type, STDOUT_FILENO, &status) == OK;
	can = *known && tigetstr("cup") != NULL;
	if (*known)
		(void)del_curterm(set_curterm(before));
	return can;
}

/*
 * Open the terminal as what $TERM says.  A type that this machine does not know
 * is taken for an xterm, as nearly everything imitates that or a vt100; one
 * that is known to have no cursor motion is refused.
 */
static SCREEN *
open_screen(void)
{
	static const char *const types[] = { NULL, "xterm", "vt100", "ansi" };
	bool known = false;
	size_t i;

	for (i = 0; i < sizeof types / sizeof types[0] && !known; i++)
		if (can_draw(types[i], &known))
			return newterm(types[i], stdout, stdin);
	return NULL;
}

static bool
start_colour(void)
{
	const char *no = getenv("NO_COLOR");

	if ((no != NULL && *no != '\0') || !has_colors() ||
	    start_color() == ERR)
		return false;
	use_default_colors();
	return init_pair(CHATUI_GOOD, COLOR_GREEN, -1) != ERR &&
	    init_pair(CHATUI_WARN, COLOR_YELLOW, -1) != ERR &&
	    init_pair(CHATUI_BAD, COLOR_RED, -1) != ERR;
}

static void
place_rows(struct chatscreen *s)
{
	s->headers = s->height > 3 ? 2 : s->height > 2 ? 1 : 0;
	s->body = s->height - s->headers - 1;
}

struct chatscreen *
chatscreen_new(void)
{
	struct chatscreen *s = calloc(1, sizeof *s);

	if (s == NULL || tcgetattr(STDIN_FILENO, &s->found) == -1)
		goto fail;
	s->screen = open_screen();
	if (s->screen == NULL) {
		errno = ENOTSUP;
		goto fail;
	}
	raw();
	noecho();
	nonl();
	idlok(stdscr, TRUE);
	s->colour = start_colour();
	(void)write_all(STDOUT_FILENO, paste_on, sizeof paste_on - 1);
	chatscreen_resize(s);
	return s;
fail:
	free(s);
	return NULL;
}

void
chatscreen_free(struct chatscreen *s)
{
	if (s == NULL)
		return;
	endwin();
	(void)write_all(STDOUT_FILENO, paste_off, sizeof paste_off - 1);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &s->found);
	delscreen(s->screen);
	free(s);
}

void
chatscreen_resize(struct chatscreen *s)
{
	struct winsize ws;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_row > 0 &&
	    ws.ws_col > 0)
		resizeterm(ws.ws_row, ws.ws_col);
	getmaxyx(stdscr, s->height, s->width);
	place_rows(s);
	s->spoiled = true;
}

void
chatscreen_spoiled(struct chatscreen *s)
{
	s->spoiled = true;
}

void
chatscreen_body(const struct chatscreen *s, int *height, int *width)
{
	*height = s->body > 0 ? s->body : 1;
	*width = s->width;
}

static attr_t
attributes(const struct chatscreen *s, int style)
{
	if (style == CHATUI_NORMAL)
		return A_NORMAL;
	if (s->colour)
		return (attr_t)COLOR_PAIR(style) |
		    (style == CHATUI_BAD ? A_BOLD : A_NORMAL);
	return style == CHATUI_BAD ? A_REVERSE :
	    style == CHATUI_WARN ? A_BOLD : A_NORMAL;
}

/*
 * Write what fits of the LEN characters at T, from column X to before END.
 * Returns the column behind it.
 */
static int
put_text(int y, int x, int end, const wchar_t *t, size_t len)
{
	/* a combining character has nothing there to combine with */
	while (len > 0 && chatwrap_width(*t) == 0) {
		t++;
		len--;
	}
	len = chatwrap_fit(t, len, end - x);
	if (len > 0)
		(void)mvaddnwstr(y, x, t, (int)len);
	return x + chatwrap_columns(t, len);
}

/* The same for safe text. */
static int
put_string(int y, int x, int end, const char *text)
{
	wchar_t t[BAR_MAX];

	return put_text(y, x, end, t,
	    chatwrap_decode(t, BAR_MAX, text, strlen(text)));
}

/* A pinned row; the last is underlined, to set off what is below it. */
static void
draw_bar(struct chatscreen *s, int y, const struct chatbar *b)
{
	attr_t a = attributes(s, b->style);

	if (y == s->headers - 1)
		a |= A_UNDERLINE;
	attrset((int)a);
	(void)mvhline(y, 0, ' ' | a, s->width);
	if (b->text != NULL)
		(void)put_string(y, 0, s->width, b->text);
	attrset(A_NORMAL);
}

static void
draw_bars(struct chatscreen *s, const struct chatpicture *p)
{
	int y;

	for (y = 0; y < s->headers; y++)
		draw_bar(s, y, y == s->headers - 1 && p->notice.text != NULL ?
		    &p->notice : &p->headers[y]);
}

static void
draw_row(void *arg, int y, const struct chatrow *r)
{
	struct chatscreen *s = arg;
	attr_t a = attributes(s, r->style) | (r->pending ? A_DIM : A_NORMAL);
	int x = r->indent;

	y += s->headers;
	attrset((int)a);
	x = put_text(y, x, s->width, r->text, r->bold_from);
	attrset((int)(a | A_BOLD));
	x = put_text(y, x, s->width, r->text + r->bold_from,
	    r->bold_to - r->bold_from);
	attrset((int)a);
	(void)put_text(y, x, s->width, r->text + r->bold_to,
	    r->len - r->bold_to);
	attrset(A_NORMAL);
}

/* Say that there is more, over the end of the lowest row. */
static void
draw_more(struct chatscreen *s, const struct chatscroll *scroll)
{
	char text[64];
	unsigned int new;
	int x, len;

	if (!chatscroll_below(scroll, &new))
		return;
	if (new > 0)
		len = snprintf(text, sizeof text, " %u new below: PgDn ", new);
	else
		len = snprintf(text, sizeof text, " more below: PgDn ");
	x = s->width - len;
	if (x < 0) {
		len = snprintf(text, sizeof text, "v");
		x = s->width - len;
	}
	attrset(A_REVERSE);
	(void)put_string(s->headers + s->body - 1, x, s->width, text);
	attrset(A_NORMAL);
}

/* Draw the line being edited from column X on, and put the cursor there. */
static void
draw_edited(struct chatscreen *s, const struct chatpicture *p, int y, int x)
{
	bool marks = s->width - x > 4;
	int end = marks ? s->width - 1 : s->width;
	const wchar_t *t;
	size_t left, fits;

	s->input_start = chatwrap_scroll(p->input, p->input_len, p->cursor,
	    s->input_start, end - x);
	t = p->input + s->input_start;
	left = p->input_len - s->input_start;
	fits = chatwrap_fit(t, left, end - x);
	(void)put_text(y, x, end, t, left);
	if (marks && fits < left)
		(void)put_string(y, end, s->width, ">");
	if (marks && s->input_start > 0 && x > 0)
		(void)put_string(y, x - 1, x, "<");
	(void)move(y, x + chatwrap_columns(t, p->cursor - s->input_start));
}

static void
draw_input(struct chatscreen *s, const struct chatpicture *p)
{
	int y = s->height - 1, x = 0;

	if (p->why != NULL) {
		attrset(A_BOLD);
		x = put_string(y, 0, s->width, p->why);
		attrset(A_NORMAL);
		(void)move(y, x < s->width ? x : s->width - 1);
		return;
	}
	if (s->width >= PROMPT_ROOM)
		x = put_string(y, 0, s->width - PROMPT_ROOM, p->prompt);
	draw_edited(s, p, y, x);
}

void
chatscreen_draw(struct chatscreen *s, const struct chatpicture *p)
{
	if (s->spoiled)
		(void)clear();
	else
		(void)erase();
	s->spoiled = false;
	draw_bars(s, p);
	if (s->body > 0) {
		chatscroll_draw(p->scroll, s->body, s->width, draw_row, s);
		draw_more(s, p->scroll);
	}
	draw_input(s, p);
	(void)refresh();
}
