/*
 * snapshot.c - see snapshot.h.
 *
 * The order matters.  Tab stops come first, as captured rows may hold tabs; the
 * rows are painted without insertion, but with wrapping, or combining characters
 * in the last column would land in the one before it (no captured row is wider
 * than the pane); what moves the cursor (scroll region, origin mode) comes before
 * the cursor's place, what does not comes behind it.
 */
#include "snapshot.h"

#include <event2/buffer.h>

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "num.h"

#define ROWS_MAX	(SNAPSHOT_MAX - 65536)	/* octets of painted rows */

static unsigned int
next_number(const char **s, const char *end, unsigned int max, bool *ok)
{
	size_t len = 0;
	uint64_t v = 0;

	while (*s + len < end && (*s)[len] != ' ')
		len++;
	if (num_parse(*s, len, 0, max, &v) == -1)
		*ok = false;
	*s += len;
	if (*s < end)
		++*s;
	return (unsigned int)v;
}

static void
parse_flags(struct snapshot_info *info, const char **s, const char *end,
    bool *ok)
{
	bool *const flags[] = {
		&info->cursor, &info->insert, &info->wrap, &info->origin,
		&info->keypad, &info->cursor_keys, &info->mouse_standard,
		&info->mouse_button, &info->mouse_all, &info->mouse_utf8,
		&info->mouse_sgr,
	};
	size_t i;

	for (i = 0; i < sizeof flags / sizeof flags[0]; i++)
		*flags[i] = next_number(s, end, 1, ok) == 1;
}

/* Within the screen, and the tab stops nothing but numbers and commas. */
static bool
is_sane(const struct snapshot_info *info)
{
	return info->cols >= 1 && info->rows >= 1 && info->cx <= info->cols &&
	    info->cy < info->rows && info->lower < info->rows &&
	    info->upper <= info->lower &&
	    info->tabs[strspn(info->tabs, "0123456789,")] == '\0';
}

int
snapshot_parse(struct snapshot_info *info, const char *s, size_t len)
{
	const char *end = s + len;
	unsigned int limit = UINT32_MAX;
	bool ok = true;

	memset(info, 0, sizeof *info);
	if (len > 0 && end[-1] == '\n')
		end--;
	info->cols = next_number(&s, end, 9999, &ok);
	info->rows = next_number(&s, end, 9999, &ok);
	info->cx = next_number(&s, end, 9999, &ok);
	info->cy = next_number(&s, end, 9999, &ok);
	info->alternate = next_number(&s, end, 1, &ok) == 1;
	info->saved_x = next_number(&s, end, limit, &ok);
	info->saved_y = next_number(&s, end, limit, &ok);
	info->saved_cursor = info->saved_x != limit && info->saved_y != limit;
	info->upper = next_number(&s, end, 9999, &ok);
	info->lower = next_number(&s, end, 9999, &ok);
	parse_flags(info, &s, end, &ok);
	info->history = next_number(&s, end, limit, &ok);
	if (!ok || (size_t)(end - s) >= sizeof info->tabs)
		return -1;
	/* tmux leaves the cursor of an alternate screen that shrinks outside */
	if (info->cx > info->cols && info->cols > 0)
		info->cx = info->cols - 1;
	memcpy(info->tabs, s, (size_t)(end - s));
	return is_sane(info) ? 0 : -1;
}

/* ---- rows ----------------------------------------------------------------- */

/* The next line of TEXT, without its LF.  Returns false at the end. */
static bool
next_line(struct snapshot_text *text, struct snapshot_text *line)
{
	const char *lf;

	if (text->len == 0)
		return false;
	lf = memchr(text->s, '\n', text->len);
	line->s = text->s;
	line->len = lf != NULL ? (size_t)(lf - text->s) : text->len;
	text->s += line->len;
	text->len -= line->len;
	if (lf != NULL) {
		text->s++;
		text->len--;
	}
	return true;
}

/*
 * The parameters of an SGR as tmux writes them, with the one that it spells
 * wrong set right: overline is 53, not 5:3.
 */
static void
put_sgr(struct evbuffer *out, const char *s, size_t len)
{
	size_t n;

	for (; len > 0; s += n, len -= n) {
		for (n = 0; n < len && s[n] != ';'; n++)
			;
		if (n == 3 && memcmp(s, "5:3", 3) == 0)
			evbuffer_add(out, "53", 2);
		else
			evbuffer_add(out, s, n);
		if (n < len)
			evbuffer_add(out, s + n++, 1);
	}
}

/* The length of the "ESC [ … m" at S, or 0 if there is none. */
static size_t
sgr_length(const char *s, size_t len)
{
	size_t i;

	if (len < 3 || s[0] != '\033' || s[1] != '[')
		return 0;
	for (i = 2; i < len; i++) {
		if (s[i] == 'm')
			return i + 1;
		if ((s[i] < '0' || s[i] > '9') && s[i] != ';' && s[i] != ':')
			return 0;
	}
	return 0;
}

/* One captured row.  U+0080 to U+009F would act on some terminals. */
static void
put_row(struct evbuffer *out, struct snapshot_text row)
{
	const char *s = row.s;
	size_t left = row.len, run, n;

	while (left > 0) {
		n = sgr_length(s, left);
		if (n > 0) {
			evbuffer_add(out, s, 2);
			put_sgr(out, s + 2, n - 3);
			evbuffer_add(out, "m", 1);
		} else if (left >= 2 && (unsigned char)s[0] == 0xc2 &&
		    (unsigned char)s[1] < 0xa0) {
			evbuffer_add(out, "\357\277\275", 3);
			n = 2;
		} else {
			for (run = 1; run < left && s[run] != '\033' &&
			    (unsigned char)s[run] != 0xc2; run++)
				;
			evbuffer_add(out, s, run);
			n = run;
		}
		s += n;
		left -= n;
	}
}

/* The pen that painting the rows of TEXT before row AT leaves. */
static struct vtpen
pen_before(struct snapshot_text text, unsigned int at)
{
	struct evbuffer *rows = evbuffer_new();
	struct snapshot_text line;
	struct vtmodes vt;

	vtmodes_init(&vt);
	if (rows == NULL)
		return vt.pen;
	while (at-- > 0 && next_line(&text, &line))
		put_row(rows, line);
	vtmodes_feed(&vt, evbuffer_pullup(rows, -1), evbuffer_get_length(rows));
	evbuffer_free(rows);
	return vt.pen;
}

/* Line by line, which leaves the scrollback alone. */
static void
put_erase(struct evbuffer *out, const struct snapshot_info *info)
{
	unsigned int y;

	evbuffer_add_printf(out, "\033[0m");
	for (y = 1; y <= info->rows; y++)
		evbuffer_add_printf(out, "\033[%u;1H\033[2K", y);
}

/* Paint the rows.  The pen runs on from row to row, as it does in a capture. */
static void
put_rows(struct evbuffer *out, const struct snapshot_info *info,
    struct snapshot_text text)
{
	struct snapshot_text line;
	unsigned int y;

	put_erase(out, info);
	for (y = 1; y <= info->rows && next_line(&text, &line); y++) {
		if (evbuffer_get_length(out) + line.len > ROWS_MAX)
			break;
		if (line.len == 0)
			continue;
		evbuffer_add_printf(out, "\033[%u;1H", y);
		put_row(out, line);
	}
	evbuffer_add_printf(out, "\033[0m\017");
}

/* ---- the whole screen ----------------------------------------------------- */

/* Whatever the terminal was doing: end it, and set what painting needs. */
static void
put_reset(struct evbuffer *out)
{
	static const char *const modes[] = {
		"?2026l", "?1049l", "0m", "r", "?6l", "?7h", "4l", "?1l",
		"?1000l", "?1002l", "?1003l", "?1005l", "?1006l", "?1004l",
		"?2004l",
	};
	size_t i;

	evbuffer_add_printf(out, "\030\033\\\033(B\033)0\017\033>");
	for (i = 0; i < sizeof modes / sizeof modes[0]; i++)
		evbuffer_add_printf(out, "\033[%s", modes[i]);
}

static void
put_tabs(struct evbuffer *out, const struct snapshot_info *info)
{
	struct snapshot_text tabs = { info->tabs, strlen(info->tabs) };
	uint64_t col;
	size_t n;

	evbuffer_add_printf(out, "\033[3g");
	while (tabs.len > 0) {
		n = strcspn(tabs.s, ",");
		if (num_parse(tabs.s, n, 0, info->cols - 1, &col) == 0)
			evbuffer_add_printf(out, "\033[1;%uH\033H",
			    (unsigned int)col + 1);
		if (n < tabs.len)
			n++;
		tabs.s += n;
		tabs.len -= n;
	}
}

/*
 * Switch to the alternate screen, with what a program has saved of the cursor
 * and the pen of the main one.
 */
static void
put_switch(struct evbuffer *out, const struct snapshot_info *info,
    const struct vtpen *pen)
{
	unsigned int x = info->saved_x, y = info->saved_y;
	char sgr[VTMODES_TEXT_MAX];

	if (x >= info->cols)
		x = info->cols - 1;
	if (y >= info->rows)
		y = info->rows - 1;
	if (info->saved_cursor)
		evbuffer_add_printf(out, "\033[%u;%uH", y + 1, x + 1);
	evbuffer_add(out, sgr, vtmodes_sgr(pen, sgr));
	evbuffer_add_printf(out, "\033[?%sh", info->saved_cursor ? "1049" :
	    "47");
}

/* The main screen as it is below the alternate one, or what is saved of it. */
static void
put_main(struct evbuffer *out, const struct snapshot_info *info,
    struct snapshot_text saved, const struct vtpen *pen)
{
	if (info->alternate) {
		put_rows(out, info, saved);
		put_switch(out, info, pen);
	} else if (info->saved_cursor) {
		put_switch(out, info, pen);
		evbuffer_add_printf(out, "\033[?1049l");
	}
}

/*
 * The scroll region, origin mode and the cursor.  Setting the first two moves
 * the cursor, and in origin mode it cannot be moved out of the region, though
 * it may be there: so it is saved where it belongs, and restored.
 */
static void
put_place(struct evbuffer *out, const struct snapshot_info *info)
{
	if (info->origin)
		evbuffer_add_printf(out, "\033[?6h");
	evbuffer_add_printf(out, "\033[%u;%uH\0337\033[%u;%ur\0338",
	    info->cy + 1, info->cx < info->cols ? info->cx + 1 : 1,
	    info->upper + 1, info->lower + 1);
}

/*
 * A cursor that is about to wrap gets there only by painting the last cell
 * again, so the row that it is at the beginning of is painted again.
 */
static void
put_wrap(struct evbuffer *out, const struct snapshot_info *info,
    struct snapshot_text screen)
{
	struct vtpen pen = pen_before(screen, info->cy);
	struct snapshot_text line = { NULL, 0 };
	char sgr[VTMODES_TEXT_MAX];
	unsigned int i;

	evbuffer_add(out, sgr, vtmodes_sgr(&pen, sgr));
	for (i = 0; i <= info->cy; i++)
		if (!next_line(&screen, &line))
			return;
	put_row(out, line);
	evbuffer_add_printf(out, "\033[0m\017");
}

static void
put_modes(struct evbuffer *out, const struct snapshot_info *info)
{
	const struct {
		bool		 set;
		const char	*name;
	} modes[] = {
		{ info->insert, "4" }, { info->cursor_keys, "?1" },
		{ info->mouse_standard, "?1000" },
		{ info->mouse_button, "?1002" }, { info->mouse_all, "?1003" },
		{ info->mouse_utf8, "?1005" }, { info->mouse_sgr, "?1006" },
	};
	size_t i;

	for (i = 0; i < sizeof modes / sizeof modes[0]; i++)
		if (modes[i].set)
			evbuffer_add_printf(out, "\033[%sh", modes[i].name);
	if (!info->wrap)
		evbuffer_add_printf(out, "\033[?7l");
	if (info->keypad)
		evbuffer_add_printf(out, "\033=");
	evbuffer_add_printf(out, "\033[?25%c", info->cursor ? 'h' : 'l');
}

int
snapshot_screen(struct evbuffer *out, const struct snapshot_info *info,
    struct snapshot_text screen, struct snapshot_text saved,
    const struct vtmodes *vt)
{
	char text[VTMODES_TEXT_MAX];

	put_reset(out);
	put_tabs(out, info);
	put_main(out, info, saved, &vt->main);
	put_rows(out, info, screen);
	put_place(out, info);
	if (info->cx == info->cols)
		put_wrap(out, info, screen);
	put_modes(out, info);
	evbuffer_add(out, text, vtmodes_set(vt, text));
	evbuffer_add(out, vt->pending, vt->npending);
	if (evbuffer_get_length(out) > SNAPSHOT_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	return 0;
}

int
snapshot_history(struct evbuffer *out, const struct snapshot_info *info,
    struct snapshot_text history, unsigned int above)
{
	struct snapshot_text line;
	unsigned int y;

	if (history.len > ROWS_MAX / 2) {
		/* no line grows to more than twice its length in put_row() */
		history.s += history.len - ROWS_MAX / 2;
		history.len = ROWS_MAX / 2;
		(void)next_line(&history, &line);
	}
	put_reset(out);
	put_erase(out, info);
	evbuffer_add_printf(out, "\033[1;1H");
	for (y = 0; next_line(&history, &line); y++) {
		if (y > 0)
			evbuffer_add_printf(out, "\r\n");
		put_row(out, line);
	}
	/* as many rows scroll out as are on the screen, and nothing else */
	evbuffer_add_printf(out, "\033[0m\017\033[%u;1H", info->rows);
	for (y = above < info->rows ? above : info->rows; y > 0; y--)
		evbuffer_add_printf(out, "\n");
	return 0;
}
