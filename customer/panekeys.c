/*
 * panekeys.c - what engineers type, into the shell pane; see panes.h.
 *
 * Any octet has to arrive as it is.  Since tmux 3.0 there is a command for
 * that.  Before it keys can be given by their codes, but only those of ASCII are
 * typed as one octet; what has others in it is pasted.  A buffer is loaded from
 * a file: from one that has no name, so that what is typed lies in no directory,
 * whatever becomes of us.
 */
#include <sys/mman.h>

#include <event2/buffer.h>

#include <stdio.h>
#include <unistd.h>

#include "control.h"
#include "files.h"
#include "log.h"
#include "panes_impl.h"

#define KEYS_CHUNK	100	/* octets of one send-keys: tmux is quadratic */
#define PASTE_MAX	65536	/* octets of one paste */
#define BUSY_LINES	1000	/* of commands that wait */
#define BUSY_OCTETS	65536	/* typed, that wait */

/* LEN octets by send-keys, with FLAGS, each behind PREFIX; DONE (may be NULL) is
 * called after the last. */
static void
send_keys(struct panes *p, const char *flags, const char *prefix,
    const unsigned char *s, size_t len, control_reply_cb *done)
{
	char text[5 * KEYS_CHUNK + 1];
	size_t n, i, at;

	for (; len > 0; s += n, len -= n) {
		n = len < KEYS_CHUNK ? len : KEYS_CHUNK;
		for (i = at = 0; i < n; i++)
			at += (size_t)snprintf(text + at, sizeof text - at,
			    " %s%02x", prefix, s[i]);
		control_command(p->ct, 1, n == len ? done : NULL, p,
		    "send-keys%s -t %%%u%s", flags, p->shell, text);
	}
}

/* ---- before tmux 3.0 ------------------------------------------------------ */

static void	next_typed(struct panes *p);

static void
typed_cb(void *arg, bool ok, const struct control_answer *a, unsigned int n)
{
	struct panes *p = arg;

	(void)ok;	/* control.c has said so */
	(void)a;
	(void)n;
	panekeys_reset(p);
	next_typed(p);
}

/* Returns how many octets that were; if there can be no file, all are lost. */
static size_t
paste(struct panes *p, const unsigned char *s, size_t len)
{
	size_t n = len < PASTE_MAX ? len : PASTE_MAX;

	p->paste = memfd_create("keys", MFD_CLOEXEC);
	if (p->paste == -1 || write_all(p->paste, s, n) == -1) {
		log_warn("what was typed is lost");
		panekeys_reset(p);
		return len;
	}
	control_command(p->ct, 2, typed_cb, p,
	    "load-buffer -b linbit-keys /proc/%ld/fd/%d ; "
	    "paste-buffer -d -r%s -b linbit-keys -t %%%u", (long)getpid(),
	    p->paste, tmuxcaps_really(p->caps, TMUX_PASTE_ENCODES) ? "S" : "",
	    p->shell);
	return n;
}

/* Keys, or one paste; what is typed until they are done waits.  So the order is
 * kept, and no more than one file is open. */
static void
next_typed(struct panes *p)
{
	size_t len = evbuffer_get_length(p->typed), n = 0;
	const unsigned char *s;

	if (p->typing || len == 0 || p->shell == NO_PANE)
		return;
	s = evbuffer_pullup(p->typed, -1);
	while (n < len && s[n] < 0x80)
		n++;
	p->typing = true;
	if (n > 0)
		send_keys(p, "", "0x", s, n, typed_cb);
	else
		n = paste(p, s, len);
	(void)evbuffer_drain(p->typed, n);
}

void
panekeys_reset(struct panes *p)
{
	if (p->paste != -1)
		close(p->paste);
	p->paste = -1;
	p->typing = false;
}

/* ---- any tmux ------------------------------------------------------------- */

void
panes_keys(struct panes *p, const void *data, size_t len)
{
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
	if (tmuxcaps_has(p->caps, TMUX_KEYS_HEX))
		send_keys(p, " -H", "", data, len, NULL);
	else if (evbuffer_add(p->typed, data, len) == 0)
		next_typed(p);
}

bool
panes_busy(struct panes *p)
{
	return control_pending(p->ct) > BUSY_LINES || panepipe_busy(p) ||
	    evbuffer_get_length(p->typed) > BUSY_OCTETS;
}
