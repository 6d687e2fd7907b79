/*
 * legproc.c - see legproc.h.
 */
#include "legproc.h"

#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "leg.h"
#include "spawn.h"

#define LEGPROC_ARGS	12
#define STOP_MS	200	/* from TERM to KILL */

void
legproc_init(struct legproc *lp)
{
	memset(lp, 0, sizeof *lp);
	lp->pid = -1;
	lp->in = lp->out = lp->err = -1;
}

static void
fd_drop(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

/* A pipe whose end OURS (0 or 1) does not block.  0, or -1 with errno. */
static int
pipe_make(int fds[2], int ours)
{
	if (pipe2(fds, O_CLOEXEC) == -1)
		return -1;
	return fd_nonblock(fds[ours], 1);
}

/* Add the arguments that tunl leg and relay-share consume both have. */
static void
add_conf(const struct leg_conf *conf, const char **argv, int n)
{
	argv[n++] = conf->sid;
	argv[n++] = "--client";
	argv[n++] = conf->client;
	argv[n++] = "--name";
	argv[n++] = conf->name;
	if (conf->role == PROTO_CHAT)
		argv[n++] = "--chat";
	if (conf->read_only)
		argv[n++] = "--read-only";
	argv[n] = NULL;
}

void
legproc_argv(const struct leg_conf *conf, const struct relay *relay,
    const char *argv[RELAY_ARGV_MAX])
{
	const char *remote[LEGPROC_ARGS] = { "relay-share", "consume" };

	add_conf(conf, remote, 2);
	relay_argv(relay, remote, argv);
}

/* Where there is a master, tunl leg would have nothing to do. */
static pid_t
start(const struct leg_conf *conf, const struct relay *relay, int in, int out,
    int err)
{
	const char *argv[RELAY_ARGV_MAX] = { "tunl", "leg" };
	struct spawn sp = SPAWN_INIT(argv);

	if (relay_is_up(relay))
		legproc_argv(conf, relay, argv);
	else {
		add_conf(conf, argv, 2);
		sp.path = "/proc/self/exe";
	}
	sp.in = in;
	sp.out = out;
	sp.err = err;
	sp.flags = SPAWN_SETSID | SPAWN_DEATHSIG;
	return spawn_start(&sp);
}

int
legproc_start(struct legproc *lp, const struct leg_conf *conf,
    const struct relay *relay)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, err[2] = { -1, -1 };
	int saved;

	legproc_init(lp);
	if (pipe_make(in, 1) == 0 && pipe_make(out, 0) == 0 &&
	    pipe_make(err, 0) == 0)
		lp->pid = start(conf, relay, in[0], out[1], err[1]);
	saved = errno;
	fd_drop(&in[0]);
	fd_drop(&out[1]);
	fd_drop(&err[1]);
	lp->in = in[1];
	lp->out = out[0];
	lp->err = err[0];
	errno = saved;
	return lp->pid == -1 ? -1 : 0;
}

void
legproc_hangup(struct legproc *lp)
{
	fd_drop(&lp->in);
}

void
legproc_stop(struct legproc *lp)
{
	fd_drop(&lp->in);
	fd_drop(&lp->out);
	fd_drop(&lp->err);
	if (lp->pid != -1)
		spawn_stop(lp->pid, STOP_MS);
	lp->pid = -1;
}

bool
legproc_reap(struct legproc *lp)
{
	int status;

	if (lp->pid == -1 || waitpid(lp->pid, &status, WNOHANG) != lp->pid)
		return false;
	lp->pid = -1;
	lp->status = spawn_status(status);
	return true;
}

bool
legproc_listen(struct legproc *lp)
{
	size_t max = sizeof lp->words - 1;
	char buf[LEGPROC_WORDS / 2];
	ssize_t n;

	n = read(lp->err, buf, sizeof buf);
	if (n == -1)
		return errno == EAGAIN || errno == EINTR;
	if (lp->words_len + (size_t)n > max) {
		/* the newer half stays */
		memmove(lp->words, lp->words + max / 2,
		    lp->words_len - max / 2);
		lp->words_len -= max / 2;
	}
	memcpy(lp->words + lp->words_len, buf, (size_t)n);
	lp->words_len += (size_t)n;
	return n > 0;
}

const char *
legproc_words(struct legproc *lp, const char *fallback)
{
	char *s = lp->words, *lf;

	while (lp->words_len > 0 && (s[lp->words_len - 1] == '\n' ||
	    s[lp->words_len - 1] == '\r'))
		lp->words_len--;
	s[lp->words_len] = '\0';
	lf = strrchr(s, '\n');
	if (lf != NULL)
		s = lf + 1;
	if (strncmp(s, "tunl: ", 6) == 0)
		s += 6;
	else if (strncmp(s, "relay-share: ", 13) == 0)
		s += 13;
	return *s != '\0' ? s : fallback;
}
