/*
 * settings.h - the TUNL_* settings of the support side, checked.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdint.h>

#include "proto.h"

struct settings {
	const char	*relay;		/* host; never begins with '-' */
	const char	*relay_port;	/* decimal, or NULL: as ssh has it */
	const char	*user;
	const char	*api_port;	/* decimal, on the relay's loopback */
	const char	*ssh_config;	/* for ssh -F, or NULL */
	const char	*ssh_log;	/* or NULL: in the runtime directory */
	const char	*prefix;	/* a tmux key; not checked */
	uint32_t	 ping_ms;	/* of silence before a PING */
	uint32_t	 ping_missed;	/* unanswered: link lost */
	uint32_t	 backoff_ms;	/* before the first retry ... */
	uint32_t	 backoff_max_ms; /* ... doubled up to this */
};

/* Their names, for handing them on; ends with NULL. */
extern const char *const settings_names[];

/*
 * Read them from the environment.  Returns 0, or -1 with in ERR (CAP octets)
 * which one is bad and what was expected.  The strings are the environment's.
 */
int	settings_load(struct settings *s, char *err, size_t cap);

/*
 * The name that the customer will see: TUNL_DISPLAY_NAME, else git's user.name,
 * else user@host; UTF-8 of at most PROTO_NAME_MAX octets.
 */
void	settings_name(char name[PROTO_NAME_MAX + 1]);

#endif
