/*
 * fromrelay.c - the daemon's ear for the relay: what it sends, and what becomes of
 * the link.
 *
 * This is where the customer's policy is enforced: what the relay sends is let
 * through by the table of proto.h in the state of permission that the customer
 * chose, whoever sent it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon.h"
#include "faces.h"
#include "link.h"
#include "log.h"
#include "panes.h"
#include "proto.h"
#include "talk.h"

#define HISTORY_MAX	10000	/* lines */

/* ---- what the relay sends ------------------------------------------------- */

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
	daemon_shoot(d);
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
	if (capture_acked(&d->capture, proto_num(f, 0), daemon_now_ms()) == -1)
		log_warnx("the relay acknowledges what was not sent");
	daemon_pump(d);
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
		daemon_type(d, f->payload.s, f->payload.len);
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
		daemon_end(d, "support ended the session");
		break;
	case PROTO_UPGRADE:
		link_send(d->link, PROTO_TUNNEL_REJECTED, no_tunnels,
		    sizeof no_tunnels - 1, NULL);
		break;
	default:
		log_info("%s: not known here", proto_row(form)->verb);
	}
	if (panes_busy(d->panes) && !d->held)
		daemon_hold(d);
}

/* ---- the link ------------------------------------------------------------- */

void
relay_send_chat(struct daemon *d, const struct talk_line *ln)
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
			relay_send_chat(d, ln);
	}
	capture_up(&d->capture);
	daemon_shoot(d);
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
		daemon_next_step(d);
		return;
	}
	if (strcmp(word, "terminated") == 0) {
		daemon_end(d, "support ended the session");
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

	localcast_link(&d->cast, state == LINK_UP);
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
			daemon_next_step(d);
	}
}

const struct link_ops relay_link_ops = { link_state_cb, link_frame_cb };

