/*
 * panes.c - see panes.h.
 */
#include "panes.h"

#include <sys/time.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "log.h"
#include "num.h"
#include "panes_impl.h"
#include "server.h"
#include "tmux.h"
#include "vtmodes.h"

#define RESPAWN_MS	1000	/* between two chat panes */

static void	check(struct panes *p);

/* ---- making panes --------------------------------------------------------- */

/* The pane id "%7" that S begins with, up to a blank or LF; NO_PANE if it is
 * none. */
static unsigned int
parse_pane(const char *s)
{
	uint64_t v;

	if (s[0] != '%' || num_parse(s + 1, strcspn(s + 1, " \n"), 0,
	    UINT_MAX - 1, &v) == -1)
		return NO_PANE;
	return (unsigned int)v;
}

static void
chat_made_cb(void *arg, bool ok, const struct control_answer *a,
    unsigned int n)
{
	struct panes *p = arg;

	(void)n;
	p->chat = ok ? parse_pane(a[0].s) : NO_PANE;
	if (p->chat == NO_PANE) {
		struct timeval tv = { RESPAWN_MS / 1000, 0 };

		(void)event_add(p->respawn, &tv);
	} else
		control_command(p->ct, 1, NULL, NULL,
		    "set-option -t %s: @linbit-chat %%%u", p->session, p->chat);
	if (!p->ready) {
		p->ready = true;
		p->ops->ready_cb(p->arg);
	}
	check(p);
}

static unsigned int
chat_rows(unsigned int height)
{
	unsigned int half = height > 1 ? (height - 1) / 2 : 1;

	return half < PANES_CHAT_ROWS ? half : PANES_CHAT_ROWS;
}

static void
make_chat(struct panes *p)
{
	control_command(p->ct, 1, chat_made_cb, p,
	    "split-window -d -v -l %u -t %%%u -P -F '#{pane_id}' %s",
	    chat_rows(p->height > 0 ? p->height : 24), p->shell, p->face);
}

static void
respawn_cb(evutil_socket_t fd, short what, void *arg)
{
	struct panes *p = arg;

	(void)fd;
	(void)what;
	if (p->chat == NO_PANE && p->shell != NO_PANE && !p->ended)
		make_chat(p);
}

static void
ended(struct panes *p, bool tmux)
{
	if (p->ended)
		return;
	p->ended = true;
	p->ops->end_cb(p->arg, tmux);
}

static void
shell_made_cb(void *arg, bool ok, const struct control_answer *a,
    unsigned int n)
{
	struct panes *p = arg;

	p->shell = n >= 2 ? parse_pane(a[1].s) : NO_PANE;
	if (p->shell == NO_PANE) {
		log_warnx("tmux cannot start the shell");
		ended(p, false);
		return;
	}
	p->stream = p->shell;
	panepipe_made(p, ok);
	control_command(p->ct, 1, NULL, NULL,
	    "set-option -t %s: @linbit-main %%%u", p->session, p->shell);
	make_chat(p);
}

static void
make_shell(struct panes *p)
{
	char pipe[PANEPIPE_LINE_MAX];

	/* with the window, so that the shell's first octet goes through it */
	panepipe_line(p, pipe);
	control_command(p->ct, pipe[0] != '\0' ? 3 : 2, shell_made_cb, p,
	    "set-option -t %s: @linbit-started 1 ; "
	    "new-window -n shell -t %s: -P -F '#{pane_id}'%s", p->session,
	    p->session, pipe);
}

/* ---- looking at them ------------------------------------------------------ */

/* Which panes are ours the session knows, as panes have no options before tmux
 * 3.0; the number of one that has gone is never used again. */
#define SESSION_FORMAT "#{@linbit-started} #{@linbit-main} #{@linbit-chat}"
#define CHECK_FORMAT "#{pane_id} #{window_width} #{window_height} " \
	"#{window_zoomed_flag} #{pane_in_mode} #{pane_height}"

struct pane_line {
	uint64_t	 id, width, height, zoomed, in_mode, rows;
};

/* One line of CHECK_FORMAT; *S is moved behind it.  A line that is none is left
 * out. */
static bool
next_pane(const char **s, struct pane_line *pl)
{
	uint64_t *const fields[] = { &pl->id, &pl->width, &pl->height,
	    &pl->zoomed, &pl->in_mode, &pl->rows };
	size_t i, n;
	bool ok = false;

	while (**s != '\0' && !ok) {
		ok = true;
		*s += **s == '%';
		for (i = 0; i < sizeof fields / sizeof fields[0]; i++) {
			n = strcspn(*s, " \n");
			if (num_parse(*s, n, 0, UINT_MAX - 1, fields[i]) == -1)
				ok = false;
			*s += n + ((*s)[n] == ' ');
		}
		*s += strcspn(*s, "\n");
		*s += **s == '\n';
	}
	return ok;
}

/* The answer to SESSION_FORMAT.  True if the shell was started. */
static bool
parse_session(const char *s, unsigned int *shell, unsigned int *chat)
{
	bool started = s[0] == '1';

	s += strcspn(s, " ");
	s += *s == ' ';
	*shell = parse_pane(s);
	s += strcspn(s, " ");
	s += *s == ' ';
	*chat = parse_pane(s);
	return started;
}

/* What the list says of the shell pane. */
static void
see_shell(struct panes *p, const struct pane_line *pl)
{
	bool zoomed = pl->zoomed != 0;

	p->shell = (unsigned int)pl->id;
	if ((pl->width != p->cols || pl->rows != p->rows) && p->vt.alternate) {
		p->main_stale = true;
		p->leaves = p->vt.leaves;
	}
	p->cols = (unsigned int)pl->width;
	p->rows = (unsigned int)pl->rows;
	p->in_mode = pl->in_mode != 0;
	if (p->stream != p->shell) {
		p->stream = p->shell;
		panepipe_found(p);
	}
	p->width = (unsigned int)pl->width;
	p->height = (unsigned int)pl->height;
	if (p->base_width == 0) {
		p->base_width = p->width;
		p->base_height = p->height;
	}
	if (zoomed != p->zoomed) {
		p->zoomed = zoomed;
		if (p->wish_cols != 0)
			panesize_apply(p);
	}
}

/*
 * Give the chat pane its rows again when the window's height changed; a
 * customer who moves the border keeps the place.
 */
static void
see_chat(struct panes *p, const struct pane_line *pl, unsigned int before)
{
	unsigned int want = chat_rows((unsigned int)pl->height);

	p->chat = (unsigned int)pl->id;
	if (pl->height != before && pl->zoomed == 0 && pl->rows != want)
		control_command(p->ct, 1, NULL, NULL,
		    "resize-pane -t %%%u -y %u", p->chat, want);
}

static void
check_cb(void *arg, bool ok, const struct control_answer *a, unsigned int n)
{
	struct panes *p = arg;
	unsigned int before = p->height, shell, chat;
	const char *s;
	struct pane_line pl;
	bool started;

	if (!ok || n != 2 || p->ended)
		return;
	started = parse_session(a[0].s, &shell, &chat);
	p->shell = p->chat = NO_PANE;
	for (s = a[1].s; next_pane(&s, &pl);) {
		if (pl.id == shell)
			see_shell(p, &pl);
		else if (pl.id == chat)
			see_chat(p, &pl, before);
	}
	if (p->shell == NO_PANE && started)
		ended(p, false);
	else if (p->shell == NO_PANE)
		make_shell(p);
	else if (p->chat == NO_PANE) {
		struct timeval tv = { RESPAWN_MS / 1000, 0 };

		if (!event_pending(p->respawn, EV_TIMEOUT, NULL))
			(void)event_add(p->respawn, &tv);
	} else if (!p->ready) {
		p->ready = true;
		p->ops->ready_cb(p->arg);
	}
	if (p->shell != NO_PANE)
		panesize_check(p);
	if (p->ready && !p->ended)
		p->ops->changed_cb(p->arg);
}

static void
check(struct panes *p)
{
	control_command(p->ct, 2, check_cb, p,
	    "display-message -p -t %s: '" SESSION_FORMAT "' ; "
	    "list-panes -s -t %s -F '" CHECK_FORMAT "'", p->session,
	    p->session);
}

/* ---- events --------------------------------------------------------------- */

void
panes_mend(struct panes *p)
{
	p->lost = true;
	paneshot_step(p);
}

void
panes_output(struct panes *p, const char *data, size_t len)
{
	vtmodes_feed(&p->vt, data, len);
	if (p->ended || p->lost)
		return;
	p->ops->output_cb(p->arg, data, len);
	paneshot_drawn(p);
	/* tmux fits the main screen to the new size when it comes back, from
	 * its old size and history, which nobody else has */
	if (p->main_stale && p->vt.leaves != p->leaves) {
		p->main_stale = false;
		p->ops->stale_cb(p->arg);
	}
}

static void
output_cb(void *arg, unsigned int pane, const char *data, size_t len)
{
	struct panes *p = arg;

	if (pane == p->shell && p->pipe.pipe == NULL)
		panes_output(p, data, len);
}

static void
notify_cb(void *arg, const char *name)
{
	static const char *const interesting[] = { "layout-change",
	    "pane-mode-changed", "window-close", "unlinked-window-close",
	    "window-renamed", "unlinked-window-renamed" };
	struct panes *p = arg;
	size_t i;

	for (i = 0; i < sizeof interesting / sizeof interesting[0]; i++)
		if (strcmp(name, interesting[i]) == 0 && !p->ended)
			check(p);
	if (strcmp(name, "subscription-changed") == 0)
		panepipe_identify(p);
}

/* The control client has ended; if tmux is still there, make another. */
static void
end_cb(void *arg)
{
	struct panes *p = arg;

	if (p->ended)
		return;
	if (!server_runs(p->sd)) {
		ended(p, true);
		return;
	}
	log_warnx("lost the tmux control client; attaching again");
	event_active(p->again, EV_TIMEOUT, 0);	/* not under its callback */
}

static const struct control_ops control_ops = { output_cb, notify_cb, end_cb };

static bool
attach(struct panes *p)
{
	const char *own = getenv("TMUX_PANE");
	char path[SESSIONDIR_PATH_MAX];

	p->ct = control_new(p->base, p->caps,
	    sessiondir_file(p->sd, FILE_TMUX_SOCK, path), p->session,
	    p->pipe.pipe == NULL, &control_ops, p);
	if (p->ct == NULL)
		return false;
	if (own != NULL && strspn(own, "%0123456789") == strlen(own))
		control_command(p->ct, 1, NULL, NULL,
		    "set-option -w -t %s @linbit-role inner", own);
	if (p->wish_cols != 0)
		panesize_apply(p);
	check(p);
	return true;
}

static void
again_cb(evutil_socket_t fd, short what, void *arg)
{
	struct panes *p = arg;

	(void)fd;
	(void)what;
	control_free(p->ct);
	panekeys_reset(p);
	if (!attach(p)) {
		log_warn("cannot start tmux");
		ended(p, true);
		return;
	}
	p->lost = p->lost || p->pipe.pipe == NULL;
	panepipe_again(p);
	paneshot_again(p);
}

void
panes_kill(struct panes *p)
{
	control_command(p->ct, 1, NULL, NULL, "kill-session -t %s", p->session);
}

void
panes_reap(struct panes *p)
{
	control_reap(p->ct);
}

/* ---- life ----------------------------------------------------------------- */

/* The chat pane's command: this program, and the directory. */
static int
quote_face(struct panes *p)
{
	char exe[PATH_MAX], quoted[PATH_MAX + 2];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);

	if (n == -1)
		return -1;
	exe[n] = '\0';
	if (tmux_quote(quoted, sizeof quoted, exe) == -1) {
		errno = EINVAL;
		return -1;
	}
	(void)snprintf(p->face, sizeof p->face, "%s @chat %s", quoted,
	    p->sd->path);
	return 0;
}

struct panes *
panes_new(struct event_base *base, const struct sessiondir *sd,
    const struct tmuxcaps *caps, const struct panes_ops *ops, void *arg)
{
	struct panes *p = calloc(1, sizeof *p);

	if (p == NULL)
		return NULL;
	p->base = base;
	p->sd = sd;
	p->caps = caps;
	p->ops = ops;
	p->arg = arg;
	p->shell = p->chat = p->stream = NO_PANE;
	p->paste = -1;
	vtmodes_init(&p->vt);
	(void)server_target(sd, p->session);
	p->respawn = evtimer_new(base, respawn_cb, p);
	p->again = evtimer_new(base, again_cb, p);
	p->typed = evbuffer_new();
	if (p->respawn == NULL || p->again == NULL || p->typed == NULL ||
	    quote_face(p) == -1 || panepipe_init(p) == -1 ||
	    paneshot_init(p) == -1 || !attach(p)) {
		panes_free(p);
		return NULL;
	}
	return p;
}

void
panes_free(struct panes *p)
{
	p->ended = true;
	if (p->ct != NULL)
		control_free(p->ct);
	panepipe_release(p);
	paneshot_release(p);
	if (p->respawn != NULL)
		event_free(p->respawn);
	if (p->again != NULL)
		event_free(p->again);
	if (p->typed != NULL)
		evbuffer_free(p->typed);
	panekeys_reset(p);
	free(p);
}
