/*
 * viewsize.c - the sizes of `tunl view`, see view.h.
 *
 * In a join session the window follows the customer's size, and what the
 * engineer's terminals show (the smallest of them) is a wish that the relay is
 * told: the smallest of all wishes makes the customer's shell smaller.
 */
#include <event2/event.h>

#include "joinwin.h"
#include "view.h"

#define RESIZE_MS	1500	/* for the window to get its size */
#define LOOK_MS		20	/* attaching runs several hooks at once */
#define WISH_MAX	9999	/* of the protocol */

static void
timer_set(struct event *ev, unsigned int ms)
{
	const struct timeval tv = { .tv_sec = ms / 1000,
	    .tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	evtimer_add(ev, &tv);
}

static bool
size_equal(struct size a, struct size b)
{
	return a.cols == b.cols && a.rows == b.rows;
}

struct size
viewsize_now(const struct view *v)
{
	struct size s;

	term_size(v->term, &s.cols, &s.rows);
	return s;
}

/* ---- the customer's ------------------------------------------------------- */

bool
viewsize_is_right(const struct view *v)
{
	return !v->win.in_tmux || v->want.cols == 0 ||
	    size_equal(v->want, v->gave_up) ||
	    size_equal(v->want, viewsize_now(v));
}

void
viewsize_follow(struct view *v, struct size s)
{
	if (!size_equal(v->want, s))
		v->gave_up.cols = 0;
	v->want = s;
	if (viewsize_is_right(v) || (evtimer_pending(v->ev_resize, NULL) &&
	    size_equal(v->asked, s)))
		return;
	joinwin_resize(s.cols, s.rows);
	v->asked = s;
	timer_set(v->ev_resize, RESIZE_MS);
}

static void
resize_cb(evutil_socket_t fd, short what, void *arg)
{
	struct view *v = arg;

	(void)fd;
	(void)what;
	if (!size_equal(v->want, viewsize_now(v)))
		v->gave_up = v->want;
	view_go_on(v);
}

void
viewsize_changed(struct view *v)
{
	if (!v->win.in_tmux)
		viewsize_look(v);
	else if (size_equal(v->want, viewsize_now(v)))
		evtimer_del(v->ev_resize);
}

/* ---- ours ----------------------------------------------------------------- */

/* Tell the relay what size we would like, or what it must be. */
static void
wish_send(struct view *v, bool always)
{
	static const struct size none = { 0, 0 };
	struct size s = v->viewport ? none : v->ours;

	if (s.cols > WISH_MAX || s.rows > WISH_MAX || s.cols == 0 ||
	    s.rows == 0)
		s = none;
	if (!always && size_equal(s, v->wish))
		return;
	if (v->forced && s.cols > 0) {
		if (leg_send(v->leg, PROTO_RESIZE_OVERRIDE, NULL, 0,
		    "%u %u override", s.cols, s.rows) == 0)
			v->wish = s;
	} else if (leg_send(v->leg, PROTO_RESIZE, NULL, 0, "%u %u", s.cols,
	    s.rows) == 0)
		v->wish = s;
}

static void
look_cb(evutil_socket_t fd, short what, void *arg)
{
	struct view *v = arg;

	(void)fd;
	(void)what;
	if (v->win.in_tmux)
		joinwin_clients(v->win.conf.sid, &v->ours.cols, &v->ours.rows);
	else
		v->ours = viewsize_now(v);
	v->looked = true;
	wish_send(v, false);
}

/* Not at once: a look starts a program, and the screen comes first. */
void
viewsize_look(struct view *v)
{
	if (!evtimer_pending(v->ev_look, NULL))
		timer_set(v->ev_look, LOOK_MS);
}

void
viewsize_up(struct view *v)
{
	if (v->looked)
		wish_send(v, true);
	else if (v->win.in_tmux)
		viewsize_look(v);
	else
		look_cb(-1, 0, v);
}

void
viewsize_force(struct view *v)
{
	v->forced = !v->forced;
	v->viewport = false;
	wish_send(v, true);
	view_tell(v, v->forced ? "your dimensions hold for everybody, as far as "
	    "the customer's terminal goes" :
	    "your dimensions are no longer forced");
}

void
viewsize_viewport(struct view *v)
{
	v->viewport = !v->viewport;
	v->forced = false;
	wish_send(v, true);
	view_tell(v, v->viewport ? "viewport: the customer's size is left as it "
	    "is; prefix and arrows show another part, Home follows" :
	    "no viewport: the customer's shell is made to fit");
}

void
viewsize_down(struct view *v)
{
	evtimer_del(v->ev_resize);
}

/* ---- start and end -------------------------------------------------------- */

int
viewsize_init(struct view *v)
{
	v->ev_resize = evtimer_new(v->win.base, resize_cb, v);
	v->ev_look = evtimer_new(v->win.base, look_cb, v);
	return v->ev_resize == NULL || v->ev_look == NULL ? -1 : 0;
}

void
viewsize_clear(struct view *v)
{
	if (v->ev_resize != NULL)
		event_free(v->ev_resize);
	if (v->ev_look != NULL)
		event_free(v->ev_look);
}
