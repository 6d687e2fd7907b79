/*
 * broker.c - the process that carries one session: its loop, the legs that
 * come and go, its end.
 *
 * Peers are marked dead under whatever callback and reaped here, from the
 * loop.  What frames mean is in customer.c and support.c.
 */
#include "broker.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apilink.h"
#include "grant.h"
#include "log.h"
#include "safetext.h"
#include "unix.h"

#define ACCEPT_TURNS	16	/* connections taken at a time */
#define FILES		(4 * BROKER_PEERS + 64)
#define ACCEPT_PAUSE_MS	1000u	/* without descriptors or memory */

static void	peer_fault_cb(struct peer *p, const char *what);
static void	peer_drained_cb(struct peer *p);
static void	peer_dead_cb(struct peer *p);
static const char *peer_attach_cb(struct peer *p, const struct attach *a);
static void	peer_up_cb(struct peer *p, const struct proto_frame *hello);
static void	peer_frame_cb(struct peer *p, enum proto_form form,
		    const struct proto_frame *f);

static const struct peer_ops peer_ops = {
	.attach_cb = peer_attach_cb,
	.up_cb = peer_up_cb,
	.frame_cb = peer_frame_cb,
	.stream_cb = stream_next,
	.fault_cb = peer_fault_cb,
	.drained_cb = peer_drained_cb,
	.dead_cb = peer_dead_cb,
};

static void
set_timer(struct event *ev, uint32_t ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	(void)evtimer_add(ev, &tv);
}

int
broker_path(const struct relayconf *conf, const char *sid,
    const char *suffix, char *buf, size_t cap)
{
	int n = snprintf(buf, cap, "%s/%s%s", conf->run_dir, sid, suffix);

	if (n < 0 || (size_t)n >= cap) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

/* ---- what follows ------------------------------------------------------- */

/* End the legs of everybody whose key was put out. */
static void
evict(struct broker *b)
{
	static const char text[] = "the customer put you out";
	struct peer *p;

	TAILQ_FOREACH(p, &b->peers, entry) {
		if (p->viewer == NULL || p->state == PEER_DEAD ||
		    !session_is_kicked(&b->session, p->viewer))
			continue;
		peer_send(p, PROTO_CLOSED, text, sizeof text - 1, "kicked");
		peer_leave(p, PROTO_END, 0, text);
	}
}

static void
send_size(struct broker *b)
{
	uint16_t cols, rows;

	session_wanted(&b->session, &cols, &rows);
	if (b->producer != NULL)
		peer_send(b->producer, PROTO_RESIZE, NULL, 0, "%u %u", cols,
		    rows);
}

static void
send_perm(struct broker *b)
{
	struct peer *p;

	TAILQ_FOREACH(p, &b->peers, entry)
		if (p->role == PROTO_CHAT && p->state == PEER_UP)
			peer_send(p, PROTO_PERM, NULL, 0, "%s",
			    proto_perm_name(b->session.perm));
}

void
broker_follow(struct broker *b, unsigned int follows)
{
	if ((follows & SESSION_SAVE_FIRST) != 0)
		persist_now(b);
	if ((follows & SESSION_SAVE) != 0)
		persist_due(b);
	if ((follows & SESSION_EVICT) != 0)
		evict(b);
	if ((follows & SESSION_RESIZE) != 0)
		send_size(b);
	if ((follows & SESSION_PERM) != 0)
		send_perm(b);
	if ((follows & SESSION_MODE) != 0)
		apilink_mode(b->api, session_mode(&b->session));
	if ((follows & SESSION_INFORM) != 0)
		inform_due(b);
}

/* ---- the end ------------------------------------------------------------ */

const char *
broker_reason_text(const char *reason)
{
	static const struct {
		const char	*reason, *text;
	} texts[] = {
		{ "ended", "the customer ended the session" },
		{ "terminated", "support ended the session" },
		{ "cancelled", "the session was cancelled" },
		{ "lost", "the customer was away for too long" },
		{ "refused", "this relay has to record every session, and "
		    "cannot now: its operator has to see to it" },
	};
	size_t i;

	for (i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (strcmp(texts[i].reason, reason) == 0)
			return texts[i].text;
	return "the session is over";
}

/* Nobody is here and the API knows: leave. */
static void
maybe_finish(struct broker *b)
{
	if (b->closing && b->recorded && b->npeers == 0)
		(void)event_base_loopbreak(b->base);
}

/* Tell one peer that it is all over. */
static void
dismiss(struct broker *b, struct peer *p, bool hang_up)
{
	const char *text = broker_reason_text(b->reason);

	if (!p->attached) {
		peer_kill(p, PROTO_END, 1, text);
		return;
	}
	peer_send(p, PROTO_CLOSED, text, strlen(text), "%s", b->reason);
	peer_leave(p, p->role == 0 && hang_up ? PROTO_HANGUP : PROTO_END, 0,
	    text);
}

void
broker_close(struct broker *b, const char *reason, bool hang_up, bool record)
{
	struct peer *p;

	if (b->closing)
		return;
	broker_audit(b, NULL, "close", "%s", reason);
	log_info("the session is over: %s", reason);
	b->closing = true;
	b->reason = reason;
	TAILQ_FOREACH(p, &b->peers, entry)
		dismiss(b, p, hang_up);
	(void)event_del(b->terminate_ev);
	apilink_alive(b->api, false);
	persist_due(b);
	/* While the API is down this stays, to say so to whoever comes. */
	set_timer(b->linger_ev, b->conf->linger_ms);
	b->recorded = !record;
	if (record)
		apilink_close(b->api, strcmp(reason, "refused") == 0 ?
		    "terminated" : reason);
	maybe_finish(b);
}

static void
linger_cb(evutil_socket_t fd, short what, void *arg)
{
	struct broker *b = arg;

	(void)fd;
	(void)what;
	if (b->closing)
		(void)event_base_loopbreak(b->base);
	else
		broker_close(b, "lost", true, true);
}

static void
terminate_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	broker_close(arg, "terminated", true, true);
}

static void
term_cb(evutil_socket_t fd, short what, void *arg)
{
	struct broker *b = arg;

	(void)fd;
	(void)what;
	broker_audit(b, NULL, "stop", "by a signal");
	(void)event_base_loopbreak(b->base);
}

/* ---- the API ------------------------------------------------------------ */

static void
registered_cb(void *arg, const char *support_case, const char *customer)
{
	struct broker *b = arg;

	(void)safetext(b->support_case, sizeof b->support_case, support_case,
	    strlen(support_case));
	(void)safetext(b->customer, sizeof b->customer, customer,
	    strlen(customer));
	broker_audit(b, NULL, "register", "done");
	inform_due(b);
}

/* It is out of the registry; a customer who is connected may stay. */
static void
gone_cb(void *arg)
{
	struct broker *b = arg;

	broker_audit(b, NULL, "heartbeat", "the session is not registered "
	    "any more");
	if (b->producer == NULL)
		broker_close(b, "cancelled", true, false);
}

static void
closed_cb(void *arg)
{
	struct broker *b = arg;

	b->recorded = true;
	maybe_finish(b);
}

static const struct apilink_ops api_ops = {
	.registered_cb = registered_cb,
	.gone_cb = gone_cb,
	.closed_cb = closed_cb,
};

/* With nobody connected the grant file says whether the session goes on. */
static void
check_grant(struct broker *b)
{
	struct grant g;
	int dirfd;
	char path[PATH_MAX];

	if (broker_path(b->conf, GRANT_DIR, "", path, sizeof path) == -1)
		return;
	dirfd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dirfd == -1)
		return;
	if (grant_read(dirfd, b->sid, &g) == 0 && g.state == GRANT_ENDED)
		broker_close(b, grant_reason_name(g.reason), true, false);
	close(dirfd);
}

static void
tick_cb(evutil_socket_t fd, short what, void *arg)
{
	struct broker *b = arg;

	(void)fd;
	(void)what;
	stream_idle(b);
	if (b->producer == NULL && !b->closing)
		check_grant(b);
}

/* ---- peers -------------------------------------------------------------- */

static const char *
peer_attach_cb(struct peer *p, const struct attach *a)
{
	struct broker *b = p->owner;
	const char *wrong;

	wrong = a->role == 0 ? customer_attach(p, a) : support_attach(p, a);
	if (wrong == NULL && b->closing)
		dismiss(b, p, false);
	return wrong;
}

static void
peer_up_cb(struct peer *p, const struct proto_frame *hello)
{
	if (p->role == 0)
		customer_up(p, hello);
	else
		support_up(p, hello);
}

static void
peer_frame_cb(struct peer *p, enum proto_form form,
    const struct proto_frame *f)
{
	if (p->role == 0)
		customer_frame(p, form, f);
	else
		support_frame(p, form, f);
}

static void
peer_fault_cb(struct peer *p, const char *what)
{
	broker_audit(p->owner, p, "protocol", "%s", what);
}

/* The customer's link has room again. */
static void
peer_drained_cb(struct peer *p)
{
	support_resume(p->owner);
}

static void
peer_dead_cb(struct peer *p)
{
	struct broker *b = p->owner;

	event_active(b->reap_ev, EV_TIMEOUT, 0);
}

/* The customer's leg is gone and no newer one is there. */
static void
customer_gone(struct broker *b, struct peer *p)
{
	b->producer = NULL;
	b->heard_ms = p->heard_ms;
	support_resume(b);
	if (b->closing)
		return;
	broker_audit(b, p, "disconnect", "the session waits for it");
	apilink_alive(b->api, false);
	set_timer(b->linger_ev, b->conf->linger_ms);
	recording_link(b, false);
	broker_follow(b, session_link_lost(&b->session));
	broker_tell_support(b, "%s", b->away ?
	    "the customer has gone away for a while" :
	    "the customer's link is lost: waiting for it to come back");
	if (b->session.terminating)
		broker_close(b, "terminated", true, true);
	else
		check_grant(b);
}

static void
support_gone(struct broker *b, struct peer *p)
{
	struct viewer *v = p->viewer;

	broker_audit(b, p, p->role == PROTO_VIEW ? "stop viewing" :
	    p->role == PROTO_CHAT ? "close chat" : "control", "done");
	stream_close(b, p);
	recording_leave(b, p);
	p->viewer = NULL;
	broker_follow(b, session_leave(&b->session, v, p->role));
}

static void
reap_cb(evutil_socket_t fd, short what, void *arg)
{
	struct broker *b = arg;
	struct peer *p, *next;

	(void)fd;
	(void)what;
	for (p = TAILQ_FIRST(&b->peers); p != NULL; p = next) {
		next = TAILQ_NEXT(p, entry);
		if (p->state != PEER_DEAD)
			continue;
		TAILQ_REMOVE(&b->peers, p, entry);
		b->npeers--;
		if (p == b->producer)
			customer_gone(b, p);
		if (p->viewer != NULL)
			support_gone(b, p);
		peer_free(p);
	}
	maybe_finish(b);
}

/* ---- new legs ----------------------------------------------------------- */

static void
welcome(struct broker *b, int fd)
{
	struct peer *p;
	uid_t uid;
	pid_t pid;

	/* Everybody may connect to the socket; most have no business here. */
	if (b->npeers >= BROKER_PEERS || unix_peer(fd, &uid, &pid) == -1 ||
	    (uid != geteuid() && uid != b->support_uid)) {
		close(fd);
		return;
	}
	p = peer_new(b->base, b->conf, fd, &peer_ops, b);
	if (p == NULL)
		return;
	p->uid = uid;
	TAILQ_INSERT_TAIL(&b->peers, p, entry);
	b->npeers++;
}

static void
listen_cb(evutil_socket_t fd, short what, void *arg)
{
	struct broker *b = arg;
	int turns, s;

	(void)what;
	for (turns = 0; turns < ACCEPT_TURNS; turns++) {
		s = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (s != -1) {
			welcome(b, s);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM) {
			log_warn("accept");
			(void)event_del(b->listen_ev);
			set_timer(b->accept_ev, ACCEPT_PAUSE_MS);
		}
		return;
	}
}

static void
accept_cb(evutil_socket_t fd, short what, void *arg)
{
	struct broker *b = arg;

	(void)fd;
	(void)what;
	(void)event_add(b->listen_ev, NULL);
}

/* ---- start -------------------------------------------------------------- */

/*
 * What this process never needs again.  It holds other people's keystrokes:
 * no core, no debugger.
 */
static int
harden(void)
{
	static const struct rlimit none = { 0, 0 };
	struct rlimit files;

	/* Four descriptors a leg; accept() copes if there are fewer. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max < FILES ? files.rlim_max :
		    FILES;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    setrlimit(RLIMIT_CORE, &none) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return -1;
	return 0;
}

/* The account of the engineers; an unknown one is nobody but ourselves. */
static uid_t
support_uid(const char *name)
{
	const struct passwd *pw = getpwnam(name);

	if (pw == NULL)
		log_warnx("there is no account '%s'", name);
	return pw == NULL ? geteuid() : pw->pw_uid;
}

static struct event *
new_event(struct broker *b, int fd, short what, event_callback_fn cb)
{
	return event_new(b->base, fd, what, cb, b);
}

static int
make_events(struct broker *b)
{
	struct timeval tv = { b->conf->heartbeat_ms / 1000,
	    b->conf->heartbeat_ms % 1000 * 1000 };

	b->listen_ev = new_event(b, b->listener, EV_READ | EV_PERSIST,
	    listen_cb);
	b->accept_ev = new_event(b, -1, 0, accept_cb);
	b->reap_ev = new_event(b, -1, 0, reap_cb);
	b->linger_ev = new_event(b, -1, 0, linger_cb);
	b->terminate_ev = new_event(b, -1, 0, terminate_cb);
	b->tick_ev = new_event(b, -1, EV_PERSIST, tick_cb);
	b->term_ev = new_event(b, SIGTERM, EV_SIGNAL | EV_PERSIST, term_cb);
	if (b->listen_ev == NULL || b->accept_ev == NULL ||
	    b->reap_ev == NULL || b->linger_ev == NULL ||
	    b->terminate_ev == NULL || b->tick_ev == NULL ||
	    b->term_ev == NULL || event_add(b->listen_ev, NULL) == -1 ||
	    event_add(b->tick_ev, &tv) == -1 ||
	    event_add(b->term_ev, NULL) == -1)
		return -1;
	set_timer(b->linger_ev, b->conf->linger_ms);
	return 0;
}

static void
free_event(struct event *ev)
{
	if (ev != NULL)
		event_free(ev);
}

static void
release(struct broker *b)
{
	struct peer *p;

	while ((p = TAILQ_FIRST(&b->peers)) != NULL) {
		TAILQ_REMOVE(&b->peers, p, entry);
		stream_close(b, p);
		/* No word: the legs take it as a broker that died. */
		peer_drop(p);
		peer_free(p);
	}
	persist_close(b);
	recording_close(b);
	apilink_free(b->api);
	stream_release(b);
	free_event(b->listen_ev);
	free_event(b->accept_ev);
	free_event(b->reap_ev);
	free_event(b->info_ev);
	free_event(b->linger_ev);
	free_event(b->terminate_ev);
	free_event(b->tick_ev);
	free_event(b->term_ev);
	if (b->listener != -1)
		close(b->listener);
	chatlog_close(&b->chat);
	audit_close(&b->audit);
	if (b->base != NULL)
		event_base_free(b->base);
}

static int
open_files(struct broker *b)
{
	char path[PATH_MAX];

	if (audit_open(&b->audit, b->conf->log_dir, b->sid) == -1)
		log_warn("%s", b->conf->log_dir);
	if (broker_path(b->conf, b->sid, ".sock", path, sizeof path) == -1)
		return -1;
	b->listener = unix_listen(path, 0666);
	if (b->listener == -1)
		log_warn("%s", path);
	return b->listener == -1 ? -1 : 0;
}

int
broker_run(const struct relayconf *conf, const char *sid, int ready)
{
	struct broker *b = calloc(1, sizeof *b);
	char path[PATH_MAX];
	int status = 1;

	if (b == NULL)
		return 1;
	b->conf = conf;
	b->sid = sid;
	b->listener = b->persist.dirfd = b->chat.fd = -1;
	TAILQ_INIT(&b->chat.lines);
	TAILQ_INIT(&b->peers);
	session_init(&b->session);
	b->support_uid = support_uid(conf->support_user);
	if (harden() == -1 || open_files(b) == -1)
		goto out;
	b->base = event_base_new();
	if (b->base == NULL || inform_init(b) == -1 || persist_open(b) == -1 ||
	    stream_init(b) == -1 || recording_open(b) == -1 ||
	    make_events(b) == -1)
		goto out;
	b->api = apilink_new(b->base, conf, sid, &api_ops, b);
	if (b->api == NULL) {
		log_warn("relay-api");
		goto out;
	}
	broker_audit(b, NULL, "start", "process %ld", (long)getpid());
	if (b->persist.over[0] != '\0')
		broker_close(b, b->persist.over, true, true);
	if (write(ready, "", 1) != 1)
		goto out;
	close(ready);
	(void)event_base_dispatch(b->base);
	status = 0;
out:
	if (b->listener != -1 &&
	    broker_path(conf, sid, ".sock", path, sizeof path) == 0)
		(void)unlink(path);
	release(b);
	free(b);
	return status;
}
