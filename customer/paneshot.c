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

#include <stdlib.h>
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

/* What tmux's parser has of an incomplete sequence, into ours. */
static void
take_pending(struct panes *p, const struct snapshot_answer *an)
{
	size_t len = an->pending.len;
	char *text = strndup(an->pending.s, len);

	if (len > 0 && an->pending.s[len - 1] == '\n')
		len--;
	if (text != NULL)
		vtmodes_lost(&p->vt, an->info.alternate, text,
		    tmux_unescape(text, len));
	free(text);
}

/* Make the screen of what was read.  Returns 0, or -1. */
static int
paint(struct panes *p, const struct snapshot_answer *an)
{
	struct panes_shot *shot = &p->shot.taken;

	shot->screen = evbuffer_new();
	if (shot->screen == NULL)
		return -1;
	shot->cols = an->info.cols;
	shot->rows = an->info.rows;
	if (p->lost || p->shot.splices)
		take_pending(p, an);
	if (an->history.s != NULL && (shot->history = evbuffer_new()) != NULL)
		(void)snapshot_history(shot->history, &an->info, an->history,
		    an->above);
	if (p->vt.unsure)
		(void)penguess(an->screen.s, an->screen.len, an->info.cx,
		    an->info.cy, &p->vt.pen);
	return snapshot_screen(shot->screen, &an->info, an->screen, an->saved,
	    &p->vt);
}

/* Make the screen of the answers.  Returns as snapshot_read(). */
static int
compose(struct panes *p, const struct control_answer *a, unsigned int n)
{
	struct snapshot_text *texts = calloc(n + 1, sizeof *texts);
	struct snapshot_answer an = { .rows = NULL };
	unsigned int i;
	int rv = -1;

	for (i = 0; texts != NULL && i < n; i++) {
		texts[i].s = a[i].s;
		texts[i].len = a[i].len;
	}
	if (texts != NULL)
		rv = snapshot_read(&an, p->caps, &p->ask, texts, n, &p->vt);
	if (rv == 0)
		rv = paint(p, &an);
	snapshot_release(&an);
	free(texts);
	return rv;
}

static void
taken_cb(void *arg, bool ok, const struct control_answer *a, unsigned int n)
{
	struct panes *p = arg;
	struct paneshot *sh = &p->shot;
	bool exact = p->pipe.pipe == NULL || sh->splices || p->pipe.dead;
	int rv = -1;

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
	if (ok)
		rv = compose(p, a, n);
	if (rv == 1) {
		sh->corrected = true;
		paneshot_step(p);
	} else if (rv == -1) {
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

/* Send it all as one line, with PIPE (which may be "") before it. */
static void
take(struct panes *p, const char *pipe)
{
	struct evbuffer *line = evbuffer_new();
	struct paneshot *sh = &p->shot;
	unsigned int n;

	if (line == NULL) {
		fail(p);
		return;
	}
	if (!sh->corrected) {
		p->ask.rows = p->rows;
		p->ask.alternate = p->vt.alternate;
	}
	sh->corrected = false;
	p->ask.pane = p->shell;
	p->ask.history = sh->asked ? sh->history : 0;
	n = snapshot_commands(line, p->caps, &p->ask);
	evbuffer_add(line, "", 1);
	sh->running = true;
	sh->splices = pipe[0] != '\0';
	sh->answers = sh->asked;
	control_command(p->ct, n + sh->splices, taken_cb, p, "%s%s", pipe,
	    (char *)evbuffer_pullup(line, -1));
	evbuffer_free(line);
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
