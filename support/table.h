/*
 * table.h - a table of text, fitted to a width.
 *
 * Cells may come from another machine: they are made fit for the terminal in
 * here.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stddef.h>
#include <stdio.h>
#include <time.h>

#define TABLE_COLUMNS	8

struct table;

/* A column whose cells are cut where there is no room. */
#define TABLE_CUT	0x1

struct table_column {
	const char	*title;
	unsigned int	 flags;
};

/*
 * A table of the COUNT (at most TABLE_COLUMNS) columns at COLS, which must
 * outlive it.  Memory running out ends the program.
 */
struct table	*table_new(const struct table_column *cols, size_t count);
void		 table_free(struct table *t);

/* Add a row of CELLS, one a column; NULL is shown as "-".  Copied. */
void		 table_row(struct table *t, const char *const *cells);

/*
 * Print it, titles first, in WIDTH columns if they suffice at all; 0: as wide
 * as it is.
 */
void		 table_print(const struct table *t, FILE *f, size_t width);

/* How wide the terminal on stdout is; 0 if it is none. */
size_t		 table_terminal_width(void);

/* SECS as one number and unit: 5s, 12m, 3h, 4d. */
void		 table_age(time_t secs, char *buf, size_t cap);

#endif
