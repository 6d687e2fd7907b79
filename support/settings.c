/*
 * settings.c - see settings.h.  Must not print.
 */
#include "settings.h"

#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "num.h"
#include "spawn.h"

#define GIT_MS		1000	/* for git to say who we are */
#define HOST_MAX	253	/* octets of a host name, RFC 1035 */
#define USER_MAX	32

const char *const settings_names[] = {
	"TUNL_RELAY", "TUNL_RELAY_PORT", "TUNL_SUPPORT_USER", "TUNL_API_PORT",
	"TUNL_SSH_CONFIG", "TUNL_SSH_LOG", "TUNL_PREFIX", "TUNL_PING",
	"TUNL_PING_MISSED", "TUNL_BACKOFF", "TUNL_BACKOFF_MAX", NULL
};

/* An environment variable; an empty one counts as not set. */
static const char *
setting(const char *name, const char *fallback)
{
	const char *s = getenv(name);

	return s != NULL && *s != '\0' ? s : fallback;
}

/* True if S is 1 to MAX of letters, digits and EXTRA, not "-" first. */
static bool
is_made_of(const char *s, const char *extra, size_t max)
{
	size_t i;

	for (i = 0; s[i] != '\0'; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') ||
		    (s[i] >= 'A' && s[i] <= 'Z') ||
		    (s[i] >= '0' && s[i] <= '9') ||
		    strchr(extra, s[i]) != NULL))
			return false;
	return i > 0 && i <= max && s[0] != '-';
}

static bool
is_port(const char *s)
{
	uint64_t v;

	return num_parse_str(s, 1, 65535, &v) == 0;
}

/*
 * A duration: a number with ms, s, m or h behind it; without: seconds.  0 < it
 * <= one hour.  Returns 0, or -1.
 */
static int
read_duration(const char *s, uint32_t *ms)
{
	static const struct {
		const char	*name;
		uint32_t	 ms;
	} units[] = { { "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 },
	    { "h", 3600000 } };
	size_t len = strspn(s, "0123456789"), i;
	uint64_t v;

	for (i = 0; i < sizeof units / sizeof units[0]; i++)
		if (strcmp(s + len, units[i].name) == 0)
			break;
	if (i == sizeof units / sizeof units[0] ||
	    num_parse(s, len, 1, 3600000 / units[i].ms, &v) == -1)
		return -1;
	*ms = (uint32_t)v * units[i].ms;
	return 0;
}

static const char *
load_timers(struct settings *s)
{
	uint64_t missed;

	if (read_duration(setting("TUNL_PING", "10"), &s->ping_ms) == -1)
		return "TUNL_PING is not a duration (10, 10s, 500ms)";
	if (read_duration(setting("TUNL_BACKOFF", "1"), &s->backoff_ms) == -1)
		return "TUNL_BACKOFF is not a duration (1, 1s, 500ms)";
	if (read_duration(setting("TUNL_BACKOFF_MAX", "30"),
	    &s->backoff_max_ms) == -1)
		return "TUNL_BACKOFF_MAX is not a duration (30, 30s, 1m)";
	if (num_parse_str(setting("TUNL_PING_MISSED", "3"), 1, 1000,
	    &missed) == -1)
		return "TUNL_PING_MISSED is not a number (1 to 1000)";
	s->ping_missed = (uint32_t)missed;
	return NULL;
}

static const char *
load(struct settings *s)
{
	s->relay = setting("TUNL_RELAY", "tunl.linbit.com");
	s->relay_port = setting("TUNL_RELAY_PORT", NULL);
	s->user = setting("TUNL_SUPPORT_USER", "support");
	s->api_port = setting("TUNL_API_PORT", "8080");
	s->ssh_config = setting("TUNL_SSH_CONFIG", NULL);
	s->ssh_log = setting("TUNL_SSH_LOG", NULL);
	s->prefix = setting("TUNL_PREFIX", "C-b");
	if (!is_made_of(s->relay, ".-_:", HOST_MAX))
		return "TUNL_RELAY is not a host name";
	if (s->relay_port != NULL && !is_port(s->relay_port))
		return "TUNL_RELAY_PORT is not a port (1 to 65535)";
	if (!is_made_of(s->user, "._-", USER_MAX))
		return "TUNL_SUPPORT_USER is not a user name";
	if (!is_port(s->api_port))
		return "TUNL_API_PORT is not a port (1 to 65535)";
	return load_timers(s);
}

int
settings_load(struct settings *s, char *err, size_t cap)
{
	const char *bad = load(s);

	if (bad != NULL)
		(void)snprintf(err, cap, "%s", bad);
	return bad != NULL ? -1 : 0;
}

/* Copy the first line of S, cut between characters; false if it is no name. */
static bool
name_take(const char *s, char name[PROTO_NAME_MAX + 1])
{
	size_t len = strcspn(s, "\n");

	if (len > PROTO_NAME_MAX)
		for (len = PROTO_NAME_MAX; len > 0 &&
		    ((unsigned char)s[len] & 0xc0) == 0x80; len--)
			;
	if (len == 0 || !proto_is_utf8(s, len))
		return false;
	memcpy(name, s, len);
	name[len] = '\0';
	return true;
}

void
settings_name(char name[PROTO_NAME_MAX + 1])
{
	const char *git[] = { "git", "config", "user.name", NULL };
	const char *own = setting("TUNL_DISPLAY_NAME", "");
	char buf[256], host[65] = "";
	struct passwd *pw;

	if (name_take(own, name))
		return;
	if (spawn_capture(git, buf, sizeof buf, GIT_MS) == 0 &&
	    name_take(buf, name))
		return;
	pw = getpwuid(geteuid());
	(void)gethostname(host, sizeof host - 1);
	(void)snprintf(buf, sizeof buf, "%s@%s", setting("USER",
	    pw != NULL ? pw->pw_name : "support"), host);
	if (!name_take(buf, name))
		(void)snprintf(name, PROTO_NAME_MAX + 1, "support");
}
