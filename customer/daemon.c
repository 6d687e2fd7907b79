/*
 * daemon.c - the hidden face: between the session's tmux and the relay.
 *
 * The tmux side is panes.c, the relay's link.c and fromrelay.c, the uplink's
 * queue capture.c, the customer's faces.c; here they are tied together, and
 * here the session ends.
 */
#include "daemon.h"

#include <sys/time.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "capture.h"
#include "customer.h"
#include "faces.h"
#include "files.h"
#include "info.h"
#include "link.h"
#include "log.h"
#include "mono.h"
#include "panes.h"
#include "proto.h"
#include "safetext.h"
#include "server.h"
#include "sessiondir.h"
#include "settings.h"
#include "tmuxcaps.h"

#define LOCK_MS		2000	/* for the lock of the one before us */
#define END_MS		3000	/* each step of the end */
#define HOLD_MS		20	/* between two looks at a busy tmux */
#define HOLD_MAX_MS	3000	/* a link that is not read is soon a lost one */
#define STUCK_MS	200	/* between two looks at a program that is stuck */
#define RESHOOT_MS	1000	/* after a screen that could not be taken */

uint64_t
daemon_now_ms(void)
{
	return (uint64_t)mono_ms();
}

static void
arm(struct event *ev, int ms)
{
	struct timeval tv = { ms / 1000, (ms % 1000) * 1000 };

	(void)event_add(ev, &tv);
}

/* ---- the uplink ----------------------------------------------------------- */

void
daemon_pump(struct daemon *d)
{
	int ms = capture_pump(&d->capture, daemon_now_ms());

	if (ms >= 0 && !event_pending(d->pump, EV_TIMEOUT, NULL))
		arm(d->pump, ms);
}

/* To whoever watches. */
__attribute__((format(printf, 2, 3)))
static void
tell_support(struct daemon *d, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	link_send(d->link, PROTO_STATUS, text, strlen(text), NULL);
}

/*
 * On with the link when tmux has caught up.  A program that does not read its
 * terminal at all must not cost the link: what is typed then is dropped.
 */
static void
look_at_hold(struct daemon *d)
{
	if (!panes_busy(d->panes)) {
		d->held = false;
		link_hold(d->link, false);
		if (d->stuck)
			tell_support(d, "the program reads again; of what was "
			    "typed %zu octets are lost", d->dropped);
		d->stuck = false;
	} else if (!d->stuck && daemon_now_ms() - d->held_ms >= HOLD_MAX_MS) {
		d->stuck = true;
		d->dropped = 0;
		link_hold(d->link, false);
		tell_support(d, "the program in the shell does not read what is "
		    "typed; from here on it is dropped");
	}
}

static void
pump_cb(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;

	(void)fd;
	(void)what;
	if (d->held)
		look_at_hold(d);
	daemon_pump(d);
	if (d->held && !event_pending(d->pump, EV_TIMEOUT, NULL))
		arm(d->pump, d->stuck ? STUCK_MS : HOLD_MS);
}

void
daemon_shoot(struct daemon *d)
{
	if (d->shooting) {
		d->again = true;
		return;
	}
	d->shooting = true;
	panes_shoot(d->panes, d->history);
}

void
daemon_hold(struct daemon *d)
{
	d->held = true;
	d->held_ms = daemon_now_ms();
	link_hold(d->link, true);
	arm(d->pump, HOLD_MS);
}

void
daemon_type(struct daemon *d, const void *data, size_t len)
{
	if (d->stuck)
		d->dropped += len;
	else
		panes_keys(d->panes, data, len);
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
	daemon_shoot(arg);
}

static const struct capture_ops capture_ops = { capture_frame_cb,
    capture_resync_cb };

/* ---- tmux ----------------------------------------------------------------- */

static void
panes_ready_cb(void *arg)
{
	struct daemon *d = arg;

	daemon_shoot(d);	/* for its size */
	faces_ready(d->faces);
	if (link_state(d->link) == LINK_IDLE)
		link_start(d->link);
}

static void
panes_output_cb(void *arg, const char *data, size_t len)
{
	struct daemon *d = arg;

	localcast_output(&d->cast, data, len);
	capture_output(&d->capture, data, len);
	daemon_pump(d);
}

static void
reshoot_cb(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;

	(void)fd;
	(void)what;
	if (d->ending == RUNNING)
		daemon_shoot(d);
}

/* A screen is for those who wait for one, or for all if octets were lost (by us
 * or before us) or the size is new; else nobody needs it. */
static void
panes_shot_cb(void *arg, const struct panes_shot *shot)
{
	struct daemon *d = arg;
	bool resized = shot != NULL && (shot->cols != d->capture.cols ||
	    shot->rows != d->capture.rows);	/* NULL: it could not be taken */

	if (shot == NULL || shot->asked)
		d->shooting = false;
	localcast_shot(&d->cast, shot);
	if (shot == NULL) {
		log_warnx("cannot take a screen; trying again");
		arm(d->reshoot, RESHOOT_MS);
		return;
	}
	if (d->waiting || d->capture.gap || resized || shot->gap) {
		if (d->waiting && shot->history != NULL) {
			capture_history(&d->capture, shot->history);
			d->history = 0;
		}
		capture_screen(&d->capture, shot->cols, shot->rows, shot->gap,
		    shot->screen);
		d->waiting = d->history != 0;
	}
	if (d->again || d->waiting) {
		d->again = false;
		if (d->ending == RUNNING)
			daemon_shoot(d);
	}
	daemon_pump(d);
}

static void
panes_changed_cb(void *arg)
{
	struct daemon *d = arg;
	bool frozen = panes_frozen(d->panes);

	if (frozen != d->frozen)
		tell_support(d, frozen ? "the customer is scrolling: the shell "
		    "stands still until then, or until you type" :
		    "the customer is no longer scrolling");
	d->frozen = frozen;
	if (d->ending == RUNNING)
		daemon_shoot(d);
}

static void
panes_stale_cb(void *arg)
{
	struct daemon *d = arg;

	d->capture.gap = true;
	localcast_lost(&d->cast);
	if (d->ending == RUNNING)
		daemon_shoot(d);
}

static void
panes_end_cb(void *arg, bool tmux)
{
	struct daemon *d = arg;

	d->tmux_gone = d->tmux_gone || tmux;
	if (d->ending == CLOSING)
		daemon_next_step(d);
	else
		daemon_end(d, tmux ? "tmux was ended" :
		    "the shell was closed");
}

static const struct panes_ops panes_ops = { panes_ready_cb, panes_output_cb,
    panes_shot_cb, panes_changed_cb, panes_stale_cb, panes_end_cb };

/* ---- the customer --------------------------------------------------------- */

static void
faces_said_cb(void *arg, const struct talk_line *line)
{
	struct daemon *d = arg;
	char text[CAST_MARK_MAX];

	if (line->style == TALK_MINE || line->style == TALK_PEER)
		(void)snprintf(text, sizeof text, "chat <%s> %s",
		    line->style == TALK_MINE ? "you" : line->name, line->text);
	else
		(void)snprintf(text, sizeof text, "%s", line->text);
	localcast_mark(&d->cast, text);
}

static void
faces_chat_cb(void *arg, const struct talk_line *line)
{
	relay_send_chat(arg, line);
}

static void
faces_leave_cb(void *arg, bool away)
{
	struct daemon *d = arg;

	if (away)
		link_away(d->link);
	else
		daemon_end(d, "you ended the session");
}

static void
faces_launch_cb(void *arg)
{
	struct daemon *d = arg;

	if (link_state(d->link) == LINK_AWAY && d->ending == RUNNING)
		link_start(d->link);
}

static const struct faces_ops faces_ops = { faces_said_cb, faces_chat_cb,
    faces_leave_cb, faces_launch_cb };

static void
cast_say_cb(void *arg, const char *text)
{
	struct daemon *d = arg;

	faces_say(d->faces, TALK_WARN, "%s", text);
}

static void
cast_shoot_cb(void *arg)
{
	struct daemon *d = arg;

	if (d->ending == RUNNING && d->panes != NULL)
		daemon_shoot(d);
}

static const struct localcast_ops cast_ops = { cast_say_cb, cast_shoot_cb };

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
	if (d->cast.cast.state == CAST_OPEN)
		faces_say(d->faces, TALK_NOTICE, "When it ends, your own "
		    "record of the shell is in %s", d->set.cast_dir);
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

/* What became of the customer's own copy, behind that word. */
static void
leave_path(const struct daemon *d, int moved, const char *path)
{
	char text[PATH_MAX + SETTINGS_TEXT + 256];
	off_t end = lseek(d->lock, 0, SEEK_END);

	if (moved == 1)
		(void)snprintf(text, sizeof text, "\nyour copy of the record "
		    "is %s", path);
	else
		(void)snprintf(text, sizeof text, "\nyour copy of the record "
		    "cannot be moved to %s (%s): it is %s, and the next start "
		    "tries again", d->set.cast_dir, strerror(errno), path);
	if (pwrite(d->lock, text, strlen(text), end) == -1)
		log_warn("cannot write down where the record is");
}

/* Take the directory away, and the recording out of it before. */
static void
clear(struct daemon *d)
{
	char path[PATH_MAX];
	int moved = localcast_end(&d->cast, path, sizeof path);

	if (moved != 0)
		leave_path(d, moved, path);
	if (moved == -1)
		sessiondir_strip(&d->sd);
	else
		sessiondir_remove(&d->sd);
}

void
daemon_next_step(struct daemon *d)
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
	daemon_next_step(arg);
}

void
daemon_end(struct daemon *d, const char *why)
{
	if (d->ending != RUNNING)
		return;
	log_info("the session ends: %s", why);
	d->ending = LEAVING;
	leave_word(d, why);
	localcast_mark(&d->cast, why);
	if (localcast_is_kept(&d->cast))
		faces_say(d->faces, TALK_NOTICE, "your copy of the record "
		    "goes to %s", d->set.cast_dir);
	faces_closed(d->faces, why);
	arm(d->ender, END_MS);
	if (link_state(d->link) == LINK_OVER)
		daemon_next_step(d);
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
		daemon_end(d, "it was ended by a signal");
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
		(void)poll(NULL, 0, 20);
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
	if (tmuxcaps_load(&d->tmux, d->set.tmux_caps) == -1)
		fatal("tmux -V");
}

static void
daemon_start(struct daemon *d)
{
	d->base = event_base_new();
	if (d->base == NULL || watch_signals(d) == -1)
		fatalx("libevent does not start");
	d->pump = evtimer_new(d->base, pump_cb, d);
	d->ender = evtimer_new(d->base, ender_cb, d);
	d->reshoot = evtimer_new(d->base, reshoot_cb, d);
	capture_init(&d->capture, &capture_ops, d);
	d->faces = faces_new(d->base, &d->sd, &faces_ops, d);
	if (d->faces == NULL)
		fatal("%s/" FILE_DAEMON, d->sd.path);
	d->link = link_new(d->base, &d->sd, &d->set, d->tmux.version,
	    &relay_link_ops, d);
	localcast_open(&d->cast, d->base, &d->sd, &d->set, &cast_ops, d);
	d->panes = panes_new(d->base, &d->sd, &d->tmux, &panes_ops, d);
	if (d->pump == NULL || d->ender == NULL || d->reshoot == NULL ||
	    d->link == NULL || d->panes == NULL)
		fatal("cannot start");
	faces_perm(d->faces, proto_perm_name(d->perm));
	greet(d);
}

/* What the faces' connections wait for comes before they are closed. */
static void
daemon_free(struct daemon *d)
{
	size_t i;

	link_free(d->link);
	panes_free(d->panes);
	server_kill(&d->sd);	/* if it has not gone by itself */
	clear(d);
	faces_free(d->faces);
	capture_release(&d->capture);
	event_free(d->pump);
	event_free(d->ender);
	event_free(d->reshoot);
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
	return 0;	/* and the lock goes with us */
}
