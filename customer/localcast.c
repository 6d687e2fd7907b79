/*
 * localcast.c - see localcast.h.
 */
#include "localcast.h"

#include <event2/buffer.h>
#include <event2/event.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "castkeep.h"
#include "log.h"
#include "panes.h"
#include "settings.h"

static void
arm(struct event *ev, uint32_t ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	(void)event_add(ev, &tv);
}

/* Something was added: see to it soon, or at once if something is wrong. */
static void
touched(struct localcast *l)
{
	if (l->cast.state != l->told)
		event_active(l->flush_ev, EV_TIMEOUT, 0);
	else if (!l->armed && cast_waits(&l->cast)) {
		l->armed = true;
		arm(l->flush_ev, l->set->cast_flush_ms);
	}
}

/* ---- what is recorded --------------------------------------------------- */

void
localcast_output(struct localcast *l, const void *data, size_t len)
{
	if (l->cast.state != CAST_OPEN)
		return;
	cast_output(&l->cast, data, len);
	touched(l);
}

void
localcast_lost(struct localcast *l)
{
	if (l->cast.state != CAST_OPEN || l->waits)
		return;
	l->waits = true;
	cast_cut(&l->cast, true);
	localcast_mark(l, "gap: output was lost");
}

/* It is of use after a loss, and after a new size, which tmux draws anew. */
void
localcast_shot(struct localcast *l, const struct panes_shot *shot)
{
	struct cast *c = &l->cast;
	bool resized;

	if (c->state != CAST_OPEN || shot == NULL)
		return;
	if (shot->gap)
		localcast_lost(l);
	resized = c->begun && (shot->cols != c->cols || shot->rows != c->rows);
	if (resized || l->waits)
		cast_cut(c, false);	/* it comes again */
	cast_size(c, shot->cols, shot->rows);
	if (resized || l->waits)
		cast_output(c, evbuffer_pullup(shot->screen, -1),
		    evbuffer_get_length(shot->screen));
	l->waits = false;
	touched(l);
}

void
localcast_mark(struct localcast *l, const char *text)
{
	if (l->cast.state != CAST_OPEN)
		return;
	cast_mark(&l->cast, text);
	touched(l);
}

void
localcast_link(struct localcast *l, bool up)
{
	if (l->up != up)
		localcast_mark(l, up ? "connected to the relay" :
		    "not connected to the relay");
	l->up = up;
	l->shared = l->shared || up;
}

bool
localcast_is_kept(const struct localcast *l)
{
	return l->shared && l->told != CAST_CLOSED;
}

/* ---- trouble ------------------------------------------------------------ */

static void
settle(struct localcast *l)
{
	char text[256];

	if (l->cast.state == l->told)
		return;
	l->told = l->cast.state;
	if (l->cast.state == CAST_OPEN) {
		l->waits = true;
		l->ops->shoot_cb(l->arg);
		return;
	}
	if (l->cast.state == CAST_FAILED) {
		(void)snprintf(text, sizeof text, "your own copy of the "
		    "record cannot be written (%s); the session goes on",
		    strerror(l->cast.error));
		arm(l->retry_ev, l->set->cast_retry_ms);
	} else
		(void)snprintf(text, sizeof text, "your own copy of the "
		    "record has reached its limit and ends here");
	log_warnx("%s", text);
	if (!l->announced)
		l->ops->say_cb(l->arg, text);
	l->announced = true;
}

static void
flush_cb(evutil_socket_t fd, short what, void *arg)
{
	struct localcast *l = arg;

	(void)fd;
	(void)what;
	l->armed = false;
	cast_flush(&l->cast);
	settle(l);
	touched(l);
}

static void
open_file(struct localcast *l)
{
	char name[CASTKEEP_NAME_MAX];

	if (cast_open(&l->cast, l->sd->fd, castkeep_name(l->sd, name), 0600,
	    l->set->cast_max, l->sd->sid) == -1)
		log_warn("%s/%s", l->sd->path, name);
	if (l->cast.state == CAST_OPEN && l->cast.size > 0) {
		l->shared = true;	/* who knows */
		localcast_lost(l);
	}
}

static void
retry_cb(evutil_socket_t fd, short what, void *arg)
{
	struct localcast *l = arg;

	(void)fd;
	(void)what;
	if (l->cast.fd != -1)
		(void)cast_retry(&l->cast);
	else
		open_file(l);
	if (l->cast.state == CAST_FAILED)
		arm(l->retry_ev, l->set->cast_retry_ms);
	touched(l);
}

/* ---- life --------------------------------------------------------------- */

void
localcast_open(struct localcast *l, struct event_base *base,
    const struct sessiondir *sd, const struct settings *set,
    const struct localcast_ops *ops, void *arg)
{
	memset(l, 0, sizeof *l);
	l->sd = sd;
	l->set = set;
	l->ops = ops;
	l->arg = arg;
	if (strcmp(set->cast_dir, "none") == 0)
		return;
	l->flush_ev = evtimer_new(base, flush_cb, l);
	l->retry_ev = evtimer_new(base, retry_cb, l);
	if (l->flush_ev == NULL || l->retry_ev == NULL)
		return;
	(void)signal(SIGXFSZ, SIG_IGN);	/* an error will do */
	l->told = CAST_OPEN;
	open_file(l);
	touched(l);
}

int
localcast_end(struct localcast *l, char *path, size_t cap)
{
	bool kept = localcast_is_kept(l);

	cast_close(&l->cast);
	if (l->flush_ev != NULL)
		event_free(l->flush_ev);
	if (l->retry_ev != NULL)
		event_free(l->retry_ev);
	return kept ? castkeep_move(l->sd, l->set->cast_dir, path, cap) : 0;
}
