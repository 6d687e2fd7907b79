/*
 * server.c - see server.h.
 */
#include "server.h"

#include <sys/ioctl.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "context.h"
#include "files.h"
#include "spawn.h"
#include "tmux.h"

#define ASK_MS		5000	/* for an answer */
#define START_MS	15000

const char *
server_target(const struct sessiondir *sd, char out[SERVER_TARGET_MAX])
{
	(void)snprintf(out, SERVER_TARGET_MAX, "=linbit-%s", sd->hash);
	return out;
}

bool
server_runs(const struct sessiondir *sd)
{
	char path[SESSIONDIR_PATH_MAX], target[SERVER_TARGET_MAX], out[64];
	const char *const argv[] = { "tmux", "-S",
	    sessiondir_file(sd, FILE_TMUX_SOCK, path), "has-session", "-t",
	    server_target(sd, target), NULL };

	return spawn_capture(argv, out, sizeof out, ASK_MS) == 0;
}

void
server_kill(const struct sessiondir *sd)
{
	char path[SESSIONDIR_PATH_MAX], out[64];
	const char *const argv[] = { "tmux", "-S",
	    sessiondir_file(sd, FILE_TMUX_SOCK, path), "kill-server", NULL };

	(void)spawn_capture(argv, out, sizeof out, ASK_MS);
}

bool
server_takes_key(const struct sessiondir *sd, const char *key)
{
	char path[SESSIONDIR_PATH_MAX], out[64];
	const char *const argv[] = { "tmux", "-f", "/dev/null", "-S",
	    sessiondir_file(sd, FILE_KEY_SOCK, path), "start-server", ";",
	    "set-option", "-g", "prefix", key, NULL };

	return spawn_capture(argv, out, sizeof out, ASK_MS) == 0;
}

/* Our own path, if it may stand in a shell's line as it is. */
static int
own_path(char exe[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", exe, PATH_MAX - 1);
	size_t i;

	if (n == -1)
		return -1;
	exe[n] = '\0';
	for (i = 0; exe[i] != '\0'; i++)
		if (!context_is_made_of(&exe[i], 1, "/._+-,@")) {
			errno = EINVAL;
			return -1;
		}
	return 0;
}

/*
 * The customer's own configuration is not read.  Nothing in ours may fail on
 * any tmux, or it would show that in the shell's pane.  Size: the smallest
 * client's, so that a viewer can ask for less, never for more (before tmux 2.9,
 * which -q is for, there is nothing else).  Paste time: on a slow link prefix
 * and key arrive together, and that is no paste.
 */
int
server_configure(const struct sessiondir *sd, const struct settings *s)
{
	char text[4 * PATH_MAX], key[SETTINGS_TEXT + 4], exe[PATH_MAX];
	int n;

	if (own_path(exe) == -1)
		return -1;
	if (tmux_quote(key, sizeof key, s->prefix) == -1) {
		errno = EINVAL;
		return -1;
	}
	n = snprintf(text, sizeof text,
	    "set-option -s escape-time 20\n"
	    "set-option -g assume-paste-time 0\n"
	    "set-option -g status off\n"
	    "set-option -g history-limit 10000\n"
	    "set-window-option -gq window-size smallest\n"
	    "set-window-option -g allow-rename off\n"
	    "set-window-option -g automatic-rename off\n"
	    "set-option -g prefix %s\n"
	    "unbind-key -a -T prefix\n"
	    "bind-key %s send-prefix\n"
	    "bind-key c select-pane -t :.+\n"
	    "bind-key d detach-client\n"
	    "bind-key z resize-pane -Z\n"
	    "bind-key [ copy-mode\n"
	    "bind-key ] paste-buffer\n"
	    "bind-key PPage copy-mode -u\n"
	    "bind-key Q run-shell -b 'exec %s @key %s away'\n"
	    "bind-key K confirm-before -p 'End the session and close this "
	    "shell? (y/n)' \"run-shell -b 'exec %s @key %s end'\"\n",
	    key, key, exe, sd->path, exe, sd->path);
	if (n < 0 || (size_t)n >= sizeof text) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return file_replace(sd->fd, FILE_TMUX_CONF, text, (size_t)n, 0600, 0);
}

/* As large as the customer's terminal, if there is one. */
static void
window_size(char cols[16], char rows[16])
{
	struct winsize ws = { .ws_col = 0 };

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &ws) == -1 || ws.ws_col < 20 ||
	    ws.ws_row < 10) {
		ws.ws_col = 80;
		ws.ws_row = 24;
	}
	(void)snprintf(cols, 16, "%u", ws.ws_col);
	(void)snprintf(rows, 16, "%u", ws.ws_row);
}

int
server_start(const struct sessiondir *sd)
{
	char sock[SESSIONDIR_PATH_MAX], conf[SESSIONDIR_PATH_MAX];
	char target[SERVER_TARGET_MAX], cols[16], rows[16], out[64];
	char exe[PATH_MAX];
	const char *const argv[] = { "tmux", "-S",
	    sessiondir_file(sd, FILE_TMUX_SOCK, sock), "-f",
	    sessiondir_file(sd, FILE_TMUX_CONF, conf), "new-session", "-d",
	    "-s", server_target(sd, target) + 1, "-n", "inner", "-x", cols,
	    "-y", rows, exe, "@daemon", sd->path, NULL };

	if (own_path(exe) == -1)
		return -1;
	window_size(cols, rows);
	return spawn_capture(argv, out, sizeof out, START_MS) == 0 ? 0 : -1;
}

int
server_add_daemon(const struct sessiondir *sd)
{
	char sock[SESSIONDIR_PATH_MAX], target[SERVER_TARGET_MAX];
	char window[SERVER_TARGET_MAX + 1], exe[PATH_MAX], out[64];
	const char *const argv[] = { "tmux", "-S",
	    sessiondir_file(sd, FILE_TMUX_SOCK, sock), "new-window", "-d",
	    "-n", "inner", "-t", window, exe, "@daemon", sd->path, NULL };

	if (own_path(exe) == -1)
		return -1;
	(void)snprintf(window, sizeof window, "%s:",
	    server_target(sd, target));
	return spawn_capture(argv, out, sizeof out, ASK_MS) == 0 ? 0 : -1;
}
