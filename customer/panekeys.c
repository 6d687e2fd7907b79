/*
 * panekeys.c - what engineers type, into the shell pane; see panes.h.
 */
#include <stdio.h>

#include "control.h"
#include "panes_impl.h"

#define KEYS_CHUNK	100	/* octets of one send-keys: tmux is quadratic */
#define BUSY_LINES	1000	/* of commands that wait */

void
panes_keys(struct panes *p, const void *data, size_t len)
{
	const unsigned char *s = data;
	char hex[3 * KEYS_CHUNK + 1];
	size_t n, i;

	if (p->shell == NO_PANE || len == 0)
		return;
	/* in copy mode keys would go to tmux instead of the shell; and the
	 * customer is to see what is typed */
	if (p->in_mode)
		control_command(p->ct, 1, NULL, NULL,
		    "send-keys -X -t %%%u cancel", p->shell);
	p->in_mode = false;
	if (panepipe_type(p, data, len))
		return;
	for (; len > 0; s += n, len -= n) {
		n = len < KEYS_CHUNK ? len : KEYS_CHUNK;
		for (i = 0; i < n; i++)
			(void)snprintf(hex + 3 * i, 4, " %02x", s[i]);
		control_command(p->ct, 1, NULL, NULL,
		    "send-keys -H -t %%%u%s", p->shell, hex);
	}
}

bool
panes_busy(struct panes *p)
{
	return control_pending(p->ct) > BUSY_LINES || panepipe_busy(p);
}
