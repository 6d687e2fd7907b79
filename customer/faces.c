/*
 * faces.c - see faces.h.
 */
#include "faces.h"

#include <sys/queue.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "local.h"
#include "log.h"
#include "unix.h"

#define FACES_MAX	16
#define UNSENT_MAX	(4u << 20)	/* octets that a face does not take */

enum kind {
	STRANGER,	/* before its HELLO */
	CHAT,
	LAUNCH,
	KEY
};

struct face {
	LIST_ENTRY(face)	 next;
	struct faces		*owner;
	struct bufferevent	*bev;
	enum kind		 kind;
};

struct faces {
	struct event_base	*base;
	const struct sessiondir	*sd;
	const struct faces_ops	*ops;
	void			*arg;
	int			 listener;
	struct event		*accept;
	LIST_HEAD(face_list, face) list;
	unsigned int		 count;
	struct talk		 talk;

	/* what a new face is told */
	bool			 ready;
	char			 link[16];
	char			 why[512];
	char			 perm[16];
	char			*info;		/* JSON, or NULL */
	size_t			 info_len;
};

/* ---- telling -------------------------------------------------------------- */

static void
face_free(struct face *fc)
{
	LIST_REMOVE(fc, next);
	fc->owner->count--;
	bufferevent_free(fc->bev);
	free(fc);
}

static void
send_line(struct bufferevent *bev, const struct talk_line *ln)
{
	static const char *const styles[] = { "notice", "warn", "mine",
	    "peer" };
	char name[3 * PROTO_NAME_MAX + 1];

	if (proto_name_encode(ln->name, name, sizeof name) == -1)
		(void)snprintf(name, sizeof name, "-");
	local_send(bev, "LINE", ln->text, strlen(ln->text), "%s %s %lld %s%s",
	    styles[ln->style], ln->id, (long long)ln->when, name,
	    ln->pending ? " pending" : "");
}

/* Everything that there is to know. */
static void
send_all(struct face *fc)
{
	const struct faces *f = fc->owner;
	const struct talk_line *ln;
	unsigned int i;

	local_send(fc->bev, "LINK", f->why, strlen(f->why), "%s", f->link);
	if (fc->kind == LAUNCH && f->ready)
		local_send(fc->bev, "READY", NULL, 0, NULL);
	if (fc->kind != CHAT)
		return;
	local_send(fc->bev, "PERM", NULL, 0, "%s", f->perm);
	if (f->info != NULL)
		local_send(fc->bev, "INFO", f->info, f->info_len, NULL);
	for (i = 0; i < TALK_LINES; i++)
		if ((ln = talk_at(&f->talk, i)) != NULL)
			send_line(fc->bev, ln);
}

/* Call SEND for each face that is one of KIND (STRANGER: any that said so). */
#define FOR_EACH(f, fc, which)						\
	LIST_FOREACH(fc, &(f)->list, next)				\
		if ((fc)->kind != STRANGER &&				\
		    ((which) == STRANGER || (fc)->kind == (which)) &&	\
		    evbuffer_get_length(bufferevent_get_output((fc)->bev)) \
		    < UNSENT_MAX)

void
faces_ready(struct faces *f)
{
	struct face *fc;

	f->ready = true;
	FOR_EACH(f, fc, LAUNCH)
		local_send(fc->bev, "READY", NULL, 0, NULL);
}

void
faces_link(struct faces *f, const char *state, const char *why)
{
	struct face *fc;

	(void)snprintf(f->link, sizeof f->link, "%s", state);
	(void)snprintf(f->why, sizeof f->why, "%s", why);
	FOR_EACH(f, fc, STRANGER)
		local_send(fc->bev, "LINK", f->why, strlen(f->why), "%s",
		    f->link);
}

void
faces_info(struct faces *f, const char *json, size_t len)
{
	char *copy = malloc(len > 0 ? len : 1);
	struct face *fc;

	if (copy == NULL)
		return;
	memcpy(copy, json, len);
	free(f->info);
	f->info = copy;
	f->info_len = len;
	FOR_EACH(f, fc, CHAT)
		local_send(fc->bev, "INFO", json, len, NULL);
}

void
faces_perm(struct faces *f, const char *perm)
{
	struct face *fc;

	(void)snprintf(f->perm, sizeof f->perm, "%s", perm);
	FOR_EACH(f, fc, CHAT)
		local_send(fc->bev, "PERM", NULL, 0, "%s", f->perm);
}

void
faces_notice(struct faces *f, const char *text, size_t len)
{
	struct face *fc;

	FOR_EACH(f, fc, CHAT)
		local_send(fc->bev, "NOTICE", text, len, NULL);
}

bool
faces_line(struct faces *f, enum talk_style style, const char *id, time_t when,
    const char *name, const char *text, size_t len)
{
	const struct talk_line *ln = talk_add(&f->talk, style, id, when, name,
	    text, len);
	struct face *fc;

	if (ln == NULL)
		return false;
	f->ops->said_cb(f->arg, ln);
	FOR_EACH(f, fc, CHAT)
		send_line(fc->bev, ln);
	return true;
}

void
faces_say(struct faces *f, enum talk_style style, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	(void)faces_line(f, style, NULL, time(NULL), NULL, text, strlen(text));
}

void
faces_kept(struct faces *f, const char *id)
{
	struct face *fc;

	if (!talk_kept(&f->talk, id))
		return;
	FOR_EACH(f, fc, CHAT)
		local_send(fc->bev, "KEPT", NULL, 0, "%s", id);
}

const struct talk *
faces_talk(const struct faces *f)
{
	return &f->talk;
}

/* ---- being told ----------------------------------------------------------- */

static void
on_hello(struct face *fc, const struct proto_frame *f)
{
	struct faces *owner = fc->owner;

	if (proto_is(f->args[0], "chat"))
		fc->kind = CHAT;
	else if (proto_is(f->args[0], "launch"))
		fc->kind = LAUNCH;
	else
		fc->kind = KEY;
	if (fc->kind == LAUNCH)
		owner->ops->launch_cb(owner->arg);
	send_all(fc);
}

static void
on_chat(struct face *fc, const struct proto_frame *f)
{
	struct faces *owner = fc->owner;
	const struct talk_line *ln;
	char id[TALK_ID_MAX];

	if (!proto_is_chat_id(f->args[0]) || f->args[0].len >= sizeof id ||
	    f->payload.len > PROTO_CHAT_MAX)
		return;
	ln = talk_add(&owner->talk, TALK_MINE, local_arg(f, 0, id, sizeof id),
	    time(NULL), NULL, f->payload.s, f->payload.len);
	if (ln != NULL) {
		owner->ops->said_cb(owner->arg, ln);
		owner->ops->chat_cb(owner->arg, ln);
	} else
		local_send(fc->bev, "KEPT", NULL, 0, "%s", id);
}

static void
on_frame(struct face *fc, const struct proto_frame *f)
{
	struct faces *owner = fc->owner;

	if (fc->kind == STRANGER) {
		if (proto_is(f->verb, "HELLO") && f->nargs == 1)
			on_hello(fc, f);
	} else if (proto_is(f->verb, "CHAT") && f->nargs == 1)
		on_chat(fc, f);
	else if (proto_is(f->verb, "BYE"))
		owner->ops->leave_cb(owner->arg, f->nargs > 0);
}

static void
read_cb(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct face *fc = arg;
	struct proto_frame f;
	int n;

	while ((n = local_take(evbuffer_pullup(in, -1),
	    evbuffer_get_length(in), &f)) > 0) {
		on_frame(fc, &f);
		(void)evbuffer_drain(in, (size_t)n);
	}
	if (n == -1)
		face_free(fc);
}

static void
event_cb(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
		face_free(arg);
}

static void
take_in(struct faces *f, int s)
{
	struct face *fc = calloc(1, sizeof *fc);

	if (fc == NULL || (fc->bev = bufferevent_socket_new(f->base, s,
	    BEV_OPT_CLOSE_ON_FREE)) == NULL) {
		free(fc);
		close(s);
		return;
	}
	fc->owner = f;
	LIST_INSERT_HEAD(&f->list, fc, next);
	f->count++;
	bufferevent_setcb(fc->bev, read_cb, NULL, event_cb, fc);
	bufferevent_setwatermark(fc->bev, EV_READ, 0, PROTO_FRAME_MAX);
	(void)bufferevent_enable(fc->bev, EV_READ | EV_WRITE);
}

static void
accept_cb(evutil_socket_t listener, short what, void *arg)
{
	struct faces *f = arg;
	uid_t uid;
	pid_t pid;
	int s = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)what;
	if (s == -1)
		return;
	if (f->count >= FACES_MAX || unix_peer(s, &uid, &pid) == -1 ||
	    uid != geteuid())
		close(s);
	else
		take_in(f, s);
}

/* ---- life ----------------------------------------------------------------- */

struct faces *
faces_new(struct event_base *base, const struct sessiondir *sd,
    const struct faces_ops *ops, void *arg)
{
	char path[SESSIONDIR_PATH_MAX];
	struct faces *f = calloc(1, sizeof *f);

	if (f == NULL)
		return NULL;
	f->base = base;
	f->sd = sd;
	f->ops = ops;
	f->arg = arg;
	LIST_INIT(&f->list);
	talk_init(&f->talk);
	(void)snprintf(f->link, sizeof f->link, "idle");
	(void)snprintf(f->perm, sizeof f->perm, "CONFIRM");
	f->listener = unix_listen(sessiondir_file(sd, FILE_DAEMON, path), 0600);
	if (f->listener != -1)
		f->accept = event_new(base, f->listener, EV_READ | EV_PERSIST,
		    accept_cb, f);
	if (f->accept == NULL) {
		faces_free(f);
		return NULL;
	}
	(void)event_add(f->accept, NULL);
	return f;
}

/* Stop listening. */
static void
shut(struct faces *f)
{
	if (f->accept != NULL)
		event_free(f->accept);
	f->accept = NULL;
	if (f->listener != -1)
		close(f->listener);
	f->listener = -1;
}

void
faces_closed(struct faces *f, const char *text)
{
	struct face *fc;

	shut(f);
	FOR_EACH(f, fc, STRANGER)
		local_send(fc->bev, "CLOSED", text, strlen(text), NULL);
}

void
faces_free(struct faces *f)
{
	struct face *fc;

	shut(f);
	while ((fc = LIST_FIRST(&f->list)) != NULL)
		face_free(fc);
	talk_release(&f->talk);
	free(f->info);
	free(f);
}
