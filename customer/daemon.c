/*
 * daemon.c - the hidden face: between the session's tmux and the relay.
 *
 * This is where the customer's policy is enforced: what the relay sends is let
 * through by the table of proto.h in the state of permission that the customer
 * chose, whoever sent it.  The tmux side is panes.c, the relay's link.c, the
 * uplink's queue capture.c, the customer's faces.c; here they are tied
 * together, and here the session ends.
 */
#include "customer.h"

#include <sys/time.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "capture.h"
#include "faces.h"
#include "files.h"
#include "info.h"
#include "link.h"
#include "log.h"
#include "panes.h"
#include "proto.h"
#include "safetext.h"
#include "sessiondir.h"
#include "settings.h"
#include "spawn.h"
#include "tmuxcaps.h"

#define LOCK_MS		2000	/* for the lock of the one before us */
#define END_MS		3000	/* each step of the end */
#define HISTORY_MAX	10000	/* lines */
#define HOLD_MS		20	/* between two looks at a busy tmux */

/* How far the end of the session has got. */
enum ending {
	RUNNING,
	LEAVING,	/* the relay is told */
	CLOSING		/* tmux is told */
};

struct daemon {
	struct event_base	*base;
	struct sessiondir	 sd;
	struct settings		 set;
	char			 tmux[TMUXCAPS_VERSION_MAX];
	unsigned int		 perm;		/* PROTO_BLOCKED … */
	int			 lock;
	struct link		*link;
	struct panes		*panes;
	struct faces		*faces;
	struct capture		 capture;
	struct info		 info;
	struct event		*pump;
	struct event		*ender;		/* the end takes too long */
	struct event		*sigs[5];
	enum ending		 ending;
	bool			 tmux_gone;
	bool			 held;		/* the link is not read */

	/* Screens: one at a time is asked for. */
	bool			 shooting;
	bool			 again;		/* and one more after it */
	bool			 waiting;	/* a viewer waits for one */
	unsigned int		 history;	/* with so many lines above */
};

static uint64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void
arm(struct event *ev, int ms)
{
	struct timeval tv = { ms / 1000, (ms % 1000) * 1000 };

	(void)event_add(ev, &tv);
}

/* ---- the uplink ----------------------------------------------------------- */

static void
pump(struct daemon *d)
{
	int ms = capture_pump(&d->capture, now_ms());

	if (ms >= 0 && !event_pending(d->pump, EV_TIMEOUT, NULL))
		arm(d->pump, ms);
}

static void
pump_cb(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;

	(void)fd;
	(void)what;
	if (d->held && !panes_busy(d->panes)) {
		d->held = false;
		link_hold(d->link, false);
	}
	pump(d);
	if (d->held)
		arm(d->pump, HOLD_MS);
}

static void
shoot(struct daemon *d)
{
	if (d->shooting) {
		d->again = true;
		return;
	}
	d->shooting = true;
	panes_shoot(d->panes, d->history);
}

static void
capture_frame_cb(void *arg, enum proto_form form, const char *args,
    const void *payload, size_t len)
{
	struct daemon *d = arg;

	if (args[0] == '\0')
		link_send(d->link, form, payload, len, NULL);
	else
		link_send(d->link, form, payload, len, "%s", args);
}

static void
capture_resync_cb(void *arg)
{
	shoot(arg);
}

static const struct capture_ops capture_ops = { capture_frame_cb,
    capture_resync_cb };

/* ---- tmux ----------------------------------------------------------------- */

static void	end_session(struct daemon *d, const char *why);
static void	next_step(struct daemon *d);

static void
panes_ready_cb(void *arg)
{
	struct daemon *d = arg;

	faces_ready(d->faces);
	if (link_state(d->link) == LINK_IDLE)
		link_start(d->link);
}

static void
panes_output_cb(void *arg, const char *data, size_t len)
{
	struct daemon *d = arg;

	capture_output(&d->capture, data, len);
	pump(d);
}

/* A screen is for those who wait for one, or for all if octets were lost or
 * the size is new; else nobody needs it. */
static void
panes_shot_cb(void *arg, const struct panes_shot *shot)
{
	struct daemon *d = arg;
	bool resized = shot != NULL && (shot->cols != d->capture.cols ||
	    shot->rows != d->capture.rows);

	d->shooting = false;
	if (shot != NULL && (d->waiting || d->capture.gap || resized)) {
		if (d->waiting && shot->history != NULL) {
			capture_history(&d->capture, shot->history);
			d->history = 0;
		}
		capture_screen(&d->capture, shot->cols, shot->rows, false,
		    shot->screen);
		d->waiting = d->history != 0;
	}
	if (d->again || d->waiting) {
		d->again = false;
		if (d->ending == RUNNING && shot != NULL)
			shoot(d);
	}
	pump(d);
}

static void
panes_changed_cb(void *arg, bool lost)
{
	struct daemon *d = arg;

	if (lost) {
		d->shooting = d->again = false;
		d->capture.gap = true;
	}
	if (d->ending == RUNNING && link_state(d->link) == LINK_UP)
		shoot(d);
}

static void
panes_end_cb(void *arg, bool tmux)
{
	struct daemon *d = arg;

	d->tmux_gone = d->tmux_gone || tmux;
	if (d->ending == CLOSING)
		next_step(d);
	else
		end_session(d, tmux ? "tmux was ended" :
		    "the shell was closed");
}

static const struct panes_ops panes_ops = { panes_ready_cb, panes_output_cb,
    panes_shot_cb, panes_changed_cb, panes_end_cb };

/* ---- what the relay sends ------------------------------------------------- */

/* Read no more from the relay while tmux has enough to do. */
static void
hold(struct daemon *d)
{
	d->held = true;
	link_hold(d->link, true);
	arm(d->pump, HOLD_MS);
}

/* Laid over the header, and kept in the chat with its time. */
static void
on_status(struct daemon *d, const struct proto_frame *f)
{
	faces_notice(d->faces, f->payload.s, f->payload.len);
	(void)faces_line(d->faces, TALK_NOTICE, NULL, time(NULL), NULL,
	    f->payload.s, f->payload.len);
}

static void
on_snapshot(struct daemon *d, const struct proto_frame *f)
{
	uint64_t lines = proto_num(f, 0);

	d->waiting = true;
	if (lines > d->history)
		d->history = lines > HISTORY_MAX ? HISTORY_MAX :
		    (unsigned int)lines;
	shoot(d);
}

static void
on_support_chat(struct daemon *d, const struct proto_frame *f)
{
	char id[TALK_ID_MAX], name[PROTO_NAME_MAX + 1];
	uint64_t when = proto_num(f, 1), now = (uint64_t)time(NULL);

	if (f->args[0].len >= sizeof id ||
	    proto_name_decode(f->args[3], name, sizeof name) == -1)
		return;
	memcpy(id, f->args[0].s, f->args[0].len);
	id[f->args[0].len] = '\0';
	if (when > now + 86400 || when + 7 * 86400 < now)
		when = now;	/* no clock is that wrong */
	(void)faces_line(d->faces, TALK_PEER, id, (time_t)when,
	    name[0] != '\0' ? name : "support", f->payload.s, f->payload.len);
	link_send(d->link, PROTO_CHAT_ACK, NULL, 0, "%s", id);
}

/* The name is only claimed; the key was verified by the relay. */
static void
say_joined(struct daemon *d, const struct info_viewer *v)
{
	bool types = d->perm != PROTO_BLOCKED && !v->ro;
	bool key = v->key[0] != '\0';

	faces_say(d->faces, TALK_NOTICE, "\"%s\"%s%s%s watches and %s type",
	    v->name, key ? " (key " : "", v->key, key ? ")" : "",
	    types ? "may" : "cannot");
}

static void
on_session_info(struct daemon *d, const struct proto_frame *f)
{
	struct info *now = malloc(sizeof *now);
	const struct info_viewer *v, *before;
	unsigned int i;

	if (now == NULL || info_parse(now, f->payload.s, f->payload.len) ==
	    -1) {
		free(now);
		return;
	}
	for (i = 0; i < now->count; i++) {
		v = &now->viewers[i];
		before = info_find(&d->info, v->n);
		if (before == NULL)
			say_joined(d, v);
		else if (before->ro != v->ro)
			faces_say(d->faces, TALK_NOTICE, "%s %s", v->name,
			    v->ro ? "can no longer type" : "may type now");
	}
	for (i = 0; i < d->info.count; i++)
		if (info_find(now, d->info.viewers[i].n) == NULL)
			faces_say(d->faces, TALK_NOTICE, "%s left",
			    d->info.viewers[i].name);
	d->info = *now;
	free(now);
	faces_info(d->faces, f->payload.s, f->payload.len);
}

static void
on_chat_ack(struct daemon *d, const struct proto_frame *f)
{
	char id[TALK_ID_MAX];

	if (f->args[0].len >= sizeof id)
		return;
	memcpy(id, f->args[0].s, f->args[0].len);
	id[f->args[0].len] = '\0';
	faces_kept(d->faces, id);
}

static void
on_ack(struct daemon *d, const struct proto_frame *f)
{
	if (capture_acked(&d->capture, proto_num(f, 0), now_ms()) == -1)
		log_warnx("the relay acknowledges what was not sent");
	pump(d);
}

static void
link_frame_cb(void *arg, enum proto_form form, const struct proto_frame *f)
{
	static const char no_tunnels[] = "this customer's linbit-tunl makes no "
	    "tunnels";
	struct daemon *d = arg;

	if ((proto_row(form)->perms & d->perm) == 0) {
		log_info("%s is not permitted: dropped",
		    proto_row(form)->verb);
		return;
	}
	if (d->ending != RUNNING)
		return;
	switch (form) {
	case PROTO_ACK:
		on_ack(d, f);
		break;
	case PROTO_KEYS_MAIN:
		panes_keys(d->panes, f->payload.s, f->payload.len);
		break;
	case PROTO_SNAPSHOT:
		on_snapshot(d, f);
		break;
	case PROTO_RESIZE:
		panes_resize(d->panes, (unsigned int)proto_num(f, 0),
		    (unsigned int)proto_num(f, 1));
		break;
	case PROTO_ZOOM:
		panes_zoom(d->panes);
		break;
	case PROTO_STATUS:
		on_status(d, f);
		break;
	case PROTO_SUPPORT_CHAT:
		on_support_chat(d, f);
		break;
	case PROTO_CHAT_ACK:
		on_chat_ack(d, f);
		break;
	case PROTO_SESSION_INFO:
		on_session_info(d, f);
		break;
	case PROTO_TERMINATE:
		end_session(d, "support ended the session");
		break;
	case PROTO_UPGRADE:
		link_send(d->link, PROTO_TUNNEL_REJECTED, no_tunnels,
		    sizeof no_tunnels - 1, NULL);
		break;
	default:
		log_info("%s: not known here", proto_row(form)->verb);
	}
	if (panes_busy(d->panes) && !d->held)
		hold(d);
}

/* ---- the link ------------------------------------------------------------- */

static void
send_chat(struct daemon *d, const struct talk_line *ln)
{
	link_send(d->link, PROTO_CUSTOMER_CHAT, ln->text, strlen(ln->text),
	    "%s", ln->id);
}

/* What the relay must know after every HELLO. */
static void
link_up(struct daemon *d)
{
	const struct talk *talk = faces_talk(d->faces);
	const struct talk_line *ln;
	unsigned int i;

	log_info("connected to the relay");
	link_send(d->link, PROTO_PERM, NULL, 0, "%s", proto_perm_name(d->perm));
	for (i = 0; i < TALK_LINES; i++) {
		ln = talk_at(talk, i);
		if (ln != NULL && ln->pending)
			send_chat(d, ln);
	}
	capture_up(&d->capture);
	shoot(d);
}

/* CLOSED, in the customer's words. */
static const char *
closed_text(const char *word, const char *text)
{
	static const struct {
		const char	*word, *says;
	} words[] = {
		{ "ended", "the session has ended on the relay" },
		{ "cancelled", "support cancelled the session; your shell "
		    "stays" },
		{ "replaced", "this session was taken over by another start "
		    "of linbit-tunl; your shell stays" },
		{ "lost", "the relay gave the session up after a long "
		    "silence; ask support for a new session ID" },
	};
	size_t i;

	for (i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].says;
	return text[0] != '\0' ? text : "the relay closed the session";
}

static void
link_over(struct daemon *d, const char *why)
{
	const char *word = link_closed(d->link);

	if (d->ending != RUNNING) {
		next_step(d);
		return;
	}
	if (strcmp(word, "terminated") == 0) {
		end_session(d, "support ended the session");
		return;
	}
	why = closed_text(word, why);
	faces_say(d->faces, TALK_WARN, "%s", why);
	faces_link(d->faces, "over", why);
}

static void
link_state_cb(void *arg, enum link_state state, const char *why)
{
	static const char *const words[] = { "idle", "connecting", "up",
	    "waiting", "away", "over" };
	struct daemon *d = arg;

	if (state != LINK_UP)
		capture_down(&d->capture);
	if (state == LINK_WAITING)
		log_info("not connected: %s", why[0] != '\0' ? why : "lost");
	if (state == LINK_OVER) {
		link_over(d, why);
		return;
	}
	faces_link(d->faces, words[state], why);
	if (state == LINK_UP)
		link_up(d);
	else if (state == LINK_AWAY) {
		if (d->ending == RUNNING)
			faces_say(d->faces, TALK_WARN, "disconnected: support "
			    "neither sees nor types. To connect again, press "
			    "%s d and start linbit-tunl with the same session "
			    "ID", d->set.prefix);
		else
			next_step(d);
	}
}

static const struct link_ops link_ops = { link_state_cb, link_frame_cb };

/* ---- the customer --------------------------------------------------------- */

static void
faces_chat_cb(void *arg, const struct talk_line *line)
{
	send_chat(arg, line);
}

static void
faces_leave_cb(void *arg, bool away)
{
	struct daemon *d = arg;

	if (away)
		link_away(d->link);
	else
		end_session(d, "you ended the session");
}

static void
faces_launch_cb(void *arg)
{
	struct daemon *d = arg;

	if (link_state(d->link) == LINK_AWAY && d->ending == RUNNING)
		link_start(d->link);
}

static const struct faces_ops faces_ops = { faces_chat_cb, faces_leave_cb,
    faces_launch_cb };

/* The first words: who can do what, and which keys matter. */
static void
greet(struct daemon *d)
{
	const char *key = d->set.prefix;

	if (d->perm == PROTO_BLOCKED)
		faces_say(d->faces, TALK_NOTICE, "Support sees the shell above "
		    "and can chat. Nobody but you can type in it, and you "
		    "cannot be asked to change that.");
	else
		faces_say(d->faces, TALK_NOTICE, "Support sees the shell above "
		    "and can type in it: whoever types there can do what you "
		    "could. You see all of it.");
	faces_say(d->faces, TALK_NOTICE, "Keys: %s c shell or chat, %s Q "
	    "disconnect support (your shell stays), %s K end everything.",
	    key, key, key);
}

/* ---- the end -------------------------------------------------------------- */

/* The launcher reads it through the lock's descriptor when we are gone. */
static void
leave_word(const struct daemon *d, const char *why)
{
	if (ftruncate(d->lock, 0) == -1 ||
	    pwrite(d->lock, why, strlen(why), 0) == -1)
		log_warn("cannot write down how it ended");
}

static void
next_step(struct daemon *d)
{
	if (d->ending == LEAVING && !d->tmux_gone) {
		d->ending = CLOSING;
		arm(d->ender, END_MS);
		panes_kill(d->panes);
	} else
		(void)event_base_loopexit(d->base, NULL);
}

static void
ender_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	next_step(arg);
}

/* End it for good: tell the relay, tell the customer, end tmux. */
static void
end_session(struct daemon *d, const char *why)
{
	if (d->ending != RUNNING)
		return;
	log_info("the session ends: %s", why);
	d->ending = LEAVING;
	leave_word(d, why);
	faces_closed(d->faces, why);
	arm(d->ender, END_MS);
	if (link_state(d->link) == LINK_OVER)
		next_step(d);
	else
		link_bye(d->link);
}

static void
signal_cb(evutil_socket_t sig, short what, void *arg)
{
	struct daemon *d = arg;

	(void)what;
	if (sig == SIGCHLD) {
		link_reap(d->link);
		panes_reap(d->panes);
	} else if (sig != SIGHUP)	/* tmux's end is seen by panes.c */
		end_session(d, "it was ended by a signal");
}

/* ---- life ----------------------------------------------------------------- */

static int
take_lock(const struct sessiondir *sd)
{
	int i, fd;

	for (i = 0; i < LOCK_MS / 20; i++) {
		fd = sessiondir_lock(sd, FILE_LOCK);
		if (fd != -1 || errno != EWOULDBLOCK)
			return fd;
		(void)usleep(20000);
	}
	return -1;
}

static void
open_log(const struct sessiondir *sd)
{
	int fd = openat(sd->fd, FILE_LOG, O_WRONLY | O_CREAT | O_APPEND |
	    O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd != -1)
		log_to_fd(fd);
}

static int
watch_signals(struct daemon *d)
{
	static const int sigs[] = { SIGCHLD, SIGHUP, SIGTERM, SIGINT,
	    SIGQUIT };
	size_t i;

	(void)signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < sizeof sigs / sizeof sigs[0]; i++) {
		d->sigs[i] = evsignal_new(d->base, sigs[i], signal_cb, d);
		if (d->sigs[i] == NULL || event_add(d->sigs[i], NULL) == -1)
			return -1;
	}
	return 0;
}

static void
daemon_init(struct daemon *d, const char *path)
{
	memset(d, 0, sizeof *d);
	if (sessiondir_open(&d->sd, path) == -1)
		fatal("%s", path);
	open_log(&d->sd);
	if (sessiondir_load(&d->sd, &d->set) == -1)
		fatal("%s/" FILE_SETTINGS, path);
	d->lock = take_lock(&d->sd);
	if (d->lock == -1)
		fatal("another daemon runs for %s", path);
	d->perm = d->set.restricted ? PROTO_BLOCKED : PROTO_CONFIRM;
	if (tmuxcaps_version(d->tmux) == -1)
		(void)snprintf(d->tmux, sizeof d->tmux, "unknown");
}

static void
daemon_start(struct daemon *d)
{
	d->base = event_base_new();
	if (d->base == NULL || watch_signals(d) == -1)
		fatalx("libevent does not start");
	d->pump = evtimer_new(d->base, pump_cb, d);
	d->ender = evtimer_new(d->base, ender_cb, d);
	capture_init(&d->capture, &capture_ops, d);
	d->faces = faces_new(d->base, &d->sd, &faces_ops, d);
	if (d->faces == NULL)
		fatal("%s/" FILE_DAEMON, d->sd.path);
	d->link = link_new(d->base, &d->sd, &d->set, d->tmux, &link_ops, d);
	d->panes = panes_new(d->base, &d->sd, &panes_ops, d);
	if (d->pump == NULL || d->ender == NULL || d->link == NULL ||
	    d->panes == NULL)
		fatal("cannot start");
	faces_perm(d->faces, proto_perm_name(d->perm));
	greet(d);
}

static void
daemon_free(struct daemon *d)
{
	size_t i;

	link_free(d->link);
	panes_free(d->panes);
	faces_free(d->faces);
	capture_release(&d->capture);
	tmux_kill(&d->sd);	/* if it has not gone by itself */
	event_free(d->pump);
	event_free(d->ender);
	for (i = 0; i < sizeof d->sigs / sizeof d->sigs[0]; i++)
		event_free(d->sigs[i]);
	event_base_free(d->base);
}

int
daemon_main(const char *path)
{
	static struct daemon d;

	log_init("linbit-tunl", 1, 0);
	daemon_init(&d, path);
	daemon_start(&d);
	(void)event_base_dispatch(d.base);
	daemon_free(&d);
	sessiondir_remove(&d.sd);
	return 0;	/* and the lock goes with us */
}
