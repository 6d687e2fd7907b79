/*
 * paneshot.c - screens of the shell pane, at a known place of its output; see
 * panes.h.
 *
 * In control mode the answer stands at its place among the output.  With a pipe
 * there are two ways.  A quiet screen: nothing came through the pipe from before
 * it was taken until tmux has answered once more, so nothing was on its way.  A
 * splice: tmux opens a new pipe and takes the screen at one moment, so what
 * comes through the new pipe follows the screen; the old pipe loses its end, and
 * everybody needs the screen.
 *
 * After a splice the pen is not known but guessed, so that what is drawn next may
 * look otherwise at the viewers: once it is quiet they get another screen.
 */
#include <sys/time.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include <stdio.h>
#include <string.h>

#include "control.h"
#include "mono.h"
#include "panes_impl.h"
#include "penguess.h"
#include "snapshot.h"
#include "tmux.h"

#define QUIET_TRIES	5
#define FLOOD		32768	/* octets during one: do not try again */
#define SPLICE_MS	250	/* between two: each costs some 5 ms of CPU */
#define UNREAD_MS	2	/* until tmux has read what was typed */
#define RETRY_MS	1000	/* after one that failed */
#define SETTLE_MS	300	/* of drawing, before the screen after it */
#define UNSETTLED_MS	1000	/* … and when it was not quiet */

static void
arm(struct panes *p, int64_t ms)
{
	struct timeval tv = { ms / 1000, (ms % 1000) * 1000 };

	(void)event_add(p->shot.timer, &tv);
}

static void
forget(struct paneshot *sh)
{
	if (sh->taken.screen != NULL)
		evbuffer_free(sh->taken.screen);
	if (sh->taken.history != NULL)
		evbuffer_free(sh->taken.history);
	memset(&sh->taken, 0, sizeof sh->taken);
}

/* ---- what comes of it ----------------------------------------------------- */

static void
deliver(struct panes *p)
{
	struct paneshot *sh = &p->shot;
	bool settles = sh->drawn && !p->lost && !sh->splices;
	struct panes_shot shot = sh->taken;

	shot.gap = p->lost || sh->splices || settles;
	shot.asked = sh->answers;
	if (sh->answers)
		sh->asked = false;
	if (shot.gap) {
		sh->unsettled = !settles;
		sh->drawn = false;
	}
	sh->tries = 0;
	p->lost = false;
	memset(&sh->taken, 0, sizeof sh->taken);
	p->ops->shot_cb(p->arg, &shot);
	evbuffer_free(shot.screen);
	if (shot.history != NULL)
		evbuffer_free(shot.history);
	paneshot_step(p);
}

static void
fail(struct panes *p)
{
	struct paneshot *sh = &p->shot;

	forget(sh);
	sh->tries = 0;
	if (p->lost)
		arm(p, RETRY_MS);
	if (!sh->answers)
		return;
	sh->answers = sh->asked = false;
	p->ops->shot_cb(p->arg, NULL);
}

/* Octets came through the pipe meanwhile, or may have. */
static bool
has_moved(struct panes *p)
{
	uint64_t before = p->shot.total;
	bool more;

	p->shot.total = pipe_drain(p->pipe.pipe, &more);
	if (more || p->shot.total - before > FLOOD)
		p->shot.tries = QUIET_TRIES;
	return more || p->shot.total != before;
}

static void
try_again(struct panes *p)
{
	forget(&p->shot);
	p->shot.tries++;
	paneshot_step(p);
}

static void
proven_cb(void *arg, bool ok, const struct control_answer *a, unsigned int n)
{
	struct panes *p = arg;

	(void)a;
	(void)n;
	p->shot.running = false;
	if (p->pipe.pipe == NULL || has_moved(p))
		try_again(p);
	else if (ok)
		deliver(p);
	else
		fail(p);
}

/* ---- taking it ------------------------------------------------------------ */

static struct snapshot_text
text_of(const struct control_answer *a)
{
	struct snapshot_text t = { a->s, a->len };

	return t;
}

/* What tmux's parser has of an incomplete sequence, into ours. */
static void
take_pending(struct panes *p, const struct snapshot_info *info,
    const struct control_answer *a)
{
	size_t len = a->len;

	if (len > 0 && a->s[len - 1] == '\n')
		len--;
	vtmodes_lost(&p->vt, info->alternate, a->s, tmux_unescape(a->s, len));
}

/* Make the screen of the answers to SHOOT.  Returns 0, or -1. */
static int
compose(struct panes *p, const struct control_answer *a, unsigned int n)
{
	struct panes_shot *shot = &p->shot.taken;
	struct snapshot_info info;

	if (n < 4 || snapshot_parse(&info, a[0].s, a[0].len) == -1 ||
	    (shot->screen = evbuffer_new()) == NULL)
		return -1;
	shot->cols = info.cols;
	shot->rows = info.rows;
	if (p->lost || p->shot.splices)
		take_pending(p, &info, &a[3]);
	if (n == 5 && (shot->history = evbuffer_new()) != NULL)
		(void)snapshot_history(shot->history, &info, text_of(&a[4]));
	if (p->vt.unsure)
		(void)penguess(a[1].s, a[1].len, info.cx, info.cy, &p->vt.pen);
	return snapshot_screen(shot->screen, &info, text_of(&a[1]),
	    text_of(&a[2]), &p->vt);
}

static void
taken_cb(void *arg, bool ok, const struct control_answer *a, unsigned int n)
{
	struct panes *p = arg;
	struct paneshot *sh = &p->shot;
	bool exact = p->pipe.pipe == NULL || sh->splices || p->pipe.dead;

	if (sh->splices && n > 0) {
		panepipe_switch(p);
		p->lost = true;		/* until this screen is delivered */
		a++;
		n--;
	}
	sh->running = false;
	if (!exact && has_moved(p)) {
		try_again(p);
		return;
	}
	if (!ok || compose(p, a, n) == -1) {
		if (sh->splices && !p->lost)
			panepipe_failed(p);
		fail(p);
	} else if (exact)
		deliver(p);
	else {
		sh->running = true;
		control_command(p->ct, 1, proven_cb, p, "display-message -p ''");
	}
}

#define SHOOT	"display-message -p -t %%%u '" SNAPSHOT_FORMAT "' ; "	\
	"capture-pane -p -e -N -t %%%u ; "				\
	"capture-pane -p -e -N -a -q -t %%%u ; "			\
	"capture-pane -p -P -C -t %%%u"

/* Send it all as one line, with PIPE (which may be "") before it. */
static void
take(struct panes *p, const char *pipe)
{
	struct paneshot *sh = &p->shot;
	unsigned int n = pipe[0] != '\0' ? 5 : 4;
	char history[64] = "";

	if (sh->asked && sh->history > 0) {
		(void)snprintf(history, sizeof history,
		    " ; capture-pane -p -e -N -S -%u -E -1 -t %%%u",
		    sh->history, p->shell);
		n++;
	}
	sh->running = true;
	sh->splices = pipe[0] != '\0';
	sh->answers = sh->asked;
	control_command(p->ct, n, taken_cb, p, "%s" SHOOT "%s", pipe, p->shell,
	    p->shell, p->shell, p->shell, history);
}

static void
splice(struct panes *p)
{
	char line[PANEPIPE_LINE_MAX];
	struct paneshot *sh = &p->shot;
	int64_t wait = sh->spliced_ms + SPLICE_MS - mono_ms();

	if (sh->spliced_ms != 0 && wait > 0) {
		sh->tries = 0;
		arm(p, wait);
		return;
	}
	if (!panepipe_may_close(p)) {
		arm(p, UNREAD_MS);
		return;
	}
	sh->spliced_ms = mono_ms();
	if (panepipe_command(p, p->shell, line) == -1)
		panepipe_failed(p);
	else
		take(p, line);
}

/* ---- when ----------------------------------------------------------------- */

void
paneshot_step(struct panes *p)
{
	struct paneshot *sh = &p->shot;

	if (sh->running || p->ended || p->shell == NO_PANE ||
	    !(sh->asked || p->lost || sh->drawn))
		return;
	if (p->pipe.pipe == NULL || p->pipe.dead)
		take(p, "");
	else if (p->pipe.awaited || (!p->lost && !pipe_is_open(p->pipe.pipe)))
		return;		/* panepipe.c comes back to it */
	else if (!p->lost && sh->tries < QUIET_TRIES) {
		sh->total = pipe_drain(p->pipe.pipe, NULL);
		take(p, "");
	} else if (sh->asked || p->lost)
		splice(p);
	else {
		sh->tries = 0;
		arm(p, UNSETTLED_MS);
	}
}

static void
timer_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	paneshot_step(arg);
}

void
panes_shoot(struct panes *p, unsigned int history)
{
	p->shot.asked = true;
	p->shot.history = history;
	event_active(p->shot.timer, EV_TIMEOUT, 0);	/* not under output_cb */
}

void
paneshot_drawn(struct panes *p)
{
	if (!p->shot.unsettled || p->shot.drawn)
		return;
	p->shot.drawn = true;
	if (!event_pending(p->shot.timer, EV_TIMEOUT, NULL))
		arm(p, SETTLE_MS);
}

void
paneshot_again(struct panes *p)
{
	p->shot.running = false;
	forget(&p->shot);
	paneshot_step(p);
}

/* ---- life ----------------------------------------------------------------- */

int
paneshot_init(struct panes *p)
{
	p->shot.timer = evtimer_new(p->base, timer_cb, p);
	return p->shot.timer == NULL ? -1 : 0;
}

void
paneshot_release(struct panes *p)
{
	forget(&p->shot);
	if (p->shot.timer != NULL)
		event_free(p->shot.timer);
}
