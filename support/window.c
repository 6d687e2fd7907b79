/*
 * window.c - see window.h.
 */
#include "window.h"

#include <event2/event.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "joinfiles.h"
#include "joinwin.h"
#include "log.h"
#include "poke.h"
#include "say.h"

static void
signal_cb(evutil_socket_t sig, short what, void *arg)
{
	struct window *w = arg;

	(void)sig;
	(void)what;
	event_base_loopbreak(w->base);
}

static int
conf_take(struct leg_conf *conf, const struct args *args, unsigned int role)
{
	const char *client = args_value(args, "--client");
	const char *name = args_value(args, "--name");
	char plain[PROTO_NAME_MAX + 1];
	struct proto_str coded;

	if (name == NULL)
		name = "-";
	coded.s = name;
	coded.len = strlen(name);
	if (!sid_is_valid(args->arg, strlen(args->arg)) ||
	    proto_name_decode(coded, plain, sizeof plain) == -1 ||
	    client == NULL || strlen(client) != 16 ||
	    strspn(client, "0123456789abcdef") != 16) {
		say_error("%s: bad arguments", args->cmd->name);
		return -1;
	}
	conf->sid = args->arg;
	conf->client = client;
	conf->name = name;
	conf->role = role;
	conf->read_only = args_value(args, "--read-only") != NULL;
	return 0;
}

/* --debug: what happens goes to a file in the session's directory. */
static void
debug_start(struct window *w, const char *path)
{
	char file[JOINFILES_PATH_MAX + 8];

	(void)snprintf(file, sizeof file, "%s.log", path);
	w->log = open(file, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	log_init("tunl", 1, 1);
	if (w->log != -1)
		log_to_fd(w->log);
}

/* The session's directory, and in it our FIFO.  0, or -1 with errno. */
static int
files_make(struct window *w, const char *name,
    void (*poke_cb)(void *arg, const char *line), void *arg)
{
	char path[RUNTIME_PATH_MAX], fifo[JOINFILES_PATH_MAX];
	int fd, tries;

	runtime_path(&w->relay->rt, w->conf.sid, "", path);
	joinfiles_path(path, name, w->conf.client, fifo);
	/* whoever leaves just now removes the directory if it is empty */
	for (tries = 0; tries < 3; tries++) {
		fd = dir_private(path);
		if (fd == -1)
			return -1;
		close(fd);
		w->poke = poke_new(w->base, fifo, poke_cb, arg);
		if (w->poke != NULL || errno != ENOENT)
			break;
	}
	if (w->poke != NULL && w->debug)
		debug_start(w, fifo);
	return w->poke == NULL ? -1 : 0;
}

int
window_init(struct window *w, struct tunl *t, const struct args *args,
    unsigned int role, const char *name,
    void (*poke_cb)(void *arg, const char *line), void *arg)
{
	static const int signals[] = { SIGTERM, SIGHUP, SIGINT };
	size_t i;

	memset(w, 0, sizeof *w);
	w->relay = &t->relay;
	w->log = -1;
	if (conf_take(&w->conf, args, role) == -1)
		return -1;
	w->debug = args_value(args, "--debug") != NULL;
	w->in_tmux = joinwin_inside();
	w->base = event_base_new();
	if (w->base == NULL) {
		say_error("out of memory");
		return -1;
	}
	if (files_make(w, name, poke_cb, arg) == -1) {
		say_error("cannot use the directory of session '%s': %s",
		    w->conf.sid, strerror(errno));
		window_clear(w);
		return -1;
	}
	for (i = 0; i < 3; i++) {
		w->signals[i] = evsignal_new(w->base, signals[i], signal_cb,
		    w);
		if (w->signals[i] != NULL)
			event_add(w->signals[i], NULL);
	}
	return 0;
}

void
window_clear(struct window *w)
{
	size_t i;

	poke_free(w->poke);
	for (i = 0; i < 3; i++)
		if (w->signals[i] != NULL)
			event_free(w->signals[i]);
	event_base_free(w->base);
	joinwin_leave(&w->relay->rt, w->conf.sid, w->conf.client);
	if (w->log != -1)
		close(w->log);
}
