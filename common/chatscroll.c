/*
 * chatscroll.c - see chatscroll.h.
 */
#include "chatscroll.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chatwrap.h"
#include "safetext.h"

#define INDENT		6	/* of a wrapped line's further rows, */
#define INDENT_WIDTH	40	/* in windows of this width or more */

struct line {
	char	*text;		/* safe text; NULL: there was no memory */
	size_t	 len;
	size_t	 bold_from;	/* characters */
	size_t	 bold_to;
	int	 style;
	bool	 pending;
};

/* A row: of which line, counted from the oldest, and which of its rows. */
struct place {
	size_t	 line;
	size_t	 row;
};

/* A line as it falls into rows. */
struct layout {
	wchar_t	 text[CHATSCROLL_TEXT_MAX + 2];
	uint16_t from[CHATSCROLL_TEXT_MAX + 2];
	uint16_t to[CHATSCROLL_TEXT_MAX + 2];
	size_t	 rows;		/* 1 or more */
	int	 indent;	/* of all rows but the first */
};

struct chatscroll {
	struct line	 ring[CHATSCROLL_LINES];
	size_t		 first;		/* the oldest */
	size_t		 count;
	size_t		 octets;	/* of text in all of them */
	unsigned int	 last_id;	/* of the newest; ids have no gaps */

	bool		 following;
	unsigned int	 seen_id;	/* last_id when it stopped following */
	unsigned int	 bottom_id;	/* else: the lowest line in sight, */
	size_t		 bottom_row;	/* and the lowest of its rows */

	struct layout	 layout;	/* of the line worked on */
};

struct chatscroll *
chatscroll_new(void)
{
	struct chatscroll *sc = calloc(1, sizeof *sc);

	if (sc != NULL)
		sc->following = true;
	return sc;
}

void
chatscroll_free(struct chatscroll *sc)
{
	size_t i;

	if (sc == NULL)
		return;
	for (i = 0; i < CHATSCROLL_LINES; i++)
		free(sc->ring[i].text);
	free(sc);
}

/* Line I, counted from the oldest. */
static struct line *
line_at(struct chatscroll *sc, size_t i)
{
	return &sc->ring[(sc->first + i) % CHATSCROLL_LINES];
}

static void
drop_oldest(struct chatscroll *sc)
{
	struct line *l = line_at(sc, 0);

	sc->octets -= l->len;
	free(l->text);
	memset(l, 0, sizeof *l);
	sc->first = (sc->first + 1) % CHATSCROLL_LINES;
	sc->count--;
}

/* How many characters the text S will be on the screen. */
static size_t
shown_length(struct chatscroll *sc, const char *s, size_t len)
{
	return chatwrap_decode(sc->layout.text, CHATSCROLL_TEXT_MAX, s, len);
}

/* Append S to the safe text in BUF, at its octet O.  Returns the new length. */
static size_t
append(char buf[CHATSCROLL_TEXT_MAX + 1], size_t o, const char *s)
{
	return o + safetext(buf + o, CHATSCROLL_TEXT_MAX + 1 - o, s,
	    strlen(s));
}

unsigned int
chatscroll_add(struct chatscroll *sc, int style, const char *stamp,
    const char *who, const char *text)
{
	char buf[CHATSCROLL_TEXT_MAX + 1];
	struct line *l;
	size_t n;

	if (sc->count == CHATSCROLL_LINES)
		drop_oldest(sc);
	l = line_at(sc, sc->count);
	l->style = style;
	n = append(buf, 0, stamp);
	if (who != NULL) {
		n = append(buf, n, " <");
		l->bold_from = shown_length(sc, buf, n);
		n = append(buf, n, who);
		l->bold_to = shown_length(sc, buf, n);
		n = append(buf, n, ">");
	}
	n = append(buf, n, " ");
	n = append(buf, n, text);
	l->text = malloc(n);
	l->len = l->text != NULL ? n : 0;
	if (l->text != NULL)
		memcpy(l->text, buf, n);
	sc->count++;
	sc->octets += l->len;
	while (sc->octets > CHATSCROLL_OCTETS)
		drop_oldest(sc);
	if (++sc->last_id == 0)
		sc->last_id = 1;
	return sc->last_id;
}

/* The place of line ID in the ring, or count if it is gone. */
static size_t
index_of(const struct chatscroll *sc, unsigned int id)
{
	size_t back = sc->last_id - id;

	return back < sc->count ? sc->count - 1 - back : sc->count;
}

void
chatscroll_mark(struct chatscroll *sc, unsigned int id, bool pending)
{
	size_t i = index_of(sc, id);

	if (i < sc->count)
		line_at(sc, i)->pending = pending;
}

/* Lay line I out into sc->layout.  Returns its rows. */
static size_t
lay_out(struct chatscroll *sc, size_t i, int width)
{
	struct line *l = line_at(sc, i);
	struct layout *lo = &sc->layout;
	size_t len, at = 0, next;

	len = chatwrap_decode(lo->text, CHATSCROLL_TEXT_MAX, l->text, l->len);
	if (l->pending) {
		lo->text[len++] = L' ';
		lo->text[len++] = L'\u2026';
	}
	lo->indent = width >= INDENT_WIDTH ? INDENT : 0;
	lo->rows = 0;
	do {
		size_t n = chatwrap_row(lo->text + at, len - at,
		    lo->rows == 0 ? width : width - lo->indent, &next);

		lo->from[lo->rows] = (uint16_t)at;
		lo->to[lo->rows++] = (uint16_t)(at + n);
		at += next;
	} while (at < len);
	return lo->rows;
}

/* One row up from P.  Returns 0, or -1 at the very first. */
static int
place_up(struct chatscroll *sc, struct place *p, int width)
{
	if (p->row > 0) {
		p->row--;
		return 0;
	}
	if (p->line == 0)
		return -1;
	p->line--;
	p->row = lay_out(sc, p->line, width) - 1;
	return 0;
}

/* One row down.  Returns 0, or -1 at the very last. */
static int
place_down(struct chatscroll *sc, struct place *p, int width)
{
	if (p->row + 1 < lay_out(sc, p->line, width)) {
		p->row++;
		return 0;
	}
	if (p->line + 1 >= sc->count)
		return -1;
	p->line++;
	p->row = 0;
	return 0;
}

static bool
is_above(struct place a, struct place b)
{
	return a.line < b.line || (a.line == b.line && a.row < b.row);
}

/* The newest row. */
static struct place
newest(struct chatscroll *sc, int width)
{
	struct place p = { sc->count - 1, 0 };

	p.row = lay_out(sc, p.line, width) - 1;
	return p;
}

/*
 * The lowest row in sight; there is at least one line.  Never so far up that
 * rows at the top would stay empty.
 */
static struct place
bottom(struct chatscroll *sc, int height, int width)
{
	struct place p = newest(sc, width), highest = { 0, 0 };
	size_t i, rows;

	if (sc->following)
		return p;
	while (height-- > 1 && place_down(sc, &highest, width) == 0)
		continue;
	i = index_of(sc, sc->bottom_id);
	if (i == sc->count)
		return highest;		/* it is gone, being so old */
	p.line = i;
	p.row = sc->bottom_row;
	rows = lay_out(sc, i, width);
	if (p.row >= rows)
		p.row = rows - 1;
	return is_above(p, highest) ? highest : p;
}

/* Remember that P is the lowest row in sight. */
static void
settle(struct chatscroll *sc, struct place p, int width)
{
	struct place end = newest(sc, width);

	if (!is_above(p, end)) {
		sc->following = true;
		return;
	}
	if (sc->following)
		sc->seen_id = sc->last_id;
	sc->following = false;
	sc->bottom_id = sc->last_id - (unsigned int)(sc->count - 1 - p.line);
	sc->bottom_row = p.row;
}

void
chatscroll_move(struct chatscroll *sc, int rows, int height, int width)
{
	struct place p;

	if (sc->count == 0)
		return;
	p = bottom(sc, height, width);
	for (; rows < 0; rows++)
		if (place_up(sc, &p, width) == -1)
			break;
	for (; rows > 0; rows--)
		if (place_down(sc, &p, width) == -1)
			break;
	settle(sc, p, width);
	settle(sc, bottom(sc, height, width), width);
}

void
chatscroll_follow(struct chatscroll *sc)
{
	sc->following = true;
}

bool
chatscroll_below(const struct chatscroll *sc, unsigned int *new)
{
	*new = sc->following ? 0 : sc->last_id - sc->seen_id;
	return !sc->following;
}

/* Row R of the line that is laid out, which is line I. */
static struct chatrow
row_of(struct chatscroll *sc, size_t i, size_t r)
{
	const struct line *l = line_at(sc, i);
	const struct layout *lo = &sc->layout;
	size_t from = lo->from[r], to = lo->to[r];
	struct chatrow row = { .text = lo->text + from, .len = to - from,
	    .indent = r > 0 ? lo->indent : 0, .style = l->style,
	    .pending = l->pending };

	if (l->bold_to > from && l->bold_from < to) {
		row.bold_from = l->bold_from > from ? l->bold_from - from : 0;
		row.bold_to = (l->bold_to < to ? l->bold_to : to) - from;
	}
	return row;
}

void
chatscroll_draw(struct chatscroll *sc, int height, int width,
    void (*draw)(void *arg, int y, const struct chatrow *row), void *arg)
{
	struct chatrow row;
	struct place p;
	int y = height;

	if (sc->count == 0)
		return;
	p = bottom(sc, height, width);
	settle(sc, p, width);
	(void)lay_out(sc, p.line, width);
	do {
		row = row_of(sc, p.line, p.row);
		draw(arg, --y, &row);
	} while (y > 0 && place_up(sc, &p, width) == 0);
}
