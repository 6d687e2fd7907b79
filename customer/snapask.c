/*
 * snapask.c - asking tmux for a screen, and what it answers; see snapshot.h.
 *
 * A tmux before 3.1 gives the blanks at the end of rows only with -J, which also
 * joins rows, so there each row is a capture of its own.  In later ones -J has
 * come to mean less, so that -N has to be used there also by who asks for rows.
 */
#include "snapshot.h"

#include <event2/buffer.h>

#include <string.h>

#include "tmuxcaps.h"

#define FORMAT(origin, utf8, sgr)					\
	"#{pane_width} #{pane_height} #{cursor_x} #{cursor_y} "		\
	"#{alternate_on} #{alternate_saved_x} #{alternate_saved_y} "	\
	"#{scroll_region_upper} #{scroll_region_lower} #{cursor_flag} "	\
	"#{insert_flag} #{wrap_flag} " origin " #{keypad_flag} "	\
	"#{keypad_cursor_flag} #{mouse_standard_flag} "			\
	"#{mouse_button_flag} #{mouse_all_flag} " utf8 " " sgr " "	\
	"#{history_size} #{pane_tabs}"

static const char format[] = FORMAT("#{origin_flag}", "#{mouse_utf8_flag}",
    "#{mouse_sgr_flag}");
static const char old_format[] = FORMAT("0", "0", "0");

/* A screen is one capture; then the one below it is always asked for. */
static bool
is_whole(const struct tmuxcaps *caps)
{
	return tmuxcaps_has(caps, TMUX_CAPTURE_BLANKS);
}

/* The flag that keeps blanks. */
static char
blanks_flag(const struct tmuxcaps *caps)
{
	return tmuxcaps_really(caps, TMUX_CAPTURE_BLANKS) ? 'N' : 'J';
}

/* A screen, or the one below it (FLAGS "aq"), whole or row by row. */
static unsigned int
ask_rows(struct evbuffer *line, const struct tmuxcaps *caps,
    const struct snapshot_ask *ask, const char *flags)
{
	char blanks = blanks_flag(caps);
	unsigned int y;

	if (is_whole(caps)) {
		evbuffer_add_printf(line, " ; capture-pane -pe%c%s -t%%%u",
		    blanks, flags, ask->pane);
		return 1;
	}
	for (y = 0; y < ask->rows; y++)
		evbuffer_add_printf(line, " ; capture-pane -pe%c%s -S%u -E%u "
		    "-t%%%u", blanks, flags, y, y, ask->pane);
	return ask->rows;
}

unsigned int
snapshot_commands(struct evbuffer *line, const struct tmuxcaps *caps,
    const struct snapshot_ask *ask)
{
	bool reports = tmuxcaps_has(caps, TMUX_MODE_FORMATS);
	unsigned int n = 1;

	evbuffer_add_printf(line, "display-message -p -t%%%u '%s'", ask->pane,
	    reports ? format : old_format);
	n += ask_rows(line, caps, ask, "");
	if (ask->alternate || is_whole(caps))
		n += ask_rows(line, caps, ask, "aq");
	evbuffer_add_printf(line, " ; capture-pane -pPC -t%%%u", ask->pane);
	n++;
	if (ask->history > 0) {
		/* -J: a line of several rows is one line above the screen too */
		evbuffer_add_printf(line, " ; capture-pane -peJ -S-%u -E-1 "
		    "-t%%%u", ask->history, ask->pane);
		n++;
	}
	return n;
}

/* ---- the answers ---------------------------------------------------------- */

/* Where the next answers are, and how many are left. */
struct reader {
	const struct snapshot_text	*next;
	unsigned int			 left;
	bool				 short_of;
};

static struct snapshot_text
take(struct reader *rd)
{
	static const struct snapshot_text nothing = { "", 0 };

	if (rd->left == 0) {
		rd->short_of = true;
		return nothing;
	}
	rd->left--;
	return *rd->next++;
}

/*
 * Append the answers to N captures of a row as one of so many rows: each of
 * them begins with no pen, and ends in an LF.  Returns how many octets that are.
 */
static size_t
join_rows(struct evbuffer *out, struct reader *rd, unsigned int n)
{
	size_t before = evbuffer_get_length(out);
	struct snapshot_text row;

	for (; n > 0; n--) {
		row = take(rd);
		if (row.len > 0 && row.s[row.len - 1] == '\n')
			row.len--;
		if (row.len > 0) {
			evbuffer_add_printf(out, "\033[0m\017");
			evbuffer_add(out, row.s, row.len);
		}
		evbuffer_add(out, "\n", 1);
	}
	return evbuffer_get_length(out) - before;
}

/* Both screens, row by row. */
static int
read_rows(struct snapshot_answer *an, struct reader *rd,
    const struct snapshot_ask *ask)
{
	size_t len, saved = 0;

	an->rows = evbuffer_new();
	if (an->rows == NULL)
		return -1;
	len = join_rows(an->rows, rd, ask->rows);
	if (ask->alternate)
		saved = join_rows(an->rows, rd, ask->rows);
	an->screen.s = (const char *)evbuffer_pullup(an->rows, -1);
	an->screen.len = len;
	an->saved.s = an->screen.s + len;
	an->saved.len = saved;
	return an->screen.s != NULL ? 0 : -1;
}

/* What an old tmux does not report.  Before 2.9 it does not obey ?6 either. */
static void
add_modes(struct snapshot_info *info, const struct tmuxcaps *caps,
    const struct vtmodes *vt)
{
	if (tmuxcaps_has(caps, TMUX_MODE_FORMATS))
		return;
	info->origin = vt->origin && tmuxcaps_really(caps, TMUX_ORIGIN);
	info->mouse_utf8 = vt->mouse_utf8;
	info->mouse_sgr = vt->mouse_sgr;
}

int
snapshot_read(struct snapshot_answer *an, const struct tmuxcaps *caps,
    struct snapshot_ask *ask, const struct snapshot_text *answers,
    unsigned int n, const struct vtmodes *vt)
{
	struct reader rd = { answers, n, false };
	struct snapshot_text line = take(&rd);

	memset(an, 0, sizeof *an);
	if (snapshot_parse(&an->info, line.s, line.len) == -1)
		return -1;
	add_modes(&an->info, caps, vt);
	if (is_whole(caps)) {
		an->screen = take(&rd);
		an->saved = take(&rd);
	} else if (an->info.rows > ask->rows ||
	    (an->info.alternate && !ask->alternate)) {
		ask->rows = an->info.rows;
		ask->alternate = an->info.alternate;
		return 1;
	} else if (read_rows(an, &rd, ask) == -1)
		return -1;
	an->pending = take(&rd);
	if (ask->history > 0)
		an->history = take(&rd);
	an->above = ask->history < an->info.history ? ask->history :
	    an->info.history;
	return rd.short_of || rd.left > 0 ? -1 : 0;
}

void
snapshot_release(struct snapshot_answer *an)
{
	if (an->rows != NULL)
		evbuffer_free(an->rows);
	an->rows = NULL;
}
