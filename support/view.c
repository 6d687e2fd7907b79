/*
 * view.c - `tunl view`: the customer's terminal on this one.
 *
 * What comes passes the escape filter and is acknowledged when the terminal has
 * taken it; what is typed goes the other way.  Octets are only right on a
 * terminal of exactly the customer's size, so that in a join session the window
 * follows it: the stream stops until the terminal has the new size.
 */
#include <event2/buffer.h>
#include <event2/event.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "joinwin.h"
#include "log.h"
#include "safetext.h"
#include "say.h"
#include "view.h"

#define KEYS_MAX	4096		/* octets in one KEYS frame */
#define ACK_OCTETS	4096		/* acknowledge at least so often, */
#define ACK_MS		50		/* and at least so soon */
#define OUT_MAX		(256u << 10)	/* octets that wait for the terminal */
#define HISTORY_MAX	(1u << 20)	/* octets above the first screen */

static void
timer_set(struct event *ev, unsigned int ms)
{
	const struct timeval tv = { .tv_sec = ms / 1000,
	    .tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	evtimer_add(ev, &tv);
}

/* ---- notices -------------------------------------------------------------- */

/*
 * Lay TEXT over the last row, dimmed.  The cursor stays there, so that a small
 * window shows it.  The next SCREEN paints everything anew.
 */
static void
overlay(struct view *v, const char *text)
{
	char safe[SAFETEXT_SIZE(VIEW_NOTICE_MAX)];
	char out[sizeof safe + 128];
	struct size s = viewsize_now(v);
	int n;

	if (s.cols < 2 || term_waiting(v->term) > OUT_MAX)
		return;
	(void)safetext(safe, sizeof safe, text, strlen(text));
	n = snprintf(out, sizeof out, "\030\033\\\033[?2026l\033[?6l\033[4l"
	    "\033[?7l\033(B\017\033[%u;1H\033[0;2;7m %s \033[0m\033[K\033[?7h",
	    s.rows, safe);
	if (n > 0 && (size_t)n < sizeof out)
		term_write(v->term, out, (size_t)n);
}

static void
notice_show(struct view *v)
{
	char text[VIEW_NOTICE_MAX];

	if (v->over)
		(void)snprintf(text, sizeof text, "Session over (Enter closes "
		    "this window): %.300s", v->why);
	else if (v->why[0] == '\0')
		(void)snprintf(text, sizeof text, "connecting");
	else if (v->next_ms == 0)
		(void)snprintf(text, sizeof text, "no link for %lld s, "
		    "connecting: %.300s", (long long)(v->down_ms / 1000),
		    v->why);
	else
		(void)snprintf(text, sizeof text, "no link for %lld s (again "
		    "in %lld s, Enter: now): %.300s",
		    (long long)(v->down_ms / 1000),
		    (long long)((v->next_ms + 999) / 1000), v->why);
	overlay(v, text);
}

static void
notice_cb(evutil_socket_t fd, short what, void *arg)
{
	struct view *v = arg;

	(void)fd;
	(void)what;
	if (leg_is_up(v->leg) || v->over)
		return;
	v->down_ms += 1000;
	v->next_ms -= v->next_ms > 1000 ? 1000 : v->next_ms;
	notice_show(v);
	timer_set(v->ev_notice, 1000);
}

void
view_tell(const struct view *v, const char *text)
{
	if (v->win.in_tmux)
		joinwin_notice(text, strlen(text));
}

/* A notice of the relay. */
static void
status_show(const struct view *v, const char *text, size_t len)
{
	if (v->win.in_tmux)
		joinwin_notice(text, len);
}

/* ---- flow credit ---------------------------------------------------------- */

/* Acknowledge what the terminal has taken; a little of it not at once. */
static void
ack(struct view *v, bool now)
{
	size_t waits = term_waiting(v->term);
	uint64_t total = v->taken > waits ? v->taken - waits : 0;

	if (total <= v->acked)
		return;
	if (!now && total - v->acked < ACK_OCTETS) {
		if (!evtimer_pending(v->ev_ack, NULL))
			timer_set(v->ev_ack, ACK_MS);
		return;
	}
	if (leg_send(v->leg, PROTO_ACK, NULL, 0, "%llu",
	    (unsigned long long)total) == 0)
		v->acked = total;
	evtimer_del(v->ev_ack);
}

static void
ack_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	ack(arg, true);
}

/* ---- the leg -------------------------------------------------------------- */

void
view_go_on(struct view *v)
{
	if (!v->holding || evtimer_pending(v->ev_resize, NULL) ||
	    term_waiting(v->term) > OUT_MAX)
		return;
	v->holding = false;
	leg_resume(v->leg);
}

static void
winch_cb(evutil_socket_t sig, short what, void *arg)
{
	struct view *v = arg;

	(void)sig;
	(void)what;
	viewsize_changed(v);
	if (!leg_is_up(v->leg))
		notice_show(v);
	view_go_on(v);
}

static void
draw(struct view *v, const struct proto_str *octets)
{
	char out[PROTO_PAYLOAD_MAX + VTFILTER_SEQ_MAX];

	term_write(v->term, out, vtfilter_run(&v->filter, octets->s,
	    octets->len, out));
	v->taken += octets->len;
	ack(v, false);
}

static void
up_cb(void *arg)
{
	struct view *v = arg;

	v->taken = v->acked = 0;
	v->down_ms = 0;
	v->why[0] = '\0';
	evbuffer_drain(v->history, evbuffer_get_length(v->history));
	vtfilter_reset(&v->filter);
	evtimer_del(v->ev_notice);
	viewsize_up(v);
}

/*
 * What was above the screen before we came is kept until the SCREEN is here,
 * and with it the size that both were taken at.
 */
static void
take_history(struct view *v, const struct proto_frame *f)
{
	if (evbuffer_get_length(v->history) + f->payload.len <= HISTORY_MAX)
		(void)evbuffer_add(v->history, f->payload.s, f->payload.len);
	v->taken += f->payload.len;
	ack(v, false);
}

/*
 * Draw it, once, in place of what is there: in a join session this program may
 * have been started anew in its pane.
 */
static void
history_draw(struct view *v)
{
	static const char forget[] = "\033[3J";
	char in[16384], out[sizeof in + VTFILTER_SEQ_MAX];
	int n;

	if (evbuffer_get_length(v->history) > 0 && v->win.in_tmux)
		term_write(v->term, forget, sizeof forget - 1);
	while ((n = evbuffer_remove(v->history, in, sizeof in)) > 0)
		term_write(v->term, out, vtfilter_run(&v->filter, in,
		    (size_t)n, out));
	leg_features(v->leg, NULL);	/* none is wanted any more */
}

/* A SCREEN is drawn only on a terminal of its size. */
static enum leg_taken
take_screen(struct view *v, const struct proto_frame *f)
{
	struct size s = { (unsigned int)proto_num(f, 0),
	    (unsigned int)proto_num(f, 1) };

	viewsize_follow(v, s);
	if (!viewsize_is_right(v)) {
		v->holding = true;
		return LEG_HOLD;
	}
	history_draw(v);
	draw(v, &f->payload);
	return LEG_DONE;
}

static enum leg_taken
frame_cb(void *arg, enum proto_form form, const struct proto_frame *f)
{
	struct view *v = arg;
	struct size s;

	if (term_waiting(v->term) > OUT_MAX) {
		v->holding = true;
		return LEG_HOLD;
	}
	switch (form) {
	case PROTO_OUTPUT:
		draw(v, &f->payload);
		break;
	case PROTO_HISTORY:
		take_history(v, f);
		break;
	case PROTO_SCREEN:
		return take_screen(v, f);
	case PROTO_SIZE:
		s.cols = (unsigned int)proto_num(f, 0);
		s.rows = (unsigned int)proto_num(f, 1);
		viewsize_follow(v, s);
		break;
	case PROTO_STATUS:
		status_show(v, f->payload.s, f->payload.len);
		break;
	default:
		break;
	}
	return LEG_DONE;
}

static void
down_cb(void *arg, const char *why, unsigned int ms)
{
	struct view *v = arg;

	v->holding = false;
	viewsize_down(v);
	(void)snprintf(v->why, sizeof v->why, "%s", why);
	v->next_ms = ms;
	notice_show(v);
	if (!evtimer_pending(v->ev_notice, NULL))
		timer_set(v->ev_notice, 1000);
}

static void
over_cb(void *arg, const char *why)
{
	struct view *v = arg;

	(void)snprintf(v->why, sizeof v->why, "%s", why);
	v->over = true;
	v->holding = false;
	viewsize_down(v);
	notice_show(v);
	if (v->win.in_tmux)
		joinwin_over(v->win.conf.sid);
}

static void
title_cb(void *arg, const char *title)
{
	struct view *v = arg;
	char out[VTFILTER_TITLE_MAX + 16];
	int n;

	/* the pane's title, which the status line shows */
	n = snprintf(out, sizeof out, "\033]2;%s\033\\", title);
	if (n > 0 && v->term != NULL)
		term_write(v->term, out, (size_t)n);
}

/* ---- the engineer --------------------------------------------------------- */

/* Keys without a session: Enter is for us. */
static void
keys_for_us(struct view *v, const char *keys, size_t len)
{
	if (memchr(keys, '\r', len) == NULL)
		return;
	if (!v->over) {
		leg_retry(v->leg);
		return;
	}
	if (v->win.in_tmux)
		joinwin_kill(v->win.conf.sid);
	event_base_loopbreak(v->win.base);
}

static void
keys_cb(void *arg, const char *keys, size_t len)
{
	static const char refused[] = "read-only: your keys go nowhere";
	struct view *v = arg;

	if (len == 0) {
		event_base_loopbreak(v->win.base);
		return;
	}
	if (!leg_is_up(v->leg)) {
		keys_for_us(v, keys, len);
		return;
	}
	if (v->win.conf.read_only) {
		if (!v->told_ro)
			status_show(v, refused, sizeof refused - 1);
		v->told_ro = true;
		return;
	}
	/* a read of the terminal is no longer than one frame may be */
	(void)leg_send(v->leg, PROTO_KEYS_MAIN, keys,
	    len < KEYS_MAX ? len : KEYS_MAX, "main");
}

static void
written_cb(void *arg)
{
	ack(arg, false);
	view_go_on(arg);
}

/* Only a new leg is sent a screen; this one goes when that is up. */
static void
redraw(struct view *v)
{
	if (!leg_is_up(v->leg)) {
		leg_retry(v->leg);
		return;
	}
	if (leg_redial(v->leg) == -1)
		return;
	v->taken = v->acked = 0;
	v->holding = false;
	viewsize_down(v);
}

/* A word of the join session's keys and hooks. */
static void
poke_cb(void *arg, const char *word)
{
	struct view *v = arg;

	if (v->leg == NULL)
		return;
	if (strcmp(word, "size") == 0)
		viewsize_look(v);
	else if (strcmp(word, "force") == 0)
		viewsize_force(v);
	else if (strcmp(word, "viewport") == 0)
		viewsize_viewport(v);
	else if (strcmp(word, "redraw") == 0)
		redraw(v);
	else if (strcmp(word, "zoom") == 0)
		(void)leg_send(v->leg, PROTO_ZOOM, NULL, 0, NULL);
}

/* ---- start ---------------------------------------------------------------- */

static int
view_start(struct view *v)
{
	static const struct leg_ops leg_ops = { up_cb, frame_cb, down_cb,
	    over_cb };
	static const struct term_ops term_ops = { keys_cb, written_cb };
	struct event_base *base = v->win.base;

	v->term = term_new(base, &term_ops, v);
	if (v->term == NULL)
		return say_error("view needs a terminal: %s", strerror(errno));
	v->ev_ack = evtimer_new(base, ack_cb, v);
	v->ev_notice = evtimer_new(base, notice_cb, v);
	v->history = evbuffer_new();
	v->ev_winch = evsignal_new(base, SIGWINCH, winch_cb, v);
	v->leg = leg_new(base, v->win.relay, &v->win.conf, &leg_ops, v);
	if (viewsize_init(v) == -1 || v->ev_ack == NULL ||
	    v->ev_notice == NULL || v->ev_winch == NULL ||
	    v->history == NULL || v->leg == NULL)
		return say_error("out of memory");
	leg_features(v->leg, "history=2000");
	event_add(v->ev_winch, NULL);
	notice_show(v);
	return 0;
}

static void
view_clear(struct view *v)
{
	struct event *events[] = { v->ev_ack, v->ev_notice, v->ev_winch };
	size_t i;

	leg_free(v->leg);
	viewsize_clear(v);
	if (v->history != NULL)
		evbuffer_free(v->history);
	term_free(v->term);
	for (i = 0; i < sizeof events / sizeof events[0]; i++)
		if (events[i] != NULL)
			event_free(events[i]);
	window_clear(&v->win);
}

int
cmd_view(struct tunl *t, const struct args *args)
{
	struct view v;
	int rv;

	memset(&v, 0, sizeof v);
	vtfilter_init(&v.filter, title_cb, &v);
	if (window_init(&v.win, t, args, PROTO_VIEW, "view", poke_cb, &v) == -1)
		return 1;
	rv = view_start(&v);
	if (rv == 0)
		event_base_dispatch(v.win.base);
	view_clear(&v);
	return rv;
}
