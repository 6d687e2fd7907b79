/*
 * joinpane.c - what the programs in the windows of a join session do with it;
 * see joinwin.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "joinfiles.h"
#include "joinkeys.h"
#include "joinwin.h"
#include "num.h"
#include "safetext.h"
#include "tmux.h"

#define NOTICE_MAX	512	/* octets */

bool
joinwin_inside(void)
{
	return getenv("TMUX") != NULL && getenv("TMUX_PANE") != NULL;
}

void
joinwin_resize(unsigned int cols, unsigned int rows)
{
	struct tmux tm;

	tmux_begin(&tm);
	tmux_add(&tm, "resize-window", "-t", getenv("TMUX_PANE"), "-x",
	    tmux_text(&tm, "%u", cols), "-y", tmux_text(&tm, "%u", rows), NULL);
	(void)tmux_run(&tm, NULL, 0);
}

/* Make COLS and ROWS no larger than what the LEN octets at S say. */
static void
take_client(const char *s, size_t len, unsigned int *cols, unsigned int *rows)
{
	const char *space = memchr(s, ' ', len);
	uint64_t w, h;

	if (space == NULL ||
	    num_parse(s, (size_t)(space - s), 1, 9999, &w) == -1 ||
	    num_parse(space + 1, len - (size_t)(space + 1 - s), 2, 9999, &h) ==
	    -1)
		return;
	if (*cols == 0 || w < *cols)
		*cols = (unsigned int)w;
	if (*rows == 0 || h - 1 < *rows)
		*rows = (unsigned int)h - 1;
}

void
joinwin_clients(const char *sid, unsigned int *cols, unsigned int *rows)
{
	char out[4096], *line, *end;
	struct tmux tm;

	*cols = *rows = 0;
	tmux_begin(&tm);
	tmux_add(&tm, "list-clients", "-t", tmux_text(&tm, "=tunl-join-%s",
	    sid), "-F", "#{client_width} #{client_height}", NULL);
	if (tmux_run(&tm, out, sizeof out) != 0)
		return;
	for (line = out; (end = strchr(line, '\n')) != NULL; line = end + 1)
		take_client(line, (size_t)(end - line), cols, rows);
}

/*
 * The text reaches tmux as the value of an option: as a message of its own it
 * would be read as a format.
 */
void
joinwin_notice(const char *text, size_t len)
{
	char safe[SAFETEXT_SIZE(NOTICE_MAX)];
	const char *pane = getenv("TMUX_PANE");
	struct tmux tm;

	(void)safetext(safe, sizeof safe, text,
	    len < NOTICE_MAX ? len : NOTICE_MAX);
	tmux_begin(&tm);
	tmux_add(&tm, "set-option", "-t", pane, "--", "@tunl-notice", safe,
	    NULL);
	tmux_add(&tm, "display-message", "-t", pane, "#{@tunl-notice}", NULL);
	(void)tmux_run(&tm, NULL, 0);
}

void
joinwin_watch(void)
{
	const char *pane = getenv("TMUX_PANE");
	struct tmux tm;

	tmux_begin(&tm);
	/* -C: kills nothing, but forgets what was drawn until now */
	tmux_add(&tm, "kill-session", "-C", "-t", pane, NULL);
	tmux_add(&tm, "set-option", "-w", "-t", pane, "monitor-activity", "on",
	    NULL);
	(void)tmux_run(&tm, NULL, 0);
}

void
joinwin_over(const char *sid)
{
	char name[JOINWIN_NAME_MAX];
	struct tmux tm;

	joinwin_target(sid, name);
	tmux_begin(&tm);
	tmux_add(&tm, "set-option", "-t", name, "@tunl-over", "1", NULL);
	(void)tmux_run(&tm, NULL, 0);
}

static bool
exists(const char *sid)
{
	char name[JOINWIN_NAME_MAX];
	struct tmux tm;

	joinwin_target(sid, name);
	tmux_begin(&tm);
	tmux_add(&tm, "has-session", "-t", name, NULL);
	return tmux_run(&tm, NULL, 0) == 0;
}

/* The other program does the same: the second finds nothing left to do. */
void
joinwin_leave(const struct runtime *rt, const char *sid, const char *client)
{
	int lock = runtime_lock(rt, "join");
	char dir[RUNTIME_PATH_MAX];

	if (lock == -1)
		return;
	runtime_path(rt, sid, "", dir);
	if (joinwin_inside() && access(dir, F_OK) == 0 && !exists(sid)) {
		joinkeys_unbind(sid);
		joinfiles_remove(dir, client);
	}
	(void)rmdir(dir);	/* unless somebody is in it */
	runtime_unlock(rt, "join", lock);
}
