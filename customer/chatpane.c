/*
 * chatpane.c - the face that the customer sees below the shell: how the session
 * stands, who watches, and the chat.
 *
 * It draws what the daemon says, and starts a daemon that has died.  It decides
 * nothing.
 */
#include "customer.h"

#include <sys/random.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chatui.h"
#include "files.h"
#include "info.h"
#include "local.h"
#include "log.h"
#include "server.h"
#include "sessiondir.h"
#include "settings.h"
#include "talk.h"
#include "unix.h"

#define RETRY_MS	300	/* between two looks for the daemon */
#define PATIENCE	4	/* looks before a new one is started */
#define NOTICE_SECS	5

/* A line on the screen that may yet change. */
struct shown {
	char		 id[TALK_ID_MAX];
	unsigned int	 handle;
	bool		 pending;
	char		*text;		/* while it is pending and ours */
};

struct pane {
	struct event_base	*base;
	struct sessiondir	 sd;
	struct settings		 set;
	struct chatui		*ui;
	struct bufferevent	*bev;		/* to the daemon; NULL: none */
	struct event		*retry;
	unsigned int		 failures;
	struct event		*sigs[2];
	struct info		 info;
	char			 state[16];	/* the link's */
	char			 why[512];
	bool			 restricted;
	bool			 closed;	/* the session has ended */
	uint32_t		 tag;		/* of our ids */
	uint32_t		 counter;
	struct shown		 shown[TALK_LINES];
	unsigned int		 next;
};

static void	retry_later(struct pane *p);

/* ---- the header ----------------------------------------------------------- */

static enum chatui_style
link_style(const struct pane *p)
{
	if (strcmp(p->state, "up") == 0)
		return CHATUI_GOOD;
	if (strcmp(p->state, "over") == 0 || p->why[0] != '\0')
		return CHATUI_BAD;
	return CHATUI_WARN;
}

/* The link's state in words. */
static const char *
link_words(const struct pane *p)
{
	static const struct {
		const char	*state, *words;
	} states[] = {
		{ "idle", "starting" },
		{ "connecting", "connecting to the relay" },
		{ "up", "connected" },
		{ "waiting", "not connected, trying again" },
		{ "away", "disconnected by you" },
		{ "over", "over" },
	};
	size_t i;

	for (i = 0; i < sizeof states / sizeof states[0]; i++)
		if (strcmp(states[i].state, p->state) == 0)
			return states[i].words;
	return p->state;
}

static const char *
record_words(const struct info *info)
{
	return !info->known ? "recorded?" : info->recording ? "recorded" :
	    "not recorded";
}

static void
draw_header(struct pane *p)
{
	char row[1024], who[512];
	const char *key = p->set.prefix;
	const char *number = p->set.support_case[0] != '\0' ?
	    p->set.support_case : p->info.support_case;
	bool up = strcmp(p->state, "up") == 0;

	if (up)
		(void)snprintf(row, sizeof row, "[LINBIT %s] %s | %s | %s | %s",
		    p->restricted ? "RESTRICTED" : "SHARE", link_words(p),
		    p->restricted ? "support only watches" :
		    "support may type", record_words(&p->info),
		    info_summary(&p->info, p->restricted, who, sizeof who));
	else
		(void)snprintf(row, sizeof row, "[LINBIT %s] %s%s%s",
		    p->restricted ? "RESTRICTED" : "SHARE", link_words(p),
		    p->why[0] != '\0' ? ": " : "", p->why);
	chatui_header(p->ui, 0, link_style(p), row);
	(void)snprintf(row, sizeof row, "%s | %.64s%slog %s/" FILE_LOG
	    " | %.20s c chat, Q disconnect, K end", p->sd.sid,
	    number, number[0] != '\0' ? " | " : "", p->sd.path, key);
	chatui_header(p->ui, 1, CHATUI_NORMAL, row);
}

/* ---- lines ---------------------------------------------------------------- */

static struct shown *
find(struct pane *p, const char *id)
{
	unsigned int i;

	for (i = 0; i < TALK_LINES; i++)
		if (p->shown[i].handle != 0 &&
		    strcmp(p->shown[i].id, id) == 0)
			return &p->shown[i];
	return NULL;
}

static struct shown *
remember(struct pane *p, const char *id, unsigned int handle)
{
	struct shown *s = &p->shown[p->next];

	p->next = (p->next + 1) % TALK_LINES;
	free(s->text);
	memset(s, 0, sizeof *s);
	(void)snprintf(s->id, sizeof s->id, "%s", id);
	s->handle = handle;
	return s;
}

static void
set_pending(struct pane *p, struct shown *s, bool pending)
{
	if (s->pending != pending)
		chatui_mark(p->ui, s->handle, pending);
	s->pending = pending;
	if (!pending) {
		free(s->text);
		s->text = NULL;
	}
}

static void
on_line(struct pane *p, const struct proto_frame *f)
{
	char id[TALK_ID_MAX], text[PROTO_PAYLOAD_MAX / 8];
	char name[PROTO_NAME_MAX + 1];
	enum chatui_style style = CHATUI_NORMAL;
	unsigned int handle;
	struct shown *s;
	bool mine;

	if (f->nargs < 4 || proto_name_decode(f->args[3], name, sizeof name) ==
	    -1)
		return;
	(void)local_arg(f, 1, id, sizeof id);
	(void)local_text(f, text, sizeof text);
	mine = proto_is(f->args[0], "mine");
	s = strcmp(id, "-") != 0 ? find(p, id) : NULL;
	if (s == NULL) {
		if (proto_is(f->args[0], "warn"))
			style = CHATUI_BAD;
		else if (proto_is(f->args[0], "notice"))
			style = CHATUI_WARN;
		handle = chatui_line(p->ui, (time_t)proto_num(f, 2), style,
		    mine ? "you" : name[0] != '\0' ? name : NULL, text);
		if (strcmp(id, "-") == 0)
			return;
		s = remember(p, id, handle);
	}
	set_pending(p, s, f->nargs > 4);
}

static void
send_pending(struct pane *p)
{
	unsigned int i;
	struct shown *s;

	for (i = 0; i < TALK_LINES; i++) {
		s = &p->shown[(p->next + i) % TALK_LINES];
		if (s->text != NULL && p->bev != NULL)
			local_send(p->bev, "CHAT", s->text, strlen(s->text),
			    "%s", s->id);
	}
}

static unsigned int
count_pending(const struct pane *p)
{
	unsigned int i, n = 0;

	for (i = 0; i < TALK_LINES; i++)
		n += p->shown[i].text != NULL;
	return n;
}

/* The customer entered a line. */
static int
submit_cb(void *arg, const char *text)
{
	struct pane *p = arg;
	char id[TALK_ID_MAX];
	struct shown *s;

	if (p->closed || strlen(text) > PROTO_CHAT_MAX ||
	    count_pending(p) >= TALK_PENDING) {
		chatui_notice(p->ui, CHATUI_BAD, p->closed ?
		    "the session has ended" : "not sent: too long, or too much "
		    "waits for the relay already", NOTICE_SECS);
		return -1;
	}
	(void)snprintf(id, sizeof id, "%08x.%u", p->tag, p->counter++);
	s = remember(p, id, chatui_line(p->ui, time(NULL), CHATUI_NORMAL,
	    "you", text));
	s->text = strdup(text);
	set_pending(p, s, true);
	if (p->bev != NULL && s->text != NULL)
		local_send(p->bev, "CHAT", text, strlen(text), "%s", id);
	return 0;
}

static void
eof_cb(void *arg, int terminal_gone)
{
	struct pane *p = arg;

	if (terminal_gone)
		(void)event_base_loopexit(p->base, NULL);
}

static const struct chatui_ops ui_ops = { submit_cb, NULL, eof_cb };

/* ---- the daemon ----------------------------------------------------------- */

static void
on_closed(struct pane *p, const struct proto_frame *f)
{
	char text[512];

	p->closed = true;
	(void)chatui_line(p->ui, time(NULL), CHATUI_BAD, NULL,
	    local_text(f, text, sizeof text));
	(void)snprintf(p->state, sizeof p->state, "over");
	(void)snprintf(p->why, sizeof p->why, "%s", text);
	draw_header(p);
}

static void
on_frame(struct pane *p, const struct proto_frame *f)
{
	char text[512];
	struct shown *s;

	if (proto_is(f->verb, "LINE")) {
		on_line(p, f);
		return;
	}
	if (proto_is(f->verb, "LINK")) {
		(void)local_arg(f, 0, p->state, sizeof p->state);
		(void)local_text(f, p->why, sizeof p->why);
		if (strcmp(p->state, "up") != 0)
			memset(&p->info, 0, sizeof p->info);
	} else if (proto_is(f->verb, "INFO"))
		(void)info_parse(&p->info, f->payload.s, f->payload.len);
	else if (proto_is(f->verb, "PERM"))
		p->restricted = f->nargs > 0 && proto_perm(f->args[0]) ==
		    PROTO_BLOCKED;
	else if (proto_is(f->verb, "NOTICE"))
		chatui_notice(p->ui, CHATUI_WARN,
		    local_text(f, text, sizeof text), NOTICE_SECS);
	else if (proto_is(f->verb, "KEPT")) {
		s = find(p, local_arg(f, 0, text, sizeof text));
		if (s != NULL)
			set_pending(p, s, false);
	} else if (proto_is(f->verb, "CLOSED"))
		on_closed(p, f);
	draw_header(p);
}

static void
lost(struct pane *p)
{
	bufferevent_free(p->bev);
	p->bev = NULL;
	if (p->closed)
		return;
	(void)snprintf(p->state, sizeof p->state, "idle");
	(void)snprintf(p->why, sizeof p->why, "the session's daemon died; "
	    "starting it again");
	draw_header(p);
	retry_later(p);
}

static void
read_cb(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct pane *p = arg;
	struct proto_frame f;
	int n;

	while ((n = local_take(evbuffer_pullup(in, -1),
	    evbuffer_get_length(in), &f)) > 0) {
		on_frame(p, &f);
		(void)evbuffer_drain(in, (size_t)n);
	}
	if (n == -1)
		lost(p);
}

static void
event_cb(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
		lost(arg);
}

static void
start_daemon(struct pane *p)
{
	if (sessiondir_locked(&p->sd, FILE_LOCK) ||
	    server_add_daemon(&p->sd) == -1)
		return;
	(void)chatui_line(p->ui, time(NULL), CHATUI_BAD, NULL,
	    "The session's daemon had died and was started again; your shell "
	    "is untouched.");
}

static void
retry_cb(evutil_socket_t fd, short what, void *arg)
{
	char path[SESSIONDIR_PATH_MAX];
	struct pane *p = arg;
	int s = unix_connect(sessiondir_file(&p->sd, FILE_DAEMON, path));

	(void)fd;
	(void)what;
	if (s == -1) {
		if (++p->failures % PATIENCE == 0)
			start_daemon(p);
		retry_later(p);
		return;
	}
	p->failures = 0;
	(void)fd_nonblock(s, 1);
	p->bev = bufferevent_socket_new(p->base, s, BEV_OPT_CLOSE_ON_FREE);
	if (p->bev == NULL) {
		close(s);
		retry_later(p);
		return;
	}
	bufferevent_setcb(p->bev, read_cb, NULL, event_cb, p);
	(void)bufferevent_enable(p->bev, EV_READ | EV_WRITE);
	local_send(p->bev, "HELLO", NULL, 0, "chat");
	send_pending(p);
}

static void
retry_later(struct pane *p)
{
	struct timeval tv = { 0, RETRY_MS * 1000 };

	(void)event_add(p->retry, &tv);
}

/* ---- life ----------------------------------------------------------------- */

static void
signal_cb(evutil_socket_t sig, short what, void *arg)
{
	struct pane *p = arg;

	(void)sig;
	(void)what;
	(void)event_base_loopexit(p->base, NULL);
}

static void
pane_init(struct pane *p, const char *path)
{
	static const int sigs[] = { SIGHUP, SIGTERM };
	size_t i;

	memset(p, 0, sizeof *p);
	if (sessiondir_open(&p->sd, path) == -1 ||
	    sessiondir_load(&p->sd, &p->set) == -1)
		fatal("%s", path);
	p->restricted = p->set.restricted != 0;
	(void)snprintf(p->state, sizeof p->state, "idle");
	if (getrandom(&p->tag, sizeof p->tag, 0) != sizeof p->tag)
		fatal("getrandom");
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN);
	p->base = event_base_new();
	if (p->base == NULL)
		fatalx("libevent does not start");
	for (i = 0; i < sizeof sigs / sizeof sigs[0]; i++) {
		p->sigs[i] = evsignal_new(p->base, sigs[i], signal_cb, p);
		(void)event_add(p->sigs[i], NULL);
	}
	p->retry = evtimer_new(p->base, retry_cb, p);
	p->ui = chatui_new(p->base, &ui_ops, p, "> ");
	if (p->ui == NULL)
		fatal("cannot use this terminal");
}

int
chat_main(const char *path)
{
	static struct pane p;
	unsigned int i;

	log_init("linbit-tunl", 1, 0);
	pane_init(&p, path);
	draw_header(&p);
	retry_cb(-1, 0, &p);
	(void)event_base_dispatch(p.base);
	chatui_free(p.ui);
	if (p.bev != NULL)
		bufferevent_free(p.bev);
	event_free(p.retry);
	for (i = 0; i < sizeof p.sigs / sizeof p.sigs[0]; i++)
		event_free(p.sigs[i]);
	event_base_free(p.base);
	for (i = 0; i < TALK_LINES; i++)
		free(p.shown[i].text);
	sessiondir_close(&p.sd);
	return 0;
}
