/*
 * panepipe.c - whether the shell pane's output comes through its pipe or in
 * control mode, and what is typed into the pipe; see panes_impl.h.
 *
 * The pipe is tried again when it breaks.  Where it cannot be had, because its
 * helper does not come or the customer uses the pane's one pipe otherwise, it is
 * control mode for good; a screen joins the two.
 */
#include <sys/ioctl.h>
#include <sys/time.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "log.h"
#include "mono.h"
#include "panes_impl.h"
#include "pipe.h"

#define LOOK_MS		250	/* between two looks for the helper's end */
#define HELPER_MS	5000	/* for it to come: a machine under load takes
				 * seconds to start a program, and meanwhile the
				 * engineer sees nothing new */
#define TRIES_MAX	3
#define DEAD_MS		1000	/* between two looks at a dead pane */
#define TYPED_MAX	65536	/* octets that a program has not read */
#define LOOK_OCTETS	4096	/* typed before it is asked whether it has, */
#define LOOK_MS_AFTER	100	/* and so long after tmux was given the last */

static void
arm(struct event *ev, int ms)
{
	struct timeval tv = { ms / 1000, (ms % 1000) * 1000 };

	(void)event_add(ev, &tv);
}

/* ---- the pipe ------------------------------------------------------------- */

bool
panepipe_is_wanted(const struct tmuxcaps *caps)
{
	return tmuxcaps_has(caps, TMUX_PIPE_BOTH) &&
	    tmuxcaps_has(caps, TMUX_CLIENT_FLAGS) &&
	    !tmuxcaps_has(caps, TMUX_CONTROL_CHEAP);
}

/* Control mode from here on. */
static void
give_up(struct panes *p, const char *why)
{
	log_warnx("no pipe from the shell pane: %s; using control mode", why);
	pipe_free(p->pipe.pipe);
	p->pipe.pipe = NULL;
	(void)event_del(p->pipe.timer);
	p->lost = true;
	event_active(p->again, EV_TIMEOUT, 0);
}

static void
output_cb(void *arg, const char *data, size_t len)
{
	panes_output(arg, data, len);
}

static void
open_cb(void *arg)
{
	struct panes *p = arg;
	struct evbuffer *typed = p->pipe.typed;

	(void)event_del(p->pipe.timer);
	p->pipe.tries = 0;
	p->pipe.awaited = false;
	if (evbuffer_get_length(typed) > 0)
		pipe_write(p->pipe.pipe, evbuffer_pullup(typed, -1),
		    evbuffer_get_length(typed));
	(void)evbuffer_drain(typed, evbuffer_get_length(typed));
	paneshot_step(p);
}

/* What has become of a pane whose pipe is closed. */
static void
ended_cb(void *arg, bool ok, const struct control_answer *a, unsigned int n)
{
	struct panes *p = arg;

	if (p->pipe.pipe == NULL || p->pipe.awaited || !ok || n != 1)
		return;		/* the pane has gone: panes.c sees that */
	p->pipe.dead = false;
	if (strcmp(a[0].s, "0 0\n") == 0)
		panes_mend(p);
	else if (a[0].s[0] == '0')
		give_up(p, "it is used by somebody else");
	else {
		p->pipe.dead = true;
		arm(p->pipe.timer, DEAD_MS);
		paneshot_step(p);
	}
}

/* Ask what became of the pane, as its pipe is not open; go on accordingly. */
static void
look(struct panes *p)
{
	if (p->pipe.pipe != NULL && !p->pipe.awaited && p->shell != NO_PANE)
		control_command(p->ct, 1, ended_cb, p, "display-message -p "
		    "-t %%%u '#{pane_dead} #{pane_pipe}'", p->shell);
}

static void
end_cb(void *arg)
{
	struct panes *p = arg;

	if (!p->ended)
		look(p);	/* not if it had to end */
}

static const struct pipe_ops pipe_ops = { output_cb, open_cb, end_cb };

/* ---- whose pane it is ------------------------------------------------------ */

/*
 * A pane that is respawned has another process, and its screen is empty, without
 * a word in its output.
 */
static void
identified_cb(void *arg, bool ok, const struct control_answer *a,
    unsigned int n)
{
	struct panes *p = arg;
	bool known = p->pipe.who[0] != '\0';

	if (!ok || n != 1 || a[0].len > sizeof p->pipe.who ||
	    (known && strncmp(p->pipe.who, a[0].s, a[0].len - 1) == 0))
		return;
	(void)snprintf(p->pipe.who, sizeof p->pipe.who, "%.*s",
	    (int)a[0].len - 1, a[0].s);
	if (known)
		panes_mend(p);
}

void
panepipe_identify(struct panes *p)
{
	if (p->shell == NO_PANE || p->ended)
		return;
	control_command(p->ct, 1, identified_cb, p, "display-message -p "
	    "-t %%%u '#{pane_pid} #{pane_tty}'", p->shell);
}

/* Have the control client tell, as nothing else does. */
static void
watch(struct panes *p)
{
	panepipe_identify(p);
	if (p->shell != NO_PANE && tmuxcaps_has(p->caps, TMUX_CLIENT_FLAGS))
		control_command(p->ct, 1, NULL, NULL,
		    "refresh-client -B 'shell:%%%u:#{pane_pid}'", p->shell);
}

/* ---- its helper ----------------------------------------------------------- */

static void
failed(struct panes *p, const char *why)
{
	p->pipe.awaited = false;
	if (++p->pipe.tries >= TRIES_MAX)
		give_up(p, why);
	else
		panes_mend(p);
}

static void
helper_cb(void *arg, bool ok, const struct control_answer *a, unsigned int n)
{
	struct panes *p = arg;

	if (p->pipe.pipe == NULL || !p->pipe.awaited || !ok || n != 1)
		return;
	if (a[0].s[0] == '0')
		failed(p, "its helper has died");
	else if (mono_ms() - p->pipe.since_ms >= HELPER_MS)
		failed(p, "its helper does not come");
	else
		arm(p->pipe.timer, LOOK_MS);
}

static void
timer_cb(evutil_socket_t fd, short what, void *arg)
{
	struct panes *p = arg;

	(void)fd;
	(void)what;
	if (p->pipe.pipe == NULL || p->ended || p->shell == NO_PANE)
		return;
	if (p->pipe.awaited)
		control_command(p->ct, 1, helper_cb, p, "display-message -p "
		    "-t %%%u '#{pane_pipe}'", p->shell);
	else
		look(p);
}

bool
panepipe_may_close(struct panes *p)
{
	p->pipe.closing = true;
	return pipe_unread(p->pipe.pipe) == 0;
}

/* The pipe-pane of TARGET, between BEFORE and AFTER. */
static int
put_command(struct panes *p, const char *before, const char *target,
    const char *after, char line[PANEPIPE_LINE_MAX])
{
	char command[PIPE_COMMAND_MAX];

	if (pipe_command(p->pipe.pipe, command) == -1)
		return -1;
	p->pipe.closing = p->pipe.dead = p->pipe.answered = false;
	p->pipe.awaited = true;
	p->pipe.since_ms = mono_ms();
	(void)snprintf(line, PANEPIPE_LINE_MAX, "%spipe-pane -IO -t %s %s%s",
	    before, target, command, after);
	return 0;
}

int
panepipe_command(struct panes *p, unsigned int pane,
    char line[PANEPIPE_LINE_MAX])
{
	char target[16];

	(void)snprintf(target, sizeof target, "%%%u", pane);
	return put_command(p, "", target, " ; ", line);
}

void
panepipe_line(struct panes *p, char line[PANEPIPE_LINE_MAX])
{
	char target[SERVER_TARGET_MAX + 1];

	line[0] = '\0';
	if (p->pipe.pipe == NULL)
		return;
	/* the session's current window is the new one */
	(void)snprintf(target, sizeof target, "%s:", p->session);
	if (put_command(p, " ; ", target, "", line) == -1)
		give_up(p, strerror(errno));
}

void
panepipe_made(struct panes *p, bool ok)
{
	watch(p);
	if (p->pipe.pipe == NULL)
		return;
	if (ok)
		panepipe_switch(p);
	else
		panepipe_failed(p);
}

void
panepipe_found(struct panes *p)
{
	watch(p);
	if (p->pipe.pipe != NULL)
		look(p);
	else
		panes_mend(p);
}

void
panepipe_switch(struct panes *p)
{
	p->pipe.answered = true;
	pipe_switch(p->pipe.pipe);
	if (!pipe_is_open(p->pipe.pipe))
		arm(p->pipe.timer, LOOK_MS);
}

void
panepipe_failed(struct panes *p)
{
	failed(p, "tmux makes none");
}

/* The control client types what has waited for the pipe. */
static void
retype(struct panes *p)
{
	struct evbuffer *typed = p->pipe.typed;
	size_t len = evbuffer_get_length(typed);

	if (p->pipe.pipe != NULL || len == 0)
		return;
	p->pipe.typed = evbuffer_new();
	if (p->pipe.typed == NULL) {
		p->pipe.typed = typed;
		return;
	}
	p->pipe.unread -= len;
	panes_keys(p, evbuffer_pullup(typed, -1), len);
	evbuffer_free(typed);
}

void
panepipe_again(struct panes *p)
{
	watch(p);
	retype(p);
	if (p->pipe.pipe != NULL && p->pipe.awaited && p->pipe.answered)
		arm(p->pipe.timer, LOOK_MS);
	else if (p->pipe.pipe != NULL && p->pipe.awaited) {
		p->pipe.awaited = false;	/* who knows */
		p->lost = true;
	} else if (p->pipe.pipe != NULL && !pipe_is_open(p->pipe.pipe))
		look(p);
}

/* ---- what is typed -------------------------------------------------------- */

/*
 * True if the program has read all that its terminal has for it.  tmux takes
 * whatever it is given and keeps what the terminal does not take, without
 * bound; the terminal, at least, can be asked.
 */
static bool
terminal_is_empty(const struct panes *p)
{
	const char *tty = strchr(p->pipe.who, '/');
	int fd, n = 0;

	if (tty == NULL)
		return true;
	fd = open(tty, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return true;
	if (ioctl(fd, FIONREAD, &n) == -1)
		n = 0;
	close(fd);
	return n == 0;
}

bool
panepipe_type(struct panes *p, const void *data, size_t len)
{
	struct pipe *pp = p->pipe.pipe;

	int64_t now = mono_ms();

	if (p->pipe.unread >= LOOK_OCTETS &&
	    now - p->pipe.typed_ms >= LOOK_MS_AFTER && terminal_is_empty(p))
		p->pipe.unread = 0;
	p->pipe.typed_ms = now;
	p->pipe.unread += len;
	if (pp == NULL && evbuffer_get_length(p->pipe.typed) == 0)
		return false;
	if (pp != NULL && pipe_is_open(pp) && !p->pipe.awaited &&
	    !p->pipe.closing)
		pipe_write(pp, data, len);
	else	/* what is written before tmux changes pipes may be lost */
		(void)evbuffer_add(p->pipe.typed, data, len);
	return true;
}

bool
panepipe_busy(struct panes *p)
{
	size_t waits = evbuffer_get_length(p->pipe.typed);

	if (p->pipe.pipe != NULL)
		waits += pipe_unread(p->pipe.pipe);
	if (waits >= TYPED_MAX)
		return true;
	if (p->pipe.unread < TYPED_MAX)
		return false;
	if (waits > 0 || !terminal_is_empty(p))
		return true;
	p->pipe.unread = 0;
	return false;
}

bool
panes_frozen(const struct panes *p)
{
	return p->in_mode && !tmuxcaps_has(p->caps, TMUX_MODE_RUNS);
}

/* ---- life ----------------------------------------------------------------- */

int
panepipe_init(struct panes *p)
{
	p->pipe.typed = evbuffer_new();
	p->pipe.timer = evtimer_new(p->base, timer_cb, p);
	if (p->pipe.typed == NULL || p->pipe.timer == NULL)
		return -1;
	if (!panepipe_is_wanted(p->caps))
		return 0;
	p->pipe.pipe = pipe_new(p->base, p->sd, &pipe_ops, p);
	return p->pipe.pipe == NULL ? -1 : 0;
}

void
panepipe_release(struct panes *p)
{
	if (p->pipe.pipe != NULL)
		pipe_free(p->pipe.pipe);
	if (p->pipe.timer != NULL)
		event_free(p->pipe.timer);
	if (p->pipe.typed != NULL)
		evbuffer_free(p->pipe.typed);
}
