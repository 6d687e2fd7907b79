/*
 * customer.c - what the customer's frames mean to the broker.
 *
 * Decides nothing itself: the session does (session.c); this says it to those
 * it concerns.  What was done is in the audit log before it is done.
 */
#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "apilink.h"
#include "broker.h"
#include "log.h"

/* A newer leg of the same customer takes over at once. */
static void
replace(struct broker *b)
{
	struct peer *old = b->producer;

	b->producer = NULL;
	support_resume(b);
	peer_send(old, PROTO_CLOSED, "your machine connected anew", 27,
	    "replaced");
	peer_leave(old, PROTO_HANGUP, 0, "replaced by a newer connection");
}

const char *
customer_attach(struct peer *p, const struct attach *a)
{
	struct broker *b = p->owner;
	struct context ctx;
	const char *wrong;

	if (p->uid != geteuid())
		return "not from the account of the customers";
	wrong = context_parse(a->context, strlen(a->context), &ctx);
	if (wrong != NULL)
		return wrong;
	if (strcmp(a->key_id, b->sid) != 0 || strcmp(ctx.id, b->sid) != 0) {
		broker_audit(b, p, "connect", "refused: not of this session");
		return "this certificate is of another session";
	}
	broker_audit(b, p, "connect", "%s from %s, certificate %llu%s",
	    ctx.host, a->remote[0] != '\0' ? a->remote : "-",
	    (unsigned long long)a->serial,
	    b->producer != NULL ? ", replaces a connection" : "");
	if (b->closing)
		return NULL;	/* it is told so, as everybody who comes now */
	if (recording_turns_away(b, p))
		return NULL;
	if (b->producer != NULL)
		replace(b);
	b->producer = p;
	b->away = false;
	b->context = ctx;
	(void)event_del(b->linger_ev);
	if (apilink_register(b->api, &ctx, session_mode(&b->session),
	    a->remote, a->serial) == -1)
		log_warnx("no memory to register the session");
	return NULL;
}

void
customer_up(struct peer *p, const struct proto_frame *hello)
{
	struct broker *b = p->owner;
	struct chat_line *l;
	unsigned int follows;

	log_info("the customer is connected (%.*s)", hello->nargs > 1 ?
	    (int)hello->args[1].len : 0, hello->nargs > 1 ?
	    hello->args[1].s : "");
	follows = session_link_up(&b->session, b->context.perm);
	apilink_alive(b->api, true);
	inform_one(b, p);
	TAILQ_FOREACH(l, &b->chat.lines, entry)
		if (l->unacked)
			chat_send(p, l);
	if (b->session.terminating)
		peer_send(p, PROTO_TERMINATE, NULL, 0, NULL);
	broker_follow(b, follows);
	persist_tell(b);
	recording_link(b, true);
	stream_restart(b);
}

static void
take_stream(struct broker *b, struct peer *p, enum proto_form form,
    const struct proto_frame *f)
{
	const char *wrong = stream_take(b, form, f);
	char what[128];

	if (wrong == NULL)
		return;
	(void)snprintf(what, sizeof what, "%s: %s", proto_row(form)->verb,
	    wrong);
	peer_fault(p, what);
}

static void
take_chat(struct broker *b, struct peer *p, enum proto_form form,
    const struct proto_frame *f)
{
	struct chat_line *l;

	(void)form;
	switch (chatlog_add(&b->chat, f->args[0], 0, "", f->payload, &l)) {
	case CHATLOG_NEW:
		broker_audit(b, p, "chat", "%zu octets", f->payload.len);
		chat_spread(b, p, l);
		break;
	case CHATLOG_KNOWN:
		break;
	case CHATLOG_FULL:
	case CHATLOG_FAILED:
		broker_tell_customer(b,
		    "the relay could not keep your chat line: %s",
		    f->payload.len > PROTO_CHAT_MAX ? "it is too long" :
		    "its disk may be full");
		return;
	}
	peer_send(p, PROTO_CHAT_ACK, NULL, 0, "%.*s", (int)f->args[0].len,
	    f->args[0].s);
}

static void
take_chat_ack(struct broker *b, struct peer *p, enum proto_form form,
    const struct proto_frame *f)
{
	(void)p;
	(void)form;
	if (chatlog_acked(&b->chat, f->args[0]))
		persist_due(b);
}

static void
take_perm(struct broker *b, struct peer *p, enum proto_form form,
    const struct proto_frame *f)
{
	(void)form;
	broker_audit(b, p, "policy", "%.*s", (int)f->args[0].len,
	    f->args[0].s);
	recording_mark(b, "policy %.*s", (int)f->args[0].len, f->args[0].s);
	b->context.perm = proto_perm(f->args[0]);
	broker_follow(b, session_perm(&b->session, b->context.perm));
}

static void
take_viewer(struct broker *b, struct peer *p, enum proto_form form,
    const struct proto_frame *f)
{
	struct viewer *v = session_viewer(&b->session, proto_num(f, 0));
	struct proto_str grade = f->args[1];

	(void)form;
	broker_audit(b, p, "viewer", "%.*s %.*s%s", (int)f->args[0].len,
	    f->args[0].s, (int)grade.len, grade.s,
	    v == NULL ? ": there is no such viewer" : "");
	if (v == NULL)
		return;
	recording_mark(b, "viewer %u \"%s\": %.*s", v->n, v->name,
	    (int)grade.len, grade.s);
	broker_follow(b, session_grade(&b->session, v->n, grade));
	if (!proto_is(grade, "kick"))
		broker_tell_viewer(b, v, session_is_ro(&b->session, v) ?
		    "the customer made you read-only" :
		    "the customer lets you type");
}

static void
take_bye(struct broker *b, struct peer *p, enum proto_form form,
    const struct proto_frame *f)
{
	(void)form;
	broker_audit(b, p, "leave", f->nargs > 0 ? "for a while" :
	    "for good");
	b->away = f->nargs > 0;
	if (b->away)
		peer_leave(p, PROTO_END, 0, "");
	else
		broker_close(b, b->session.terminating ? "terminated" :
		    "ended", false, true);
}

/* What the customer's side has to say to whoever watches. */
static void
take_status(struct broker *b, struct peer *p, enum proto_form form,
    const struct proto_frame *f)
{
	(void)form;
	broker_audit(b, p, "notice", "%zu octets", f->payload.len);
	broker_tell_support(b, "%.*s", (int)f->payload.len, f->payload.s);
}

/* Certificates are not renewed in band: an empty answer says so. */
static void
take_renew(struct broker *b, struct peer *p, enum proto_form form,
    const struct proto_frame *f)
{
	(void)form;
	(void)f;
	broker_audit(b, p, "renew", "refused");
	peer_send(p, PROTO_CERT, "", 0, NULL);
}

static void (*const handlers[PROTO_FORMS])(struct broker *, struct peer *,
    enum proto_form, const struct proto_frame *) = {
	[PROTO_OUTPUT] = take_stream,
	[PROTO_HISTORY] = take_stream,
	[PROTO_SCREEN] = take_stream,
	[PROTO_SIZE] = take_stream,
	[PROTO_CUSTOMER_CHAT] = take_chat,
	[PROTO_CHAT_ACK] = take_chat_ack,
	[PROTO_PERM] = take_perm,
	[PROTO_STATUS] = take_status,
	[PROTO_VIEWER] = take_viewer,
	[PROTO_BYE] = take_bye,
	[PROTO_RENEW] = take_renew,
};

void
customer_frame(struct peer *p, enum proto_form form,
    const struct proto_frame *f)
{
	struct broker *b = p->owner;

	if (handlers[form] != NULL)
		handlers[form](b, p, form, f);
	else
		broker_audit(b, p, proto_row(form)->verb,
		    "dropped: nothing was asked that it answers");
}
