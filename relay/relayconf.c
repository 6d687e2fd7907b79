/*
 * relayconf.c - see relayconf.h.  One table says everything about a setting;
 * nothing here knows what a setting is for.
 */
#include "relayconf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "num.h"

#define HOUR	(3600 * 1000u)
#define DAY	(24 * HOUR)

enum kind {
	PATH,		/* begins with a slash */
	NAME,		/* an account: not empty, no leading '-' */
	TEXT,		/* anything printable */
	NUMBER,
	DURATION,	/* into milliseconds */
	RECORDING,	/* no, yes, required; into RELAYCONF_NO … */
	SIZE,		/* octets, in 64 bits */
	RANGE		/* FIRST-LAST; into two adjacent numbers */
};

struct setting {
	const char	*key;
	enum kind	 kind;
	size_t		 offset;
	const char	*def;
	uint32_t	 min, max;	/* of numbers; durations: milliseconds */
};

#define SIZE_LIMIT	((uint64_t)1 << 50)	/* octets */

#define STR(key, kind, field, def) \
	{ key, kind, offsetof(struct relayconf, field), def, 0, 0 }
#define NUM(key, kind, field, def, min, max) \
	{ key, kind, offsetof(struct relayconf, field), def, min, max }

static const struct setting settings[] = {
	STR("TUNL_API_LISTEN", TEXT, api_listen,
	    "127.0.0.1:8080 unix:/run/linbit-tunl/api.sock"),
	STR("TUNL_DB", PATH, db, "/var/lib/linbit-tunl/tunl.db"),
	STR("TUNL_DATA_DIR", PATH, data_dir, "/var/lib/linbit-tunl"),
	STR("TUNL_LOG_DIR", PATH, log_dir, "/var/log/linbit-tunl"),
	STR("TUNL_RUN_DIR", PATH, run_dir, "/run/linbit-tunl"),
	STR("TUNL_CA_PUB", PATH, ca_pub, "/etc/linbit-tunl/tunl-ca.pub"),
	STR("TUNL_CA_AGENT", PATH, ca_agent, "/run/linbit-tunl-ca/agent.sock"),
	STR("TUNL_HOST_CA_PUB", PATH, host_ca_pub,
	    "/etc/linbit-tunl/host-ca.pub"),
	STR("TUNL_HOST_KEY_PUB", PATH, host_key_pub,
	    "/etc/ssh/ssh_host_ed25519_key.pub"),
	STR("TUNL_SUPPORT_KEYS", PATH, support_keys,
	    "/etc/linbit-tunl/support-keys.pub"),
	STR("TUNL_SECRET_KEY_FILE", PATH, secret_key_file,
	    "/var/lib/linbit-tunl/secret.key"),
	STR("TUNL_RELAY_NAME", TEXT, relay_name, ""),
	STR("TUNL_USER", NAME, user, "tunl"),
	STR("TUNL_ENROLL_USER", NAME, enroll_user, "tunl-enroll"),
	STR("TUNL_SUPPORT_USER", NAME, support_user, "support"),
	STR("TUNL_API_USER", NAME, api_user, "linbit-tunl-api"),

	NUM("TUNL_CERT_TTL", DURATION, cert_ttl_ms, "3600", 1000, DAY),
	NUM("TUNL_PENDING_TTL", DURATION, pending_ttl_ms, "3600", 1000,
	    30 * DAY),
	NUM("TUNL_GRACE", DURATION, grace_ms, "7200", 1, 7 * DAY),
	NUM("TUNL_HEARTBEAT", DURATION, heartbeat_ms, "30", 1, HOUR),
	NUM("TUNL_PORTS", RANGE, port_first, "30000-39999", 1, 65535),
	NUM("TUNL_PORTS_PER_SESSION", NUMBER, ports_per_session, "4", 1,
	    RELAYCONF_PORTS_MAX),

	NUM("TUNL_TOKEN_TTL", DURATION, token_ttl_ms, "3600", 1000, DAY),
	NUM("TUNL_TOKENS_MAX", NUMBER, tokens_max, "50", 1, 1000),
	NUM("TUNL_FAIL_LIMIT", NUMBER, fail_limit, "5", 1, 1000000),
	NUM("TUNL_FAIL_WINDOW", DURATION, fail_window_ms, "10m", 1000, DAY),
	NUM("TUNL_TOKEN_FAIL_LIMIT", NUMBER, token_fail_limit, "60", 1,
	    1000000),
	NUM("TUNL_TOKEN_FAIL_WINDOW", DURATION, token_fail_window_ms, "3600",
	    1000, DAY),
	STR("TUNL_API_PROXY", TEXT, api_proxy, "127.0.0.1 ::1"),

	STR("TUNL_UPLOAD_MAX", SIZE, upload_max, "20G"),
	STR("TUNL_UPLOAD_QUOTA", SIZE, upload_quota, "200G"),
	STR("TUNL_FREE_FLOOR", SIZE, free_floor, "5G"),
	NUM("TUNL_UPLOAD_TTL", DURATION, upload_ttl_ms, "24h", 1, 30 * DAY),
	NUM("TUNL_UPLOAD_PARALLEL", NUMBER, upload_parallel, "8", 1, 64),

	NUM("TUNL_SWEEP", DURATION, sweep_ms, "30", 1, HOUR),
	NUM("TUNL_GRANT_LINGER", DURATION, grant_linger_ms, "24h", 1, 7 * DAY),
	NUM("TUNL_SIGN_TIMEOUT", DURATION, sign_timeout_ms, "10", 1, HOUR),
	NUM("TUNL_ENROLL_WAIT", DURATION, enroll_wait_ms, "60", 1, HOUR),
	NUM("TUNL_SIGN_REPEAT", DURATION, sign_repeat_ms, "60", 1, HOUR),
	NUM("TUNL_API_HEAD_TIMEOUT", DURATION, api_head_ms, "10", 1, HOUR),
	NUM("TUNL_API_REPLY_TIMEOUT", DURATION, api_reply_ms, "30", 1, HOUR),
	NUM("TUNL_API_BODY_RATE", NUMBER, api_body_rate, "1024", 1, 1u << 30),
	NUM("TUNL_API_CONNECTIONS", NUMBER, api_connections, "256", 1, 65536),
	NUM("TUNL_API_DRAIN", DURATION, drain_ms, "5", 1, HOUR),

	NUM("TUNL_PING", DURATION, ping_ms, "10", 1, HOUR),
	NUM("TUNL_PING_MISSED", NUMBER, ping_missed, "3", 1, 1000),
	NUM("TUNL_HELLO_TIMEOUT", DURATION, hello_ms, "10", 1, HOUR),
	NUM("TUNL_ATTACH_TIMEOUT", DURATION, attach_ms, "10", 1, HOUR),
	NUM("TUNL_SCREEN_INTERVAL", DURATION, screen_ms, "1", 1, HOUR),
	NUM("TUNL_ACK_INTERVAL", DURATION, ack_ms, "100ms", 1, HOUR),
	NUM("TUNL_INFO_INTERVAL", DURATION, info_ms, "1", 1, HOUR),
	NUM("TUNL_BROKER_LINGER", DURATION, linger_ms, "7200", 1, 7 * DAY),
	NUM("TUNL_STATE_INTERVAL", DURATION, state_ms, "1", 1, HOUR),
	NUM("TUNL_SCREEN_KEEP", DURATION, keep_ms, "5", 1, HOUR),
	NUM("TUNL_RECORDING", RECORDING, recording, "yes", 0, 0),
	NUM("TUNL_RECORD_MAX", NUMBER, record_max, "1073741824", 4096,
	    UINT32_MAX),
	NUM("TUNL_RECORD_FLUSH", DURATION, record_flush_ms, "1", 1, HOUR),
	NUM("TUNL_RECORD_RETRY", DURATION, record_retry_ms, "30", 1, HOUR),
	NUM("TUNL_API_TIMEOUT", DURATION, api_call_ms, "5", 1, HOUR),
	NUM("TUNL_API_RETRY", DURATION, api_retry_ms, "2", 1, HOUR),
};

#define SETTINGS	(sizeof settings / sizeof settings[0])

/* A load at work. */
struct loading {
	struct relayconf	*conf;
	bool			 from_file[SETTINGS];
	char			*err;
	size_t			 cap;
};

__attribute__((format(printf, 2, 3)))
static int
complain(struct loading *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(l->err, l->cap, fmt, ap);
	va_end(ap);
	return -1;
}

static char **
string_field(struct relayconf *conf, const struct setting *s)
{
	return (char **)(void *)((char *)conf + s->offset);
}

static uint32_t *
number_field(struct relayconf *conf, const struct setting *s)
{
	return (uint32_t *)(void *)((char *)conf + s->offset);
}

static bool
is_string(const struct setting *s)
{
	return s->kind == PATH || s->kind == NAME || s->kind == TEXT;
}

/* Printable ASCII without what systemd's EnvironmentFile would interpret. */
static bool
is_plain(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (s[i] < ' ' || s[i] > '~' || strchr("\"'\\`$", s[i]) != NULL)
			return false;
	return len == 0 || (s[0] != ' ' && s[len - 1] != ' ');
}

static int
set_string(struct relayconf *conf, const struct setting *s, const char *v,
    size_t len)
{
	char **field = string_field(conf, s), *copy;

	if (!is_plain(v, len) || len >= 4096 ||
	    (s->kind == PATH && (len < 2 || v[0] != '/')) ||
	    (s->kind == NAME && (len == 0 || len > 32 || v[0] == '-' ||
	    memchr(v, ' ', len) != NULL)))
		return -1;
	copy = strndup(v, len);
	if (copy == NULL)
		return -1;
	free(*field);
	*field = copy;
	return 0;
}

/* The unit behind a duration of LEN octets at S, in milliseconds; *DIGITS is
 * what stands before it. */
static uint32_t
duration_unit(const char *s, size_t len, size_t *digits)
{
	static const struct {
		const char	*name;
		uint32_t	 ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", HOUR } };
	size_t i, n;

	for (i = 0; i < sizeof units / sizeof units[0]; i++) {
		n = strlen(units[i].name);
		if (len > n && memcmp(s + len - n, units[i].name, n) == 0) {
			*digits = len - n;
			return units[i].ms;
		}
	}
	*digits = len;
	return 1000;
}

/* A number, and K, M, G or T behind it. */
static int
set_size(struct relayconf *conf, const struct setting *s, const char *v,
    size_t len)
{
	static const char units[] = "KMGT";
	const char *unit = len > 0 ? memchr(units, v[len - 1], 4) : NULL;
	unsigned int shift = 0;
	uint64_t n;

	if (unit != NULL) {
		shift = (unsigned int)(unit - units + 1) * 10;
		len--;
	}
	if (num_parse(v, len, 0, SIZE_LIMIT >> shift, &n) == -1)
		return -1;
	*(uint64_t *)(void *)((char *)conf + s->offset) = n << shift;
	return 0;
}

static int
set_recording(uint32_t *field, const char *v, size_t len)
{
	static const char *const words[] = { "no", "yes", "required" };
	uint32_t i;

	for (i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strlen(words[i]) == len && memcmp(v, words[i], len) == 0) {
			*field = i;
			return 0;
		}
	return -1;
}

static int
set_number(struct relayconf *conf, const struct setting *s, const char *v,
    size_t len)
{
	uint32_t unit = 1, *field = number_field(conf, s);
	uint64_t n, last;
	const char *dash;

	if (s->kind == RECORDING)
		return set_recording(field, v, len);
	if (s->kind == RANGE) {
		dash = memchr(v, '-', len);
		if (dash == NULL || num_parse(v, (size_t)(dash - v), s->min,
		    s->max, &n) == -1 || num_parse(dash + 1,
		    len - (size_t)(dash + 1 - v), n, s->max, &last) == -1)
			return -1;
		field[0] = (uint32_t)n;
		field[1] = (uint32_t)last;
		return 0;
	}
	if (s->kind == DURATION)
		unit = duration_unit(v, len, &len);
	if (num_parse(v, len, 0, s->max / unit, &n) == -1 || n * unit < s->min)
		return -1;
	*field = (uint32_t)n * unit;
	return 0;
}

/* What a setting takes, in words. */
static const char *
expected(const struct setting *s, char *buf, size_t cap)
{
	switch (s->kind) {
	case PATH:
		return "an absolute path without quotes";
	case NAME:
		return "an account name";
	case TEXT:
		return "printable text without quotes";
	case NUMBER:
		(void)snprintf(buf, cap, "a number from %u to %u", s->min,
		    s->max);
		return buf;
	case DURATION:
		(void)snprintf(buf, cap, "a duration from %u ms to %u s, such "
		    "as 500ms, 30, 10m or 2h", s->min, s->max / 1000);
		return buf;
	case RECORDING:
		return "yes, no or required";
	case SIZE:
		return "a number of octets of at most 1024T, such as 500M or "
		    "20G";
	case RANGE:
		break;
	}
	(void)snprintf(buf, cap, "FIRST-LAST within %u-%u", s->min, s->max);
	return buf;
}

/* Set S; WHERE (which may be "") comes first in a complaint. */
static int
set(struct loading *l, const struct setting *s, const char *v, size_t len,
    const char *where)
{
	char buf[96];
	int rv;

	rv = (is_string(s) ? set_string : s->kind == SIZE ? set_size :
	    set_number)(l->conf, s, v, len);
	if (rv == -1)
		return complain(l, "%s%s: expected %s", where, s->key,
		    expected(s, buf, sizeof buf));
	return 0;
}

static const struct setting *
setting_find(const char *key, size_t len)
{
	size_t i;

	for (i = 0; i < SETTINGS; i++)
		if (strlen(settings[i].key) == len &&
		    memcmp(settings[i].key, key, len) == 0)
			return &settings[i];
	return NULL;
}

/* One line of the file. */
static int
load_line(struct loading *l, const char *name, unsigned int number,
    const char *line, size_t len)
{
	const struct setting *s;
	const char *eq;
	char where[160];

	(void)snprintf(where, sizeof where, "%.120s:%u: ", name, number);
	if (len == 0 || line[0] == '#' || line[0] == ';')
		return 0;
	eq = memchr(line, '=', len);
	if (eq == NULL)
		return complain(l, "%sexpected KEY=value", where);
	s = setting_find(line, (size_t)(eq - line));
	if (s == NULL)
		return complain(l, "%sunknown setting", where);
	if (l->from_file[s - settings])
		return complain(l, "%s%s is set twice", where, s->key);
	l->from_file[s - settings] = true;
	return set(l, s, eq + 1, len - (size_t)(eq + 1 - line), where);
}

static int
load_text(struct loading *l, const char *name, const char *text, size_t len)
{
	const char *end = text + len, *nl;
	unsigned int number = 1;

	for (; text < end; text = nl + 1, number++) {
		nl = memchr(text, '\n', (size_t)(end - text));
		if (nl == NULL)
			nl = end;
		if (load_line(l, name, number, text, (size_t)(nl - text)) == -1)
			return -1;
	}
	return 0;
}

static int
load_file(struct loading *l)
{
	const char *path = getenv("TUNL_CONF");
	char *text;
	size_t len;
	int rv;

	if (path == NULL)
		path = RELAYCONF_PATH;
	text = file_read(AT_FDCWD, path, RELAYCONF_SIZE_MAX, &len);
	if (text == NULL)
		return errno == ENOENT && getenv("TUNL_CONF") == NULL ? 0 :
		    complain(l, "%.120s: %s", path, strerror(errno));
	rv = load_text(l, path, text, len);
	free(text);
	return rv;
}

static int
load_environment(struct loading *l)
{
	const char *v;
	size_t i;

	for (i = 0; i < SETTINGS; i++) {
		v = getenv(settings[i].key);
		if (v != NULL && set(l, &settings[i], v, strlen(v),
		    "environment: ") == -1)
			return -1;
	}
	return 0;
}

static int
load_defaults(struct loading *l)
{
	size_t i;

	memset(l->conf, 0, sizeof *l->conf);
	for (i = 0; i < SETTINGS; i++)
		if (set(l, &settings[i], settings[i].def,
		    strlen(settings[i].def), "default: ") == -1)
			return -1;
	return 0;
}

/* What no single setting can say. */
static int
check(struct loading *l)
{
	const struct relayconf *c = l->conf;

	if (c->port_last - c->port_first + 1 < c->ports_per_session)
		return complain(l, "TUNL_PORTS: expected room for at least one "
		    "session's TUNL_PORTS_PER_SESSION");
	return 0;
}

int
relayconf_load(struct relayconf *conf, char *err, size_t cap)
{
	struct loading l = { .conf = conf, .err = err, .cap = cap };

	if (load_defaults(&l) == -1 || load_file(&l) == -1 ||
	    load_environment(&l) == -1 || check(&l) == -1) {
		relayconf_clear(conf);
		return -1;
	}
	return 0;
}

int
relayconf_parse(struct relayconf *conf, const char *name, const char *text,
    size_t len, char *err, size_t cap)
{
	struct loading l = { .conf = conf, .err = err, .cap = cap };

	if (load_defaults(&l) == -1 || load_text(&l, name, text, len) == -1 ||
	    check(&l) == -1) {
		relayconf_clear(conf);
		return -1;
	}
	return 0;
}

/* ---- again ---- */

/* What is used once, or is held by somebody, or that others go by too. */
static bool
is_for_start(const struct setting *s)
{
	static const char *const keys[] = { "TUNL_API_LISTEN", "TUNL_DB",
	    "TUNL_DATA_DIR", "TUNL_LOG_DIR", "TUNL_RUN_DIR", "TUNL_CA_PUB",
	    "TUNL_CA_AGENT", "TUNL_SECRET_KEY_FILE", "TUNL_USER",
	    "TUNL_SUPPORT_USER", "TUNL_API_USER", "TUNL_API_PROXY",
	    "TUNL_API_CONNECTIONS" };
	size_t i;

	for (i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (strcmp(keys[i], s->key) == 0)
			return true;
	return false;
}

/* How long the field of S is, and what it holds. */
static size_t
field_size(const struct setting *s)
{
	if (is_string(s))
		return sizeof(char *);
	return s->kind == SIZE ? sizeof(uint64_t) :
	    (s->kind == RANGE ? 2 : 1) * sizeof(uint32_t);
}

static bool
is_same(struct relayconf *a, struct relayconf *b, const struct setting *s)
{
	if (is_string(s))
		return strcmp(*string_field(a, s), *string_field(b, s)) == 0;
	return memcmp((char *)a + s->offset, (char *)b + s->offset,
	    field_size(s)) == 0;
}

static void
swap(struct relayconf *a, struct relayconf *b, const struct setting *s)
{
	char was[sizeof(uint64_t)];
	size_t n = field_size(s);

	memcpy(was, (char *)a + s->offset, n);
	memcpy((char *)a + s->offset, (char *)b + s->offset, n);
	memcpy((char *)b + s->offset, was, n);
}

int
relayconf_reload(struct relayconf *conf, void (*cb)(const char *key),
    char *err, size_t cap)
{
	struct relayconf fresh;
	size_t i;

	if (relayconf_load(&fresh, err, cap) == -1)
		return -1;
	for (i = 0; i < SETTINGS; i++)
		if (!is_for_start(&settings[i]))
			swap(conf, &fresh, &settings[i]);
		else if (!is_same(conf, &fresh, &settings[i]))
			cb(settings[i].key);
	relayconf_clear(&fresh);
	return 0;
}

void
relayconf_clear(struct relayconf *conf)
{
	size_t i;

	for (i = 0; i < SETTINGS; i++)
		if (is_string(&settings[i]))
			free(*string_field(conf, &settings[i]));
	memset(conf, 0, sizeof *conf);
}
