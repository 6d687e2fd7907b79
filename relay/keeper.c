/*
 * keeper.c - see keeper.h.  Uses no libevent: what it forks must begin clean.
 */
#include "keeper.h"

#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit.h"
#include "broker.h"
#include "files.h"
#include "log.h"
#include "sid.h"
#include "spawn.h"

#define BUSY		'b'	/* what the keeper says for KEEPER_BUSY */
#define ENVIRONMENT_MAX	128

extern char	**environ;

/* ---- the leg's side ----------------------------------------------------- */

/* Our settings, and nothing else of what sshd gave us. */
static void
settings_only(const char *out[ENVIRONMENT_MAX + 1])
{
	size_t n = 0, i;

	for (i = 0; environ[i] != NULL && n < ENVIRONMENT_MAX; i++)
		if (strncmp(environ[i], "TUNL_", 5) == 0)
			out[n++] = environ[i];
	out[n] = NULL;
}

/* The one octet from the broker, or from its keeper. */
static enum keeper_started
await(int fd, uint32_t ms)
{
	struct pollfd pfd = { fd, POLLIN, 0 };
	ssize_t n;
	char c;
	int r;

	do
		r = poll(&pfd, 1, (int)ms);
	while (r == -1 && errno == EINTR);
	if (r <= 0) {
		errno = r == 0 ? ETIMEDOUT : errno;
		return KEEPER_FAILED;
	}
	n = read(fd, &c, 1);
	if (n == 1)
		return c == BUSY ? KEEPER_BUSY : KEEPER_READY;
	errno = 0;
	return KEEPER_FAILED;
}

static void
close_pair(int fds[2])
{
	if (fds[0] != -1)
		close(fds[0]);
	if (fds[1] != -1)
		close(fds[1]);
}

enum keeper_started
keeper_start(const struct relayconf *conf, const char *sid)
{
	static const char *const argv[] = { "relay-share", "keeper", NULL };
	const char *envp[ENVIRONMENT_MAX + 1];
	struct spawn sp = SPAWN_INIT(argv);
	int in[2] = { -1, -1 }, out[2] = { -1, -1 };
	enum keeper_started answer = KEEPER_FAILED;

	settings_only(envp);
	if (pipe2(in, O_CLOEXEC) == -1 || pipe2(out, O_CLOEXEC) == -1)
		goto done;
	/* Not by its name: that may be another file since an upgrade. */
	sp.path = "/proc/self/exe";
	sp.envp = envp;
	sp.in = in[0];
	sp.out = out[1];
	sp.err = -1;
	sp.flags = SPAWN_SETSID;
	if (spawn_start(&sp) == -1)
		goto done;
	close(in[0]);
	close(out[1]);
	in[0] = out[1] = -1;
	if (write_all(in[1], sid, strlen(sid)) == -1)
		goto done;
	close(in[1]);
	in[1] = -1;
	answer = await(out[0], conf->attach_ms);
done:
	close_pair(in);
	close_pair(out);
	return answer;
}

/* ---- the keeper --------------------------------------------------------- */

static int
read_sid(char sid[SID_MAX + 1])
{
	size_t len = 0;
	ssize_t n;

	while (len <= SID_MAX) {
		n = read(STDIN_FILENO, sid + len, SID_MAX + 1 - len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	if (!sid_is_valid(sid, len))
		return -1;
	sid[len] = '\0';
	return 0;
}

/*
 * Take the lock.  Whoever has it removes the file at the end, so it counts only
 * if it is still there under its name.  Returns the descriptor, or -1; errno
 * is EWOULDBLOCK if another keeper has it.
 */
static int
take_lock(const char *path)
{
	struct stat st, named;
	int fd, saved;

	for (;;) {
		fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
		    0600);
		if (fd == -1)
			return -1;
		if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
			saved = errno;
			close(fd);
			errno = saved;
			return -1;
		}
		if (fstat(fd, &st) == 0 && stat(path, &named) == 0 &&
		    st.st_ino == named.st_ino && st.st_dev == named.st_dev)
			return fd;
		close(fd);
	}
}

/* A line in the audit log about how the broker ended. */
static void
note(const struct relayconf *conf, const char *sid, int status)
{
	struct audit a;

	if (audit_open(&a, conf->log_dir, sid) == -1)
		return;
	if (WIFSIGNALED(status))
		(void)audit_write(&a, "relay", "-", "broker",
		    "ended by signal %d", WTERMSIG(status));
	else
		(void)audit_write(&a, "relay", "-", "broker",
		    "ended with status %d", WEXITSTATUS(status));
	audit_close(&a);
}

/* Sleep until the broker is no more. */
static int
wait_for(pid_t pid)
{
	int status;

	/* It has to outlive the broker, whatever ends both. */
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return 0;
	return status;
}

/* The broker itself, in a process of its own. */
static int
run_broker(const struct relayconf *conf, const char *sid)
{
	(void)prctl(PR_SET_NAME, "tunl-broker");
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN);
	return broker_run(conf, sid, STDOUT_FILENO);
}

int
keeper_main(const struct relayconf *conf)
{
	char sid[SID_MAX + 1], path[PATH_MAX];
	int lock, status, null;
	pid_t pid;

	if (read_sid(sid) == -1)
		return 1;
	log_session(sid);
	(void)umask(027);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)prctl(PR_SET_NAME, "tunl-keeper");
	if (chdir("/") == -1 ||
	    broker_path(conf, sid, ".lock", path, sizeof path) == -1)
		return 1;
	lock = take_lock(path);
	if (lock == -1) {
		if (errno == EWOULDBLOCK)
			return write(STDOUT_FILENO, &(char){ BUSY }, 1) != 1;
		log_warn("%s", path);
		return 1;
	}
	pid = fork();
	if (pid == 0)
		return run_broker(conf, sid);
	/* The ready pipe is the broker's alone. */
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	status = pid == -1 ? 0 : wait_for(pid);
	if (pid != -1)
		note(conf, sid, status);
	(void)unlink(path);
	if (broker_path(conf, sid, ".sock", path, sizeof path) == 0)
		(void)unlink(path);
	close(lock);
	return pid == -1;
}
