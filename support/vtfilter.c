/*
 * vtfilter.c - see vtfilter.h.
 */
#include "vtfilter.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "safetext.h"
#include "vtrules.h"

#define C0_CAN	0x18
#define C0_SUB	0x1a
#define C0_ESC	0x1b

enum state {
	GROUND,
	UTF8,		/* inside a character */
	ESCAPE,		/* after ESC, intermediates */
	CSI,
	CSI_IGNORE,	/* too long: until its final octet */
	OSC,
	STRING,		/* SOS, PM, APC, ESC k: until ST */
	STRING_ESCAPE,	/* ESC in OSC or STRING: ST, or a new sequence */
	DCS,
	DCS_ESCAPE	/* ESC in DCS: ST, or part of the string */
};

void
vtfilter_init(struct vtfilter *vf,
    void (*title_cb)(void *arg, const char *title), void *arg)
{
	memset(vf, 0, sizeof *vf);
	vf->title_cb = title_cb;
	vf->arg = arg;
}

void
vtfilter_reset(struct vtfilter *vf)
{
	vf->state = GROUND;
	vf->len = 0;
}

static void
emit(char **out, const char *s, size_t len)
{
	memcpy(*out, s, len);
	*out += len;
}

/* Hold C; false if there is no more room. */
static bool
hold(struct vtfilter *vf, unsigned char c)
{
	if (vf->len == sizeof vf->seq)
		return false;
	vf->seq[vf->len++] = (char)c;
	return true;
}

static void
begin(struct vtfilter *vf, enum state state)
{
	vf->state = (int)state;
	vf->len = 0;
}

static bool
c0_passes(unsigned char c)
{
	const struct vt_sequence seq = { .kind = VT_C0, .number = c };

	return vtrules_judge(&seq) == VT_PASS;
}

/* The control octet C, anywhere but in a string. */
static void
control(struct vtfilter *vf, unsigned char c, char **out)
{
	char octet = (char)c;

	if (c == C0_ESC) {
		begin(vf, ESCAPE);
		(void)hold(vf, c);
		return;
	}
	if (c == C0_CAN || c == C0_SUB)
		begin(vf, GROUND);
	if (c0_passes(c))
		emit(out, &octet, 1);
}

/* The first octet of a character of several; bounds as in RFC 3629, 4. */
static void
utf8_begin(struct vtfilter *vf, unsigned char c)
{
	if (c < 0xc2 || c > 0xf4)
		return;		/* C1 and octets that begin nothing */
	begin(vf, UTF8);
	(void)hold(vf, c);
	vf->need = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	vf->lo = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	vf->hi = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
}

static void
in_ground(struct vtfilter *vf, unsigned char c, char **out)
{
	if (c < 0x20)
		control(vf, c, out);
	else if (c < 0x7f)
		*(*out)++ = (char)c;
	else if (c > 0x7f)
		utf8_begin(vf, c);
}

static void
in_utf8(struct vtfilter *vf, unsigned char c, char **out)
{
	if (c < vf->lo || c > vf->hi) {
		begin(vf, GROUND);
		in_ground(vf, c, out);
		return;
	}
	(void)hold(vf, c);
	vf->lo = 0x80;
	vf->hi = 0xbf;
	if (--vf->need > 0)
		return;
	/* U+0080 to U+009F are C1 controls, however they are spelt */
	if ((unsigned char)vf->seq[0] != 0xc2 || c >= 0xa0)
		emit(out, vf->seq, vf->len);
	begin(vf, GROUND);
}

/* ESC, at most one intermediate octet, and a final. */
static bool
esc_passes(const char *seq, size_t len)
{
	const struct vt_sequence s = { .kind = VT_ESC, .final = seq[len - 1],
	    .inter = len == 3 ? seq[1] : '\0' };

	return len <= 3 && vtrules_judge(&s) == VT_PASS;
}

static void
esc_end(struct vtfilter *vf, unsigned char c, char **out)
{
	if (vf->len == 1) {
		switch (c) {
		case '[':
			(void)hold(vf, c);
			vf->state = CSI;
			return;
		case ']':
			begin(vf, OSC);
			return;
		case 'P':
			begin(vf, DCS);
			return;
		case 'X': case '^': case '_': case 'k':
			begin(vf, STRING);
			return;
		}
	}
	if (hold(vf, c) && esc_passes(vf->seq, vf->len))
		emit(out, vf->seq, vf->len);
	begin(vf, GROUND);
}

static void
in_escape(struct vtfilter *vf, unsigned char c, char **out)
{
	if (c < 0x20)
		control(vf, c, out);
	else if (c < 0x30) {
		if (vf->len < 4)	/* more intermediates than we know */
			(void)hold(vf, c);
	} else if (c < 0x7f)
		esc_end(vf, c, out);
}

/* Take SEQ ("ESC [" … final) apart; false if it has a form that none has. */
static bool
csi_split(const char *seq, size_t len, struct vt_sequence *csi)
{
	const char *p = seq + 2, *last = seq + len - 1;

	memset(csi, 0, sizeof *csi);
	csi->kind = VT_CSI;
	csi->final = *last;
	if (p < last && strchr("<=>?", *p) != NULL)
		csi->marker = *p++;
	for (csi->params = p; p < last && *p >= '0' && *p <= ';'; p++)
		;
	csi->params_len = (size_t)(p - csi->params);
	if (p < last && *p >= 0x20 && *p <= 0x2f)
		csi->inter = *p++;
	return p == last;
}

static bool
mode_passes(const struct vt_sequence *csi, unsigned int mode)
{
	const struct vt_sequence seq = { .kind = csi->marker == '?' ?
	    VT_DEC_MODE : VT_ANSI_MODE, .final = csi->final, .number = mode };

	return vtrules_judge(&seq) == VT_PASS;
}

/* The digits at S as a number; too long or empty: one that nothing has. */
static unsigned int
number(const char *s, size_t len)
{
	unsigned int v = 0;

	if (len == 0 || len > 6)
		return UINT16_MAX;
	while (len-- > 0)
		v = v * 10 + (unsigned int)(*s++ - '0');
	return v;
}

/* Set or reset modes: pass those of the list that may. */
static void
csi_modes(const struct vt_sequence *csi, char **out)
{
	const char *p = csi->params, *end = p + csi->params_len, *sep;
	char *start = *out;

	emit(out, "\033[?", csi->marker != 0 ? 3 : 2);
	for (; p <= end; p = sep + 1) {
		sep = memchr(p, ';', (size_t)(end - p));
		if (sep == NULL)
			sep = end;
		if (!mode_passes(csi, number(p, (size_t)(sep - p))))
			continue;
		if ((*out)[-1] >= '0' && (*out)[-1] <= '9')
			emit(out, ";", 1);
		emit(out, p, (size_t)(sep - p));
	}
	if ((*out)[-1] < '0' || (*out)[-1] > '9')
		*out = start;	/* none was left */
	else
		emit(out, &csi->final, 1);
}

static void
csi_end(struct vtfilter *vf, char **out)
{
	struct vt_sequence csi;

	if (csi_split(vf->seq, vf->len, &csi))
		switch (vtrules_judge(&csi)) {
		case VT_PASS:
			emit(out, vf->seq, vf->len);
			break;
		case VT_MODES:
			csi_modes(&csi, out);
			break;
		case VT_TITLE:
		case VT_DROP:
			break;
		}
	begin(vf, GROUND);
}

static void
in_csi(struct vtfilter *vf, unsigned char c, char **out)
{
	if (c < 0x20)
		control(vf, c, out);
	else if (c < 0x7f) {
		if (vf->state == CSI && !hold(vf, c))
			vf->state = CSI_IGNORE;
		if (c < 0x40)
			return;
		if (vf->state == CSI)
			csi_end(vf, out);
		else
			begin(vf, GROUND);
	}
}

/* Copy the title in the LEN octets at S, without what may not be shown. */
static void
title_copy(const char *s, size_t len, char title[VTFILTER_TITLE_MAX])
{
	size_t i = 0, o = 0, n;
	uint32_t cp;

	while (i < len) {
		n = safetext_decode(s + i, len - i, &cp);
		if (cp == '#')
			cp = '_';
		if (safetext_map(cp) == cp && cp != 0xfffd) {
			if (o + 4 >= VTFILTER_TITLE_MAX)
				break;
			o += safetext_encode(title + o, cp);
		}
		i += n;
	}
	title[o] = '\0';
}

/* An operating system command is whole: nothing of it passes. */
static void
osc_end(struct vtfilter *vf)
{
	struct vt_sequence osc = { .kind = VT_OSC };
	char title[VTFILTER_TITLE_MAX];
	size_t digits = 0;

	while (digits < vf->len && vf->seq[digits] >= '0' &&
	    vf->seq[digits] <= '9')
		digits++;
	if (vf->title_cb == NULL || digits == 0 || digits == vf->len ||
	    vf->seq[digits] != ';')
		return;
	osc.number = number(vf->seq, digits);
	if (vtrules_judge(&osc) != VT_TITLE)
		return;
	title_copy(vf->seq + digits + 1, vf->len - digits - 1, title);
	vf->title_cb(vf->arg, title);
}

static void
in_osc(struct vtfilter *vf, unsigned char c, char **out)
{
	switch (c) {
	case 0x07:
		osc_end(vf);
		begin(vf, GROUND);
		break;
	case C0_ESC:
		osc_end(vf);
		begin(vf, STRING_ESCAPE);
		break;
	case C0_CAN:
	case C0_SUB:
		control(vf, c, out);
		break;
	default:
		(void)hold(vf, c);	/* a title is cut */
	}
}

static void
in_string(struct vtfilter *vf, unsigned char c, char **out)
{
	if (c == C0_ESC)
		begin(vf, STRING_ESCAPE);
	else if (c == C0_CAN || c == C0_SUB)
		control(vf, c, out);
}

static void
in_string_escape(struct vtfilter *vf, unsigned char c, char **out)
{
	if (c == '\\') {
		begin(vf, GROUND);
		return;
	}
	begin(vf, ESCAPE);
	(void)hold(vf, C0_ESC);
	in_escape(vf, c, out);
}

/* As tmux reads it: an ESC inside is no end unless a backslash follows. */
static void
in_dcs(struct vtfilter *vf, unsigned char c, char **out)
{
	if (c == C0_CAN || c == C0_SUB)
		control(vf, c, out);
	else if (vf->state == DCS_ESCAPE && c == '\\')
		begin(vf, GROUND);
	else
		vf->state = c == C0_ESC ? DCS_ESCAPE : DCS;
}

size_t
vtfilter_run(struct vtfilter *vf, const void *in, size_t len, void *out)
{
	static void (*const handlers[])(struct vtfilter *, unsigned char,
	    char **) = {
		[GROUND] = in_ground,
		[UTF8] = in_utf8,
		[ESCAPE] = in_escape,
		[CSI] = in_csi,
		[CSI_IGNORE] = in_csi,
		[OSC] = in_osc,
		[STRING] = in_string,
		[STRING_ESCAPE] = in_string_escape,
		[DCS] = in_dcs,
		[DCS_ESCAPE] = in_dcs,
	};
	const unsigned char *p = in, *end = p + len;
	char *o = out;

	while (p < end) {
		/* most of a stream is this */
		while (vf->state == GROUND && p < end && *p >= 0x20 &&
		    *p < 0x7f)
			*o++ = (char)*p++;
		if (p < end)
			handlers[vf->state](vf, *p++, &o);
	}
	return (size_t)(o - (char *)out);
}
