/*
 * join.c - `tunl join`: find the session, wait for its customer, and show it in
 * a local tmux session.
 */
#include <cjson/cJSON.h>

#include <sys/ioctl.h>
#include <sys/random.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "joinwin.h"
#include "proto.h"
#include "say.h"
#include "sessions.h"
#include "tmux.h"
#include "tunl.h"

#define POLL_MS		1000	/* between two looks for the customer */
#define GONE_MAX	3	/* looks without a session until it is over */

static volatile sig_atomic_t interrupted;

static void
on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

static int
tmux_unfit(unsigned int version)
{
	return say_error(version == 0 ? "join needs tmux, which cannot be run "
	    "here (install the package tmux)" :
	    "join needs tmux 2.9 or newer");
}

static int
has_terminal(void)
{
	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		return 0;
	say_error("join needs a terminal");
	return -1;
}

int
join_ready(void)
{
	unsigned int version;

	if (has_terminal() == -1)
		return -1;
	version = tmux_version();
	if (version < TMUX_OLDEST) {
		tmux_unfit(version);
		return -1;
	}
	return 0;
}

/* ---- waiting for the customer --------------------------------------------- */

/* One short line that stays in its place at any width. */
static void
show_progress(time_t since)
{
	long long secs = (long long)(time(NULL) - since);

	(void)fprintf(stderr, "\r[tunl] %lld:%02lld ", secs / 60, secs % 60);
}

/* Look until the session is active.  0, or -1 after saying why not. */
static int
look(struct tunl *t, const char *sid)
{
	time_t since = time(NULL);
	struct session s;
	int gone = 0;

	say_notice("waiting for the customer of %s (Ctrl-C leaves)", sid);
	while (!interrupted) {
		switch (session_get(&t->relay, sid, &s)) {
		case 1:
			session_clear(&s);
			if (!s.pending)
				return 0;
			gone = 0;
			break;
		case 0:
			if (++gone == GONE_MAX) {
				(void)fputc('\n', stderr);
				say_error("session '%s' has expired, or was "
				    "cancelled", sid);
				return -1;
			}
			break;
		}
		show_progress(since);
		(void)poll(NULL, 0, POLL_MS);
	}
	(void)fputc('\n', stderr);
	say_error("no longer waiting; session '%s' stays pending (`tunl join` "
	    "waits again)", sid);
	return -1;
}

static int
wait_for_customer(struct tunl *t, const char *sid)
{
	struct sigaction sa, before;
	int rv;

	memset(&sa, 0, sizeof sa);
	sa.sa_handler = on_interrupt;	/* no SA_RESTART: poll must end */
	(void)sigaction(SIGINT, &sa, &before);
	rv = look(t, sid);
	(void)sigaction(SIGINT, &before, NULL);
	if (rv == 0)
		(void)fputc('\n', stderr);
	return rv;
}

/* ---- the local session ---------------------------------------------------- */

/* 16 hex digits, the same for view and chat.  0, or -1 with errno. */
static int
client_id(char out[17])
{
	unsigned char raw[8];
	int i;

	if (getrandom(raw, sizeof raw, 0) != (ssize_t)sizeof raw)
		return -1;
	for (i = 0; i < 8; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", raw[i]);
	return 0;
}

/*
 * Have the local session.  1 if it was made now, 0 if earlier, -1 after saying
 * why not.
 */
static int
have_windows(struct joinwin *jw)
{
	struct winsize ws = { .ws_col = 80, .ws_row = 24 };
	int lock, rv = -1;

	lock = runtime_lock(jw->rt, "join");
	if (lock == -1) {
		say_error("cannot lock %s: %s", jw->rt->dir, strerror(errno));
		return -1;
	}
	switch (joinwin_find(jw)) {
	case JOINWIN_SAME:
		rv = 0;
		break;
	case JOINWIN_NONE:
		(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws);
		if (joinwin_make(jw, ws.ws_col, ws.ws_row) == 0)
			rv = 1;
		break;
	case JOINWIN_OTHER:
		say_error("session '%s' is joined here already, %s; close that "
		    "first (tmux kill-session -t tunl-join-%s)", jw->sid,
		    jw->read_only ? "and may type" : "read-only", jw->sid);
		break;
	case JOINWIN_NO_TMUX:
		tmux_unfit(jw->version);
		break;
	}
	runtime_unlock(jw->rt, "join", lock);
	return rv;
}

/* Who we are, for both windows. */
struct self {
	char	 client[17];
	char	 name[3 * PROTO_NAME_MAX + 1];	/* percent-encoded */
};

static int
self_init(struct self *self)
{
	char name[PROTO_NAME_MAX + 1];

	settings_name(name);
	if (proto_name_encode(name, self->name, sizeof self->name) == -1 ||
	    client_id(self->client) == -1) {
		say_error("cannot make a client ID: %s", strerror(errno));
		return -1;
	}
	return 0;
}

static struct joinwin
joinwin_of(struct tunl *t, const char *sid, const struct join_how *how,
    const struct self *self)
{
	struct joinwin jw = { .set = &t->set, .rt = &t->relay.rt, .sid = sid,
	    .client = self->client, .name = self->name,
	    .read_only = how->read_only, .debug = how->debug };

	return jw;
}

int
join_session(struct tunl *t, const char *sid, bool pending,
    const struct join_how *how)
{
	struct self self;
	struct joinwin jw;

	if (pending && (join_ready() == -1 || wait_for_customer(t, sid) == -1))
		return 1;
	if (self_init(&self) == -1)
		return 1;
	jw = joinwin_of(t, sid, how, &self);
	if (have_windows(&jw) == -1)
		return 1;
	return joinwin_attach(&jw);
}

/* ---- the command ---------------------------------------------------------- */

/*
 * Find the session that is meant.  A whole SESSION_ID will do while the API is
 * down, as the relay's brokers know it.  0, or -1 after saying why not.
 */
static int
find(struct tunl *t, const char *arg, struct session *s)
{
	int known = 0;

	if (arg != NULL && sid_is_valid(arg, strlen(arg)))
		known = session_get(&t->relay, arg, s);
	if (known == 0)
		return session_find(&t->relay, arg, SESSION_ANY, s);
	if (known == -1) {
		say_notice("%s", t->relay.err);
		if (relay_master(&t->relay) == -1) {
			say_error("cannot join");
			return -1;
		}
	}
	return 0;
}

/* True if the record says that it is over. */
static bool
is_closed(const struct session *s)
{
	const char *status = record_text(s->record, "status");

	return !s->pending && status != NULL && strcmp(status, "active") != 0;
}

/*
 * A whole SESSION_ID, and no master yet: logging in takes longest, so the
 * windows are made meanwhile.  The relay's registry is asked when it can be.
 * True if it is done and *STATUS is the exit status; else nothing was done.
 */
static bool
join_cold(struct tunl *t, const char *sid, const struct join_how *how,
    int *status)
{
	struct relay_login login;
	struct session s;
	struct self self;
	struct joinwin jw;
	int made, known = 1;

	*status = 1;
	if (self_init(&self) == -1)
		return true;
	jw = joinwin_of(t, sid, how, &self);
	if (relay_login_begin(&t->relay, &login) == -1) {
		relay_login_end(&t->relay, &login);
		(void)say_error("%s", t->relay.err);
		return true;
	}
	made = have_windows(&jw);
	if (relay_login_wait(&t->relay, &login) == -1) {
		(void)say_error("%s", t->relay.err);
		known = -1;
	}
	if (known == -1 && made == 1)
		joinwin_kill(sid);	/* before its legs log in, too */
	relay_login_end(&t->relay, &login);
	if (made == -1 || known == -1)
		return true;
	known = session_get(&t->relay, sid, &s);
	if (known == -1)
		say_notice("%s", t->relay.err);
	if (known == 0 || (known == 1 && (s.pending || is_closed(&s)))) {
		session_clear(&s);
		if (made == 1)
			joinwin_kill(sid);
		return false;
	}
	session_clear(&s);
	*status = joinwin_attach(&jw);
	return true;
}

int
cmd_join(struct tunl *t, const struct args *args)
{
	const struct join_how how = {
		.read_only = args_value(args, "--read-only") != NULL,
		.debug = args_value(args, "--debug") != NULL,
	};
	struct session s;
	bool closed;
	int status;

	if (has_terminal() == -1)
		return 1;
	if (args->arg != NULL && sid_is_valid(args->arg, strlen(args->arg)) &&
	    !relay_is_up(&t->relay) &&
	    join_cold(t, args->arg, &how, &status))
		return status;
	if (find(t, args->arg, &s) == -1)
		return 1;
	closed = is_closed(&s);
	session_clear(&s);
	if (closed)
		return say_error("session '%s' is over", s.sid);
	return join_session(t, s.sid, s.pending, &how);
}
