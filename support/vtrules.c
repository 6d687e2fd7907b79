/*
 * vtrules.c - see vtrules.h.
 *
 * Sources: xterm's ctlseqs.txt, ECMA-48, tmux's input.c; and what twelve
 * versions of tmux answer and pass on.
 */
#include "vtrules.h"

#include <string.h>

#define ESC(does, inter, finals, why) \
	{ does, VT_ANY, 0, inter, finals, 0, 0, why }
#define CSI(does, marker, inter, finals, params, why) \
	{ does, params, marker, inter, finals, 0, 0, why }
#define MODE(does, finals, lo, hi, why) \
	{ does, VT_ANY, 0, 0, finals, lo, hi, why }
#define STRING(finals, why) \
	{ VT_DROP, VT_ANY, 0, 0, finals, 0, 0, why }
#define NUM(does, lo, hi, why) \
	{ does, VT_ANY, 0, 0, NULL, lo, hi, why }

static const struct vt_rule c0[] = {
	NUM(VT_DROP, 0x00, 0x04, "does nothing"),
	NUM(VT_DROP, 0x05, 0x05, "ENQ asks for the answerback"),
	NUM(VT_DROP, 0x06, 0x06, "does nothing"),
	NUM(VT_PASS, 0x07, 0x07, "BEL is heard, no more; tmux rings once for "
	    "many"),
	NUM(VT_PASS, 0x08, 0x0d, "BS HT LF VT FF CR move"),
	NUM(VT_PASS, 0x0e, 0x0f, "SO SI choose a character set"),
	NUM(VT_DROP, 0x10, 0x17, "XON and XOFF stop the line"),
	NUM(VT_PASS, 0x18, 0x18, "CAN can only undo"),
	NUM(VT_DROP, 0x19, 0x1f, "SUB shows an error sign on some"),
	NUM(VT_DROP, 0x7f, 0x9f, "DEL does nothing; C1 controls, however they "
	    "are spelt"),
};

static const struct vt_rule esc[] = {
	ESC(VT_PASS, 0, "78", "saves and restores the cursor"),
	ESC(VT_PASS, 0, "DEHM", "index, next line, tab stop, reverse index"),
	ESC(VT_PASS, 0, "=>", "what the keypad sends"),
	ESC(VT_PASS, 0, "c", "RIS, which reset(1) sends: the pane begins anew; "
	    "in tmux it reaches nothing else"),
	ESC(VT_PASS, 0, "\\", "ST"),
	ESC(VT_PASS, '#', "8", "the alignment test fills the screen"),
	ESC(VT_PASS, '(', "0AB", "character sets: lines, UK, ASCII"),
	ESC(VT_PASS, ')', "0AB", "the same as G1"),
	ESC(VT_PASS, '*', "0AB", "the same as G2"),
	ESC(VT_PASS, '+', "0AB", "the same as G3"),
	ESC(VT_DROP, 0, "Z", "DECID asks what the terminal is"),
	ESC(VT_DROP, 0, "NOno|}~", "shifts that UTF-8 does not have"),
	ESC(VT_DROP, 0, "l", "memory lock"),
	ESC(VT_DROP, '#', "3456", "double size, which tmux does not have"),
	ESC(VT_DROP, '%', "@G", "leaves UTF-8, after which octets are C1"),
	ESC(VT_DROP, ' ', "FG", "C1 in answers as single octets"),
};

static const struct vt_rule csi[] = {
	CSI(VT_PASS, 0, 0, "m", VT_COLONS, "colours and attributes"),
	CSI(VT_PASS, 0, 0, "ABCDEFGHIZ`adef", VT_ANY, "moves the cursor"),
	CSI(VT_PASS, 0, 0, "JKXP@LM", VT_ANY, "erases, deletes, inserts"),
	CSI(VT_PASS, 0, 0, "b", VT_ANY, "repeats a character"),
	CSI(VT_PASS, 0, 0, "g", VT_ANY, "clears tab stops"),
	CSI(VT_PASS, 0, 0, "r", VT_ANY, "the region that scrolls"),
	CSI(VT_PASS, 0, 0, "S", VT_ANY, "scrolls"),
	CSI(VT_PASS, 0, 0, "T", VT_ONE, "scrolls back"),
	CSI(VT_DROP, 0, 0, "T", VT_ANY, "highlight tracking: xterm waits for "
	    "an answer"),
	CSI(VT_PASS, 0, 0, "su", VT_NO, "saves and restores the cursor"),
	CSI(VT_DROP, 0, 0, "su", VT_ANY, "margins; keyboard"),
	CSI(VT_PASS, 0, ' ', "q", VT_ANY, "the cursor's shape"),
	CSI(VT_PASS, 0, '!', "p", VT_NO, "a soft reset"),
	CSI(VT_MODES, 0, 0, "hl", VT_ANY, "modes"),
	CSI(VT_MODES, '?', 0, "hl", VT_ANY, "private modes"),
	CSI(VT_DROP, 0, 0, "c", VT_ANY, "DA1 asks what the terminal is"),
	CSI(VT_DROP, '>', 0, "cq", VT_ANY, "DA2, XTVERSION ask the same"),
	CSI(VT_DROP, '=', 0, "c", VT_ANY, "DA3 asks which one it is"),
	CSI(VT_DROP, 0, 0, "n", VT_ANY, "DSR, CPR ask where the cursor is"),
	CSI(VT_DROP, '?', 0, "n", VT_ANY, "DECXCPR and the theme's report"),
	CSI(VT_DROP, '?', '$', "p", VT_ANY, "DECRQM asks for a mode"),
	CSI(VT_DROP, 0, '$', "p", VT_ANY, "the same"),
	CSI(VT_DROP, 0, 0, "x", VT_ANY, "DECREQTPARM"),
	CSI(VT_DROP, 0, '*', "y", VT_ANY, "DECRQCRA reads the screen"),
	CSI(VT_DROP, '?', 0, "u", VT_ANY, "asks for the keyboard's protocol"),
	CSI(VT_DROP, '?', 0, "m", VT_ANY, "asks for the keys' encoding"),
	CSI(VT_DROP, '?', 0, "S", VT_ANY, "asks for the size of graphics"),
	CSI(VT_DROP, 0, 0, "t", VT_ANY, "moves, resizes, iconifies the window, "
	    "and asks for its title and size"),
	CSI(VT_DROP, '>', 0, "mnu", VT_ANY, "what keys send"),
	CSI(VT_DROP, '<', 0, "u", VT_ANY, "the same"),
	CSI(VT_DROP, '=', 0, "u", VT_ANY, "the same"),
	CSI(VT_DROP, '>', 0, "pt", VT_ANY, "pointer; encoding of titles"),
	CSI(VT_DROP, 0, 0, "i", VT_ANY, "prints, or sends all to a printer"),
	CSI(VT_DROP, '?', 0, "i", VT_ANY, "the same"),
	CSI(VT_DROP, 0, 0, "q", VT_ANY, "LEDs"),
	CSI(VT_DROP, '?', 0, "rs", VT_ANY, "keeps and restores modes that it "
	    "may not set"),
};

static const struct vt_rule dec_modes[] = {
	MODE(VT_PASS, "hl", 1, 1, "what cursor keys send"),
	MODE(VT_PASS, "hl", 3, 3, "DECCOLM, in tmux: clears the screen"),
	MODE(VT_PASS, "hl", 5, 7, "reverse video, origin, wrapping"),
	MODE(VT_PASS, "hl", 12, 12, "the cursor blinks"),
	MODE(VT_PASS, "hl", 25, 25, "the cursor is shown"),
	MODE(VT_PASS, "hl", 47, 47, "the alternate screen"),
	MODE(VT_PASS, "hl", 1000, 1000, "the mouse: the engineer's clicks are "
	    "for the customer's program"),
	MODE(VT_PASS, "hl", 1002, 1003, "the same, drags, moves"),
	MODE(VT_PASS, "hl", 1005, 1006, "how the mouse is told"),
	MODE(VT_PASS, "hl", 1047, 1049, "the alternate screen"),
	MODE(VT_PASS, "hl", 2004, 2004, "pastes are in brackets"),
	MODE(VT_PASS, "hl", 2026, 2026, "draws at once"),
	MODE(VT_PASS, "l", 1004, 1004, "no focus reports"),
	MODE(VT_DROP, "h", 1004, 1004, "when the engineer looks away is nobody "
	    "else's business, nor is it typed"),
	MODE(VT_DROP, "hl", 1001, 1001, "highlight tracking, see CSI T"),
	MODE(VT_DROP, "hl", 40, 40, "lets DECCOLM resize the window"),
	MODE(VT_DROP, "hl", 69, 69, "left and right margins: tmux has none"),
	MODE(VT_DROP, "hl", 2031, 2031, "reports of the theme, unasked"),
	MODE(VT_DROP, "hl", 2048, 2048, "reports of the size, unasked"),
};

static const struct vt_rule ansi_modes[] = {
	MODE(VT_PASS, "hl", 4, 4, "inserts"),
	MODE(VT_PASS, "hl", 34, 34, "the cursor, once more"),
	MODE(VT_DROP, "hl", 2, 2, "locks the keyboard"),
	MODE(VT_DROP, "hl", 12, 12, "local echo"),
	MODE(VT_DROP, "hl", 20, 20, "what Enter sends"),
};

static const struct vt_rule strings[] = {
	STRING("P", "DCS: passthrough by tmux and screen, sixels, questions "
	    "(DECRQSS, XTGETTCAP), keys"),
	STRING("_", "APC: tmux takes it for a title; kitty's graphics"),
	STRING("k", "screen's name of the window"),
	STRING("X^", "SOS, PM: unused, or a terminal's own"),
};

static const struct vt_rule oscs[] = {
	NUM(VT_TITLE, 0, 0, "the title, cleaned"),
	NUM(VT_DROP, 1, 1, "the icon's name"),
	NUM(VT_TITLE, 2, 2, "the title, cleaned"),
	NUM(VT_DROP, 3, 3, "X properties"),
	NUM(VT_DROP, 4, 6, "sets the palette, or asks for it"),
	NUM(VT_DROP, 7, 7, "a directory, of another machine"),
	NUM(VT_DROP, 8, 8, "a link: whose text may say one thing and whose "
	    "address another, in the engineer's browser; the text stays"),
	NUM(VT_DROP, 9, 9, "notifications, progress, commands of ConEmu"),
	NUM(VT_DROP, 10, 19, "colours, the cursor's too, set or asked for"),
	NUM(VT_DROP, 22, 22, "the pointer"),
	NUM(VT_DROP, 50, 51, "fonts; commands for emacs"),
	NUM(VT_DROP, 52, 52, "the clipboard, written or read"),
	NUM(VT_DROP, 60, 61, "asks what is allowed"),
	NUM(VT_DROP, 99, 119, "notifications; colours set back"),
	NUM(VT_DROP, 133, 133, "marks of prompts: jumps of another shell"),
	NUM(VT_DROP, 777, 777, "notifications, and more for urxvt"),
	NUM(VT_DROP, 1337, 1337, "iTerm2: files, clipboard, questions"),
};

#define TABLE(rules)	{ rules, sizeof rules / sizeof rules[0] }

static const struct table {
	const struct vt_rule	*rules;
	size_t			 n;
} tables[VT_KINDS] = {
	[VT_C0] = TABLE(c0),
	[VT_ESC] = TABLE(esc),
	[VT_CSI] = TABLE(csi),
	[VT_DEC_MODE] = TABLE(dec_modes),
	[VT_ANSI_MODE] = TABLE(ansi_modes),
	[VT_STRING] = TABLE(strings),
	[VT_OSC] = TABLE(oscs),
};

const struct vt_rule *
vtrules(enum vt_kind kind, size_t *n)
{
	*n = tables[kind].n;
	return tables[kind].rules;
}

static bool
params_fit(enum vt_params want, const struct vt_sequence *seq)
{
	if (want != VT_COLONS && seq->params_len > 0 &&
	    memchr(seq->params, ':', seq->params_len) != NULL)
		return false;
	if (want == VT_NO)
		return seq->params_len == 0;
	return want != VT_ONE || seq->params_len == 0 ||
	    memchr(seq->params, ';', seq->params_len) == NULL;
}

static bool
fits(const struct vt_rule *r, const struct vt_sequence *seq)
{
	if (r->finals != NULL && (seq->final == '\0' ||
	    strchr(r->finals, seq->final) == NULL))
		return false;
	return r->marker == seq->marker && r->inter == seq->inter &&
	    r->low <= seq->number && seq->number <= r->high &&
	    params_fit(r->params, seq);
}

enum vt_does
vtrules_judge(const struct vt_sequence *seq)
{
	const struct table *t = &tables[seq->kind];
	size_t i;

	for (i = 0; i < t->n; i++)
		if (fits(&t->rules[i], seq))
			return t->rules[i].does;
	return VT_DROP;
}
