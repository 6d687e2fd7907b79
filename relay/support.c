/*
 * support.c - what the engineers' frames mean to the broker.
 *
 * Every frame is judged by the session first (session.c, from the protocol's
 * table), is in the audit log next, and takes effect last.
 */
#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "broker.h"
#include "num.h"
#include "safetext.h"

void
chat_send(struct peer *to, const struct chat_line *l)
{
	char name[3 * PROTO_NAME_MAX + 1];

	if (l->viewer == 0) {
		peer_send(to, PROTO_CUSTOMER_CHAT, l->text, l->len, "%s",
		    l->id);
		return;
	}
	if (proto_name_encode(l->name, name, sizeof name) == -1)
		return;
	peer_send(to, PROTO_SUPPORT_CHAT, l->text, l->len, "%s %llu %u %s",
	    l->id, (unsigned long long)l->when, l->viewer, name);
}

void
chat_spread(struct broker *b, const struct peer *from,
    const struct chat_line *l)
{
	struct peer *p;

	recording_chat(b, l);
	TAILQ_FOREACH(p, &b->peers, entry)
		if (p != from && p->state == PEER_UP && p->role == PROTO_CHAT)
			chat_send(p, l);
	if (l->viewer != 0 && b->producer != NULL &&
	    b->producer->state == PEER_UP)
		chat_send(b->producer, l);
}

const char *
support_attach(struct peer *p, const struct attach *a)
{
	struct broker *b = p->owner;
	struct session_who who = { a->client, a->name, a->comment,
	    a->fingerprint, a->ro, p->role };
	unsigned int follows;

	if (p->uid != b->support_uid)
		return "not from the account of the engineers";
	if (b->closing)
		return NULL;
	switch (session_join(&b->session, &who, &p->viewer, &follows)) {
	case SESSION_JOINED:
		broker_audit(b, p, p->role == PROTO_VIEW ? "view" :
		    p->role == PROTO_CHAT ? "open chat" : "control",
		    "from %s%s", a->remote[0] != '\0' ? a->remote : "-",
		    session_is_ro(&b->session, p->viewer) ? ", read-only" : "");
		recording_join(b, p);
		broker_follow(b, follows);
		return NULL;
	case SESSION_KICKED:
		(void)audit_write(&b->audit, a->name, a->fingerprint, "join",
		    "refused: the customer put this key out");
		peer_send(p, PROTO_CLOSED, "the customer put you out", 24,
		    "kicked");
		peer_leave(p, PROTO_END, 1,
		    "the customer put you out of this session");
		return NULL;
	case SESSION_FULL:
		break;
	}
	return "too many engineers are in this session";
}

/* The lines that HELLO asks for with history=N; 0 if it does not. */
static uint32_t
history_wish(const struct proto_frame *hello)
{
	static const char key[] = "history=";
	uint64_t n;
	unsigned int i;

	for (i = 1; i < hello->nargs; i++) {
		const struct proto_str *a = &hello->args[i];

		if (a->len > sizeof key - 1 &&
		    memcmp(a->s, key, sizeof key - 1) == 0 &&
		    num_parse(a->s + sizeof key - 1, a->len - sizeof key + 1,
		    0, UINT32_MAX, &n) == 0)
			return (uint32_t)n;
	}
	return 0;
}

void
support_up(struct peer *p, const struct proto_frame *hello)
{
	struct broker *b = p->owner;
	struct chat_line *l;

	switch (p->role) {
	case PROTO_VIEW:
		if (stream_open(b, p, history_wish(hello)) == -1)
			peer_kill(p, PROTO_END, 75,
			    "the relay is out of memory");
		break;
	case PROTO_CHAT:
		inform_one(b, p);
		peer_send(p, PROTO_PERM, NULL, 0, "%s",
		    proto_perm_name(b->session.perm));
		TAILQ_FOREACH(l, &b->chat.lines, entry)
			chat_send(p, l);
		break;
	default:
		inform_one(b, p);
		break;
	}
}

/* Stop reading what is typed while the customer's link is full. */
static void
hold_typists(struct broker *b)
{
	struct peer *p;

	if (peer_queued(b->producer) < PEER_HIGH)
		return;
	b->producer->high = true;
	TAILQ_FOREACH(p, &b->peers, entry)
		if (p->role == PROTO_VIEW && p->state == PEER_UP)
			peer_pause(p, true);
}

void
support_resume(struct broker *b)
{
	struct peer *p;

	TAILQ_FOREACH(p, &b->peers, entry)
		if (peer_is_paused(p))
			peer_pause(p, false);
}

/* What to call V before the customer. */
static const char *
label(const struct viewer *v)
{
	return v->name[0] != '\0' ? v->name :
	    v->comment[0] != '\0' ? v->comment : v->fingerprint;
}

static void
take_keys(struct broker *b, struct peer *p, const struct proto_frame *f)
{
	broker_audit(b, p, "type", "%zu octets", f->payload.len);
	if (!p->viewer->typed) {
		p->viewer->typed = true;
		inform_now(b);	/* who it is comes before what they do */
		broker_tell_customer(b, "%s types in your shell",
		    label(p->viewer));
	}
	peer_send(b->producer, PROTO_KEYS_MAIN, f->payload.s, f->payload.len,
	    "main");
	hold_typists(b);
}

static void
take_chat(struct broker *b, struct peer *p, const struct proto_frame *f)
{
	struct chat_line *l;

	switch (chatlog_add(&b->chat, f->args[1], p->viewer->n,
	    p->viewer->name, f->payload, &l)) {
	case CHATLOG_NEW:
		broker_audit(b, p, "chat", "%zu octets", f->payload.len);
		chat_spread(b, p, l);
		break;
	case CHATLOG_KNOWN:
		break;
	case CHATLOG_FULL:
		broker_tell_viewer(b, p->viewer, "not sent: the customer is "
		    "away and has many chat lines to read already");
		return;
	case CHATLOG_FAILED:
		broker_tell_viewer(b, p->viewer,
		    "the relay could not keep your chat line: %s",
		    f->payload.len > PROTO_CHAT_MAX ? "it is too long" :
		    "its disk may be full");
		return;
	}
	peer_send(p, PROTO_CHAT_ACK, NULL, 0, "%.*s", (int)f->args[1].len,
	    f->args[1].s);
}

static void
take_size(struct broker *b, struct peer *p, const struct proto_frame *f)
{
	uint16_t cols = (uint16_t)proto_num(f, 0);
	uint16_t rows = (uint16_t)proto_num(f, 1);
	bool override = f->nargs > 2;

	broker_audit(b, p, "size", "%ux%u%s", cols, rows,
	    override ? " override" : "");
	broker_follow(b, session_wish(&b->session, p->viewer, cols, rows,
	    override));
}

static void
take_zoom(struct broker *b, struct peer *p, const struct proto_frame *f)
{
	(void)f;
	broker_audit(b, p, "zoom", "passed on");
	peer_send(b->producer, PROTO_ZOOM, NULL, 0, NULL);
}

static void
take_status(struct broker *b, struct peer *p, const struct proto_frame *f)
{
	char text[512];

	broker_audit(b, p, "notice", "%zu octets", f->payload.len);
	(void)safetext(text, sizeof text, f->payload.s, f->payload.len);
	broker_tell_customer(b, "%s: %s", label(p->viewer), text);
}

static void
take_ack(struct broker *b, struct peer *p, const struct proto_frame *f)
{
	(void)b;
	if (stream_acked(p, proto_num(f, 0)) == -1)
		peer_fault(p, "ACK: of octets that were not sent");
}

/* This relay makes no tunnels; the refusal is at once and says so. */
static void
take_upgrade(struct broker *b, struct peer *p, const struct proto_frame *f)
{
	static const char text[] = "this relay does not make tunnels";

	(void)f;
	broker_audit(b, p, "tunnel", "refused: %s", text);
	peer_send(p, PROTO_TUNNEL_REJECTED, text, sizeof text - 1, NULL);
}

static void
take_terminate(struct broker *b, struct peer *p, const struct proto_frame *f)
{
	struct timeval tv = { b->conf->hello_ms / 1000,
	    b->conf->hello_ms % 1000 * 1000 };

	(void)f;
	broker_audit(b, p, "terminate", b->session.link ?
	    "asked of the customer's machine" : "the customer is away: done");
	b->session.terminating = true;
	persist_due(b);
	if (!b->session.link || b->producer == NULL) {
		broker_close(b, "terminated", true, true);
		return;
	}
	peer_send(b->producer, PROTO_TERMINATE, NULL, 0, NULL);
	(void)evtimer_add(b->terminate_ev, &tv);
}

static void (*const handlers[PROTO_FORMS])(struct broker *, struct peer *,
    const struct proto_frame *) = {
	[PROTO_KEYS_MAIN] = take_keys,
	[PROTO_KEYS_CHAT] = take_chat,
	[PROTO_RESIZE] = take_size,
	[PROTO_RESIZE_OVERRIDE] = take_size,
	[PROTO_ZOOM] = take_zoom,
	[PROTO_STATUS] = take_status,
	[PROTO_ACK] = take_ack,
	[PROTO_UPGRADE_ASK] = take_upgrade,
	[PROTO_TERMINATE] = take_terminate,
};

/* It may not: it is said once, and whoever waits for an answer gets one. */
static void
drop_frame(struct broker *b, struct peer *p, enum proto_form form,
    enum session_verdict verdict)
{
	const char *why = session_verdict_text(verdict);

	broker_audit(b, p, proto_row(form)->verb, "dropped: %s",
	    verdict == SESSION_READONLY ? "read-only" :
	    verdict == SESSION_POLICY ? "the customer's policy" :
	    "the customer is not connected");
	if (form == PROTO_UPGRADE_ASK)
		peer_send(p, PROTO_TUNNEL_REJECTED, why, strlen(why), NULL);
	else if (p->role == PROTO_CONTROL)
		peer_leave(p, PROTO_END, 1, "you are read-only here");
	else if (session_tell(p->viewer, verdict))
		broker_tell_viewer(b, p->viewer, "%s", why);
}

void
support_frame(struct peer *p, enum proto_form form,
    const struct proto_frame *f)
{
	struct broker *b = p->owner;
	enum session_verdict verdict;

	if (handlers[form] == NULL) {
		broker_audit(b, p, proto_row(form)->verb,
		    "dropped: not done here");
		return;
	}
	verdict = session_judge(&b->session, p->viewer, form);
	if (verdict == SESSION_PASS)
		handlers[form](b, p, f);
	else
		drop_frame(b, p, form, verdict);
}
