/*
 * paneshot.c - screens of the shell pane, see panes.h.
 */
#include <event2/buffer.h>

#include "control.h"
#include "panes_impl.h"
#include "snapshot.h"

static struct snapshot_text
text_of(const struct control_answer *a)
{
	struct snapshot_text t = { a->s, a->len };

	return t;
}

static void
shot_cb(void *arg, bool ok, const struct control_answer *a, unsigned int n)
{
	struct panes *p = arg;
	struct panes_shot shot = { 0 };
	struct snapshot_info info;

	if (!ok || n < 3 || snapshot_parse(&info, a[0].s, a[0].len) == -1 ||
	    (shot.screen = evbuffer_new()) == NULL) {
		p->ops->shot_cb(p->arg, NULL);
		return;
	}
	shot.cols = info.cols;
	shot.rows = info.rows;
	if (n == 4 && (shot.history = evbuffer_new()) != NULL)
		(void)snapshot_history(shot.history, &info, text_of(&a[3]));
	if (snapshot_screen(shot.screen, &info, text_of(&a[1]),
	    text_of(&a[2]), &p->vt) == 0)
		p->ops->shot_cb(p->arg, &shot);
	else
		p->ops->shot_cb(p->arg, NULL);
	evbuffer_free(shot.screen);
	if (shot.history != NULL)
		evbuffer_free(shot.history);
}

#define SHOOT	"display-message -p -t %%%u '" SNAPSHOT_FORMAT "' ; "	\
	"capture-pane -p -e -N -t %%%u ; "				\
	"capture-pane -p -e -N -a -q -t %%%u"

void
panes_shoot(struct panes *p, unsigned int history)
{
	if (history == 0)
		control_command(p->ct, 3, shot_cb, p, SHOOT, p->shell,
		    p->shell, p->shell);
	else
		control_command(p->ct, 4, shot_cb, p,
		    SHOOT " ; capture-pane -p -e -N -S -%u -E -1 -t %%%u",
		    p->shell, p->shell, p->shell, history, p->shell);
}
