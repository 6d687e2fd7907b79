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
#include "joinfiles.h"
#include "joinkeys.h"
#include "num.h"
#include "say.h"
#include "tmux.h"

#define SCROLLBACK_MIN	10000	/* lines; more if the engineer's tmux has so */

/* Settings of ours and others' that its windows need: a tmux server has the
 * environment of whoever started it. */
static const char *const inherited[] = {
	"PATH", "HOME", "XDG_RUNTIME_DIR", "SSH_AUTH_SOCK", "LANG", "LC_ALL",
	"LC_CTYPE", NULL
};

/* "=tunl-join-SID:", which no other session's name can be taken for. */
void
joinwin_target(const char *sid, char name[JOINWIN_NAME_MAX])
{
	(void)snprintf(name, JOINWIN_NAME_MAX, "=tunl-join-%.*s:", SID_MAX,
	    sid);
}

/* Take what tmux said: its version, its history-limit, and of the session its
 * options, if there is one. */
static enum joinwin_found
take_answer(struct joinwin *jw, const char *out, bool exists)
{
	const char *lines[3] = { out, "", "" };
	uint64_t n;
	int i;

	for (i = 1; i < 3; i++) {
		lines[i] = lines[i - 1] + strcspn(lines[i - 1], "\n");
		lines[i] += *lines[i] == '\n';
	}
	jw->version = tmux_version_parse(lines[0]);
	if (jw->version == 0)
		jw->version = tmux_version();	/* there is no server yet */
	if (num_parse(lines[1], strcspn(lines[1], "\n"), SCROLLBACK_MIN,
	    UINT32_MAX, &n) == 0)
		jw->scrollback = (uint32_t)n;
	else
		jw->scrollback = SCROLLBACK_MIN;
	if (jw->version < TMUX_OLDEST)
		return JOINWIN_NO_TMUX;
	if (!exists)
		return JOINWIN_NONE;
	if (strchr(lines[2], '1') != NULL) {
		joinwin_kill(jw->sid);
		return JOINWIN_NONE;
	}
	return strncmp(lines[2], jw->read_only ? "ro " : "rw ", 3) == 0 ?
	    JOINWIN_SAME : JOINWIN_OTHER;
}

enum joinwin_found
joinwin_find(struct joinwin *jw)
{
	char name[JOINWIN_NAME_MAX], out[256];
	struct tmux tm;
	bool exists;

	joinwin_target(jw->sid, name);
	tmux_begin(&tm);
	tmux_add(&tm, "display-message", "-p", "#{version}", NULL);
	tmux_add(&tm, "show-options", "-gqv", "history-limit", NULL);
	tmux_add(&tm, "has-session", "-t", name, NULL);
	tmux_add(&tm, "display-message", "-p", "-t", name,
	    "#{@tunl-access} #{@tunl-over}", NULL);
	out[0] = '\0';
	exists = tmux_run(&tm, out, sizeof out) == 0;
	return take_answer(jw, out, exists);
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
	set_option(tm, name, "history-limit", tmux_text(tm, "%u",
	    jw->scrollback));
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
	joinfiles_sweep(dir);
	joinwin_target(jw->sid, name);
	tmux_begin(&tm);
	add_windows(&tm, jw, name, own_path(&tm), cols, rows);
	if (tmux_run(&tm, NULL, 0) != 0 ||
	    joinkeys_bind(jw, name, dir) == -1) {
		say_error("cannot make the tmux session tunl-join-%s",
		    jw->sid);
		joinwin_kill(jw->sid);
		return -1;
	}
	return 0;
}

/* ---- showing it ----------------------------------------------------------- */

/*
 * Inside of tmux: show it on the client that shows us, if one does.  At its end
 * that goes back to where it came from.
 */
static bool
switch_to(const char *name)
{
	struct tmux tm;

	tmux_begin(&tm);
	tmux_add(&tm, "switch-client", "-t", name, NULL);
	set_option(&tm, name, "detach-on-destroy", "off");
	return tmux_run(&tm, NULL, 0) == 0;
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
	struct tmux tm;

	joinwin_target(jw->sid, name);
	if (path != NULL && switch_to(name)) {
		free(path);
		return 0;
	}
	(void)fflush(stdout);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)unsetenv("TMUX");
	tmux_begin(&tm);
	if (path != NULL)
		tmux_more(&tm, "-S", path, NULL);
	tmux_more(&tm, "set-option", "-t", name, "detach-on-destroy", "on",
	    NULL);
	tmux_add(&tm, "attach-session", "-t", name, NULL);
	tmux_exec(&tm);
	return say_error("cannot run tmux: %s", strerror(errno));
}

/* ---- its end -------------------------------------------------------------- */

void
joinwin_kill(const char *sid)
{
	char name[JOINWIN_NAME_MAX];
	struct tmux tm;

	joinwin_target(sid, name);
	tmux_begin(&tm);
	set_option(&tm, name, "key-table", "root");	/* see joinkeys.c */
	tmux_add(&tm, "kill-session", "-t", name, NULL);
	(void)tmux_run(&tm, NULL, 0);
}
