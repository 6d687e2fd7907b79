/*
 * inform.c - what the broker says: lines in the audit log, notices to people,
 * SESSION_INFO.
 *
 * Whatever text of another machine gets into a notice is made fit for a
 * terminal here.
 */
#include <cjson/cJSON.h>
#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker.h"
#include "safetext.h"

#define TELL_MAX	512	/* octets of a notice */

/* ---- the log, and notices ----------------------------------------------- */

/* Who a peer is, for the audit log. */
static void
describe(const struct peer *p, char *buf, size_t cap)
{
	if (p == NULL || !p->attached)
		(void)snprintf(buf, cap, "%s", p == NULL ? "relay" : "a leg");
	else if (p->role == 0)
		(void)snprintf(buf, cap, "customer");
	else if (p->viewer == NULL)
		(void)snprintf(buf, cap, "engineer");
	else
		/* Last what is only claimed: it may look like the rest. */
		(void)snprintf(buf, cap, "viewer %u %s \"%s\"", p->viewer->n,
		    p->viewer->comment, p->viewer->name);
}

void
broker_audit(struct broker *b, struct peer *p, const char *what,
    const char *fmt, ...)
{
	char who[PROTO_NAME_MAX + KEYFILE_COMMENT_MAX + 32], text[TELL_MAX];
	va_list ap;

	if (p != NULL)
		p->acts++;
	describe(p, who, sizeof who);
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (audit_write(&b->audit, who, p != NULL && p->viewer != NULL ?
	    p->viewer->fingerprint : "-", what, "%s", text) == 0 ||
	    b->audit_told)
		return;
	b->audit_told = true;
	broker_tell_customer(b, "the relay cannot write its audit log");
	broker_tell_support(b, "the relay cannot write its audit log");
}

/*
 * A notice to the legs with one of ROLES (0: the customer), of V if it is not
 * NULL.  It fits a STATUS, and is fit for a terminal, whatever is in it.
 */
__attribute__((format(printf, 4, 0)))
static void
tell(struct broker *b, unsigned int roles, const struct viewer *v,
    const char *fmt, va_list ap)
{
	char raw[TELL_MAX], text[SAFETEXT_SIZE(TELL_MAX)];
	struct peer *p;

	(void)vsnprintf(raw, sizeof raw, fmt, ap);
	(void)safetext(text, sizeof text, raw, strlen(raw));
	TAILQ_FOREACH(p, &b->peers, entry)
		if (p->state == PEER_UP && (roles == 0 ? p == b->producer :
		    (p->role & roles) != 0 && (v == NULL || p->viewer == v)))
			peer_send(p, PROTO_STATUS, text, strlen(text), NULL);
}

void
broker_tell_customer(struct broker *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(b, 0, NULL, fmt, ap);
	va_end(ap);
}

void
broker_tell_viewer(struct broker *b, const struct viewer *v, const char *fmt,
    ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(b, PROTO_VIEW | PROTO_CHAT, v, fmt, ap);
	va_end(ap);
}

void
broker_tell_support(struct broker *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(b, PROTO_VIEW | PROTO_CHAT, NULL, fmt, ap);
	va_end(ap);
}

/* ---- SESSION_INFO ------------------------------------------------------- */

static void
add_viewer(const struct broker *b, cJSON *list, const struct viewer *v)
{
	char key[KEYFILE_COMMENT_MAX + AUTHINFO_FP_LEN + 2];
	cJSON *o = cJSON_CreateObject();

	(void)snprintf(key, sizeof key, "%s%s%s", v->comment,
	    v->comment[0] != '\0' ? " " : "", v->fingerprint);
	(void)cJSON_AddNumberToObject(o, "n", v->n);
	(void)cJSON_AddStringToObject(o, "name", v->name);
	(void)cJSON_AddStringToObject(o, "key", key);
	(void)cJSON_AddBoolToObject(o, "ro", session_is_ro(&b->session, v));
	(void)cJSON_AddItemToArray(list, o);
}

static void
add_text(cJSON *o, const char *name, const char *text)
{
	if (text[0] != '\0')
		(void)cJSON_AddStringToObject(o, name, text);
	else
		(void)cJSON_AddNullToObject(o, name);
}

/* The JSON of SESSION_INFO, to be freed; NULL without memory. */
static char *
session_info(const struct broker *b)
{
	const struct session *s = &b->session;
	uint64_t heard = b->producer != NULL ? b->producer->heard_ms :
	    b->heard_ms;
	cJSON *o = cJSON_CreateObject(), *list;
	unsigned int i;
	char *text;

	list = cJSON_AddArrayToObject(o, "viewers");
	for (i = 0; i < SESSION_VIEWERS; i++)
		if (s->viewers[i].watching > 0)
			add_viewer(b, list, &s->viewers[i]);
	(void)cJSON_AddStringToObject(o, "mode", session_mode(s));
	(void)cJSON_AddStringToObject(o, "perm", proto_perm_name(s->perm));
	add_text(o, "case", b->context.support_case[0] != '\0' ?
	    b->context.support_case : b->support_case);
	add_text(o, "customer", b->customer);
	add_text(o, "host", b->context.host);
	(void)cJSON_AddBoolToObject(o, "recording",
	    recording_is_on(b));
	(void)cJSON_AddStringToObject(o, "link", s->link ? "up" : "lost");
	(void)cJSON_AddNumberToObject(o, "age_ms",
	    (double)(peer_clock() - heard));
	text = cJSON_PrintUnformatted(o);
	cJSON_Delete(o);
	return text;
}

static void
send_info(struct peer *p, const char *text)
{
	if (text != NULL && p->state == PEER_UP && p->role != PROTO_VIEW)
		peer_send(p, PROTO_SESSION_INFO, text, strlen(text), NULL);
}

void
inform_one(struct broker *b, struct peer *p)
{
	char *text = session_info(b);

	send_info(p, text);
	free(text);
}

static void
info_cb(evutil_socket_t fd, short what, void *arg)
{
	struct broker *b = arg;
	char *text = session_info(b);
	struct peer *p;

	(void)fd;
	(void)what;
	b->info_ms = peer_clock();
	TAILQ_FOREACH(p, &b->peers, entry)
		if (p->attached && p->role != PROTO_CONTROL)
			send_info(p, text);
	free(text);
}

int
inform_init(struct broker *b)
{
	b->info_ev = evtimer_new(b->base, info_cb, b);
	return b->info_ev == NULL ? -1 : 0;
}

void
inform_due(struct broker *b)
{
	uint64_t since = peer_clock() - b->info_ms;

	if (b->info_ms == 0 || since >= b->conf->info_ms)
		event_active(b->info_ev, EV_TIMEOUT, 0);
	else if (!evtimer_pending(b->info_ev, NULL)) {
		uint32_t ms = b->conf->info_ms - (uint32_t)since;
		struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

		(void)evtimer_add(b->info_ev, &tv);
	}
}

void
inform_now(struct broker *b)
{
	if (!evtimer_pending(b->info_ev, NULL))
		return;
	(void)event_del(b->info_ev);
	info_cb(-1, EV_TIMEOUT, b);
}
