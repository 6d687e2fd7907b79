/*
 * panesize.c - how large the shell pane is, see panes.h.
 *
 * The window is as large as the smallest client, or as what is wished, if that
 * is smaller.  How tmux is told so depends on what it has: since 3.2 our own
 * client has that size, or none; since 2.9 the window is given its size, by us
 * who then have to look at the clients; before that it has upper limits.
 */
#include <string.h>

#include "control.h"
#include "num.h"
#include "panes_impl.h"

#define MIN_COLS	20	/* a wish below that is taken as that */
#define MIN_ROWS	5

/* What the window is to be for the wish: with the chat's rows added. */
static unsigned int
wished_height(const struct panes *p)
{
	unsigned int rows = p->wish_rows;

	if (p->wish_cols == 0 || p->zoomed)
		return rows;
	return rows + 1 + (rows < PANES_CHAT_ROWS ? rows : PANES_CHAT_ROWS);
}

/* ---- tmux 3.2 and later --------------------------------------------------- */

/* tmux takes the smallest of all clients, and this is one of them, or not. */
static void
size_client(struct panes *p)
{
	if (p->wish_cols == 0)
		control_command(p->ct, 2, NULL, NULL, "refresh-client -f "
		    "ignore-size ; refresh-client -C %u,%u", p->base_width,
		    p->base_height);
	else
		control_command(p->ct, 2, NULL, NULL, "refresh-client -f "
		    "'!ignore-size' ; refresh-client -C %u,%u", p->wish_cols,
		    wished_height(p));
}

/* ---- tmux 2.9 to 3.1 ------------------------------------------------------ */

/* The smallest of the LIST of clients, "0 80 24" each, control clients (1)
 * aside; the one that it was if there is none. */
static void
see_clients(struct panes *p, const char *list)
{
	uint64_t control, cols, rows;
	unsigned int width = UINT_MAX, height = UINT_MAX;
	size_t n, m;

	for (; *list != '\0'; list += *list == '\n') {
		n = strcspn(list, "\n");
		m = n > 2 ? strcspn(list + 2, " \n") : 0;
		if (num_parse(list, n > 0, 0, 1, &control) == 0 &&
		    control == 0 && m > 0 && n > m + 3 &&
		    num_parse(list + 2, m, 1, 9999, &cols) == 0 &&
		    num_parse(list + m + 3, n - m - 3, 1, 9999, &rows) == 0) {
			width = cols < width ? (unsigned int)cols : width;
			height = rows < height ? (unsigned int)rows : height;
		}
		list += n;
	}
	if (width != UINT_MAX) {
		p->base_width = width;
		p->base_height = height;
	}
}

static void
clients_cb(void *arg, bool ok, const struct control_answer *a, unsigned int n)
{
	struct panes *p = arg;
	unsigned int width, height = wished_height(p);

	if (!ok || n != 1 || p->shell == NO_PANE || p->wish_cols == 0)
		return;
	see_clients(p, a[0].s);
	width = p->wish_cols < p->base_width ? p->wish_cols : p->base_width;
	height = height < p->base_height ? height : p->base_height;
	if (width == p->given_width && height == p->given_height)
		return;
	p->given_width = width;
	p->given_height = height;
	control_command(p->ct, 1, NULL, NULL,
	    "resize-window -t %%%u -x %u -y %u", p->shell, width, height);
}

/* Give the window its size, or leave it to tmux again. */
static void
size_window(struct panes *p)
{
	if (p->wish_cols != 0) {
		control_command(p->ct, 1, clients_cb, p,
		    "list-clients -t %s -F '#{client_control_mode} "
		    "#{client_width} #{client_height}'", p->session);
		return;
	}
	control_command(p->ct, 1, NULL, NULL,
	    "set-window-option -u -t %%%u window-size", p->shell);
	p->given_width = p->given_height = 0;
}

/* ---- before that ---------------------------------------------------------- */

static void
limit_window(struct panes *p)
{
	unsigned int height = wished_height(p);

	if (p->given_width == p->wish_cols && p->given_height == height &&
	    height != 0)
		return;
	p->given_width = p->wish_cols;
	p->given_height = height;
	control_command(p->ct, 2, NULL, NULL,
	    "set-window-option -t %%%u force-width %u ; "
	    "set-window-option -t %%%u force-height %u", p->shell,
	    p->wish_cols, p->shell, height);
}

/* ---- any of them ---------------------------------------------------------- */

void
panesize_apply(struct panes *p)
{
	if (tmuxcaps_has(p->caps, TMUX_CLIENT_FLAGS))
		size_client(p);
	else if (p->shell == NO_PANE)
		return;		/* it comes */
	else if (tmuxcaps_really(p->caps, TMUX_WINDOW_SIZE))
		size_window(p);
	else
		limit_window(p);
}

/*
 * Have tmux say when the clients change, by naming the window anew.  From 3.2 on
 * (and an override) a hook's own commands are not told to anybody.
 */
static void
watch_clients(struct panes *p)
{
	static const char *const hooks[] = { "client-attached",
	    "client-resized", "client-detached" };
	bool quiet = tmuxcaps_really(p->caps, TMUX_CLIENT_FLAGS);
	size_t i;

	for (i = 0; i < sizeof hooks / sizeof hooks[0]; i++)
		control_command(p->ct, 1, NULL, NULL, quiet ? "set-hook -g %s "
		    "'if-shell -b true \"rename-window -t %%%u shell\"'" :
		    "set-hook -g %s 'rename-window -t %%%u shell'", hooks[i],
		    p->shell);
}

/* A new daemon takes back what another one wished. */
void
panesize_check(struct panes *p)
{
	if (tmuxcaps_has(p->caps, TMUX_CLIENT_FLAGS))
		return;
	if (!p->sized && tmuxcaps_really(p->caps, TMUX_WINDOW_SIZE))
		watch_clients(p);
	if (!p->sized || p->wish_cols != 0)
		panesize_apply(p);
	p->sized = true;
}

void
panes_resize(struct panes *p, unsigned int cols, unsigned int rows)
{
	bool none = cols == 0 || rows == 0;

	p->wish_cols = none ? 0 : cols < MIN_COLS ? MIN_COLS : cols;
	p->wish_rows = none ? 0 : rows < MIN_ROWS ? MIN_ROWS : rows;
	panesize_apply(p);
}

void
panes_zoom(struct panes *p)
{
	if (p->shell != NO_PANE)
		control_command(p->ct, 1, NULL, NULL,
		    "resize-pane -Z -t %%%u", p->shell);
}
