/*
 * settings.c - see settings.h.  One table says everything about a setting.
 */
#include "settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "context.h"
#include "files.h"
#include "num.h"
#include "tmuxcaps.h"

#define HOUR	(3600 * 1000u)

enum kind {
	HOST,
	ACCOUNT,
	URL,
	PATH,
	KEY,
	CAPS,
	CASE,
	CASTDIR,
	NUMBER,
	SWITCH,
	DURATION
};

struct setting {
	const char	*key;
	enum kind	 kind;
	size_t		 offset;
	const char	*def;
	uint32_t	 min, max;
};

#define STR(key, kind, field, def) \
	{ key, kind, offsetof(struct settings, field), def, 0, 0 }
#define NUM(key, kind, field, def, min, max) \
	{ key, kind, offsetof(struct settings, field), def, min, max }

static const struct setting table[] = {
	STR("TUNL_RELAY", HOST, relay, "tunl.linbit.com"),
	STR("TUNL_RELAY_USER", ACCOUNT, relay_user, "tunl"),
	STR("TUNL_ENROLL_USER", ACCOUNT, enroll_user, "tunl-enroll"),
	STR("TUNL_API_URL", URL, api_url, NULL),
	STR("TUNL_KNOWN_HOSTS", PATH, known_hosts,
	    "/etc/linbit-tunl/known_hosts"),
	STR("TUNL_PREFIX", KEY, prefix, "C-b"),
	STR("TUNL_TMUX_CAPS", CAPS, tmux_caps, NULL),
	STR("TUNL_CASE", CASE, support_case, NULL),
	STR("TUNL_CAST_DIR", CASTDIR, cast_dir, "~/linbit-tunl"),
	NUM("TUNL_CAST_MAX", NUMBER, cast_max, "268435456", 4096, UINT32_MAX),
	NUM("TUNL_CAST_FLUSH", DURATION, cast_flush_ms, "1", 1, HOUR),
	NUM("TUNL_CAST_RETRY", DURATION, cast_retry_ms, "30", 1, HOUR),
	NUM("TUNL_RELAY_PORT", NUMBER, relay_port, "22", 1, 65535),
	NUM("TUNL_RESTRICTED", SWITCH, restricted, "no", 0, 1),
	NUM("TUNL_PING", DURATION, ping_ms, "10", 1, HOUR),
	NUM("TUNL_PING_MISSED", NUMBER, ping_missed, "3", 1, 1000),
	NUM("TUNL_HELLO_TIMEOUT", DURATION, hello_ms, "10", 1, HOUR),
	NUM("TUNL_CONNECT_TIMEOUT", DURATION, connect_ms, "15", 1000, HOUR),
	NUM("TUNL_BACKOFF", DURATION, backoff_ms, "1", 1, HOUR),
	NUM("TUNL_BACKOFF_MAX", DURATION, backoff_max_ms, "30", 1, HOUR),
	NUM("TUNL_SIGN_TIMEOUT", DURATION, sign_ms, "30", 1000, HOUR),
	NUM("TUNL_START_TIMEOUT", DURATION, start_ms, "60", 1, HOUR),
};

#define SETTINGS	(sizeof table / sizeof table[0])

static const char *
expected(const struct setting *st)
{
	switch (st->kind) {
	case HOST:
		return "a host name or address";
	case ACCOUNT:
		return "an account name";
	case URL:
		return "a URL that begins with https:// or http://";
	case PATH:
		return "an absolute path without blanks, quotes or %";
	case KEY:
		return "a tmux key such as C-b, C-a or M-Space";
	case CAPS:
		return "a tmux version, +NAME and -NAME, with commas";
	case CASE:
		return "3 to 64 letters, digits, - and _";
	case CASTDIR:
		return "none, or an absolute path or one from ~, without "
		    "blanks, quotes or %";
	case SWITCH:
		return "yes or no";
	case NUMBER:
		return "a number within bounds";
	default:
		return "a duration such as 500ms, 10s or 2m";
	}
}

/* ---- forms ---------------------------------------------------------------- */

/* Printable ASCII but the octets in NOT; not empty, no "-" first. */
static bool
is_word(const char *s, const char *not)
{
	const char *p;

	for (p = s; *p != '\0'; p++)
		if (*p <= 0x20 || *p >= 0x7f || strchr(not, *p) != NULL)
			return false;
	return p > s && s[0] != '-' && p - s < SETTINGS_TEXT;
}

static bool
is_host(const char *s)
{
	size_t len = strlen(s);

	return len >= 1 && len <= CONTEXT_HOST_MAX && s[0] != '-' &&
	    context_is_made_of(s, len, "._-:");
}

static bool
is_url(const char *s)
{
	return is_word(s, "\"\\'`<>{}|^") &&
	    (strncmp(s, "https://", 8) == 0 || strncmp(s, "http://", 7) == 0) &&
	    strchr(s, ':')[3] != '\0' && strchr(s, ':')[3] != '/';
}

/*
 * Modifiers and one printable character, or a name.  tmux has the last word;
 * this only keeps out what is no key at all.
 */
static bool
is_key(const char *s)
{
	while ((s[0] == 'C' || s[0] == 'M' || s[0] == 'S') && s[1] == '-' &&
	    s[2] != '\0')
		s += 2;
	if (s[0] != '\0' && s[1] == '\0')
		return s[0] > 0x20 && s[0] < 0x7f;
	if (s[0] == '^')
		return s[1] > 0x20 && s[1] < 0x7f && s[2] == '\0';
	return context_is_made_of(s, strlen(s), "") && s[0] != '\0' &&
	    strlen(s) < 16 && strcmp(s, "None") != 0;
}

static bool
is_text(enum kind kind, const char *s)
{
	switch (kind) {
	case HOST:
		return is_host(s);
	case ACCOUNT:
		return s[0] != '\0' && s[0] != '-' && strlen(s) <= 64 &&
		    context_is_made_of(s, strlen(s), "._-");
	case URL:
		return is_url(s);
	case PATH:
		return s[0] == '/' && is_word(s, "\"'\\%");
	case CASTDIR:
		return s[0] == '\0' || strcmp(s, "none") == 0 ||
		    strcmp(s, "~") == 0 || ((s[0] == '/' ||
		    strncmp(s, "~/", 2) == 0) && is_word(s, "\"'\\%"));
	case KEY:
		return is_key(s);
	case CAPS:
		return strlen(s) < SETTINGS_TEXT && tmuxcaps_is_override(s);
	default:
		return s[0] == '\0' || context_is_case(s, strlen(s));
	}
}

static int
parse_duration(const char *s, uint32_t min, uint32_t max, uint32_t *out)
{
	static const struct {
		const char	*unit;
		uint32_t	 ms;
	} units[] = {
		{ "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 },
		{ "h", 3600000 },
	};
	size_t digits = strspn(s, "0123456789"), i;
	uint64_t v;

	if (num_parse(s, digits, 0, UINT32_MAX, &v) == -1)
		return -1;
	for (i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (strcmp(s + digits, units[i].unit) != 0)
			continue;
		v *= units[i].ms;
		if (v < min || v > max)
			return -1;
		*out = (uint32_t)v;
		return 0;
	}
	return -1;
}

static int
parse_number(const struct setting *st, const char *s, uint32_t *out)
{
	uint64_t v;

	if (st->kind == DURATION)
		return parse_duration(s, st->min, st->max, out);
	if (st->kind == SWITCH) {
		if (strcmp(s, "yes") != 0 && strcmp(s, "no") != 0)
			return -1;
		*out = s[0] == 'y';
		return 0;
	}
	if (num_parse_str(s, st->min, st->max, &v) == -1)
		return -1;
	*out = (uint32_t)v;
	return 0;
}

/* ---- setting -------------------------------------------------------------- */

static int
set_one(struct settings *s, const struct setting *st, const char *value)
{
	char *field = (char *)s + st->offset;

	if (st->kind >= NUMBER)
		return parse_number(st, value, (uint32_t *)(void *)field);
	if (!is_text(st->kind, value))
		return -1;
	if (st->kind == CASTDIR && value[0] == '\0')
		value = "none";	/* as an empty one is not written down */
	(void)snprintf(field, SETTINGS_TEXT, "%s", value);
	if (st->kind == URL)
		while (field[strlen(field) - 1] == '/')
			field[strlen(field) - 1] = '\0';
	return 0;
}

void
settings_init(struct settings *s)
{
	size_t i;

	memset(s, 0, sizeof *s);
	for (i = 0; i < SETTINGS; i++)
		if (table[i].def != NULL)
			(void)set_one(s, &table[i], table[i].def);
}

static const struct setting *
find(const char *key)
{
	size_t i;

	for (i = 0; i < SETTINGS; i++)
		if (strcmp(table[i].key, key) == 0)
			return &table[i];
	return NULL;
}

int
settings_set(struct settings *s, const char *key, const char *value, char *err,
    size_t cap)
{
	const struct setting *st = find(key);

	if (st == NULL) {
		(void)snprintf(err, cap, "no such setting");
		return -1;
	}
	if (set_one(s, st, value) == -1) {
		(void)snprintf(err, cap, "%s: expected %s", key, expected(st));
		return -1;
	}
	return 0;
}

/* One line of a file, NUL-terminated. */
static int
parse_line(struct settings *s, char *line, char *err, size_t cap)
{
	char *eq;

	if (line[0] == '\0' || line[0] == '#')
		return 0;
	eq = strchr(line, '=');
	if (eq == NULL) {
		(void)snprintf(err, cap, "expected KEY=value");
		return -1;
	}
	*eq = '\0';
	return settings_set(s, line, eq + 1, err, cap);
}

int
settings_parse(struct settings *s, const char *name, const char *text,
    size_t len, char *err, size_t cap)
{
	const char *end = text + len, *lf;
	char line[SETTINGS_TEXT + 64], why[256];
	unsigned int number;
	size_t n;

	for (number = 1; text < end; number++, text += n + 1) {
		lf = memchr(text, '\n', (size_t)(end - text));
		n = (size_t)((lf != NULL ? lf : end) - text);
		(void)snprintf(why, sizeof why, "line too long");
		if (n < sizeof line) {
			memcpy(line, text, n);
			line[n] = '\0';
			if (parse_line(s, line, why, sizeof why) == 0)
				continue;
		}
		(void)snprintf(err, cap, "%s, line %u: %s", name, number, why);
		return -1;
	}
	return 0;
}

static int
load_file(struct settings *s, const char *path, char *err, size_t cap)
{
	size_t len;
	char *text = file_read(AT_FDCWD, path, SETTINGS_MAX, &len);
	int rv;

	if (text == NULL) {
		if (errno == ENOENT)
			return 0;
		(void)snprintf(err, cap, "cannot read %s: %s", path,
		    strerror(errno));
		return -1;
	}
	rv = settings_parse(s, path, text, len, err, cap);
	free(text);
	return rv;
}

int
settings_load(struct settings *s, char *err, size_t cap)
{
	const char *path = getenv("TUNL_CUSTOMER_CONF"), *value;
	size_t i;

	if (load_file(s, path != NULL ? path : SETTINGS_PATH, err, cap) == -1)
		return -1;
	for (i = 0; i < SETTINGS; i++) {
		value = getenv(table[i].key);
		if (value != NULL && settings_set(s, table[i].key, value, err,
		    cap) == -1)
			return -1;
	}
	return 0;
}

void
settings_finish(struct settings *s)
{
	bool bare = strchr(s->relay, ':') == NULL;	/* no IPv6 address */

	if (s->api_url[0] == '\0')
		(void)snprintf(s->api_url, sizeof s->api_url, bare ?
		    "https://%.253s" : "https://[%.253s]", s->relay);
}

int
settings_format(const struct settings *s, char *out, size_t cap)
{
	size_t at = 0, i;
	int n;

	for (i = 0; i < SETTINGS; i++) {
		const char *field = (const char *)s + table[i].offset;
		uint32_t v;

		if (table[i].kind < NUMBER) {
			n = field[0] == '\0' ? 0 : snprintf(out + at, cap - at,
			    "%s=%s\n", table[i].key, field);
		} else {
			memcpy(&v, field, sizeof v);
			n = table[i].kind == SWITCH ?
			    snprintf(out + at, cap - at, "%s=%s\n",
			    table[i].key, v != 0 ? "yes" : "no") :
			    snprintf(out + at, cap - at, "%s=%u%s\n",
			    table[i].key, v,
			    table[i].kind == DURATION ? "ms" : "");
		}
		if (n < 0 || (size_t)n >= cap - at)
			return -1;
		at += (size_t)n;
	}
	return (int)at;
}
