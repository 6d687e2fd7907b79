/*
 * vtmodes.c - see vtmodes.h.  The states are those of Paul Williams' VT500
 * parser, reduced to what has to be told apart, with tmux's deviations: octets
 * from 80 to 9F are no controls, and BEL ends an OSC.
 */
#include "vtmodes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	GROUND,
	ESCAPE,
	ESCAPE_INTER,
	CSI,
	CSI_IGNORE,
	STRING,		/* OSC, which BEL ends as well */
	STRING_ST	/* DCS, SOS, PM, APC, ESC k */
};

#define MAX_NUMBERS	32

/* One SGR parameter: "4:3" has a sub-parameter. */
struct number {
	int	value;	/* -1: empty */
	bool	sub;	/* a colon stood before it */
};

void
vtmodes_init(struct vtmodes *vt)
{
	memset(vt, 0, sizeof *vt);
}

/* Split the parameters into numbers.  Returns how many, 0 for none at all. */
static int
split_numbers(const struct vtmodes *vt, const char *s, struct number *n)
{
	const char *end = vt->param + vt->nparam;
	int count = 0;

	if (s == end)
		return 0;
	n[0].value = -1;
	n[0].sub = false;
	for (; s < end; s++) {
		if (*s == ';' || *s == ':') {
			if (++count == MAX_NUMBERS)
				return count;
			n[count].value = -1;
			n[count].sub = *s == ':';
		} else if (*s >= '0' && *s <= '9') {
			if (n[count].value == -1)
				n[count].value = 0;
			if (n[count].value < 100000)
				n[count].value = n[count].value * 10 +
				    (*s - '0');
		}
	}
	return count + 1;
}

static bool
is_byte(int v)
{
	return v >= 0 && v <= 255;
}

/* Three numbers as a colour, into *C if they are one. */
static void
set_rgb(const struct number *n, uint32_t *c)
{
	if (is_byte(n[0].value) && is_byte(n[1].value) && is_byte(n[2].value))
		*c = VT_RGB | (uint32_t)n[0].value << 16 |
		    (uint32_t)n[1].value << 8 | (uint32_t)n[2].value;
}

/* 38:5:n, 38:2:r:g:b, 38:2:space:r:g:b.  SUBS colons follow N[0]. */
static void
colon_colour(const struct number *n, int subs, uint32_t *c)
{
	if (n[1].value == 5 && subs >= 2 && is_byte(n[2].value))
		*c = VT_INDEXED | (uint32_t)n[2].value;
	else if (n[1].value == 2 && subs == 4)
		set_rgb(n + 2, c);
	else if (n[1].value == 2 && subs >= 5)
		set_rgb(n + 3, c);
}

/* 38;5;n, 38;2;r;g;b.  Returns how many numbers belong to it. */
static int
semicolon_colour(const struct number *n, int count, uint32_t *c)
{
	if (count >= 3 && n[1].value == 5) {
		if (is_byte(n[2].value))
			*c = VT_INDEXED | (uint32_t)n[2].value;
		return 3;
	}
	if (count >= 5 && n[1].value == 2) {
		set_rgb(n + 2, c);
		return 5;
	}
	return count;
}

static void
set_attribute(struct vtpen *pen, int v)
{
	static const struct {
		uint8_t		number;
		uint16_t	on, off;
	} attrs[] = {
		{ 1, VT_BOLD, 0 }, { 2, VT_DIM, 0 }, { 3, VT_ITALIC, 0 },
		{ 5, VT_BLINK, 0 }, { 6, VT_BLINK, 0 }, { 7, VT_REVERSE, 0 },
		{ 8, VT_HIDDEN, 0 }, { 9, VT_STRIKE, 0 },
		{ 22, 0, VT_BOLD | VT_DIM }, { 23, 0, VT_ITALIC },
		{ 25, 0, VT_BLINK }, { 27, 0, VT_REVERSE },
		{ 28, 0, VT_HIDDEN }, { 29, 0, VT_STRIKE },
		{ 53, VT_OVERLINE, 0 }, { 55, 0, VT_OVERLINE },
	};
	size_t i;

	for (i = 0; i < sizeof attrs / sizeof attrs[0]; i++)
		if (attrs[i].number == v)
			pen->attr = (uint16_t)((pen->attr | attrs[i].on) &
			    ~attrs[i].off);
}

/* Any SGR number that stands alone. */
static void
set_simple(struct vtpen *pen, int v)
{
	if (v <= 0) {
		pen->attr = 0;
		pen->underline = 0;
		pen->fg = pen->bg = pen->us = 0;
	} else if (v == 4 || v == 21 || v == 24)
		pen->underline = v == 4 ? 1 : v == 21 ? 2 : 0;
	else if (v >= 30 && v <= 37)
		pen->fg = VT_BASIC | (uint32_t)(v - 30);
	else if (v >= 40 && v <= 47)
		pen->bg = VT_BASIC | (uint32_t)(v - 40);
	else if (v >= 90 && v <= 97)
		pen->fg = VT_BASIC | (uint32_t)(v - 90 + 8);
	else if (v >= 100 && v <= 107)
		pen->bg = VT_BASIC | (uint32_t)(v - 100 + 8);
	else if (v == 39)
		pen->fg = 0;
	else if (v == 49)
		pen->bg = 0;
	else if (v == 59)
		pen->us = 0;
	else
		set_attribute(pen, v);
}

static uint32_t *
colour_of(struct vtpen *pen, int v)
{
	return v == 38 ? &pen->fg : v == 48 ? &pen->bg :
	    v == 58 ? &pen->us : NULL;
}

static void
do_sgr(struct vtmodes *vt)
{
	struct number n[MAX_NUMBERS];
	int count = split_numbers(vt, vt->param, n), i, subs;
	uint32_t *c;

	if (count == 0) {
		set_simple(&vt->pen, 0);
		vt->unsure = false;
	}
	for (i = 0; i < count; i++) {
		for (subs = 0; i + subs + 1 < count && n[i + subs + 1].sub;
		    subs++)
			;
		c = colour_of(&vt->pen, n[i].value);
		if (subs > 0) {
			if (c != NULL)
				colon_colour(n + i, subs, c);
			else if (n[i].value == 4 && n[i + 1].value >= 0 &&
			    n[i + 1].value <= 5)
				vt->pen.underline = (uint8_t)n[i + 1].value;
			i += subs;
		} else if (c != NULL)
			i += semicolon_colour(n + i, count - i, c) - 1;
		else {
			set_simple(&vt->pen, n[i].value);
			vt->unsure = vt->unsure && n[i].value > 0;
		}
	}
}

/*
 * Switch to the alternate screen or back, with the CURSOR or without.  What
 * tmux has saved it restores also where it is on the main screen already; the
 * character sets stay as they are.
 */
static void
switch_screen(struct vtmodes *vt, bool on, bool cursor)
{
	struct vtpen now = vt->pen;

	if (on && !vt->alternate) {
		vt->main = vt->pen;
		vt->main_saved |= cursor;
	}
	if (!on && cursor && vt->main_saved) {
		vt->pen = vt->main;
		vt->pen.g0_lines = now.g0_lines;
		vt->pen.g1_lines = now.g1_lines;
		vt->pen.shift = now.shift;
	}
	if (!on && vt->alternate)
		vt->leaves++;
	vt->alternate = on;
}

/* CSI ? … h or l. */
static void
private_modes(struct vtmodes *vt, bool on)
{
	struct number n[MAX_NUMBERS];
	int count = split_numbers(vt, vt->param + 1, n), i;

	for (i = 0; i < count; i++) {
		switch (n[i].value) {
		case 6:
			vt->origin = on;
			break;
		case 1005:
			vt->mouse_utf8 = on;
			break;
		case 1006:
			vt->mouse_sgr = on;
			break;
		case 47:
		case 1047:
			switch_screen(vt, on, false);
			break;
		case 1049:
			switch_screen(vt, on, true);
			break;
		case 1004:
			vt->focus = on;
			break;
		case 2004:
			vt->paste = on;
			break;
		}
	}
}

/* DECSC, DECRC and their like. */
static void
save(struct vtmodes *vt)
{
	vt->saved = vt->pen;
	vt->saved_origin = vt->origin;
}

static void
restore(struct vtmodes *vt)
{
	vt->pen = vt->saved;
	vt->origin = vt->saved_origin;
}

static void
end_csi(struct vtmodes *vt, char final)
{
	struct number n[MAX_NUMBERS];
	bool private = vt->nparam > 0 && vt->param[0] >= '<';

	if (vt->ninter == 1 && vt->inter[0] == ' ' && final == 'q') {
		if (split_numbers(vt, vt->param, n) == 0)
			n[0].value = 0;
		if (n[0].value <= 6)
			vt->shape = n[0].value < 0 ? 0 : (uint8_t)n[0].value;
	} else if (vt->ninter > 0)
		return;
	else if (private && vt->param[0] == '?' &&
	    (final == 'h' || final == 'l'))
		private_modes(vt, final == 'h');
	else if (private)
		return;
	else if (final == 'm')
		do_sgr(vt);
	else if (final == 's' && vt->nparam == 0)
		save(vt);
	else if (final == 'u' && vt->nparam == 0)
		restore(vt);
}

static void
end_escape(struct vtmodes *vt, char final)
{
	if (vt->ninter == 1 && vt->inter[0] == '(')
		vt->pen.g0_lines = final == '0';
	else if (vt->ninter == 1 && vt->inter[0] == ')')
		vt->pen.g1_lines = final == '0';
	else if (vt->ninter > 0)
		return;
	else if (final == '7')
		save(vt);
	else if (final == '8')
		restore(vt);
	else if (final == 'c') {
		memset(&vt->pen, 0, sizeof vt->pen);
		memset(&vt->saved, 0, sizeof vt->saved);
		vt->paste = vt->focus = vt->unsure = false;
		vt->origin = vt->saved_origin = false;
		vt->mouse_utf8 = vt->mouse_sgr = false;
	}
}

static void
to_ground(struct vtmodes *vt)
{
	vt->state = GROUND;
	vt->npending = 0;
	vt->utf8 = 0;
}

static void
keep(struct vtmodes *vt, char c)
{
	if (vt->npending < sizeof vt->pending)
		vt->pending[vt->npending++] = c;
}

static void
start_escape(struct vtmodes *vt)
{
	to_ground(vt);
	vt->state = ESCAPE;
	vt->nparam = vt->ninter = 0;
	keep(vt, '\033');
}

/* Text: only whether a character is whole matters. */
static void
on_ground(struct vtmodes *vt, unsigned char c)
{
	if (c == 0x0e || c == 0x0f)
		vt->pen.shift = c == 0x0e;
	if (c >= 0x80 && c < 0xc0 && vt->utf8 > 0) {
		keep(vt, (char)c);
		if (--vt->utf8 > 0)
			return;
	} else if (c >= 0xc2 && c < 0xf5) {
		to_ground(vt);
		vt->utf8 = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
		keep(vt, (char)c);
		return;
	}
	to_ground(vt);
}

static void
on_escape(struct vtmodes *vt, unsigned char c)
{
	keep(vt, (char)c);
	if (c < 0x20)
		vt->npending--;		/* carried out at once, then forgotten */
	else if (c < 0x30) {
		if (vt->ninter < sizeof vt->inter)
			vt->inter[vt->ninter] = (char)c;
		if (vt->ninter <= sizeof vt->inter)
			vt->ninter++;
		vt->state = ESCAPE_INTER;
	} else if (vt->state == ESCAPE && c == '[')
		vt->state = CSI;
	else if (vt->state == ESCAPE && c == ']')
		vt->state = STRING;
	else if (vt->state == ESCAPE && strchr("PX^_k", c) != NULL)
		vt->state = STRING_ST;
	else if (c < 0x7f) {
		end_escape(vt, (char)c);
		to_ground(vt);
	}
}

static void
on_csi(struct vtmodes *vt, unsigned char c)
{
	keep(vt, (char)c);
	if (c < 0x20) {
		vt->npending--;
		if (c == 0x0e || c == 0x0f)
			vt->pen.shift = c == 0x0e;
	} else if (c >= 0x40 && c < 0x7f) {
		if (vt->state == CSI)
			end_csi(vt, (char)c);
		to_ground(vt);
	} else if (vt->state == CSI_IGNORE || c >= 0x7f)
		return;
	else if (c >= 0x30) {
		if (vt->ninter > 0 || vt->nparam == sizeof vt->param ||
		    (c >= '<' && vt->nparam > 0))
			vt->state = CSI_IGNORE;
		else
			vt->param[vt->nparam++] = (char)c;
	} else if (vt->ninter < sizeof vt->inter)
		vt->inter[vt->ninter++] = (char)c;
	else
		vt->state = CSI_IGNORE;
}

static void
take_octet(struct vtmodes *vt, unsigned char c)
{
	if (c == 0x1b) {
		start_escape(vt);
		return;
	}
	if (c == 0x18 || c == 0x1a) {
		to_ground(vt);
		return;
	}
	switch (vt->state) {
	case GROUND:
		on_ground(vt, c);
		break;
	case ESCAPE:
	case ESCAPE_INTER:
		on_escape(vt, c);
		break;
	case CSI:
	case CSI_IGNORE:
		on_csi(vt, c);
		break;
	case STRING:
		if (c == 0x07) {
			to_ground(vt);
			break;
		}
		/* FALLTHROUGH */
	case STRING_ST:
		keep(vt, (char)c);
		break;
	}
}

/*
 * Take text as far as it is nothing but that: most of what a pane prints.  A
 * character that may be incomplete at the end is left.  Returns what follows.
 */
static const unsigned char *
take_text(struct vtmodes *vt, const unsigned char *p, const unsigned char *end)
{
	const unsigned char *stop = memchr(p, 0x1b, (size_t)(end - p)), *so, *si;
	size_t len;

	if (stop == NULL)
		stop = end - p > 4 ? end - 4 : p;
	len = (size_t)(stop - p);
	so = memrchr(p, 0x0e, len);
	si = memrchr(p, 0x0f, len);
	if (so != NULL || si != NULL)
		vt->pen.shift = si == NULL || (so != NULL && so > si);
	return stop;
}

void
vtmodes_feed(struct vtmodes *vt, const void *data, size_t len)
{
	const unsigned char *p = data, *end;

	if (len == 0)	/* then DATA may be NULL */
		return;
	end = p + len;
	while (p < end) {
		if (vt->state == GROUND && vt->utf8 == 0 && *p != 0x1b)
			p = take_text(vt, p, end);
		if (p < end)
			take_octet(vt, *p++);
	}
}

void
vtmodes_lost(struct vtmodes *vt, bool alternate, const char *pending,
    size_t len)
{
	to_ground(vt);
	memset(&vt->pen, 0, sizeof vt->pen);
	vt->unsure = true;
	if (alternate && !vt->alternate)
		switch_screen(vt, true, true);
	else if (!alternate && vt->alternate)
		switch_screen(vt, false, false);
	vtmodes_feed(vt, pending, len);
}

__attribute__((format(printf, 3, 4)))
static size_t
add(char *out, size_t at, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(out + at, VTMODES_TEXT_MAX - at, fmt, ap);
	va_end(ap);
	return n < 0 ? at : at + (size_t)n;
}

static size_t
add_colour(char *out, size_t at, int which, uint32_t c)
{
	if ((c & VT_BASIC) != 0)	/* 30 to 37, 90 to 97; of 38 */
		return add(out, at, ";%u", (unsigned int)which - 8 +
		    ((c & 8) != 0 ? 60 : 0) + (c & 7));
	if ((c & VT_INDEXED) != 0)
		return add(out, at, ";%d;5;%u", which, c & 0xff);
	if ((c & VT_RGB) != 0)
		return add(out, at, ";%d;2;%u;%u;%u", which, c >> 16 & 0xff,
		    c >> 8 & 0xff, c & 0xff);
	return at;
}

size_t
vtmodes_sgr(const struct vtpen *pen, char *out)
{
	static const struct {
		uint16_t	 bit;
		uint8_t		 number;
	} attrs[] = {
		{ VT_BOLD, 1 }, { VT_DIM, 2 }, { VT_ITALIC, 3 },
		{ VT_BLINK, 5 }, { VT_REVERSE, 7 }, { VT_HIDDEN, 8 },
		{ VT_STRIKE, 9 }, { VT_OVERLINE, 53 },
	};
	size_t at, i;

	at = add(out, 0, "\033[0");
	for (i = 0; i < sizeof attrs / sizeof attrs[0]; i++)
		if ((pen->attr & attrs[i].bit) != 0)
			at = add(out, at, ";%d", attrs[i].number);
	if (pen->underline == 1)
		at = add(out, at, ";4");
	else if (pen->underline > 1)
		at = add(out, at, ";4:%d", pen->underline);
	at = add_colour(out, at, 38, pen->fg);
	at = add_colour(out, at, 48, pen->bg);
	at = add_colour(out, at, 58, pen->us);
	return add(out, at, "m");
}

size_t
vtmodes_set(const struct vtmodes *vt, char *out)
{
	size_t at = vtmodes_sgr(&vt->pen, out);

	at = add(out, at, "\033(%c\033)%c%c", vt->pen.g0_lines ? '0' : 'B',
	    vt->pen.g1_lines ? '0' : 'B', vt->pen.shift ? 0x0e : 0x0f);
	at = add(out, at, "\033[?2004%c\033[?1004%c", vt->paste ? 'h' : 'l',
	    vt->focus ? 'h' : 'l');
	return add(out, at, "\033[%d q", vt->shape);
}
