/*
 * relaycall.c - see relaycall.h.
 */
#include "relaycall.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "files.h"
#include "mono.h"
#include "spawn.h"
#include "unix.h"

#define CALL_MS		15000	/* for one answer of the API */
#define START_MS	40000	/* for a login that asks nobody anything */
#define SAID_MAX	32768	/* octets of what ssh says that we keep */
#define EXIT_MS		1000

int
relay_init(struct relay *r, const struct settings *set)
{
	char what[1024];

	memset(r, 0, sizeof *r);
	r->rt.fd = -1;
	r->set = set;
	if (runtime_open(&r->rt, r->err, sizeof r->err) == -1)
		return -1;
	(void)snprintf(what, sizeof what, "%s %s %s %s %.512s", set->relay,
	    set->relay_port != NULL ? set->relay_port : "-", set->user,
	    set->api_port, set->ssh_config != NULL ? set->ssh_config : "");
	sid_hash(what, r->key);
	runtime_path(&r->rt, r->key, ".ctl", r->ctl);
	runtime_path(&r->rt, r->key, ".api", r->api);
	return 0;
}

void
relay_clear(struct relay *r)
{
	runtime_close(&r->rt);
}

/* ---- argv ----------------------------------------------------------------- */

/* The part common to every ssh of ours.  Returns the number of arguments. */
static int
argv_begin(const struct relay *r, const char **argv)
{
	int n = 0;

	argv[n++] = "ssh";
	if (r->set->ssh_config != NULL) {
		argv[n++] = "-F";
		argv[n++] = r->set->ssh_config;
	}
	argv[n++] = "-S";
	argv[n++] = r->ctl;
	argv[n++] = "-T";
	argv[n++] = "-oForwardAgent=no";
	argv[n++] = "-oForwardX11=no";
	argv[n++] = "-oPermitLocalCommand=no";
	argv[n++] = "-oRemoteCommand=none";
	argv[n++] = "-oIPQoS=af21";	/* keystrokes are no bulk data */
	return n;
}

static int
argv_end(const struct relay *r, const char **argv, int n)
{
	if (r->set->relay_port != NULL) {
		argv[n++] = "-p";
		argv[n++] = r->set->relay_port;
	}
	argv[n++] = "-l";
	argv[n++] = r->set->user;
	argv[n++] = "--";
	argv[n++] = r->set->relay;
	argv[n] = NULL;
	return n;
}

void
relay_argv(const struct relay *r, const char *const *args,
    const char *argv[RELAY_ARGV_MAX])
{
	int n = argv_begin(r, argv);

	argv[n++] = "-oControlMaster=no";
	argv[n++] = "-oBatchMode=yes";
	argv[n++] = "-oLogLevel=ERROR";
	argv[n++] = "-oClearAllForwardings=yes";
	argv[n++] = "-oConnectTimeout=15";
	n = argv_end(r, argv, n);
	while (*args != NULL && n < RELAY_ARGV_MAX - 1)
		argv[n++] = *args++;
	argv[n] = NULL;
}

/*
 * It goes to the background by itself once it is logged in.  DEBUG1 says which
 * keys it tries.
 */
static void
master_argv(const struct relay *r, const char **argv, char *forward,
    size_t cap, bool batch)
{
	int n = argv_begin(r, argv);

	(void)snprintf(forward, cap, "%s:127.0.0.1:%s", r->api,
	    r->set->api_port);
	argv[n++] = "-M";
	argv[n++] = "-f";
	argv[n++] = "-N";
	argv[n++] = "-oControlPersist=60";
	argv[n++] = "-oConnectTimeout=15";
	argv[n++] = "-oServerAliveInterval=10";
	argv[n++] = "-oServerAliveCountMax=3";
	argv[n++] = "-oLogLevel=DEBUG1";
	argv[n++] = batch ? "-oBatchMode=yes" : "-oNumberOfPasswordPrompts=3";
	argv[n++] = "-oStreamLocalBindUnlink=yes";
	argv[n++] = "-L";
	argv[n++] = forward;
	(void)argv_end(r, argv, n);
}

/* ---- the master ----------------------------------------------------------- */

bool
relay_is_up(const struct relay *r)
{
	int s = unix_connect(r->ctl);

	if (s != -1)
		close(s);
	return s != -1;
}

/* What ssh said while it logged in; the beginning goes first. */
struct said {
	char	 text[SAID_MAX + 1];
	size_t	 len;
};

static void
said_add(struct said *said, const char *s, size_t n)
{
	if (n > SAID_MAX - said->len) {
		said->len -= SAID_MAX / 2;
		memmove(said->text, said->text + SAID_MAX / 2, said->len);
	}
	memcpy(said->text + said->len, s, n);
	said->len += n;
	said->text[said->len] = '\0';
}

/*
 * Read FD to its end, MS milliseconds at most (-1: no limit), into SAID and
 * the log.  Returns 0, or -1 if the time is over.
 */
static int
said_read(struct said *said, int fd, int log, int ms)
{
	int64_t until = mono_ms() + ms;
	char buf[4096];
	ssize_t n;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = ms < 0 ? -1 : until - mono_ms();

		if (ms >= 0 && left <= 0)
			return -1;
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		n = read(fd, buf, sizeof buf);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return 0;
		if (log != -1)
			(void)!write(log, buf, (size_t)n);
		said_add(said, buf, (size_t)n);
	}
}

/* Append "PATH, " of each key that was offered, and end with "\0". */
static void
keys_tried(const char *text, char *out, size_t cap)
{
	static const char mark[] = "debug1: Offering public key: ";
	size_t len, o = 0;

	out[0] = '\0';
	while ((text = strstr(text, mark)) != NULL) {
		text += sizeof mark - 1;
		len = strcspn(text, " \r\n");
		if (o + len + 3 > cap)
			break;
		o += (size_t)snprintf(out + o, cap - o, "%s%.*s",
		    o > 0 ? ", " : "", (int)len, text);
	}
	if (o == 0)
		(void)snprintf(out, cap, "none");
}

/* The last line that is no debugging: ssh's own words for what went wrong. */
static void
last_words(const char *text, char *out, size_t cap)
{
	size_t len;

	out[0] = '\0';
	for (; *text != '\0'; text += len + strspn(text + len, "\r\n")) {
		len = strcspn(text, "\r\n");
		if (len == 0 || strncmp(text, "debug1: ", 8) == 0)
			continue;
		if (strncmp(text, "ssh: ", 5) == 0)
			(void)snprintf(out, cap, "%.*s", (int)(len - 5),
			    text + 5);
		else
			(void)snprintf(out, cap, "%.*s", (int)len, text);
	}
	if (out[0] == '\0')
		(void)snprintf(out, cap, "ssh gave no reason");
}

static void
explain(struct relay *r, const char *text)
{
	const struct settings *s = r->set;
	char words[256], keys[512];

	last_words(text, words, sizeof words);
	if (strstr(words, "Permission denied") != NULL) {
		keys_tried(text, keys, sizeof keys);
		(void)snprintf(r->err, sizeof r->err, "cannot log in to the "
		    "relay as %s@%s: %s; keys tried: %s (is your public key "
		    "among the relay's support keys?)", s->user, s->relay,
		    words, keys);
	} else if (strstr(words, "Host key verification failed") != NULL)
		(void)snprintf(r->err, sizeof r->err, "will not log in to the "
		    "relay %s: its host key is not known, or has changed "
		    "(connect once with `ssh %s@%s` to see it)", s->relay,
		    s->user, s->relay);
	else
		(void)snprintf(r->err, sizeof r->err,
		    "cannot reach the relay %s: %s", s->relay, words);
}

/* Start to log in; the lock is held.  0, or -1 with r->err. */
static int
master_start(struct relay *r, struct relay_login *l)
{
	const char *argv[RELAY_ARGV_MAX];
	char forward[RUNTIME_PATH_MAX + 32];
	struct spawn sp = SPAWN_INIT(argv);
	int fds[2];

	l->batch = !isatty(STDIN_FILENO);
	master_argv(r, argv, forward, sizeof forward, l->batch);
	if (pipe2(fds, O_CLOEXEC) == -1) {
		(void)snprintf(r->err, sizeof r->err, "%s", strerror(errno));
		return -1;
	}
	sp.in = sp.out = -1;
	sp.err = fds[1];
	l->pid = spawn_start(&sp);
	close(fds[1]);
	if (l->pid == -1) {
		(void)snprintf(r->err, sizeof r->err, "cannot run ssh: %s",
		    strerror(errno));
		close(fds[0]);
		return -1;
	}
	l->err = fds[0];
	return 0;
}

int
relay_login_begin(struct relay *r, struct relay_login *l)
{
	l->lock = l->err = -1;
	l->pid = -1;
	if (relay_is_up(r))
		return 0;
	l->lock = runtime_lock(&r->rt, r->key);
	if (l->lock == -1) {
		(void)snprintf(r->err, sizeof r->err, "cannot lock %s: %s",
		    r->rt.dir, strerror(errno));
		return -1;
	}
	if (relay_is_up(r))
		return 0;
	(void)unlink(r->ctl);	/* left by one that was killed */
	return master_start(r, l);
}

int
relay_login_wait(struct relay *r, struct relay_login *l)
{
	struct said said = { .len = 0 };
	int log, rv;

	if (l->pid == -1)
		return 0;
	log = runtime_log(r->set->ssh_log);
	rv = said_read(&said, l->err, log, l->batch ? START_MS : -1);
	if (log != -1)
		close(log);
	if (rv == -1) {
		spawn_stop(l->pid, EXIT_MS);
		(void)snprintf(r->err, sizeof r->err, "cannot reach the relay "
		    "%s: no answer in %d s", r->set->relay, START_MS / 1000);
		return -1;
	}
	if (spawn_wait(l->pid) == 0)
		return 0;
	explain(r, said.text);
	return -1;
}

void
relay_login_end(struct relay *r, struct relay_login *l)
{
	if (l->err != -1)
		close(l->err);
	if (l->lock != -1)
		runtime_unlock(&r->rt, r->key, l->lock);
}

int
relay_master(struct relay *r)
{
	struct relay_login l;
	int rv;

	rv = relay_login_begin(r, &l);
	if (rv == 0)
		rv = relay_login_wait(r, &l);
	relay_login_end(r, &l);
	return rv;
}

void
relay_stamp(const struct relay *r, struct relay_stamp *stamp)
{
	struct stat st;

	memset(stamp, 0, sizeof *stamp);
	if (lstat(r->ctl, &st) == -1)
		return;
	stamp->dev = st.st_dev;
	stamp->ino = st.st_ino;
	stamp->born = st.st_ctim;
}

void
relay_drop(struct relay *r, const struct relay_stamp *stamp)
{
	struct relay_stamp now;
	const char *argv[RELAY_ARGV_MAX];
	char out[64];
	int n, lock;

	lock = runtime_lock(&r->rt, r->key);
	if (lock == -1)
		return;
	relay_stamp(r, &now);
	if (now.ino != 0 && now.ino == stamp->ino && now.dev == stamp->dev &&
	    now.born.tv_sec == stamp->born.tv_sec &&
	    now.born.tv_nsec == stamp->born.tv_nsec) {
		n = argv_begin(r, argv);
		argv[n++] = "-O";
		argv[n++] = "exit";
		(void)argv_end(r, argv, n);
		(void)spawn_capture(argv, out, sizeof out, EXIT_MS);
		(void)unlink(r->ctl);
	}
	runtime_unlock(&r->rt, r->key, lock);
}

/* ---- the API -------------------------------------------------------------- */

/* A connection to the API; -1 with r->err. */
static int
api_connect(struct relay *r)
{
	int s = unix_connect(r->api);

	if (s != -1)
		return s;
	if (relay_master(r) == -1)
		return -1;
	s = unix_connect(r->api);
	if (s == -1)
		(void)snprintf(r->err, sizeof r->err, "the master to the relay "
		    "does not forward %s: %s", r->api, strerror(errno));
	return s;
}

/* One request and its answer.  0, or -1 with errno or r->err (errno 0). */
static int
api_ask(struct relay *r, const char *method, const char *target,
    const char *body, struct http_reply *reply)
{
	int s = api_connect(r), rv, saved;

	if (s == -1) {
		errno = 0;
		return -1;
	}
	rv = http_call(s, method, target, body, CALL_MS, reply);
	saved = errno;
	close(s);
	errno = saved;
	return rv;
}

static void
api_explain(struct relay *r, int error)
{
	const char *relay = r->set->relay;

	if (error == ETIMEDOUT)
		(void)snprintf(r->err, sizeof r->err, "the relay %s does not "
		    "answer (waited %d s)", relay, CALL_MS / 1000);
	else if (error == EPROTO)
		(void)snprintf(r->err, sizeof r->err, "what listens on port %s "
		    "of the relay %s is not its API", r->set->api_port, relay);
	else
		(void)snprintf(r->err, sizeof r->err, "the relay %s is up, but "
		    "its API does not answer on 127.0.0.1:%s there (is "
		    "relay-api running?)", relay, r->set->api_port);
}

int
relay_call(struct relay *r, const char *method, const char *target,
    const struct cJSON *body, struct http_reply *reply)
{
	struct relay_stamp stamp;
	char *text = NULL;
	int rv, error;

	if (body != NULL && (text = cJSON_PrintUnformatted(body)) == NULL) {
		(void)snprintf(r->err, sizeof r->err, "out of memory");
		return -1;
	}
	rv = api_ask(r, method, target, text, reply);
	error = errno;
	/* the master's minute may have ended under the call */
	if (rv == -1 && error != 0 && error != ETIMEDOUT &&
	    strcmp(method, "GET") == 0 && !relay_is_up(r)) {
		rv = api_ask(r, method, target, text, reply);
		error = errno;
	}
	free(text);
	if (rv == 0)
		return reply->status;
	if (error == ETIMEDOUT) {
		relay_stamp(r, &stamp);
		relay_drop(r, &stamp);
	}
	if (error != 0)
		api_explain(r, error);
	return -1;
}

void
relay_refused(struct relay *r, const char *what, const struct http_reply *reply)
{
	cJSON *json = cJSON_ParseWithLength(reply->body, reply->body_len);
	const cJSON *message = cJSON_GetObjectItemCaseSensitive(
	    cJSON_GetObjectItemCaseSensitive(json, "error"), "message");

	if (cJSON_IsString(message))
		(void)snprintf(r->err, sizeof r->err, "%s: %.512s", what,
		    message->valuestring);
	else
		(void)snprintf(r->err, sizeof r->err,
		    "%s: the relay answered %d", what, reply->status);
	cJSON_Delete(json);
}
