/*
 * child.c - see child.h.
 */
#include "child.h"

#include <sys/wait.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "hostinfo.h"
#include "log.h"
#include "safetext.h"
#include "spawn.h"

#define STOP_MS	2000	/* between TERM and KILL */

/* ---- its stderr ----------------------------------------------------------- */

static void
log_line(struct child *c, const char *line, size_t len)
{
	if (len == 0)
		return;
	(void)safetext(c->last, sizeof c->last, line, len);
	log_info("ssh: %s", c->last);
}

/* Log whole lines; one that does not end is cut. */
static void
log_lines(struct child *c)
{
	char cut[CHILD_LINE_MAX], *line;
	size_t len;

	while ((line = evbuffer_readln(c->lines, &len,
	    EVBUFFER_EOL_CRLF)) != NULL) {
		log_line(c, line, len);
		free(line);
	}
	while (evbuffer_get_length(c->lines) >= sizeof cut) {
		(void)evbuffer_remove(c->lines, cut, sizeof cut);
		log_line(c, cut, sizeof cut);
	}
}

static void
err_cb(evutil_socket_t fd, short what, void *arg)
{
	struct child *c = arg;

	(void)what;
	if (evbuffer_read(c->lines, fd, 4096) == 0)
		(void)event_del(c->err);
	log_lines(c);
}

/* What is still in the pipe of one that has ended. */
static void
drain_err(struct child *c)
{
	if (c->err == NULL)
		return;
	while (evbuffer_read(c->lines, event_get_fd(c->err), 4096) > 0)
		log_lines(c);
	(void)evbuffer_add(c->lines, "\n", 1);
	log_lines(c);
	(void)close(event_get_fd(c->err));
	event_free(c->err);
	c->err = NULL;
}

/* ---- starting ------------------------------------------------------------- */

/* Start ARGV with its stderr to us and, if IO is not -1, that as 0 and 1. */
static int
start(struct child *c, enum child_kind kind, const char *const *argv, int io)
{
	struct spawn sp = SPAWN_INIT(argv);
	int fds[2], saved;

	if (pipe2(fds, O_CLOEXEC) == -1)
		return -1;
	sp.in = sp.out = io;
	sp.err = fds[1];
	sp.flags = SPAWN_SETSID | SPAWN_DEATHSIG;
	if (kind == CHILD_RENEW)
		sp.path = "/proc/self/exe";
	c->pid = spawn_start(&sp);
	saved = errno;
	close(fds[1]);
	if (c->pid == -1) {
		close(fds[0]);
		errno = saved;
		return -1;
	}
	c->kind = kind;
	c->last[0] = '\0';
	(void)fd_nonblock(fds[0], 1);
	c->err = event_new(c->base, fds[0], EV_READ | EV_PERSIST, err_cb, c);
	if (c->err != NULL)
		(void)event_add(c->err, NULL);
	else
		close(fds[0]);
	return 0;
}

/* The RemoteCommand goes into a file: argv is for everybody to read. */
static int
write_ssh_config(const struct child *c)
{
	char text[3 * CONTEXT_LINE_MAX];
	struct context ctx;
	int n;

	hostinfo_fill(&ctx, c->sd, c->set);
	n = hostinfo_ssh_config(&ctx, text, sizeof text);
	if (n == -1) {
		errno = EINVAL;
		return -1;
	}
	return file_replace(c->sd->fd, FILE_SSH_CONFIG, text, (size_t)n, 0600,
	    0);
}

int
child_start_ssh(struct child *c, int io)
{
	char config[SESSIONDIR_PATH_MAX], ctl[SESSIONDIR_PATH_MAX];
	char key[SESSIONDIR_PATH_MAX], cert[80], port[16], timeout[32];
	char hosts[SETTINGS_TEXT + 32], alias[SETTINGS_TEXT + 16];
	const char *const argv[] = { "ssh",
	    "-F", sessiondir_file(c->sd, FILE_SSH_CONFIG, config), "-T",
	    "-M", "-S", sessiondir_file(c->sd, FILE_SSH_CTL, ctl),
	    "-p", port, "-l", c->set->relay_user,
	    "-i", sessiondir_file(c->sd, FILE_KEY, key),
	    "-o", cert, "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none",
	    "-o", "PreferredAuthentications=publickey", "-o", "BatchMode=yes",
	    "-o", "StrictHostKeyChecking=yes", "-o", hosts, "-o", alias,
	    "-o", "GlobalKnownHostsFile=/dev/null", "-o", "UpdateHostKeys=no",
	    "-o", "CheckHostIP=no", "-o", "ControlPersist=no",
	    "-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=3",
	    "-o", "TCPKeepAlive=yes", "-o", timeout, "-o", "IPQoS=af21",
	    "-o", "LogLevel=ERROR", "--", c->set->relay, NULL };

	(void)snprintf(port, sizeof port, "%u", c->set->relay_port);
	(void)snprintf(cert, sizeof cert, "CertificateFile=%s/" FILE_CERT,
	    c->sd->path);
	(void)snprintf(hosts, sizeof hosts, "UserKnownHostsFile=%s",
	    c->set->known_hosts);
	(void)snprintf(alias, sizeof alias, "HostKeyAlias=%s", c->set->relay);
	(void)snprintf(timeout, sizeof timeout, "ConnectTimeout=%u",
	    c->set->connect_ms / 1000);
	(void)unlinkat(c->sd->fd, FILE_SSH_CTL, 0);	/* of one killed */
	if (write_ssh_config(c) == -1)
		return -1;
	return start(c, CHILD_SSH, argv, io);
}

int
child_start_renew(struct child *c)
{
	const char *const argv[] = { "linbit-tunl", "@renew", c->sd->path,
	    NULL };

	return start(c, CHILD_RENEW, argv, -1);
}

/* ---- ending --------------------------------------------------------------- */

static void
kill_cb(evutil_socket_t fd, short what, void *arg)
{
	struct child *c = arg;

	(void)fd;
	(void)what;
	if (c->kind != CHILD_NONE)
		(void)kill(c->pid, SIGKILL);
}

void
child_stop(struct child *c)
{
	struct timeval tv = { STOP_MS / 1000, 0 };

	if (c->kind == CHILD_NONE)
		return;
	(void)kill(c->pid, SIGTERM);
	(void)event_add(c->kill, &tv);
}

int
child_reap(struct child *c)
{
	int status;

	if (c->kind == CHILD_NONE ||
	    waitpid(c->pid, &status, WNOHANG) != c->pid)
		return -1;
	c->kind = CHILD_NONE;
	(void)event_del(c->kill);
	drain_err(c);
	return spawn_status(status);
}

/* ---- life ----------------------------------------------------------------- */

int
child_init(struct child *c, struct event_base *base,
    const struct sessiondir *sd, const struct settings *s)
{
	memset(c, 0, sizeof *c);
	c->base = base;
	c->sd = sd;
	c->set = s;
	c->lines = evbuffer_new();
	c->kill = evtimer_new(base, kill_cb, c);
	return c->lines != NULL && c->kill != NULL ? 0 : -1;
}

void
child_release(struct child *c)
{
	if (c->kind != CHILD_NONE)
		spawn_stop(c->pid, STOP_MS);
	c->kind = CHILD_NONE;
	if (c->lines != NULL) {
		drain_err(c);
		evbuffer_free(c->lines);
	}
	if (c->kill != NULL)
		event_free(c->kill);
}
