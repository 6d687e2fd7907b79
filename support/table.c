/*
 * table.c - see table.h.
 */
#include "table.h"

#include <sys/ioctl.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "safetext.h"
#include "text.h"

#define GAP	2	/* columns between two cells */
#define CUT_MIN	8	/* columns that a cell keeps */

struct table {
	const struct table_column *cols;
	size_t	 count;
	size_t	 rows;
	char	**cells;	/* rows * count, fit for the terminal */
};

struct table *
table_new(const struct table_column *cols, size_t count)
{
	struct table *t = calloc(1, sizeof *t);

	if (t == NULL)
		fatal("table");
	t->cols = cols;
	t->count = count;
	return t;
}

void
table_free(struct table *t)
{
	size_t i;

	for (i = 0; i < t->rows * t->count; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
}

static char *
cell_new(const char *s)
{
	size_t len, cap;
	char *cell;

	if (s == NULL || *s == '\0')
		s = "-";
	len = strlen(s);
	cap = SAFETEXT_SIZE(len);
	cell = malloc(cap);
	if (cell == NULL)
		fatal("table");
	return text_safe(cell, cap, s, len);
}

void
table_row(struct table *t, const char *const *cells)
{
	char **grown;
	size_t i;

	grown = reallocarray(t->cells, (t->rows + 1) * t->count,
	    sizeof *grown);
	if (grown == NULL)
		fatal("table");
	t->cells = grown;
	for (i = 0; i < t->count; i++)
		t->cells[t->rows * t->count + i] = cell_new(cells[i]);
	t->rows++;
}

/* The width that column I would like. */
static size_t
natural_width(const struct table *t, size_t i)
{
	size_t r, w, max = text_width(t->cols[i].title);

	for (r = 0; r < t->rows; r++) {
		w = text_width(t->cells[r * t->count + i]);
		if (w > max)
			max = w;
	}
	return max;
}

/* The widest column that may still be cut, or COUNT. */
static size_t
widest_cut(const struct table *t, const size_t *widths)
{
	size_t i, best = t->count;

	for (i = 0; i < t->count; i++)
		if ((t->cols[i].flags & TABLE_CUT) != 0 &&
		    widths[i] > CUT_MIN &&
		    (best == t->count || widths[i] > widths[best]))
			best = i;
	return best;
}

static void
fit(const struct table *t, size_t *widths, size_t width)
{
	size_t i, total = GAP * (t->count - 1);

	for (i = 0; i < t->count; i++) {
		widths[i] = natural_width(t, i);
		total += widths[i];
	}
	while (width > 0 && total > width) {
		i = widest_cut(t, widths);
		if (i == t->count)
			return;
		widths[i]--;
		total--;
	}
}

static void
print_cell(FILE *f, const char *s, size_t width, int last)
{
	size_t w = text_width(s), n;

	if (w > width) {
		n = text_fit(s, width - 1);
		fprintf(f, "%.*s%s", (int)n, s, text_ellipsis());
		/* a wide character may have left a column free */
		w = w - text_width(s + n) + 1;
	} else
		fputs(s, f);
	for (; !last && w < width + GAP; w++)
		fputc(' ', f);
}

void
table_print(const struct table *t, FILE *f, size_t width)
{
	size_t widths[TABLE_COLUMNS], r, i;

	fit(t, widths, width);
	for (i = 0; i < t->count; i++)
		print_cell(f, t->cols[i].title, widths[i], i + 1 == t->count);
	fputc('\n', f);
	for (r = 0; r < t->rows; r++) {
		for (i = 0; i < t->count; i++)
			print_cell(f, t->cells[r * t->count + i], widths[i],
			    i + 1 == t->count);
		fputc('\n', f);
	}
}

size_t
table_terminal_width(void)
{
	struct winsize ws;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == -1)
		return 0;
	return ws.ws_col;
}

void
table_age(time_t secs, char *buf, size_t cap)
{
	static const struct {
		time_t	secs;
		char	unit;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	size_t i = 0;

	if (secs < 0)
		secs = 0;
	while (units[i].secs > 1 && secs < units[i].secs)
		i++;
	(void)snprintf(buf, cap, "%lld%c", (long long)(secs / units[i].secs),
	    units[i].unit);
}
