/*
 * joinwin.c - see joinwin.h.
 */
#include "joinwin.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "joinkeys.h"
#include "num.h"
#include "safetext.h"
#include "say.h"
#include "tmux.h"

#define NOTICE_MAX	512	/* octets */
#define SCROLLBACK_MIN	10000	/* lines; more if the engineer's tmux has so */

/* Settings of ours and others' that its windows need: a tmux server has the
 * environment of whoever started it. */
static const char *const inherited[] = {
	"PATH", "HOME", "XDG_RUNTIME_DIR", "SSH_AUTH_SOCK", "LANG", "LC_ALL",
	"LC_CTYPE", NULL
};

/* "=tunl-join-SID:", which no other session's name can be taken for. */
static void
target(const char *sid, char name[JOINWIN_NAME_MAX])
{
	(void)snprintf(name, JOINWIN_NAME_MAX, "=tunl-join-%.*s:", SID_MAX,
	    sid);
}

static bool
exists(const char *sid)
{
	char name[JOINWIN_NAME_MAX];
	struct tmux tm;

	target(sid, name);
	tmux_begin(&tm);
	tmux_add(&tm, "has-session", "-t", name, NULL);
	return tmux_run(&tm, NULL, 0) == 0;
}

enum joinwin_found
joinwin_find(const struct joinwin *jw)
{
	char name[JOINWIN_NAME_MAX], out[64];
	struct tmux tm;

	target(jw->sid, name);
	tmux_begin(&tm);
	tmux_add(&tm, "has-session", "-t", name, NULL);
	tmux_add(&tm, "display-message", "-p", "-t", name,
	    "#{@tunl-access} #{@tunl-over}", NULL);
	if (tmux_run(&tm, out, sizeof out) != 0)
		return JOINWIN_NONE;
	if (strchr(out, '1') != NULL) {
		joinwin_kill(jw->sid);
		return JOINWIN_NONE;
	}
	return strncmp(out, jw->read_only ? "ro " : "rw ", 3) == 0 ?
	    JOINWIN_SAME : JOINWIN_OTHER;
}

/* ---- windows -------------------------------------------------------------- */

/* Add NAME=value if it is set. */
static void
add_variable(struct tmux *tm, const char *name)
{
	const char *value = getenv(name);

	if (value != NULL)
		tmux_more(tm, tmux_text(tm, "%s=%s", name, value), NULL);
}

/* The command that a window runs, as arguments: no shell is in between. */
static void
add_program(struct tmux *tm, const struct joinwin *jw, const char *exe,
    const char *which)
{
	size_t i;

	tmux_more(tm, "env", NULL);
	for (i = 0; inherited[i] != NULL; i++)
		add_variable(tm, inherited[i]);
	for (i = 0; settings_names[i] != NULL; i++)
		add_variable(tm, settings_names[i]);
	tmux_more(tm, exe, which, "--client", jw->client, "--name", jw->name,
	    NULL);
	if (jw->read_only)
		tmux_more(tm, "--read-only", NULL);
	if (jw->debug)
		tmux_more(tm, "--debug", NULL);
	tmux_more(tm, jw->sid, NULL);
}

static void
set_option(struct tmux *tm, const char *name, const char *option,
    const char *value)
{
	tmux_add(tm, "set-option", "-t", name, option, value, NULL);
}

static void
set_window(struct tmux *tm, const char *window, const char *option,
    const char *value)
{
	tmux_add(tm, "set-option", "-w", "-t", window, option, value, NULL);
}

/* How many lines a pane keeps: what the engineer has, or enough. */
static const char *
scrollback(struct tmux *tm)
{
	struct tmux ask;
	char out[32];
	uint64_t lines;

	tmux_begin(&ask);
	tmux_add(&ask, "show-options", "-gqv", "history-limit", NULL);
	if (tmux_run(&ask, out, sizeof out) != 0 ||
	    num_parse(out, strcspn(out, "\n"), SCROLLBACK_MIN, UINT32_MAX,
	    &lines) == -1)
		lines = SCROLLBACK_MIN;
	return tmux_text(tm, "%llu", (unsigned long long)lines);
}

static void
add_session_options(struct tmux *tm, const struct joinwin *jw, const char *name)
{
	set_option(tm, name, "base-index", "1");
	set_option(tm, name, "renumber-windows", "off");
	set_option(tm, name, "destroy-unattached", "off");
	set_option(tm, name, "status", "on");
	set_option(tm, name, "status-left-length", "60");
	set_option(tm, name, "status-left", tmux_text(tm, "[%s]%s ", jw->sid,
	    jw->read_only ? " READ-ONLY" : ""));
	set_option(tm, name, "status-right-length", "60");
	set_option(tm, name, "visual-activity", "off");
	set_option(tm, name, "activity-action", "other");
	set_option(tm, name, "@tunl-access", jw->read_only ? "ro" : "rw");
}

static void
add_window_options(struct tmux *tm, const char *window)
{
	set_window(tm, window, "automatic-rename", "off");
	set_window(tm, window, "allow-rename", "off");
	set_window(tm, window, "remain-on-exit", "on");
	set_window(tm, window, "pane-border-status", "off");
	set_window(tm, window, "synchronize-panes", "off");
	set_window(tm, window, "monitor-activity", "off");	/* yet */
	set_window(tm, window, "monitor-silence", "0");
}

/*
 * The chat comes first, in window 1: the scrollback of window 0 is set when
 * that is made.
 */
static void
add_windows(struct tmux *tm, const struct joinwin *jw, const char *name,
    const char *exe, unsigned int cols, unsigned int rows)
{
	const char *main = tmux_text(tm, "%s0", name);
	const char *chat = tmux_text(tm, "%s1", name);

	tmux_add(tm, "new-session", "-d", "-s", tmux_text(tm, "tunl-join-%s",
	    jw->sid), "-n", "chat", "-x", tmux_text(tm, "%u", cols), "-y",
	    tmux_text(tm, "%u", rows > 1 ? rows - 1 : 1), "--", NULL);
	add_program(tm, jw, exe, "chat");
	add_session_options(tm, jw, name);
	tmux_add(tm, "move-window", "-r", "-t", name, NULL);
	set_option(tm, name, "history-limit", scrollback(tm));
	tmux_add(tm, "new-window", "-d", "-t", main, "-n", "main", "--", NULL);
	add_program(tm, jw, exe, "view");
	set_option(tm, name, "base-index", "0");
	add_window_options(tm, main);
	add_window_options(tm, chat);
	tmux_add(tm, "select-window", "-t", main, NULL);
}

static const char *
own_path(struct tmux *tm)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

	if (n == -1)
		return "tunl";
	path[n] = '\0';
	return tmux_text(tm, "%s", path);
}

int
joinwin_make(const struct joinwin *jw, unsigned int cols, unsigned int rows)
{
	char name[JOINWIN_NAME_MAX], dir[RUNTIME_PATH_MAX];
	struct tmux tm;
	int fd;

	runtime_path(jw->rt, jw->sid, "", dir);
	fd = dir_private(dir);
	if (fd == -1) {
		say_error("cannot use %s: %s", dir, strerror(errno));
		return -1;
	}
	close(fd);
	target(jw->sid, name);
	tmux_begin(&tm);
	add_windows(&tm, jw, name, own_path(&tm), cols, rows);
	if (tmux_run(&tm, NULL, 0) != 0 ||
	    joinkeys_bind(jw->sid, name, dir, jw->set->prefix) == -1) {
		say_error("cannot make the tmux session tunl-join-%s",
		    jw->sid);
		joinwin_kill(jw->sid);
		return -1;
	}
	return 0;
}

/* ---- showing it ----------------------------------------------------------- */

/* Where the clients of the session go when it ends. */
static void
set_afterwards(const char *name, const char *detach)
{
	struct tmux tm;

	tmux_begin(&tm);
	set_option(&tm, name, "detach-on-destroy", detach);
	(void)tmux_run(&tm, NULL, 0);
}

/* Inside of tmux: show it on the client that shows us, if one does. */
static bool
switch_to(const char *name)
{
	struct tmux tm;

	tmux_begin(&tm);
	tmux_add(&tm, "switch-client", "-t", name, NULL);
	if (tmux_run(&tm, NULL, 0) != 0)
		return false;
	set_afterwards(name, "off");	/* back to where it came from */
	return true;
}

/* The socket of the server in $TMUX ("path,pid,session"), or NULL. */
static char *
socket_path(void)
{
	const char *env = getenv("TMUX");
	char *path, *comma;
	int i;

	if (env == NULL || *env == '\0')
		return NULL;
	path = strdup(env);
	for (i = 0; i < 2 && path != NULL; i++) {
		comma = strrchr(path, ',');
		if (comma != NULL)
			*comma = '\0';
	}
	return path;
}

int
joinwin_attach(const struct joinwin *jw)
{
	char name[JOINWIN_NAME_MAX], *path = socket_path();

	target(jw->sid, name);
	if (path != NULL && switch_to(name)) {
		free(path);
		return 0;
	}
	set_afterwards(name, "on");
	(void)fflush(stdout);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)unsetenv("TMUX");
	if (path != NULL)
		(void)execlp("tmux", "tmux", "-S", path, "attach-session",
		    "-t", name, (char *)NULL);
	else
		(void)execlp("tmux", "tmux", "attach-session", "-t", name,
		    (char *)NULL);
	return say_error("cannot run tmux: %s", strerror(errno));
}

/* ---- for the programs in its windows -------------------------------------- */

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
	set_window(&tm, pane, "monitor-activity", "on");
	(void)tmux_run(&tm, NULL, 0);
}

/* ---- its end -------------------------------------------------------------- */

void
joinwin_kill(const char *sid)
{
	char name[JOINWIN_NAME_MAX];
	struct tmux tm;

	target(sid, name);
	tmux_begin(&tm);
	set_option(&tm, name, "key-table", "root");	/* see joinkeys.c */
	tmux_add(&tm, "kill-session", "-t", name, NULL);
	(void)tmux_run(&tm, NULL, 0);
}

void
joinwin_over(const char *sid)
{
	char name[JOINWIN_NAME_MAX];
	struct tmux tm;

	target(sid, name);
	tmux_begin(&tm);
	set_option(&tm, name, "@tunl-over", "1");
	(void)tmux_run(&tm, NULL, 0);
}

void
joinwin_leave(const struct runtime *rt, const char *sid, bool debug)
{
	int lock = runtime_lock(rt, "join");
	char dir[RUNTIME_PATH_MAX];

	if (lock == -1)
		return;
	if (!exists(sid)) {
		joinkeys_unbind(sid);
		runtime_path(rt, sid, "", dir);
		if (!debug)
			(void)dir_remove(rt->fd, strrchr(dir, '/') + 1);
	}
	runtime_unlock(rt, "join", lock);
}
