/*
 * recording.c - see recording.h.
 *
 * Nothing here may wait for anybody, nor say anything to a peer from inside the
 * stream: what has to be said is said from the loop.
 */
#include "recording.h"

#include <event2/event.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "broker.h"
#include "log.h"

static void
set_timer(struct event *ev, uint32_t ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	(void)evtimer_add(ev, &tv);
}

/* Something was added: see to it soon, or at once if something is wrong. */
static void
touched(struct broker *b)
{
	struct recording *r = &b->recording;

	if (r->cast.state != r->told)
		event_active(r->flush_ev, EV_TIMEOUT, 0);
	else if (!r->armed && cast_waits(&r->cast)) {
		r->armed = true;
		set_timer(r->flush_ev, b->conf->record_flush_ms);
	}
}

void
recording_mark(struct broker *b, const char *fmt, ...)
{
	struct recording *r = &b->recording;
	char label[CAST_MARK_MAX];
	va_list ap;

	if (r->cast.state != CAST_OPEN)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(label, sizeof label, fmt, ap);
	va_end(ap);
	cast_mark(&r->cast, label);
	touched(b);
}

/* ---- the stream --------------------------------------------------------- */

void
recording_output(struct broker *b, struct proto_str octets)
{
	struct recording *r = &b->recording;

	if (r->cast.state != CAST_OPEN)
		return;
	r->sized = false;
	cast_output(&r->cast, octets.s, octets.len);
	touched(b);
}

void
recording_size(struct broker *b, uint64_t cols, uint64_t rows)
{
	struct recording *r = &b->recording;

	if (r->cast.state != CAST_OPEN)
		return;
	r->sized = cols != r->cast.cols || rows != r->cast.rows;
	cast_size(&r->cast, (unsigned int)cols, (unsigned int)rows);
	touched(b);
}

/* One with a gap follows a new size too, where nothing is missing. */
void
recording_screen(struct broker *b, const struct blob *screen)
{
	struct recording *r = &b->recording;
	bool lost;

	if (r->cast.state != CAST_OPEN || !(screen->gap || r->waits))
		return;
	/* what tmux shows at a new size has the octets that are half read */
	lost = screen->gap && !r->waits && !r->sized;
	cast_cut(&r->cast, lost);
	if (lost)
		cast_mark(&r->cast, "gap: output was skipped");
	cast_size(&r->cast, screen->cols, screen->rows);
	cast_output(&r->cast, screen->data, screen->len);
	r->waits = r->sized = false;
	touched(b);
}

bool
recording_waits(const struct broker *b)
{
	const struct recording *r = &b->recording;

	return r->waits && r->cast.state == CAST_OPEN &&
	    peer_clock() >= r->since_ms;
}

/* What comes next has to begin with a screen: of itself after MS, or asked. */
static void
wait_for_screen(struct broker *b, uint32_t ms)
{
	struct recording *r = &b->recording;

	r->waits = true;
	r->since_ms = peer_clock() + ms;
	set_timer(r->ask_ev, ms);
}

static void
ask_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	if (recording_waits(arg))
		stream_ask(arg);
}

void
recording_link(struct broker *b, bool up)
{
	struct recording *r = &b->recording;

	if (up && r->told == CAST_FAILED)
		broker_tell_customer(b, "the relay cannot record this session: "
		    "%s", strerror(r->cast.error));
	if (r->cast.state != CAST_OPEN)
		return;
	cast_cut(&r->cast, true);
	if (!up)
		recording_mark(b, b->away ? "the customer went away for a while" :
		    "the customer's link is lost");
	else if (r->linked || r->cast.size > 0)
		recording_mark(b, "gap: the customer is connected again");
	else
		recording_mark(b, "the customer is connected");
	r->linked = true;
	if (up)
		wait_for_screen(b, b->conf->hello_ms);
}

/* ---- people ------------------------------------------------------------- */

static void
mark_viewer(struct broker *b, const struct peer *p, const char *what)
{
	const struct viewer *v = p->viewer;

	recording_mark(b, "viewer %u \"%s\" (%s%s%s) %s", v->n, v->name,
	    v->comment, v->comment[0] != '\0' ? " " : "", v->fingerprint,
	    what);
}

void
recording_join(struct broker *b, const struct peer *p)
{
	if (p->role != PROTO_CONTROL && p->viewer->watching == 1)
		mark_viewer(b, p, session_is_ro(&b->session, p->viewer) ?
		    "joined, read-only" : "joined");
}

void
recording_leave(struct broker *b, const struct peer *p)
{
	if (p->role != PROTO_CONTROL && p->viewer->watching == 1)
		mark_viewer(b, p, "left");
}

void
recording_chat(struct broker *b, const struct chat_line *l)
{
	recording_mark(b, "chat <%s> %.*s", l->viewer == 0 ? "customer" :
	    l->name[0] != '\0' ? l->name : "support", (int)l->len, l->text);
}

/* ---- trouble ------------------------------------------------------------ */

/* Both sides, and the log. */
static void
announce(struct broker *b, const char *text)
{
	log_warnx("recording: %s", text);
	broker_audit(b, NULL, "recording", "%s", text);
	broker_tell_customer(b, "%s", text);
	broker_tell_support(b, "%s", text);
}

/* Recording has come to another state: say so, and do what follows. */
static void
settle(struct broker *b)
{
	struct recording *r = &b->recording;
	bool required = b->conf->recording == RELAYCONF_REQUIRED;
	char text[256];

	if (r->cast.state == r->told)
		return;
	if (r->cast.state == CAST_FAILED)
		(void)snprintf(text, sizeof text, "the relay cannot record "
		    "this session: %s", strerror(r->cast.error));
	else if (r->cast.state == CAST_FULL)
		(void)snprintf(text, sizeof text, "the relay's record of this "
		    "session has reached its limit: what follows is not "
		    "recorded");
	else
		(void)snprintf(text, sizeof text, "the relay records this "
		    "session again");
	r->told = r->cast.state;
	announce(b, text);
	inform_due(b);
	if (r->cast.state == CAST_OPEN) {
		wait_for_screen(b, 0);
		return;
	}
	if (r->cast.state == CAST_FAILED)
		set_timer(r->retry_ev, b->conf->record_retry_ms);
	/* who is not here yet is turned away when they come */
	if (required && b->producer != NULL)
		broker_close(b, "refused", true, true);
}

static void
flush_cb(evutil_socket_t fd, short what, void *arg)
{
	struct broker *b = arg;

	(void)fd;
	(void)what;
	b->recording.armed = false;
	cast_flush(&b->recording.cast);
	settle(b);
	touched(b);
}

static void
open_file(struct broker *b)
{
	char name[128];
	int dir = open(b->conf->log_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct cast *c = &b->recording.cast;

	(void)snprintf(name, sizeof name, "%s.cast", b->sid);
	/* the descriptor -1 fails in there, with the state that it makes */
	if (cast_open(c, dir, name, 0640, b->conf->record_max, b->sid) == -1)
		log_warn("%s/%s", b->conf->log_dir, name);
	if (dir != -1)
		close(dir);
	if (c->state == CAST_OPEN && c->size > 0)
		cast_mark(c, "gap: the relay's broker was started again");
}

static void
try_again(struct broker *b)
{
	struct recording *r = &b->recording;

	if (r->cast.state != CAST_FAILED)
		return;
	if (r->cast.fd != -1)
		(void)cast_retry(&r->cast);
	else
		open_file(b);
	if (r->cast.state == CAST_FAILED)
		set_timer(r->retry_ev, b->conf->record_retry_ms);
	touched(b);
}

static void
retry_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	try_again(arg);
}

bool
recording_turns_away(struct broker *b, struct peer *p)
{
	const char *text = broker_reason_text("refused");

	if (b->conf->recording != RELAYCONF_REQUIRED)
		return false;
	try_again(b);
	if (b->recording.cast.state == CAST_OPEN)
		return false;
	broker_audit(b, p, "connect", "refused: it cannot be recorded");
	peer_send(p, PROTO_CLOSED, text, strlen(text), "refused");
	peer_leave(p, PROTO_END, 1, text);
	return true;
}

/* ---- life --------------------------------------------------------------- */

bool
recording_is_on(const struct broker *b)
{
	return b->recording.cast.state == CAST_OPEN;
}

int
recording_open(struct broker *b)
{
	struct recording *r = &b->recording;

	memset(r, 0, sizeof *r);
	r->cast.fd = -1;
	if (b->conf->recording == RELAYCONF_NO)
		return 0;
	r->flush_ev = evtimer_new(b->base, flush_cb, b);
	r->retry_ev = evtimer_new(b->base, retry_cb, b);
	r->ask_ev = evtimer_new(b->base, ask_cb, b);
	if (r->flush_ev == NULL || r->retry_ev == NULL || r->ask_ev == NULL)
		return -1;
	(void)signal(SIGXFSZ, SIG_IGN);	/* an error will do */
	r->told = CAST_OPEN;
	open_file(b);
	touched(b);
	return 0;
}

void
recording_close(struct broker *b)
{
	struct recording *r = &b->recording;

	if (r->cast.state == CAST_OPEN)
		cast_mark(&r->cast, b->reason != NULL ?
		    broker_reason_text(b->reason) : "the relay's broker ends");
	cast_close(&r->cast);
	if (r->flush_ev != NULL)
		event_free(r->flush_ev);
	if (r->retry_ev != NULL)
		event_free(r->retry_ev);
	if (r->ask_ev != NULL)
		event_free(r->ask_ev);
}
