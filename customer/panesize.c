/*
 * panesize.c - how large the shell pane is, see panes.h.
 */
#include "control.h"
#include "panes_impl.h"

#define MIN_COLS	20	/* a wish below that is taken as that */
#define MIN_ROWS	5

/*
 * The size that this client asks for: the wish for the shell pane with the
 * chat's rows added, or none.  tmux takes the smallest of all clients.
 */
void
panesize_apply(struct panes *p)
{
	unsigned int rows = p->wish_rows;

	if (p->wish_cols == 0) {
		control_command(p->ct, 2, NULL, NULL, "refresh-client -f "
		    "ignore-size ; refresh-client -C %u,%u", p->base_width,
		    p->base_height);
		return;
	}
	if (!p->zoomed)
		rows += 1 + (rows < PANES_CHAT_ROWS ? rows : PANES_CHAT_ROWS);
	control_command(p->ct, 2, NULL, NULL, "refresh-client -f "
	    "'!ignore-size' ; refresh-client -C %u,%u", p->wish_cols, rows);
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
