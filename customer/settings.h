/*
 * settings.h - the customer's settings: flag over environment over file over
 * default, the same name everywhere.
 *
 * The file is `KEY=value` lines, empty ones and comments (`#` first).  Every
 * value is checked for its form here, so that it may stand in an argv, a URL or
 * a configuration file as it is; none begins with `-`.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SETTINGS_PATH	"/etc/linbit-tunl/customer.conf"
#define SETTINGS_MAX	65536	/* octets of a file */
#define SETTINGS_TEXT	512	/* octets of a value, NUL included */

struct settings {
	char		relay[SETTINGS_TEXT];
	char		relay_user[SETTINGS_TEXT];
	char		enroll_user[SETTINGS_TEXT];
	char		api_url[SETTINGS_TEXT];	/* no slash at its end */
	char		known_hosts[SETTINGS_TEXT];
	char		prefix[SETTINGS_TEXT];	/* a key, for tmux */
	char		tmux_caps[SETTINGS_TEXT]; /* see tmuxcaps.h, or "" */
	char		support_case[SETTINGS_TEXT]; /* "": none */
	char		cast_dir[SETTINGS_TEXT]; /* a path, perhaps with "~"
					 * first, or "none" */
	uint32_t	relay_port;
	uint32_t	restricted;		/* 0 or 1 */
	uint32_t	cast_max;		/* octets of the recording */

	/* Durations, in milliseconds. */
	uint32_t	ping_ms;		/* of silence before a PING */
	uint32_t	ping_missed;		/* unanswered: link lost */
	uint32_t	hello_ms;		/* the relay's HELLO */
	uint32_t	connect_ms;		/* ssh's ConnectTimeout */
	uint32_t	backoff_ms;		/* before the first retry … */
	uint32_t	backoff_max_ms;		/* … doubled up to this */
	uint32_t	sign_ms;		/* one call of the API */
	uint32_t	cast_flush_ms;		/* recorded, not yet written */
	uint32_t	cast_retry_ms;		/* after a failed write */
	uint32_t	start_ms;		/* --no-attach: until connected */
};

/* Everything at its default. */
void	settings_init(struct settings *s);

/*
 * Set KEY (TUNL_RELAY …) to VALUE.  Returns 0, or -1 with one line in ERR (CAP
 * octets) that says what is expected.
 */
int	settings_set(struct settings *s, const char *key, const char *value,
	    char *err, size_t cap);

/*
 * Take the LEN octets of a file at TEXT, which messages call NAME.  0, or -1
 * with ERR naming the line.
 */
int	settings_parse(struct settings *s, const char *name, const char *text,
	    size_t len, char *err, size_t cap);

/*
 * Take the file (TUNL_CUSTOMER_CONF in the environment, else SETTINGS_PATH; a
 * missing one is empty) and then the environment.  0, or -1 with ERR.
 */
int	settings_load(struct settings *s, char *err, size_t cap);

/* What was not set, from what was: the API of the relay. */
void	settings_finish(struct settings *s);

/*
 * Write S as settings_parse() reads it.  Returns the length, or -1 if it does
 * not fit into CAP.
 */
int	settings_format(const struct settings *s, char *out, size_t cap);

#endif
