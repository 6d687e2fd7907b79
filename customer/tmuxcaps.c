/*
 * tmuxcaps.c - see tmuxcaps.h.
 */
#include "tmuxcaps.h"

#include <errno.h>
#include <string.h>

#include "num.h"
#include "spawn.h"

/* By capability: its name in TUNL_TMUX_CAPS, and the first version that has
 * it. */
static const struct {
	const char	*name;
	unsigned int	 since;
} table[TMUX_CAPS] = {
	[TMUX_PIPE_BOTH] = { "pipe", 207 },
	[TMUX_WINDOW_SIZE] = { "window-size", 209 },
	[TMUX_ORIGIN] = { "origin", 209 },
	[TMUX_KEYS_HEX] = { "hex", 300 },
	[TMUX_MODE_FORMATS] = { "mode-formats", 300 },
	[TMUX_MENUS] = { "menus", 300 },
	[TMUX_CAPTURE_BLANKS] = { "blanks", 301 },
	[TMUX_CLIENT_FLAGS] = { "client-flags", 302 },
	[TMUX_MODE_RUNS] = { "mode-runs", 302 },
	[TMUX_CONTROL_CHEAP] = { "cheap-control", 307 },
	[TMUX_PASTE_ENCODES] = { "paste-encodes", 307 },
};

static int
ask_version(char version[TMUXCAPS_VERSION_MAX])
{
	static const char *const argv[] = { "tmux", "-V", NULL };
	char out[64];
	size_t n;
	int rv = spawn_capture(argv, out, sizeof out, 5000);

	if (rv != 0 || strncmp(out, "tmux ", 5) != 0) {
		if (rv >= 0)
			errno = EPROTO;
		return -1;
	}
	n = strspn(out + 5, "abcdefghijklmnopqrstuvwxyz0123456789.-_");
	if (n == 0 || n >= TMUXCAPS_VERSION_MAX) {
		errno = EPROTO;
		return -1;
	}
	memcpy(version, out + 5, n);
	version[n] = '\0';
	return 0;
}

unsigned int
tmuxcaps_number(const char *version)
{
	const char *s = version + strcspn(version, "0123456789");
	size_t n = strspn(s, "0123456789"), m;
	uint64_t major, minor;

	if (num_parse(s, n, 0, 99, &major) == -1 || s[n] != '.')
		return 0;
	s += n + 1;
	m = strspn(s, "0123456789");
	if (num_parse(s, m, 0, 99, &minor) == -1)
		return 0;
	return (unsigned int)(major * 100 + minor);
}

/* What a tmux of this number (0: the newest) has. */
static uint32_t
bits_of(unsigned int number)
{
	uint32_t bits = 0;
	size_t i;

	for (i = 0; i < TMUX_CAPS; i++)
		if (number == 0 || number >= table[i].since)
			bits |= UINT32_C(1) << i;
	return bits;
}

/* "+name" or "-name", of LEN octets.  Returns 0, or -1 if there is none such. */
static int
switch_cap(struct tmuxcaps *caps, const char *word, size_t len)
{
	uint32_t bit;
	size_t i;

	for (i = 0; i < TMUX_CAPS; i++) {
		if (len < 2 || strlen(table[i].name) != len - 1 ||
		    memcmp(table[i].name, word + 1, len - 1) != 0)
			continue;
		bit = UINT32_C(1) << i;
		caps->bits = word[0] == '+' ? caps->bits | bit :
		    caps->bits & ~bit;
		caps->real = word[0] == '+' ? caps->real | bit :
		    caps->real & ~bit;
		return 0;
	}
	return -1;
}

/* A version, of LEN octets, may only come first. */
static int
take_word(struct tmuxcaps *caps, const char *word, size_t len, bool first)
{
	char version[TMUXCAPS_VERSION_MAX];
	unsigned int number;

	if (len > 0 && (word[0] == '+' || word[0] == '-'))
		return switch_cap(caps, word, len);
	if (!first || len >= sizeof version)
		return -1;
	memcpy(version, word, len);
	version[len] = '\0';
	number = tmuxcaps_number(version);
	if (number == 0)
		return -1;
	caps->bits = bits_of(number);
	return 0;
}

static int
take_override(struct tmuxcaps *caps, const char *s)
{
	bool first = true;
	size_t n;

	for (; *s != '\0'; s += n, first = false) {
		n = strcspn(s, ",");
		if (take_word(caps, s, n, first) == -1)
			return -1;
		if (s[n] == ',' && s[++n] == '\0')
			return -1;
	}
	return 0;
}

bool
tmuxcaps_is_override(const char *override)
{
	struct tmuxcaps caps = { .bits = 0 };

	return take_override(&caps, override) == 0;
}

int
tmuxcaps_load(struct tmuxcaps *caps, const char *override)
{
	memset(caps, 0, sizeof *caps);
	if (ask_version(caps->version) == -1)
		return -1;
	caps->bits = caps->real = bits_of(tmuxcaps_number(caps->version));
	if (override != NULL && take_override(caps, override) == -1) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

bool
tmuxcaps_suffices(const char *version)
{
	unsigned int number = tmuxcaps_number(version);

	return number == 0 || number >= tmuxcaps_number(TMUXCAPS_OLDEST);
}
