/*
 * vtgen.c - what a program might draw, from a seed.
 *
 * usage: vtgen [-f] SEED COLS ROWS FROM TO [OCTETS [OCTETS]]
 *
 * Writes the steps FROM to TO - 1 of the seed's stream for a terminal of COLS
 * x ROWS, each in one write: text, attributes, moves, erasure, insertion,
 * scroll regions, tabs, character sets, screens, modes.  A step depends on
 * nothing but the seed, its number and the size, so that a stream can be cut at
 * any step, and goes on at another size.
 *
 * The first OCTETS are left out of step FROM, the second are written of step TO
 * behind the others: a stream cut inside a sequence.  A step that only makes
 * sense whole (one that saves and restores the cursor) begins where it is cut.
 *
 * What is left out is what a capture of tmux 3.3a does not show: half a wide
 * character, so a seed has either wide characters, or erases and shifts parts
 * of lines; that a line goes on in the next one, which a backspace in column 1
 * finds; flags and variation selectors, which tmux 3.4 makes wide afterwards;
 * and a background that erasing and scrolling leaves where nothing was
 * ever drawn, unless -f allows it.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "num.h"

#define STEP_MAX	8192	/* octets of one step */

struct gen {
	uint64_t	 rng;
	unsigned int	 cols, rows;
	bool		 wide;		/* the seed's kind */
	bool		 fill;		/* -f */
	bool		 whole;		/* this step is not cut */
	size_t		 len;
	char		 out[STEP_MAX];
};

/* ---- chance --------------------------------------------------------------- */

/* splitmix64 */
static uint64_t
next(struct gen *g)
{
	uint64_t z = g->rng += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* A number from LOW to HIGH. */
static unsigned int
pick(struct gen *g, unsigned int low, unsigned int high)
{
	return low + (unsigned int)(next(g) % (high - low + 1));
}

static bool
chance(struct gen *g, unsigned int percent)
{
	return pick(g, 1, 100) <= percent;
}

static const char *
one_of(struct gen *g, const char *const *words, size_t n)
{
	return words[pick(g, 0, (unsigned int)n - 1)];
}
#define ONE_OF(g, words) one_of(g, words, sizeof words / sizeof words[0])

/* ---- octets --------------------------------------------------------------- */

__attribute__((format(printf, 2, 3)))
static void
put(struct gen *g, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(g->out + g->len, sizeof g->out - g->len, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof g->out - g->len)
		abort();	/* a step is far shorter */
	g->len += (size_t)n;
}

static void
put_char(struct gen *g, unsigned int cp)
{
	if (cp < 0x80)
		put(g, "%c", (int)cp);
	else if (cp < 0x800)
		put(g, "%c%c", (int)(0xc0 | cp >> 6),
		    (int)(0x80 | (cp & 0x3f)));
	else if (cp < 0x10000)
		put(g, "%c%c%c", (int)(0xe0 | cp >> 12),
		    (int)(0x80 | (cp >> 6 & 0x3f)), (int)(0x80 | (cp & 0x3f)));
	else
		put(g, "%c%c%c%c", (int)(0xf0 | cp >> 18),
		    (int)(0x80 | (cp >> 12 & 0x3f)),
		    (int)(0x80 | (cp >> 6 & 0x3f)), (int)(0x80 | (cp & 0x3f)));
}

/* ---- text ----------------------------------------------------------------- */

static void
put_ascii(struct gen *g, unsigned int n)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM"
	    "NOPQRSTUVWXYZ0123456789  ,.;:!?-_/\\'\"#$%&()*+<=>@[]^`{|}~";

	while (n-- > 0)
		put(g, "%c", letters[pick(g, 0, sizeof letters - 2)]);
}

/* One column wide, but not one octet. */
static void
put_narrow(struct gen *g, unsigned int n)
{
	static const struct {
		unsigned int	low, high;
	} ranges[] = {
		{ 0xc0, 0xff }, { 0x100, 0x17f }, { 0x391, 0x3a1 },
		{ 0x410, 0x44f }, { 0x2500, 0x257f }, { 0x2580, 0x259f },
	};
	unsigned int r;

	while (n-- > 0) {
		r = pick(g, 0, sizeof ranges / sizeof ranges[0] - 1);
		put_char(g, pick(g, ranges[r].low, ranges[r].high));
	}
}

static void
put_combined(struct gen *g, unsigned int n)
{
	unsigned int marks;

	while (n-- > 0) {
		put(g, "%c", (int)pick(g, 'a', 'z'));
		for (marks = pick(g, 0, 3); marks > 0; marks--)
			put_char(g, pick(g, 0x300, 0x34e));
	}
}

/* Several code points in one cell, or in two. */
static void
put_emoji(struct gen *g)
{
	static const unsigned int emoji[][3] = {
		{ 0x1f469, 0x200d, 0x1f4bb },	/* joined */
		{ 0x1f44d, 0x1f3fd, 0 },	/* with a skin */
	};
	unsigned int n = pick(g, 0, sizeof emoji / sizeof emoji[0] - 1), i;

	for (i = 0; i < 3 && emoji[n][i] != 0; i++)
		put_char(g, emoji[n][i]);
}

static void
put_wide(struct gen *g, unsigned int n)
{
	while (n-- > 0) {
		switch (pick(g, 0, 6)) {
		case 0:
			put_char(g, pick(g, 0xac00, 0xd7a3));
			break;
		case 1:
			put_char(g, pick(g, 0xff21, 0xff3a));
			break;
		case 2:
			put_char(g, pick(g, 0x1f600, 0x1f640));
			break;
		case 3:
			put_char(g, pick(g, 0x3041, 0x3094));
			put_char(g, 0x3099);	/* a mark on it */
			break;
		case 4:
			put_emoji(g);
			break;
		default:
			put_char(g, pick(g, 0x4e00, 0x9fa5));
			break;
		}
	}
}

static void
text(struct gen *g)
{
	unsigned int n = chance(g, 20) ? pick(g, g->cols, 3 * g->cols) :
	    pick(g, 1, 20), k;

	for (; n > 0; n -= k) {
		k = pick(g, 1, n < 12 ? n : 12);
		if (chance(g, 60))
			put_ascii(g, k);
		else if (chance(g, 40))
			put_narrow(g, k);
		else if (g->wide && chance(g, 60))
			put_wide(g, k);
		else
			put_combined(g, k);
	}
}

/* What `ls`, `cat` and compilers print. */
static void
lines(struct gen *g)
{
	unsigned int n = pick(g, 1, chance(g, 15) ? 2 * g->rows : 5);

	while (n-- > 0) {
		put_ascii(g, pick(g, 0, g->cols / 2));
		if (g->wide && chance(g, 30))
			put_wide(g, pick(g, 1, 4));
		put(g, "\r\n");
	}
}

/* ---- attributes ----------------------------------------------------------- */

static void
put_colour(struct gen *g, unsigned int which)
{
	switch (pick(g, 0, 5)) {
	case 0:
		put(g, chance(g, 70) ? "%u;5;%u" : "%u:5:%u", which,
		    pick(g, 0, 255));
		break;
	case 1:
		put(g, chance(g, 70) ? "%u;2;%u;%u;%u" : "%u:2::%u:%u:%u",
		    which, pick(g, 0, 255), pick(g, 0, 255), pick(g, 0, 255));
		break;
	case 2:
		put(g, "%u", which + 1);
		break;
	case 3:
		put(g, "%u", which + 52 + pick(g, 0, 7));
		break;
	default:
		put(g, "%u", which - 8 + pick(g, 0, 7));
		break;
	}
}

static void
put_pen(struct gen *g, bool background)
{
	static const char *const words[] = { "0", "", "1", "2", "3", "4", "5",
	    "7", "8", "9", "21", "22", "23", "24", "25", "27", "28", "29", "53",
	    "55", "4:3", "4:4", "4:5", "4:2", "4:1", "4:0", "58:5:9", "58:2::9:8:7", "59",
	    "38:5:99", "38:2::1:2:3", "39", "49", "39;49", "0;1", "0;7" };
	unsigned int n = pick(g, 1, 4);

	put(g, "\033[");
	for (; n > 0; n--) {
		if (chance(g, 55))
			put(g, "%s", ONE_OF(g, words));
		else
			put_colour(g, background && chance(g, 40) ? 48 : 38);
		put(g, "%c", n == 1 ? 'm' : ';');
	}
}

static void
pen(struct gen *g)
{
	put_pen(g, g->fill);
}

/* Words on a background, within one line. */
static void
coloured(struct gen *g)
{
	unsigned int n = pick(g, 1, g->cols / 2);

	put(g, "\033[%u;%uH", pick(g, 1, g->rows), pick(g, 1, g->cols - n));
	put_pen(g, true);
	put_ascii(g, n);
	put(g, "\033[49m");
}

/* ---- the cursor ----------------------------------------------------------- */

static void
move_to(struct gen *g)
{
	put(g, "\033[%u;%uH", pick(g, 1, g->rows), pick(g, 1, g->cols));
}

static void
move(struct gen *g)
{
	static const char *const words[] = { "\r", "\n", "--\b", "\t", "\v",
	    "\f", "\r\n", "\033[H", "\033[f", "\033[A", "\033[B", "\033[C",
	    "\033[D", "\033[Z", "\033[2Z", "\033D", "\033E", "\033M",
	    "\033[999C", "\033[999B", "\033[99;999H", "\033[I",
	    "\033[2I" };

	switch (pick(g, 0, 5)) {
	case 0:
		put(g, "%s", ONE_OF(g, words));
		break;
	case 1:
		put(g, "\033[%u%c", pick(g, 0, 9), "ABCDEF"[pick(g, 0, 5)]);
		break;
	case 2:
		put(g, "\033[%u%c", pick(g, 1, g->cols), "G`"[pick(g, 0, 1)]);
		break;
	case 3:
		put(g, "\033[%ud", pick(g, 1, g->rows));
		break;
	default:
		move_to(g);
		break;
	}
}

/* Around the last column, where the next character decides on the line. */
static void
edge(struct gen *g)
{
	static const char *const words[] = { "\r", "\n", "\t", "\033[A",
	    "\033[C", "\033[D", "\033[0m", "\033M", "", "", "" };

	put(g, "\033[%u;%uH", pick(g, 1, g->rows), g->cols - pick(g, 0, 2));
	if (g->wide && chance(g, 50))
		put_wide(g, pick(g, 1, 2));
	else
		put_ascii(g, pick(g, 1, 3));
	put(g, "%s", ONE_OF(g, words));
	if (chance(g, 50))
		put_narrow(g, pick(g, 1, 2));
	else if (chance(g, 50))
		put_combined(g, 1);
}

/* Save, move about, draw, restore. */
static void
saved(struct gen *g)
{
	bool csi = chance(g, 40);

	g->whole = true;
	put(g, csi ? "\033[s" : "\0337");
	move_to(g);
	pen(g);
	put_ascii(g, pick(g, 1, 9));
	put(g, csi ? "\033[u" : "\0338");
}

/* ---- lines and regions ---------------------------------------------------- */

/* With wide characters about, whole lines only. */
static void
erase(struct gen *g)
{
	static const char *const lines_only[] = { "\033[2K", "\033[2J",
	    "\r\033[K", "\r\033[J", "\033[999C\033[1K", "\033[999C\033[1J",
	    "\033[H\033[2J\033[3J" };

	if (g->wide)
		put(g, "%s", ONE_OF(g, lines_only));
	else if (chance(g, 25))
		put(g, "\033[%uX", pick(g, 1, 9));
	else if (chance(g, 70))
		put(g, "\033[%uK", pick(g, 0, 2));
	else
		put(g, "\033[%uJ", pick(g, 0, 2));
}

static void
shift(struct gen *g)
{
	if (!g->wide && chance(g, 50))
		put(g, "\033[%u%c", pick(g, 1, 9), "@P"[pick(g, 0, 1)]);
	else
		put(g, "\033[%u%c", pick(g, 1, 4), "LMST"[pick(g, 0, 3)]);
}

static void
region(struct gen *g)
{
	unsigned int top = pick(g, 1, g->rows - 2);
	unsigned int bottom = pick(g, top + 1, g->rows), n;

	if (chance(g, 40)) {
		put(g, "\033[r");
		return;
	}
	put(g, "\033[%u;%ur", top, bottom);
	if (chance(g, 30))
		put(g, "\033[?6%c", chance(g, 50) ? 'h' : 'l');
	if (chance(g, 60))
		put(g, "\033[%u;1H", pick(g, top, bottom));
	for (n = pick(g, 0, 5); n > 0; n--)
		put(g, "%s", chance(g, 50) ? "\n" : "\033M");
}

static void
tabs(struct gen *g)
{
	switch (pick(g, 0, 4)) {
	case 0:
		put(g, "\033[%uG\033H", pick(g, 1, g->cols));
		break;
	case 1:
		put(g, "\033[g");
		break;
	case 2:
		if (chance(g, 30))
			put(g, "\033[3g");
		break;
	default:
		put(g, "a\tb\tc\t\033[Zd");
		break;
	}
}

/* ---- sets, screens, modes ------------------------------------------------- */

static void
charset(struct gen *g)
{
	static const char *const words[] = { "\016", "\017", "\033(0",
	    "\033(B", "\033)0", "\033)B" };

	if (chance(g, 50)) {
		put(g, "\033(0lqqwqqk\r\nx  x  x\r\nmqqvqqj\033(B");
		return;
	}
	put(g, "%s", ONE_OF(g, words));
	put_ascii(g, pick(g, 1, 9));
	if (chance(g, 60))
		put(g, "\033(B\033)B\017");
}

static void
screens(struct gen *g)
{
	static const char *const words[] = { "?1049", "?47", "?1047" };

	put(g, "\033[%s%c", ONE_OF(g, words), chance(g, 50) ? 'h' : 'l');
	if (chance(g, 40)) {
		put(g, "\033[2J");
		move_to(g);
	}
}

static void
mode(struct gen *g)
{
	static const char *const words[] = { "?1", "?25", "?7", "?1000",
	    "?1002", "?1003", "?1005", "?1006", "?2004", "?6", "34" };

	switch (pick(g, 0, 6)) {
	case 0:
		put(g, "\033%c", chance(g, 50) ? '=' : '>');
		break;
	case 1:
		put(g, "\033[%u q", pick(g, 0, 6));
		break;
	case 2:
		if (!g->wide)
			put(g, "\033[4%c", chance(g, 30) ? 'h' : 'l');
		break;
	default:
		put(g, "\033[%s%c", ONE_OF(g, words), chance(g, 50) ? 'h' :
		    'l');
		break;
	}
}

static void
repeat(struct gen *g)
{
	g->whole = true;
	put(g, "%c\033[%ub", (int)pick(g, 'A', 'Z'), pick(g, 1, 20));
}

/* A box with a title and text in it, as dialogs are drawn. */
static void
box(struct gen *g)
{
	unsigned int w = pick(g, 6, g->cols / 2), h = pick(g, 3, g->rows / 2);
	unsigned int x = pick(g, 1, g->cols - w), y = pick(g, 1, g->rows - h);
	unsigned int row, n;

	put_pen(g, true);
	for (row = 0; row < h; row++) {
		put(g, "\033[%u;%uH", y + row, x);
		for (n = 0; n < w; n++)
			put_char(g, row == 0 || row == h - 1 ? 0x2500 :
			    n == 0 || n == w - 1 ? 0x2502 : ' ');
	}
	put(g, "\033[%u;%uH\033[7m", y, x + 1);
	put_ascii(g, w - 3);
	put(g, "\033[27m\033[%u;%uH", y + 1, x + 2);
	if (g->wide)
		put_wide(g, (w - 4) / 4);
	put(g, "\033[0m");
}

/* Rare ones, and what must not draw at all. */
static void
odd(struct gen *g)
{
	static const char *const words[] = { "\033#8", "\033c", "\033[!p",
	    "\a", "\033[1;\0302;3H", "\033[5\032n", "\033]0;title\a",
	    "\033P1;2|data\033\\", "\033_what\033\\", "\033^pm\033\\",
	    "\033[?1;2;3u", "\033[>4;1m", "\033]8;;http://x/\033\\link",
	    "\033]8;;\033\\", "\033]52;c;aGFs\a", "\033[99999z", "\177",
	    "\033[3\r1mx", "\033[?2026h\033[?2026l", "\033[?1004h",
	    "\033[?1004l" };

	put(g, "%s", ONE_OF(g, words));
}

static const struct {
	void		(*step)(struct gen *g);
	unsigned int	 weight;
} steps[] = {
	{ text, 26 }, { lines, 10 }, { pen, 15 }, { coloured, 3 },
	{ move, 16 }, { edge, 3 }, { saved, 3 }, { erase, 6 }, { shift, 5 }, { region, 4 },
	{ tabs, 3 }, { charset, 3 }, { screens, 2 }, { mode, 4 },
	{ repeat, 2 }, { box, 3 }, { odd, 2 },
};

/* ---- the stream ----------------------------------------------------------- */

/*
 * Everything as after power-on, whatever the stream before left; the cursors
 * that are saved too.
 */
static void
first(struct gen *g)
{
	g->whole = true;
	put(g, "\030\033[?1049l\033[?47l\033(B\033)B\017\033[0m\033[?1l\033>"
	    "\033[?1000l\033[?1002l\033[?1003l\033[?1005l\033[?1006l"
	    "\033[?2004l\033[?1004l\033[0 q\033c\033[H\033[2J\033[3J"
	    "\0337\033[?1049h\033[?1049l");
}

/* Make step N. */
static void
make(struct gen *g, uint64_t seed, unsigned int n)
{
	unsigned int total = 0, at, i;

	g->len = 0;
	g->whole = false;
	g->wide = seed % 2 == 0;
	g->rng = seed * 1000003u + n;
	(void)next(g);
	if (n == 0) {
		first(g);
		return;
	}
	for (i = 0; i < sizeof steps / sizeof steps[0]; i++)
		total += steps[i].weight;
	at = pick(g, 0, total - 1);
	for (i = 0; at >= steps[i].weight; i++)
		at -= steps[i].weight;
	steps[i].step(g);
}

static size_t
cut(const struct gen *g, size_t octets)
{
	return g->whole ? 0 : octets < g->len ? octets : g->len;
}

static void
write_all(const char *s, size_t len)
{
	ssize_t n;

	for (; len > 0; s += n, len -= (size_t)n) {
		n = write(STDOUT_FILENO, s, len);
		if (n == -1) {
			perror("vtgen");
			exit(1);
		}
	}
}

static unsigned int
number(const char *s, unsigned int min, unsigned int max)
{
	uint64_t v;

	if (num_parse(s, strlen(s), min, max, &v) == -1) {
		fprintf(stderr, "vtgen: %s: not from %u to %u\n", s, min, max);
		exit(2);
	}
	return (unsigned int)v;
}

int
main(int argc, char **argv)
{
	static struct gen g;
	unsigned int seed, from, to, n;
	size_t skip, more;

	if (argc > 1 && strcmp(argv[1], "-f") == 0) {
		g.fill = true;
		argv++;
		argc--;
	}
	if (argc < 6 || argc > 8) {
		fprintf(stderr, "usage: vtgen [-f] SEED COLS ROWS FROM TO "
		    "[OCTETS [OCTETS]]\n");
		return 2;
	}
	seed = number(argv[1], 0, UINT32_MAX);
	g.cols = number(argv[2], 20, 1000);
	g.rows = number(argv[3], 8, 1000);
	from = number(argv[4], 0, 1000000);
	to = number(argv[5], 0, 1000000);
	skip = argc > 6 ? number(argv[6], 0, STEP_MAX) : 0;
	more = argc > 7 ? number(argv[7], 0, STEP_MAX) : 0;
	for (n = from; n < to; n++) {
		make(&g, seed, n);
		if (n == from)
			skip = cut(&g, skip);
		else
			skip = 0;
		write_all(g.out + skip, g.len - skip);
	}
	if (more > 0) {
		make(&g, seed, to);
		write_all(g.out, cut(&g, more));
	}
	return 0;
}
