/*
 * spawn.c - see spawn.h.
 */
#include "spawn.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mono.h"

extern char **environ;

/*
 * Put FD at number TO.  One that is there already only loses close-on-exec.
 */
static int
fd_place(int fd, int to)
{
	if (fd == to)
		return fcntl(fd, F_SETFD, 0);
	return dup2(fd, to);
}

/* In the child: 0, 1, 2 as asked.  Sources below 3 are moved up first, so
 * that placing one does not overwrite another. */
static int
child_stdio(const struct spawn *sp)
{
	int want[3] = { sp->in, sp->out, sp->err };
	int i;

	for (i = 0; i < 3; i++) {
		if (want[i] == -1)
			want[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (want[i] >= 0 && want[i] < 3 && want[i] != i)
			want[i] = fcntl(want[i], F_DUPFD_CLOEXEC, 3);
		if (want[i] == -1)
			return -1;
	}
	for (i = 0; i < 3; i++)
		if (fd_place(want[i], i) == -1)
			return -1;
	if (sp->keep > 2 && fcntl(sp->keep, F_SETFD, 0) == -1)
		return -1;
	return 0;
}

static void
child_signals(void)
{
	struct sigaction sa;
	sigset_t none;
	int i;

	memset(&sa, 0, sizeof sa);
	sa.sa_handler = SIG_DFL;
	for (i = 1; i < NSIG; i++)
		(void)sigaction(i, &sa, NULL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Only async-signal-safe calls from here to exec. */
__attribute__((noreturn))
static void
child_run(const struct spawn *sp, pid_t parent, int report)
{
	const char *path = sp->path != NULL ? sp->path : sp->argv[0];
	char *const *argv = (char *const *)(uintptr_t)sp->argv;
	int err;

	if ((sp->flags & SPAWN_SETSID) != 0)
		(void)setsid();
	else if ((sp->flags & SPAWN_PGROUP) != 0)
		(void)setpgid(0, 0);
	if ((sp->flags & SPAWN_DEATHSIG) != 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)	/* dead before that */
			_exit(127);
	}
	if (child_stdio(sp) == 0) {
		child_signals();
		if (sp->envp != NULL)
			environ = (char **)(uintptr_t)sp->envp;
		execvp(path, argv);
	}
	err = errno;
	(void)!write(report, &err, sizeof err);
	_exit(127);
}

pid_t
spawn_start(const struct spawn *sp)
{
	sigset_t all, old;
	int report[2], err = 0;
	ssize_t n;
	pid_t pid, parent = getpid();

	if (pipe2(report, O_CLOEXEC) == -1)
		return -1;
	/* The child's report must survive child_stdio() moving things about. */
	if (report[1] < 3) {
		int up = fcntl(report[1], F_DUPFD_CLOEXEC, 3);

		if (up == -1) {
			close(report[0]);
			close(report[1]);
			return -1;
		}
		close(report[1]);
		report[1] = up;
	}
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	pid = fork();
	if (pid == 0)
		child_run(sp, parent, report[1]);
	err = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(report[1]);
	if (pid == -1) {
		close(report[0]);
		errno = err;
		return -1;
	}
	do
		n = read(report[0], &err, sizeof err);
	while (n == -1 && errno == EINTR);
	close(report[0]);
	if (n == (ssize_t)sizeof err) {
		(void)spawn_wait(pid);
		errno = err;
		return -1;
	}
	return pid;
}

int
spawn_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
	    WEXITSTATUS(status);
}

int
spawn_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return -1;
	return spawn_status(status);
}

/*
 * Reap PID if it ends by DEADLINE.  Returns 0 with *STATUS, or -1: ETIMEDOUT,
 * or waitpid()'s.
 */
static int
reap_until(pid_t pid, int64_t deadline, int *status)
{
	int pause_ms = 1;
	pid_t got;

	while ((got = waitpid(pid, status, WNOHANG)) == 0) {
		if (mono_ms() >= deadline) {
			errno = ETIMEDOUT;
			return -1;
		}
		(void)poll(NULL, 0, pause_ms);
		pause_ms = pause_ms < 16 ? 2 * pause_ms : 16;
	}
	return got == -1 ? -1 : 0;
}

/* Read FD to its end into BUF until DEADLINE.  0, or -1 with errno. */
static int
drain_until(int fd, char *buf, size_t cap, int64_t deadline)
{
	char spill[512] = { 0 };
	size_t got = 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = deadline - mono_ms();
		size_t room = cap - 1 - got;
		char *to = room > 0 ? buf + got : spill;
		ssize_t n;

		if (left <= 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		n = read(fd, to, room > 0 ? room : sizeof spill);
		if (n == -1 && errno != EINTR)
			return -1;
		if (n == 0)
			break;
		if (n > 0 && room > 0)
			got += (size_t)n;
		buf[got] = '\0';
	}
	return 0;
}

int
spawn_capture(const char *const *argv, char *buf, size_t cap, int ms)
{
	struct spawn sp = SPAWN_INIT(argv);
	int64_t deadline = mono_ms() + ms;
	int fds[2], rv, saved, status = 0;
	pid_t pid;

	buf[0] = '\0';
	if (pipe2(fds, O_CLOEXEC) == -1)
		return -1;
	sp.in = -1;
	sp.out = fds[1];
	sp.err = -1;
	pid = spawn_start(&sp);
	saved = errno;
	close(fds[1]);
	if (pid == -1) {
		close(fds[0]);
		errno = saved;
		return -1;
	}
	rv = drain_until(fds[0], buf, cap, deadline);
	if (rv == 0)	/* it may live on without its stdout */
		rv = reap_until(pid, deadline, &status);
	saved = errno;
	close(fds[0]);
	if (rv == -1) {
		spawn_stop(pid, 0);
		errno = saved;
		return -1;
	}
	return spawn_status(status);
}

void
spawn_stop(pid_t pid, int ms)
{
	int status;

	(void)kill(pid, SIGTERM);
	if (reap_until(pid, mono_ms() + ms, &status) == -1 &&
	    errno == ETIMEDOUT) {
		(void)kill(pid, SIGKILL);
		(void)spawn_wait(pid);
	}
}
