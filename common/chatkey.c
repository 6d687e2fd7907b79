/*
 * chatkey.c - see chatkey.h.
 */
#include "chatkey.h"

#include <string.h>

#include "safetext.h"

#define ESC		0x1b
#define CTRL(c)		((c) & 0x1f)

/* Control octets. */
static const struct {
	unsigned char	c;
	enum chatkey	key;
} controls[] = {
	{ '\r', CHATKEY_ENTER },
	{ '\n', CHATKEY_ENTER },
	{ CTRL('A'), CHATKEY_HOME },
	{ CTRL('B'), CHATKEY_LEFT },
	{ CTRL('C'), CHATKEY_CLEAR },
	{ CTRL('D'), CHATKEY_EOF },
	{ CTRL('E'), CHATKEY_END },
	{ CTRL('F'), CHATKEY_RIGHT },
	{ CTRL('H'), CHATKEY_BACKSPACE },
	{ CTRL('K'), CHATKEY_KILL_END },
	{ CTRL('L'), CHATKEY_REDRAW },
	{ CTRL('N'), CHATKEY_DOWN },
	{ CTRL('P'), CHATKEY_UP },
	{ CTRL('T'), CHATKEY_TRANSPOSE },
	{ CTRL('U'), CHATKEY_KILL_START },
	{ CTRL('W'), CHATKEY_KILL_WORD },
	{ CTRL('Y'), CHATKEY_YANK },
	{ 0x7f, CHATKEY_BACKSPACE }
};

/* With Alt, or with an escape before it. */
static const struct {
	unsigned char	c;
	enum chatkey	key;
} metas[] = {
	{ 'b', CHATKEY_WORD_LEFT },
	{ 'f', CHATKEY_WORD_RIGHT },
	{ 'd', CHATKEY_KILL_NEXT_WORD },
	{ CTRL('H'), CHATKEY_KILL_WORD },
	{ 0x7f, CHATKEY_KILL_WORD }
};

/*
 * Cursor and editing keys, in the spellings of xterm, screen, linux and rxvt:
 * what stands between ESC [ or ESC O and the modifiers, and the last octet.
 */
static const struct {
	const char	*number;
	char		 last;
	enum chatkey	 key, with_ctrl;
} sequences[] = {
	{ "", 'A', CHATKEY_UP, CHATKEY_UP },
	{ "", 'B', CHATKEY_DOWN, CHATKEY_DOWN },
	{ "", 'C', CHATKEY_RIGHT, CHATKEY_WORD_RIGHT },
	{ "", 'D', CHATKEY_LEFT, CHATKEY_WORD_LEFT },
	{ "", 'H', CHATKEY_HOME, CHATKEY_HOME },
	{ "", 'F', CHATKEY_END, CHATKEY_END },
	{ "", 'M', CHATKEY_ENTER, CHATKEY_ENTER },	/* SS3: the keypad's */
	{ "1", '~', CHATKEY_HOME, CHATKEY_HOME },
	{ "3", '~', CHATKEY_DELETE, CHATKEY_KILL_NEXT_WORD },
	{ "4", '~', CHATKEY_END, CHATKEY_END },
	{ "5", '~', CHATKEY_PAGE_UP, CHATKEY_PAGE_UP },
	{ "6", '~', CHATKEY_PAGE_DOWN, CHATKEY_PAGE_DOWN },
	{ "7", '~', CHATKEY_HOME, CHATKEY_HOME },
	{ "8", '~', CHATKEY_END, CHATKEY_END }
};

static const char paste_begin[] = "\033[200~", paste_end[] = "\033[201~";

static enum chatkey
control_key(unsigned char c)
{
	size_t i;

	for (i = 0; i < sizeof controls / sizeof controls[0]; i++)
		if (controls[i].c == c)
			return controls[i].key;
	return CHATKEY_NONE;
}

static enum chatkey
meta_key(unsigned char c)
{
	size_t i;

	for (i = 0; i < sizeof metas / sizeof metas[0]; i++)
		if (metas[i].c == c)
			return metas[i].key;
	return CHATKEY_NONE;
}

/* The key whose parameters are the LEN octets at S ("3;5") before LAST. */
static enum chatkey
sequence_key(const char *s, size_t len, char last)
{
	const char *semi = memchr(s, ';', len);
	size_t n = semi != NULL ? (size_t)(semi - s) : len, i;

	/* "1;5C" says the same as "C", with a modifier. */
	if (last != '~' && n == 1 && s[0] == '1')
		n = 0;
	for (i = 0; i < sizeof sequences / sizeof sequences[0]; i++)
		if (sequences[i].last == last &&
		    strlen(sequences[i].number) == n &&
		    memcmp(sequences[i].number, s, n) == 0)
			return semi != NULL && semi + 1 < s + len &&
			    (semi[1] == '5' || semi[1] == '3') ?
			    sequences[i].with_ctrl : sequences[i].key;
	return CHATKEY_NONE;
}

/*
 * A control sequence: ESC [ or ESC O, parameters, one last octet (ECMA-48,
 * section 5.4).  Returns its length, or 0 if it is not whole yet.
 */
static size_t
take_sequence(const char *s, size_t len, enum chatkey *key)
{
	size_t i = 2;

	if (len > 2 && s[1] == '[' && s[2] == '[')	/* linux function key */
		return len > 3 ? 4 : 0;
	while (i < len && i < CHATKEY_MAX && s[i] >= 0x20 && s[i] < 0x40)
		i++;
	if (i == CHATKEY_MAX)
		return i;	/* endless: no terminal's */
	if (i == len)
		return 0;
	if (s[i] < 0x40 || s[i] == 0x7f)
		return i;	/* cut short: what follows is a key again */
	*key = sequence_key(s + 2, i - 2, s[i]);
	return i + 1;
}

/* A key that begins with an escape. */
static size_t
take_escape(const char *s, size_t len, bool *pasting, enum chatkey *key)
{
	if (len == 1)
		return 0;
	if (len >= sizeof paste_begin - 1 &&
	    memcmp(s, paste_begin, sizeof paste_begin - 1) == 0) {
		*pasting = true;
		return sizeof paste_begin - 1;
	}
	if (s[1] == '[' || s[1] == 'O')
		return take_sequence(s, len, key);
	*key = meta_key((unsigned char)s[1]);
	/* Alt with anything else: the escape alone is dropped */
	return *key != CHATKEY_NONE ? 2 : 1;
}

/* A character.  Returns its length, or 0 if it is not whole yet. */
static size_t
take_char(const char *s, size_t len, enum chatkey *key, uint32_t *cp)
{
	static const unsigned char leads[] = { 0, 0xc2, 0xe0, 0xf0 };
	size_t n = safetext_decode(s, len, cp);

	/* Broken only because the buffer ends in the middle of it? */
	if (*cp == 0xfffd && n == len && n < 4 &&
	    (unsigned char)s[0] >= leads[n] && (unsigned char)s[0] <= 0xf4)
		return 0;
	*cp = safetext_map(*cp);
	*key = CHATKEY_CHAR;
	return n;
}

static size_t
take_pasted(const char *s, size_t len, bool *pasting, enum chatkey *key,
    uint32_t *cp)
{
	size_t n = sizeof paste_end - 1;
	unsigned char c = (unsigned char)s[0];

	if (c == ESC) {
		if (memcmp(s, paste_end, len < n ? len : n) != 0)
			return 1;
		if (len < n)
			return 0;
		*pasting = false;
		return n;
	}
	if (c == CTRL('C')) {
		*pasting = false;
		*key = CHATKEY_CLEAR;
		return 1;
	}
	if ((c < 0x20 || c == 0x7f) && c != '\t' && c != '\n' && c != '\r')
		return 1;
	return take_char(s, len, key, cp);
}

size_t
chatkey_next(const char *s, size_t len, bool *pasting, enum chatkey *key,
    uint32_t *cp)
{
	unsigned char c = (unsigned char)s[0];

	*key = CHATKEY_NONE;
	if (*pasting)
		return take_pasted(s, len, pasting, key, cp);
	if (c == ESC)
		return take_escape(s, len, pasting, key);
	if (c < 0x20 || c == 0x7f) {
		*key = control_key(c);
		return 1;
	}
	return take_char(s, len, key, cp);
}
