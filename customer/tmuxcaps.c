/*
 * tmuxcaps.c - see tmuxcaps.h.
 */
#include "tmuxcaps.h"

#include <errno.h>
#include <string.h>

#include "num.h"
#include "spawn.h"

/* What is used, and since when tmux has it. */
static const struct {
	unsigned int	 since;
	const char	*what;
} caps[] = {
	{ 209, "sizes that follow the smallest client (2.9)" },
	{ 300, "keys as octets (3.0)" },
	{ 301, "captures with trailing blanks (3.1)" },
	{ 302, "clients whose size can be ignored (3.2)" },
};

int
tmuxcaps_version(char version[TMUXCAPS_VERSION_MAX])
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

const char *
tmuxcaps_missing(const char *version)
{
	unsigned int number = tmuxcaps_number(version);
	size_t i;

	for (i = 0; number != 0 && i < sizeof caps / sizeof caps[0]; i++)
		if (number < caps[i].since)
			return caps[i].what;
	return NULL;
}
