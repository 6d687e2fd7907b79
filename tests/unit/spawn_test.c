/*
 * spawn_test.c - starting and stopping programs.  The program started is this
 * test itself, with an argument that says what to do (see main()).
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "num.h"
#include "spawn.h"

#define SELF	"/proc/self/exe"
#define MS	10000	/* a limit that is never reached */

/* ---- what the children do ----------------------------------------------- */

/* What a child sees of itself, written to a descriptor as it is here. */
struct facts {
	dev_t		dev[3];
	ino_t		ino[3];		/* of 0, 1, 2 */
	int		flags[3];
	int		signals;	/* number blocked or not at default */
	unsigned int	open;		/* descriptors, without the report's */
	pid_t		pid, sid, pgid;
};

static unsigned int
count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned int n = 0;

	if (d == NULL)
		return UINT_MAX;
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 3;	/* ".", "..", and the directory */
}

static int
count_signals(void)
{
	struct sigaction sa;
	sigset_t blocked;
	int i, n = 0;

	(void)sigprocmask(SIG_SETMASK, NULL, &blocked);
	for (i = 1; i < NSIG; i++) {
		n += sigismember(&blocked, i) == 1;
		/* A sanitizer sets handlers of its own; ignoring is what
		 * exec passes on. */
		if (sigaction(i, NULL, &sa) == 0)
			n += sa.sa_handler == SIG_IGN;
	}
	return n;
}

static int
child_report(int fd)
{
	struct facts f;
	struct stat st;
	int i;

	memset(&f, 0, sizeof f);
	for (i = 0; i < 3; i++) {
		if (fstat(i, &st) == -1)
			return 1;
		f.dev[i] = st.st_dev;
		f.ino[i] = st.st_ino;
		f.flags[i] = fcntl(i, F_GETFL) & O_ACCMODE;
	}
	f.signals = count_signals();
	f.open = count_fds() - 1;
	f.pid = getpid();
	f.sid = getsid(0);
	f.pgid = getpgrp();
	return write(fd, &f, sizeof f) == (ssize_t)sizeof f ? 0 : 1;
}

/* Say that we are there, and do not go at SIGTERM. */
static int
child_stubborn(int fd)
{
	(void)signal(SIGTERM, SIG_IGN);
	if (write(fd, "", 1) != 1)
		return 1;
	for (;;)
		(void)pause();
}

static int
child_wait(int fd)
{
	if (write(fd, "", 1) != 1)
		return 1;
	for (;;)
		(void)pause();
}

/* Close our stdout, and stay. */
static int
child_linger(void)
{
	if (write(STDOUT_FILENO, "said", 4) != 4)
		return 1;
	close(STDOUT_FILENO);
	for (;;)
		(void)pause();
}

static int
child_chatter(void)
{
	int i;

	for (i = 0; i < 10000; i++)
		if (write(STDOUT_FILENO, "0123456789", 10) != 10)
			return 1;
	return 3;
}

/* ---- starting ----------------------------------------------------------- */

/* Start this test as "WHAT FD", FD being SP->keep. */
static pid_t
start_self(struct spawn *sp, const char *what)
{
	static char number[16];
	static const char *argv[4] = { "self", NULL, number, NULL };

	(void)snprintf(number, sizeof number, "%d", sp->keep);
	argv[1] = what;
	sp->argv = argv;
	sp->path = SELF;
	return spawn_start(sp);
}

/* Run a child that reports on itself.  Returns 0, or -1. */
static int
report(struct spawn *sp, struct facts *f)
{
	int fds[2], ok;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) == -1)
		return -1;
	sp->keep = fcntl(fds[1], F_DUPFD_CLOEXEC, 10);
	close(fds[1]);
	pid = start_self(sp, "report");
	close(sp->keep);
	ok = pid != -1 && read(fds[0], f, sizeof *f) == (ssize_t)sizeof *f;
	close(fds[0]);
	return ok && spawn_wait(pid) == 0 ? 0 : -1;
}

static void
test_exec_failure_is_told(void **state)
{
	static const struct {
		const char	*program;
		int		 error;
	} rows[] = {
		{ "/no/such/program", ENOENT }, { "no-such-program", ENOENT },
		{ "/", EACCES }, { "/etc/passwd", EACCES },
		{ "/etc/passwd/x", ENOTDIR },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *const argv[] = { rows[i].program, NULL };
		struct spawn sp = SPAWN_INIT(argv);

		errno = 0;
		assert_int_equal(spawn_start(&sp), -1);
		assert_int_equal(errno, rows[i].error);
		/* and no child is left */
		assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
		assert_int_equal(errno, ECHILD);
	}
}

static void
test_path_is_searched(void **state)
{
	static const char *const argv[] = { "true", NULL };
	static const char *const env[] = { "PATH=/no/such/place", NULL };
	struct spawn sp = SPAWN_INIT(argv);
	pid_t pid;

	(void)state;
	pid = spawn_start(&sp);
	assert_int_not_equal(pid, -1);
	assert_int_equal(spawn_wait(pid), 0);
	sp.envp = env;
	assert_int_equal(spawn_start(&sp), -1);
	assert_int_equal(errno, ENOENT);
}

static void
test_environment(void **state)
{
	static const char *const argv[] = { "anything", NULL };
	static const char *const env[] = { "A=b c", "D=", NULL };
	struct spawn sp = SPAWN_INIT(argv);
	char buf[64];
	int fds[2];
	ssize_t n;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	sp.path = "/usr/bin/env";
	sp.envp = env;
	sp.out = fds[1];
	pid = spawn_start(&sp);
	assert_int_not_equal(pid, -1);
	assert_int_equal(spawn_wait(pid), 0);
	n = read(fds[0], buf, sizeof buf - 1);
	assert_int_equal(n, 9);
	assert_memory_equal(buf, "A=b c\nD=\n", 9);
	assert_non_null(getenv("PATH"));	/* ours is what it was */
	close(fds[0]);
	close(fds[1]);
}

/* In a process of its own: every arrangement of the standard descriptors. */
static int
arrange(void)
{
	struct spawn sp = { .keep = -1 };
	struct stat st[4], *want;
	struct facts f;
	int i, j, fds[3];

	for (i = 0; i < 3; i++) {
		char name[] = "/tmp/spawn_test.XXXXXX";
		int fd = mkostemp(name, O_CLOEXEC);

		if (fd == -1 || unlink(name) == -1 || dup2(fd, i) == -1 ||
		    fstat(i, &st[i]) == -1)
			return 1;
		close(fd);
	}
	if (stat("/dev/null", &st[3]) == -1)
		return 1;
	for (i = 0; i < 64; i++) {	/* 3 is -1 here */
		fds[0] = i & 3;
		fds[1] = i >> 2 & 3;
		fds[2] = i >> 4;
		sp.in = fds[0] == 3 ? -1 : fds[0];
		sp.out = fds[1] == 3 ? -1 : fds[1];
		sp.err = fds[2] == 3 ? -1 : fds[2];
		if (report(&sp, &f) == -1)
			return 2;
		for (j = 0; j < 3; j++) {
			want = &st[fds[j]];
			if (f.dev[j] != want->st_dev ||
			    f.ino[j] != want->st_ino)
				return 3;
		}
		if (f.open != 3)
			return 4;
	}
	return 0;
}

/* The same, started without any of them. */
static int
arrange_from_nothing(void)
{
	struct spawn sp = { .in = -1, .out = -1, .err = -1, .keep = -1 };
	struct stat st;
	struct facts f;
	int j;

	for (j = 0; j < 3; j++)
		close(j);
	if (stat("/dev/null", &st) == -1)
		return 1;
	if (report(&sp, &f) == -1)
		return 2;
	for (j = 0; j < 3; j++)
		if (f.ino[j] != st.st_ino || f.flags[j] != O_RDWR)
			return 3;
	return f.open == 3 ? 0 : 4;
}

static void
in_a_process(int (*run)(void))
{
	int status, fd;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		for (fd = 3; fd < 256; fd++)	/* what we were started with */
			close(fd);
		_exit(run());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
test_descriptors_are_placed(void **state)
{
	(void)state;
	in_a_process(arrange);
	in_a_process(arrange_from_nothing);
}

static int
with_bent_signals(void)
{
	struct spawn sp = { .in = 0, .out = 1, .err = 2, .keep = -1 };
	sigset_t set, now;
	struct facts f;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1 ||
	    signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
	    signal(SIGHUP, SIG_IGN) == SIG_ERR ||
	    signal(SIGRTMIN + 1, SIG_IGN) == SIG_ERR)
		return 1;
	if (report(&sp, &f) == -1)
		return 2;
	if (f.signals != 0)
		return 3;
	/* Ours are what they were. */
	if (sigprocmask(SIG_BLOCK, NULL, &now) == -1 ||
	    sigismember(&now, SIGUSR1) != 1 ||
	    sigismember(&now, SIGUSR2) != 0 ||
	    signal(SIGPIPE, SIG_DFL) != SIG_IGN)
		return 4;
	return 0;
}

static void
test_signals_are_reset(void **state)
{
	(void)state;
	in_a_process(with_bent_signals);
}

static void
test_sessions_and_groups(void **state)
{
	struct spawn sp = { .in = -1, .out = -1, .err = 2, .keep = -1 };
	struct facts f;

	(void)state;
	assert_int_equal(report(&sp, &f), 0);
	assert_int_equal(f.pgid, getpgrp());
	sp.flags = SPAWN_PGROUP;
	assert_int_equal(report(&sp, &f), 0);
	assert_int_equal(f.pgid, f.pid);
	assert_int_equal(f.sid, getsid(0));
	sp.flags = SPAWN_SETSID;
	assert_int_equal(report(&sp, &f), 0);
	assert_int_equal(f.sid, f.pid);
	assert_int_equal(f.pgid, f.pid);
}

/* ---- stopping ----------------------------------------------------------- */

/* Start WHAT and wait until it says that it is there. */
static pid_t
start_ready(const char *what, unsigned int flags, int *from)
{
	struct spawn sp = { .in = -1, .out = -1, .err = 2, .keep = -1,
	    .flags = flags };
	int fds[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	sp.keep = fds[1];
	pid = start_self(&sp, what);
	close(fds[1]);
	assert_int_not_equal(pid, -1);
	assert_int_equal(read(fds[0], &c, 1), 1);
	*from = fds[0];
	return pid;
}

static void
test_stop(void **state)
{
	pid_t pid;
	int from;

	(void)state;
	pid = start_ready("wait", 0, &from);
	spawn_stop(pid, MS);
	assert_int_equal(kill(pid, 0), -1);
	close(from);
	pid = start_ready("stubborn", 0, &from);
	spawn_stop(pid, 20);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
	close(from);
}

static void
test_wait_tells_how_it_ended(void **state)
{
	pid_t pid;
	int from;

	(void)state;
	pid = start_ready("wait", 0, &from);
	assert_int_equal(kill(pid, SIGUSR1), 0);
	assert_int_equal(spawn_wait(pid), 128 + SIGUSR1);
	assert_int_equal(spawn_wait(pid), -1);
	assert_int_equal(errno, ECHILD);
	close(from);
}

static void
test_child_dies_with_its_parent(void **state)
{
	struct pollfd p = { .events = POLLIN };
	int fds[2], from, status;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);		/* the child keeps an end */
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		struct spawn sp = { .in = -1, .out = fds[1], .err = 2,
		    .keep = fds[1], .flags = SPAWN_DEATHSIG };
		char c;

		if (start_self(&sp, "wait") == -1 ||
		    read(fds[0], &c, 1) != 1)
			_exit(1);
		(void)raise(SIGKILL);
	}
	close(fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	p.fd = from = fds[0];
	assert_int_equal(poll(&p, 1, MS), 1);
	assert_int_equal(p.revents & POLLHUP, POLLHUP);
	close(from);
}

/* ---- capturing ---------------------------------------------------------- */

static int64_t
seconds(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static void
test_capture(void **state)
{
	static const char *const echo[] = { "echo", "a b", NULL };
	static const char *const no[] = { "/no/such/program", NULL };
	static const char *const chatter[] = { SELF, "chatter", "0", NULL };
	char buf[16];

	(void)state;
	assert_int_equal(spawn_capture(echo, buf, sizeof buf, MS), 0);
	assert_string_equal(buf, "a b\n");
	assert_int_equal(spawn_capture(echo, buf, 4, MS), 0);
	assert_string_equal(buf, "a b");
	assert_int_equal(spawn_capture(echo, buf, 1, MS), 0);
	assert_string_equal(buf, "");
	/* All of it is read, so that the child can end. */
	assert_int_equal(spawn_capture(chatter, buf, sizeof buf, MS), 3);
	assert_string_equal(buf, "012345678901234");
	assert_int_equal(spawn_capture(no, buf, sizeof buf, MS), -1);
	assert_int_equal(errno, ENOENT);
	assert_string_equal(buf, "");
}

static void
test_capture_ends_in_time(void **state)
{
	static const char *const sleeper[] = { "sleep", "600", NULL };
	static const char *const linger[] = { SELF, "linger", "0", NULL };
	int64_t start = seconds();
	char buf[16];

	(void)state;
	assert_int_equal(spawn_capture(sleeper, buf, sizeof buf, 20), -1);
	assert_int_equal(errno, ETIMEDOUT);
	/* Closing one's stdout is not the end. */
	assert_int_equal(spawn_capture(linger, buf, sizeof buf, 500), -1);
	assert_int_equal(errno, ETIMEDOUT);
	assert_string_equal(buf, "said");
	assert_true(seconds() - start < 60);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exec_failure_is_told),
		cmocka_unit_test(test_path_is_searched),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_descriptors_are_placed),
		cmocka_unit_test(test_signals_are_reset),
		cmocka_unit_test(test_sessions_and_groups),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_wait_tells_how_it_ended),
		cmocka_unit_test(test_child_dies_with_its_parent),
		cmocka_unit_test(test_capture),
		cmocka_unit_test(test_capture_ends_in_time),
	};
	uint64_t fd;

	(void)setenv("PATH", "/usr/bin:/bin", 1);
	if (argc == 3 && num_parse_str(argv[2], 0, INT_MAX, &fd) == 0) {
		if (strcmp(argv[1], "report") == 0)
			return child_report((int)fd);
		if (strcmp(argv[1], "stubborn") == 0)
			return child_stubborn((int)fd);
		if (strcmp(argv[1], "wait") == 0)
			return child_wait((int)fd);
		if (strcmp(argv[1], "linger") == 0)
			return child_linger();
		if (strcmp(argv[1], "chatter") == 0)
			return child_chatter();
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
