/*
 * relayconf.h - the relay's settings: defaults, the file, the environment.
 *
 * A setting is looked up in the environment first, then in the file (TUNL_CONF
 * in the environment, else RELAYCONF_PATH; a missing file is an empty one),
 * else it has its default.  In the file, every line is `KEY=value`, empty, or a
 * comment (`#` or `;` first); the value goes to the end of the line, unquoted,
 * so that systemd reads the same file as an EnvironmentFile.  A key that is not
 * known, a key set twice and a value out of bounds are errors.
 *
 * Durations are written as a number with `ms`, `s`, `m` or `h` behind it;
 * without a unit they are seconds.  Sizes may have `K`, `M`, `G` or `T` (powers
 * of 1024) behind them; without one they are octets.
 */
#ifndef RELAYCONF_H
#define RELAYCONF_H

#include <stddef.h>
#include <stdint.h>

#define RELAYCONF_PATH	"/etc/linbit-tunl/relay.conf"
#define RELAYCONF_SIZE_MAX	65536	/* octets of the file */
#define RELAYCONF_PORTS_MAX	16	/* of one session */

/* Values of TUNL_RECORDING. */
#define RELAYCONF_NO	0u
#define RELAYCONF_YES	1u
#define RELAYCONF_REQUIRED 2u	/* no session goes on without */

/* Strings are ours: free them with relayconf_clear().  None is NULL. */
struct relayconf {
	/* Where things are. */
	char		*api_listen;	/* TUNL_API_LISTEN: host:port and
					 * unix:PATH, separated by spaces */
	char		*db;		/* TUNL_DB */
	char		*data_dir;	/* TUNL_DATA_DIR */
	char		*log_dir;	/* TUNL_LOG_DIR */
	char		*run_dir;	/* TUNL_RUN_DIR */
	char		*ca_pub;	/* TUNL_CA_PUB */
	char		*ca_agent;	/* TUNL_CA_AGENT */
	char		*host_ca_pub;	/* TUNL_HOST_CA_PUB */
	char		*host_key_pub;	/* TUNL_HOST_KEY_PUB */
	char		*support_keys;	/* TUNL_SUPPORT_KEYS */
	char		*secret_key_file; /* TUNL_SECRET_KEY_FILE */
	char		*relay_name;	/* TUNL_RELAY_NAME; "" = host's name */
	char		*user;		/* TUNL_USER: the customers' account */
	char		*enroll_user;	/* TUNL_ENROLL_USER: of those who have a
					 * secret and no certificate */
	char		*support_user;	/* TUNL_SUPPORT_USER */
	char		*api_user;	/* TUNL_API_USER */

	/* Sessions. */
	uint32_t	 cert_ttl_ms;	/* TUNL_CERT_TTL */
	uint32_t	 pending_ttl_ms; /* TUNL_PENDING_TTL */
	uint32_t	 grace_ms;	/* TUNL_GRACE: an active session without a
					 * heartbeat is lost after it */
	uint32_t	 heartbeat_ms;	/* TUNL_HEARTBEAT: the broker's */
	uint32_t	 port_first, port_last;	/* TUNL_PORTS=FIRST-LAST */
	uint32_t	 ports_per_session; /* TUNL_PORTS_PER_SESSION,
					 * 1..RELAYCONF_PORTS_MAX */

	/* Tokens, and failed attempts at them and at session IDs. */
	uint32_t	 token_ttl_ms;	/* TUNL_TOKEN_TTL */
	uint32_t	 tokens_max;	/* TUNL_TOKENS_MAX: outstanding */
	uint32_t	 fail_limit;	/* TUNL_FAIL_LIMIT of one address … */
	uint32_t	 fail_window_ms; /* … TUNL_FAIL_WINDOW */
	uint32_t	 token_fail_limit; /* TUNL_TOKEN_FAIL_LIMIT in all … */
	uint32_t	 token_fail_window_ms; /* … TUNL_TOKEN_FAIL_WINDOW */
	char		*api_proxy;	/* TUNL_API_PROXY: whose
					 * X-Forwarded-For is believed */

	/* Uploads. */
	uint64_t	 upload_max;	/* TUNL_UPLOAD_MAX: octets of one */
	uint64_t	 upload_quota;	/* TUNL_UPLOAD_QUOTA: of all */
	uint64_t	 free_floor;	/* TUNL_FREE_FLOOR: octets that uploads
					 * leave free on the disk */
	uint32_t	 upload_ttl_ms;	/* TUNL_UPLOAD_TTL: to be complete in */
	uint32_t	 upload_parallel; /* TUNL_UPLOAD_PARALLEL: at a time */

	/* relay-api's timers and limits. */
	uint32_t	 sweep_ms;	/* TUNL_SWEEP: between two sweeps */
	uint32_t	 grant_linger_ms; /* TUNL_GRANT_LINGER: how long an ended
					 * session's grant file tells why */
	uint32_t	 sign_timeout_ms; /* TUNL_SIGN_TIMEOUT: one signature */
	uint32_t	 enroll_wait_ms; /* TUNL_ENROLL_WAIT: from the secret to
					 * the public key of an enrolment */
	uint32_t	 sign_repeat_ms; /* TUNL_SIGN_REPEAT: a lost answer to a
					 * claim can be had again so long */
	uint32_t	 api_head_ms;	/* TUNL_API_HEAD_TIMEOUT: a whole request
					 * head, and an idle connection */
	uint32_t	 api_reply_ms;	/* TUNL_API_REPLY_TIMEOUT: taking an
					 * answer */
	uint32_t	 api_body_rate;	/* TUNL_API_BODY_RATE: octets/s at least */
	uint32_t	 api_connections; /* TUNL_API_CONNECTIONS a socket */
	uint32_t	 drain_ms;	/* TUNL_API_DRAIN: SIGTERM waits so long
					 * for requests at work */

	/* relay-share's timers. */
	uint32_t	 ping_ms;	/* TUNL_PING: of silence before a PING */
	uint32_t	 ping_missed;	/* TUNL_PING_MISSED: link lost after it */
	uint32_t	 hello_ms;	/* TUNL_HELLO_TIMEOUT: the peer's HELLO */
	uint32_t	 attach_ms;	/* TUNL_ATTACH_TIMEOUT: a leg's ATTACH, and
					 * the broker's answer to it */
	uint32_t	 screen_ms;	/* TUNL_SCREEN_INTERVAL: between two
					 * SNAPSHOT requests */
	uint32_t	 ack_ms;	/* TUNL_ACK_INTERVAL: flow credit */
	uint32_t	 info_ms;	/* TUNL_INFO_INTERVAL: between two
					 * SESSION_INFO at least */
	uint32_t	 linger_ms;	/* TUNL_BROKER_LINGER: a broker without a
					 * producer stays so long */
	uint32_t	 state_ms;	/* TUNL_STATE_INTERVAL: between two
					 * writes of SID.state */
	uint32_t	 keep_ms;	/* TUNL_SCREEN_KEEP: a screen serves
					 * those who join so long */
	uint32_t	 recording;	/* TUNL_RECORDING: RELAYCONF_NO … */
	uint32_t	 record_max;	/* TUNL_RECORD_MAX: octets of one */
	uint32_t	 record_flush_ms; /* TUNL_RECORD_FLUSH: what is not yet
					 * written is not older */
	uint32_t	 record_retry_ms; /* TUNL_RECORD_RETRY: after a failure */
	uint32_t	 api_call_ms;	/* TUNL_API_TIMEOUT: one call to the API */
	uint32_t	 api_retry_ms;	/* TUNL_API_RETRY: between two tries */
};

/*
 * Fill CONF from the environment, the file and the defaults.  Returns 0, or -1
 * with nothing to clear and one line in ERR (CAP octets) that says where the
 * mistake is and what was expected; it quotes no value.
 */
int	relayconf_load(struct relayconf *conf, char *err, size_t cap);

/*
 * The same from the LEN octets at TEXT, which messages call NAME, instead of a
 * file, and without the environment.
 */
int	relayconf_parse(struct relayconf *conf, const char *name,
	    const char *text, size_t len, char *err, size_t cap);

/*
 * Load anew into CONF, which relayconf_load() filled.  Settings that are for
 * the start only keep their values; CB is told each of them that has another
 * now.  As relayconf_load(), but -1 leaves CONF as it was.
 */
int	relayconf_reload(struct relayconf *conf,
	    void (*cb)(const char *key), char *err, size_t cap);

void	relayconf_clear(struct relayconf *conf);

#endif
