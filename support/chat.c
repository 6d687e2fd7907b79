/*
 * chat.c - `tunl chat`: the chat with the customer, and how the session stands.
 *
 * A line that was entered is kept until the relay has acknowledged it, and sent
 * again on the next link; a line that comes again is shown once.
 */
#include <cjson/cJSON.h>
#include <event2/event.h>

#include <sys/random.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chatui.h"
#include "joinwin.h"
#include "log.h"
#include "say.h"
#include "sessions.h"
#include "window.h"

#define UNACKED_MAX	64	/* lines that may wait for the relay */
#define SEEN_MAX	1024	/* ids of lines that are remembered */
#define ID_MAX		32	/* octets: 8 digits, ".", a counter, NUL */
#define ROW_MAX		512
#define STALE_MS	15000	/* of silence, which PING breaks, are odd */

struct sent {
	char		 id[ID_MAX];
	char		*text;
	unsigned int	 line;		/* of the chat screen */
	struct sent	*next;
};

struct chat {
	struct window	 win;
	struct leg	*leg;
	struct chatui	*ui;
	char		 self[9];	/* our ids begin with it */
	uint32_t	 counter;
	char		 name[PROTO_NAME_MAX + 1];
	struct sent	*sent, **sent_tail;
	unsigned int	 unacked;
	char		 seen[SEEN_MAX][ID_MAX];
	unsigned int	 nseen;		/* ever; the newest overwrite */
	cJSON		*info;		/* the last SESSION_INFO, or NULL */
	int64_t		 info_ms;	/* leg_silent_ms() clock when it came */
	char		 perm[16];
	bool		 shown;		/* its window is the current one */
	bool		 watched;	/* tmux tells the engineer of new lines */
	bool		 over;
	char		 why[ROW_MAX];
	time_t		 down_since;	/* 0: there is a link */
};

/* ---- the rows at the top -------------------------------------------------- */

/* "eva, tom (read-only)" */
static void
viewers_format(const cJSON *info, char *buf, size_t cap)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(info, "viewers");
	const cJSON *item;
	const char *name;
	size_t o = 0;
	int n;

	buf[0] = '\0';
	cJSON_ArrayForEach(item, list) {
		name = record_text(item, "name");
		n = snprintf(buf + o, cap - o, "%s%.64s%s", o > 0 ? ", " : "",
		    name != NULL && *name != '\0' ? name : "?",
		    cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item,
		    "ro")) ? " (read-only)" : "");
		if (n < 0 || (size_t)n >= cap - o)
			return;
		o += (size_t)n;
	}
}

static const char *
text_or(const cJSON *info, const char *name, const char *fallback)
{
	const char *s = record_text(info, name);

	return s != NULL && *s != '\0' ? s : fallback;
}

/* The time, the machine, the mode, who watches, the case. */
static void
row_session(const struct chat *c)
{
	char row[ROW_MAX], viewers[256], clock[16] = "";
	const char *label, *customer;
	time_t now = time(NULL);
	struct tm tm;

	if (localtime_r(&now, &tm) != NULL)
		(void)strftime(clock, sizeof clock, "%H:%M", &tm);
	viewers_format(c->info, viewers, sizeof viewers);
	label = record_text(c->info, "case");
	customer = record_text(c->info, "customer");
	(void)snprintf(row, sizeof row, "%s | %.64s | %.16s%s, %s | watching: %s"
	    "%s%.64s%s%.64s", clock, text_or(c->info, "host", "?"),
	    text_or(c->info, "mode", "?"),
	    strcmp(c->perm, "BLOCKED") == 0 ? ", look only" : "",
	    c->info == NULL ? "recorded?" :
	    cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(c->info,
	    "recording")) ? "recorded" : "not recorded", viewers[0] != '\0' ? viewers : "-",
	    label != NULL ? " | case " : "", label != NULL ? label : "",
	    customer != NULL ? " | " : "", customer != NULL ? customer : "");
	chatui_header(c->ui, 0, CHATUI_NORMAL, row);
}

/* True if the relay says that the customer's link is lost. */
static bool
customer_is_lost(const struct chat *c)
{
	const char *link = record_text(c->info, "link");

	return link != NULL && strcmp(link, "up") != 0;
}

/* How long the customer has not been heard, in milliseconds. */
static long long
customer_age_ms(const struct chat *c)
{
	long long age = record_number(c->info, "age_ms", 0);
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (age > 0 ? age : 0) +
	    (long long)ts.tv_sec * 1000 + ts.tv_nsec / 1000000 - c->info_ms;
}

static void
row_link(const struct chat *c)
{
	enum chatui_style style = CHATUI_GOOD;
	char row[ROW_MAX];

	if (c->over) {
		style = CHATUI_BAD;
		(void)snprintf(row, sizeof row, "Session over: %.400s", c->why);
	} else if (c->down_since != 0) {
		style = CHATUI_BAD;
		(void)snprintf(row, sizeof row, "no link to the relay for "
		    "%lld s: %.400s", (long long)(time(NULL) - c->down_since),
		    c->why);
	} else if (!leg_is_up(c->leg)) {
		style = CHATUI_WARN;
		(void)snprintf(row, sizeof row, "connecting to the relay");
	} else if (customer_is_lost(c)) {
		style = CHATUI_WARN;
		(void)snprintf(row, sizeof row, "relay: linked | the "
		    "customer's link is lost, last heard %lld s ago",
		    customer_age_ms(c) / 1000);
	} else {
		if (leg_silent_ms(c->leg) > STALE_MS)
			style = CHATUI_WARN;
		(void)snprintf(row, sizeof row, "linked | last heard %lld s "
		    "ago", (long long)(leg_silent_ms(c->leg) / 1000));
	}
	chatui_header(c->ui, 1, style, row);
}

/*
 * While the window is not shown its header stays as it is: tmux would take
 * every change for something to tell the engineer.
 */
static void
rows_refresh(const struct chat *c)
{
	if (!c->shown || c->ui == NULL)
		return;
	row_session(c);
	row_link(c);
}

static void
tick_cb(void *arg)
{
	rows_refresh(arg);
}

/* ---- lines ---------------------------------------------------------------- */

/* True if ID was seen before; it is from now on. */
static bool
seen(struct chat *c, struct proto_str id)
{
	unsigned int i;

	if (id.len >= ID_MAX)
		return true;
	for (i = 0; i < SEEN_MAX && i < c->nseen; i++)
		if (proto_is(id, c->seen[i]))
			return true;
	memcpy(c->seen[c->nseen % SEEN_MAX], id.s, id.len);
	c->seen[c->nseen++ % SEEN_MAX][id.len] = '\0';
	return false;
}

static void
line_show(struct chat *c, time_t when, const char *who,
    const struct proto_str *text)
{
	char *copy = strndup(text->s, text->len);

	if (copy == NULL)
		return;
	(void)chatui_line(c->ui, when, CHATUI_NORMAL, who, copy);
	free(copy);
}

static void
take_customer_chat(struct chat *c, const struct proto_frame *f)
{
	if (!seen(c, f->args[0]))
		line_show(c, time(NULL), text_or(c->info, "host", "customer"),
		    &f->payload);
}

/* SUPPORT_CHAT id time viewer name */
static void
take_support_chat(struct chat *c, const struct proto_frame *f)
{
	char name[PROTO_NAME_MAX + 1];

	if (seen(c, f->args[0]))
		return;
	if (proto_name_decode(f->args[3], name, sizeof name) == -1)
		name[0] = '\0';
	line_show(c, (time_t)proto_num(f, 1), name[0] != '\0' ? name :
	    "support", &f->payload);
}

static void
sent_drop(struct chat *c, struct sent **at)
{
	struct sent *s = *at;

	*at = s->next;
	if (c->sent_tail == &s->next)
		c->sent_tail = at;
	c->unacked--;
	free(s->text);
	free(s);
}

static void
take_ack(struct chat *c, struct proto_str id)
{
	struct sent **at;

	for (at = &c->sent; *at != NULL; at = &(*at)->next)
		if (proto_is(id, (*at)->id)) {
			chatui_mark(c->ui, (*at)->line, 0);
			sent_drop(c, at);
			return;
		}
}

static void
send_line(const struct chat *c, const struct sent *s)
{
	(void)leg_send(c->leg, PROTO_KEYS_CHAT, s->text, strlen(s->text),
	    "chat %s", s->id);
}

static int
submit_cb(void *arg, const char *text)
{
	struct chat *c = arg;
	struct proto_str id;
	struct sent *s;

	if (c->over || strlen(text) > PROTO_CHAT_MAX ||
	    c->unacked >= UNACKED_MAX) {
		chatui_notice(c->ui, CHATUI_WARN, c->over ? "the session is "
		    "over" : c->unacked >= UNACKED_MAX ? "too many lines wait "
		    "for the relay" : "this line is too long", 4);
		return -1;
	}
	s = calloc(1, sizeof *s);
	if (s == NULL || (s->text = strdup(text)) == NULL) {
		free(s);
		return -1;
	}
	(void)snprintf(s->id, sizeof s->id, "%s.%u", c->self, c->counter++);
	id.s = s->id;
	id.len = strlen(s->id);
	(void)seen(c, id);	/* the relay's chat tail has it too */
	s->line = chatui_line(c->ui, time(NULL), CHATUI_NORMAL, c->name, text);
	chatui_mark(c->ui, s->line, 1);
	*c->sent_tail = s;
	c->sent_tail = &s->next;
	c->unacked++;
	send_line(c, s);
	return 0;
}

/* ---- the leg -------------------------------------------------------------- */

static void
up_cb(void *arg)
{
	struct chat *c = arg;
	const struct sent *s;

	if (c->win.in_tmux && !c->watched)
		joinwin_watch();	/* what is drawn now is news */
	c->watched = true;
	c->down_since = 0;
	for (s = c->sent; s != NULL; s = s->next)
		send_line(c, s);
	rows_refresh(c);
}

static void
take_info(struct chat *c, const struct proto_str *text)
{
	cJSON *info = cJSON_ParseWithLength(text->s, text->len);
	struct timespec ts;

	if (!cJSON_IsObject(info)) {
		cJSON_Delete(info);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &ts);
	c->info_ms = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
	cJSON_Delete(c->info);
	c->info = info;
	(void)snprintf(c->perm, sizeof c->perm, "%s",
	    text_or(info, "perm", ""));
}

static enum leg_taken
frame_cb(void *arg, enum proto_form form, const struct proto_frame *f)
{
	struct chat *c = arg;
	char text[ROW_MAX];

	switch (form) {
	case PROTO_CUSTOMER_CHAT:
		take_customer_chat(c, f);
		return LEG_DONE;
	case PROTO_SUPPORT_CHAT:
		take_support_chat(c, f);
		return LEG_DONE;
	case PROTO_CHAT_ACK:
		take_ack(c, f->args[0]);
		return LEG_DONE;
	case PROTO_SESSION_INFO:
		take_info(c, &f->payload);
		break;
	case PROTO_PERM:
		(void)snprintf(c->perm, sizeof c->perm, "%.*s",
		    (int)f->args[0].len, f->args[0].s);
		break;
	case PROTO_STATUS:
		(void)snprintf(text, sizeof text, "%.*s",
		    (int)f->payload.len, f->payload.s);
		chatui_notice(c->ui, CHATUI_WARN, text, 6);
		return LEG_DONE;
	default:
		return LEG_DONE;
	}
	rows_refresh(c);
	return LEG_DONE;
}

static void
down_cb(void *arg, const char *why, unsigned int ms)
{
	struct chat *c = arg;

	(void)ms;
	if (c->down_since == 0)
		c->down_since = time(NULL);
	(void)snprintf(c->why, sizeof c->why, "%s", why);
	rows_refresh(c);
}

static void
over_cb(void *arg, const char *why)
{
	struct chat *c = arg;

	c->over = true;
	(void)snprintf(c->why, sizeof c->why, "%s", why);
	(void)chatui_line(c->ui, time(NULL), CHATUI_BAD, NULL, why);
	chatui_readonly(c->ui, "the session is over");
	rows_refresh(c);
}

/* ---- start ---------------------------------------------------------------- */

static void
eof_cb(void *arg, int terminal_gone)
{
	struct chat *c = arg;

	if (terminal_gone)
		event_base_loopbreak(c->win.base);
	else
		chatui_notice(c->ui, CHATUI_NORMAL, "the menu (prefix Enter) "
		    "closes this window", 4);
}

/* "window N": what the engineer sees now. */
static void
poke_cb(void *arg, const char *word)
{
	struct chat *c = arg;

	if (strncmp(word, "window ", 7) != 0)
		return;
	c->shown = strcmp(word + 7, "1") == 0;
	rows_refresh(c);
}

static int
names_make(struct chat *c)
{
	struct proto_str coded = { c->win.conf.name, strlen(c->win.conf.name) };
	uint32_t random;

	if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
		return -1;
	(void)snprintf(c->self, sizeof c->self, "%08x", random);
	if (proto_name_decode(coded, c->name, sizeof c->name) <= 0)
		(void)snprintf(c->name, sizeof c->name, "me");
	return 0;
}

static int
chat_start(struct chat *c)
{
	static const struct leg_ops leg_ops = { up_cb, frame_cb, down_cb,
	    over_cb };
	static const struct chatui_ops ui_ops = { submit_cb, tick_cb, eof_cb };

	if (names_make(c) == -1)
		return say_error("%s", strerror(errno));
	c->leg = leg_new(c->win.base, c->win.relay, &c->win.conf, &leg_ops, c);
	if (c->leg == NULL)
		return say_error("out of memory");
	c->ui = chatui_new(c->win.base, &ui_ops, c, "> ");
	if (c->ui == NULL)
		return say_error("chat needs a terminal: %s", strerror(errno));
	if (c->win.conf.read_only)
		chatui_readonly(c->ui, "read-only: you cannot write here");
	c->shown = true;
	rows_refresh(c);
	c->shown = !c->win.in_tmux;	/* until tmux says so */
	return 0;
}

static void
chat_clear(struct chat *c)
{
	leg_free(c->leg);
	if (c->ui != NULL)
		chatui_free(c->ui);
	while (c->sent != NULL)
		sent_drop(c, &c->sent);
	cJSON_Delete(c->info);
	window_clear(&c->win);
	free(c);
}

int
cmd_chat(struct tunl *t, const struct args *args)
{
	struct chat *c = calloc(1, sizeof *c);
	int rv;

	if (c == NULL)
		return say_error("out of memory");
	c->sent_tail = &c->sent;
	if (window_init(&c->win, t, args, PROTO_CHAT, "chat", poke_cb, c) ==
	    -1) {
		free(c);
		return 1;
	}
	rv = chat_start(c);
	if (rv == 0)
		event_base_dispatch(c->win.base);
	chat_clear(c);
	return rv;
}
