/*
 * launch.c - the face that the customer starts: find the session or make it,
 * become its tmux's client, and say how it ended.
 */
#include "customer.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "castkeep.h"
#include "credentials.h"
#include "files.h"
#include "hostinfo.h"
#include "local.h"
#include "mono.h"
#include "safetext.h"
#include "server.h"
#include "sessiondir.h"
#include "settings.h"
#include "spawn.h"
#include "tmuxcaps.h"
#include "unix.h"

#define READY_MS	15000	/* the daemon and its panes */
#define END_MS		10000	/* the daemon's last steps */
#define QUIET_MS	2000	/* before progress is shown */
#define POLL_MS		20
#define STALE_SECS	7200	/* the relay's grace for a lost session */

struct launcher {
	struct sessiondir	 sd;
	struct settings		 set;
	const char		*token;		/* or NULL */
	bool			 attach;
	bool			 fresh;		/* we started the session */
	int			 start;		/* its lock; -1 */
};

static volatile sig_atomic_t stopped;	/* by a signal */

static void
stop_handler(int sig)
{
	stopped = sig;
}

/* One line for the customer. */
__attribute__((format(printf, 1, 2)))
static void
say(const char *fmt, ...)
{
	va_list ap;

	(void)fputs("linbit-tunl: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
}

/* ---- starting ------------------------------------------------------------- */

static int
check_tmux(const struct settings *s)
{
	struct tmuxcaps caps;

	if (tmuxcaps_load(&caps, s->tmux_caps) == -1) {
		say(errno == ENOENT ? "tmux is needed and was not found; "
		    "install it (apt install tmux, dnf install tmux)" :
		    "'tmux -V' does not say a version");
		return -1;
	}
	if (!tmuxcaps_suffices(caps.version)) {
		say("tmux %s is too old; install tmux " TMUXCAPS_OLDEST
		    " or newer (apt install tmux, dnf install tmux)",
		    caps.version);
		return -1;
	}
	return 0;
}

static int
open_dir(struct launcher *la, const char *sid)
{
	if (sessiondir_create(&la->sd, sid) == 0)
		return 0;
	if (errno == EPERM || errno == ENOTDIR || errno == EINVAL ||
	    errno == ELOOP)
		say("%s exists and is not a private directory of this session "
		    "and user; have a look at it and remove it", la->sd.path);
	else
		say("cannot make %s: %s", la->sd.path, strerror(errno));
	return -1;
}

/* A key that tmux does not know would leave the customer without any. */
static void
check_prefix(struct launcher *la)
{
	if (strcmp(la->set.prefix, "C-b") == 0 ||
	    (strchr(la->set.prefix, '\'') == NULL &&
	    server_takes_key(&la->sd, la->set.prefix)))
		return;
	say("tmux does not know the key '%s'; the prefix is C-b",
	    la->set.prefix);
	(void)snprintf(la->set.prefix, sizeof la->set.prefix, "C-b");
}

static int
write_files(const struct launcher *la)
{
	char host[CONTEXT_HOST_MAX + 1];

	hostinfo_name(host);
	if (file_replace(la->sd.fd, FILE_HOST, host, strlen(host), 0600, 0) ==
	    -1 || sessiondir_save(&la->sd, &la->set) == -1) {
		say("cannot write into %s: %s", la->sd.path, strerror(errno));
		return -1;
	}
	if (server_configure(&la->sd, &la->set) == -1) {
		say(errno == EINVAL ? "this program lies in a directory whose "
		    "name has unusual characters; put it elsewhere" :
		    "cannot write tmux's configuration");
		return -1;
	}
	return 0;
}

/* What a session that was killed left in the directory. */
static void
clear_stale(const struct sessiondir *sd)
{
	(void)unlinkat(sd->fd, FILE_TMUX_SOCK, 0);
	(void)unlinkat(sd->fd, FILE_DAEMON, 0);
	(void)unlinkat(sd->fd, FILE_SSH_CTL, 0);
}

static char	asking[SETTINGS_TEXT + 64];	/* what alarm_handler() says */

static void
alarm_handler(int sig)
{
	(void)sig;
	(void)!write(STDERR_FILENO, asking, strlen(asking));
}

/* Ask the relay; it takes long only if something is wrong. */
static enum credentials_answer
get_credentials(struct launcher *la, char *err, size_t cap)
{
	enum credentials_answer answer;

	(void)snprintf(asking, sizeof asking,
	    "linbit-tunl: asking the relay at %s\n", la->set.api_url);
	(void)signal(SIGALRM, alarm_handler);
	(void)alarm(QUIET_MS / 1000);
	answer = credentials_get(&la->sd, &la->set, la->token, err, cap);
	(void)alarm(0);
	return answer;
}

/*
 * Have a token tell which session this is: into SID, with the credentials for
 * it in its directory.  0, or -1 after saying why.
 */
static int
redeem(struct launcher *la, char sid[SID_MAX + 1])
{
	enum credentials_answer answer = CREDENTIALS_LATER;
	char err[1024] = "";

	if (sessiondir_new(&la->sd) == -1 ||
	    (la->start = sessiondir_lock(&la->sd, FILE_START)) == -1)
		(void)snprintf(err, sizeof err, "cannot make %s: %s",
		    la->sd.path, strerror(errno));
	else
		answer = get_credentials(la, err, sizeof err);
	memcpy(sid, la->sd.sid, sizeof la->sd.sid);
	if (answer == CREDENTIALS_OK && sessiondir_settle(&la->sd) == -1) {
		(void)snprintf(err, sizeof err, "cannot make %s: %s; ask "
		    "support for a new token", la->sd.path, strerror(errno));
		answer = CREDENTIALS_LATER;
	}
	if (la->start != -1)
		close(la->start);
	if (answer == CREDENTIALS_OK)
		return 0;
	if (!stopped)
		say("%s", err);
	return -1;
}

/* Nothing of this session runs: start it.  0, or -1 after saying why. */
static int
start_session(struct launcher *la)
{
	enum credentials_answer answer;
	char err[1024];

	clear_stale(&la->sd);
	answer = get_credentials(la, err, sizeof err);
	if (stopped)
		return -1;
	if (answer != CREDENTIALS_OK) {
		say("%s", err);
		if (answer == CREDENTIALS_REFUSED)
			la->sd.made = true;	/* what is there is of no use */
		return -1;
	}
	check_prefix(la);
	if (write_files(la) == -1)
		return -1;
	la->fresh = true;
	if (server_start(&la->sd) == -1) {
		say("tmux does not start");
		return -1;
	}
	return 0;
}

/* It runs already.  Flags cannot change what was agreed at its start. */
static int
join_session(struct launcher *la)
{
	struct settings running;

	if (sessiondir_load(&la->sd, &running) == -1) {
		say("cannot read %s: %s", la->sd.path, strerror(errno));
		return -1;
	}
	if (la->set.restricted && !running.restricted) {
		say("this session runs already, and support may type in it; "
		    "end it first (%s K) to start a restricted one",
		    running.prefix);
		return -1;
	}
	if (!la->set.restricted && running.restricted)
		say("this session was started with --restricted and stays so");
	la->set = running;
	return 0;
}

/* Undo a start that came to nothing. */
static void
abandon(struct launcher *la)
{
	int64_t deadline = mono_ms() + END_MS;

	if (la->fresh) {
		say("session ID '%s' is used up by this; ask support for a new "
		    "one", la->sd.sid);
		server_kill(&la->sd);
		while (sessiondir_locked(&la->sd, FILE_LOCK) &&
		    mono_ms() < deadline)
			(void)poll(NULL, 0, POLL_MS);
	}
	if (la->sd.fd == -1 || !(la->fresh || la->sd.made))
		return;
	/* there is one if the session ran before, and its machine was cut off */
	if (castkeep_rescue(&la->sd) == -1)
		sessiondir_strip(&la->sd);
	else
		sessiondir_remove(&la->sd);
}

/* ---- waiting for the daemon ----------------------------------------------- */

/* What the daemon has told. */
struct news {
	bool	ready;
	bool	over;		/* it will not come to anything */
	char	state[16];
	char	why[512];
	int64_t	since;
	bool	shown;		/* that it takes a while */
};

static void
take_news(struct news *nw, const struct proto_frame *f)
{
	if (proto_is(f->verb, "READY"))
		nw->ready = true;
	else if (proto_is(f->verb, "LINK")) {
		(void)local_arg(f, 0, nw->state, sizeof nw->state);
		(void)local_text(f, nw->why, sizeof nw->why);
		if (nw->why[0] != '\0')
			nw->shown = false;
		nw->over = strcmp(nw->state, "over") == 0;
	} else if (proto_is(f->verb, "CLOSED")) {
		nw->over = true;
		(void)local_text(f, nw->why, sizeof nw->why);
	}
}

static bool
is_enough(const struct launcher *la, const struct news *nw)
{
	if (nw->over)
		return !la->attach || nw->ready;
	return nw->ready && (la->attach || strcmp(nw->state, "up") == 0);
}

/* Progress, once it takes long, and again when the reason changes. */
static void
show_progress(const struct launcher *la, struct news *nw)
{
	if (la->attach || nw->shown || mono_ms() - nw->since < QUIET_MS)
		return;
	nw->shown = true;
	if (nw->why[0] != '\0')
		say("not connected yet: %s", nw->why);
	else
		say("connecting to %s", la->set.relay);
}

static int
connect_daemon(const struct launcher *la, int64_t deadline)
{
	char path[SESSIONDIR_PATH_MAX];
	int s;

	sessiondir_file(&la->sd, FILE_DAEMON, path);
	while ((s = unix_connect(path)) == -1 && mono_ms() < deadline &&
	    !stopped && faccessat(la->sd.fd, FILE_TMUX_SOCK, F_OK, 0) == 0)
		(void)poll(NULL, 0, POLL_MS);
	return s;
}

/* Read frames until they are enough.  0, or -1: the time or the daemon ended. */
static int
read_news(const struct launcher *la, int s, int64_t deadline, struct news *nw)
{
	static char buf[PROTO_FRAME_MAX];
	struct pollfd pfd = { .fd = s, .events = POLLIN };
	struct proto_frame f;
	size_t have = 0;
	ssize_t n;
	int used;

	while (!is_enough(la, nw)) {
		if (mono_ms() >= deadline || stopped)
			return -1;
		show_progress(la, nw);
		if (poll(&pfd, 1, 100) <= 0)
			continue;
		n = read(s, buf + have, sizeof buf - have);
		if (n <= 0)
			return -1;
		have += (size_t)n;
		while ((used = local_take(buf, have, &f)) > 0) {
			take_news(nw, &f);
			have -= (size_t)used;
			memmove(buf, buf + used, have);
		}
		if (used == -1)
			return -1;
	}
	return 0;
}

/* The last line of the log, where nobody else has said why. */
static void
last_words(const struct sessiondir *sd, char *out, size_t cap)
{
	size_t len;
	char *text = file_read(sd->fd, FILE_LOG, 1 << 20, &len), *lf;

	out[0] = '\0';
	if (text == NULL)
		return;
	while (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	lf = strrchr(text, '\n');
	lf = lf != NULL ? lf + 1 : text;
	(void)safetext(out, cap, lf, strlen(lf));
	free(text);
}

/*
 * Wait until there is something to attach to, or, if we do not attach, until
 * the relay has the session.  0, or -1 after saying why.
 */
static int
wait_ready(const struct launcher *la)
{
	static const char hello[] = "HELLO launch\n";
	int64_t deadline = mono_ms() + (la->attach ? READY_MS :
	    (int64_t)la->set.start_ms);
	struct news nw = { .since = mono_ms() };
	char words[512];
	int s = connect_daemon(la, deadline), rv = -1;

	if (s != -1 && write_all(s, hello, sizeof hello - 1) == 0)
		rv = read_news(la, s, deadline, &nw);
	if (s != -1)
		close(s);
	if (stopped)
		return -1;
	if (rv == 0 && (!nw.over || la->attach))
		return 0;
	if (nw.why[0] != '\0')
		say("%s", nw.why);
	else {
		last_words(&la->sd, words, sizeof words);
		say("the session does not start%s%s",
		    words[0] != '\0' ? ": " : "", words);
	}
	return -1;
}

/* ---- attached ------------------------------------------------------------- */

/* Show tmux until it ends or is detached.  One that is killed does not give the
 * terminal back as it was. */
static int
run_client(const struct launcher *la)
{
	char sock[SESSIONDIR_PATH_MAX], target[SERVER_TARGET_MAX];
	const char *const argv[] = { "tmux", "-S",
	    sessiondir_file(&la->sd, FILE_TMUX_SOCK, sock), "attach-session",
	    "-t", server_target(&la->sd, target), NULL };
	struct spawn sp = SPAWN_INIT(argv);
	struct termios before;
	bool saved = tcgetattr(STDIN_FILENO, &before) == 0;
	pid_t pid;
	int rv;

	sp.flags = SPAWN_DEATHSIG;
	pid = spawn_start(&sp);
	if (pid == -1) {
		say("cannot start tmux: %s", strerror(errno));
		return -1;
	}
	rv = spawn_wait(pid);
	if (saved)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	return rv;
}

/* What the daemon left in the file LOCK, or "" while the session lives. */
static void
read_word(int lock, char *out, size_t cap)
{
	ssize_t n = pread(lock, out, cap - 1, 0);

	out[n > 0 ? n : 0] = '\0';
}

/* Wait for the daemon's last act. */
static void
wait_end(const struct launcher *la)
{
	int64_t deadline = mono_ms() + END_MS;

	while (access(la->sd.path, F_OK) == 0 &&
	    sessiondir_locked(&la->sd, FILE_LOCK) && mono_ms() < deadline)
		(void)poll(NULL, 0, POLL_MS);
}

/* Say how it ended.  STATUS is the tmux client's. */
static int
farewell(const struct launcher *la, int lock, int status)
{
	char word[PATH_MAX + SETTINGS_TEXT + 512], *path;

	read_word(lock, word, sizeof word);
	if (word[0] == '\0' && server_runs(&la->sd)) {
		if (status != 0)
			return 1;	/* tmux has said why */
		say("detached: your shell and its connection to support go "
		    "on. To come back: linbit-tunl %s", la->sd.sid);
		return 0;
	}
	wait_end(la);
	read_word(lock, word, sizeof word);
	path = strchr(word, '\n');
	if (path != NULL)
		*path++ = '\0';
	say("the session has ended: %s", word[0] != '\0' ? word :
	    "tmux was ended");
	if (path != NULL)
		say("%s", path);
	say("nothing %sof it is left on this machine, %s/" FILE_LOG
	    " included", path != NULL ? "else " : "", la->sd.path);
	return 0;
}

static int
attach(const struct launcher *la)
{
	int lock = openat(la->sd.fd, FILE_LOCK, O_RDONLY | O_NOFOLLOW |
	    O_CLOEXEC), rv;

	if (lock == -1) {
		say("the session has ended already");
		return 1;
	}
	rv = run_client(la);
	if (rv != -1)
		rv = farewell(la, lock, rv);
	close(lock);
	return rv == 0 ? 0 : 1;
}

/* ---- the launcher --------------------------------------------------------- */

/* True if it is ours to start: no daemon is about to remove the directory. */
static bool
is_free(const struct launcher *la)
{
	struct stat st;

	return !sessiondir_locked(&la->sd, FILE_LOCK) &&
	    fstat(la->sd.fd, &st) == 0 && st.st_nlink > 0;
}

/*
 * Open the directory and see what is in it, when no other launcher and no
 * former session is at work there.  0, or -1 after saying why.
 */
static int
begin(struct launcher *la, const char *sid)
{
	int64_t deadline = mono_ms() + READY_MS;

	while (!stopped && mono_ms() < deadline) {
		if (open_dir(la, sid) == -1)
			return -1;
		la->start = sessiondir_lock(&la->sd, FILE_START);
		if (la->start != -1 && server_runs(&la->sd))
			return join_session(la);
		if (la->start != -1 && is_free(la))
			return start_session(la);
		if (la->start != -1)
			close(la->start);
		sessiondir_close(&la->sd);
		(void)poll(NULL, 0, POLL_MS);
	}
	if (!stopped)
		say("%s is in use by another start of this session; try again",
		    la->sd.path);
	return -1;
}

/* Out of our environment, as tmux and every shell in it inherits it. */
static void
clean_environment(void)
{
	(void)unsetenv("TMUX");
	(void)unsetenv("TMUX_PANE");
	(void)unsetenv("SUDO_COMMAND");	/* has the session ID */
}

static void
catch_signals(void)
{
	struct sigaction sa = { .sa_handler = stop_handler };

	(void)sigaction(SIGINT, &sa, NULL);
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGHUP, &sa, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

int
launch_main(const struct launch *args, const struct settings *s)
{
	struct launcher la = { .set = *s, .attach = args->attach,
	    .token = args->token, .sd = { .fd = -1 }, .start = -1 };
	char given[SID_MAX + 1];
	const char *sid = args->sid;
	int rv;

	if (la.attach && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))) {
		say("this is no terminal; use --no-attach to start the session "
		    "without one");
		return 1;
	}
	if (check_tmux(s) == -1)
		return 1;
	clean_environment();
	catch_signals();
	sessiondir_sweep(STALE_SECS, castkeep_rescue);
	if (sid == NULL) {
		if (redeem(&la, given) == -1) {
			abandon(&la);
			return 1;
		}
		sid = given;
		say("this is session '%s'", sid);
	}
	if (begin(&la, sid) == -1 || wait_ready(&la) == -1) {
		abandon(&la);
		return 1;
	}
	close(la.start);
	rv = la.attach ? attach(&la) : 0;
	sessiondir_close(&la.sd);
	return rv;
}
