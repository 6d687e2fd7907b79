/*
 * unix_test.c - unix sockets: descriptors that travel, long names, peers.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "files.h"
#include "unix.h"

static char	top[] = "/tmp/unix_test.XXXXXX";	/* of this run */

static int
setup(void **state)
{
	(void)state;
	return mkdtemp(top) == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	return dir_remove(AT_FDCWD, top);
}

static unsigned int
count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned int n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static void
make_pair(int s[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s),
	    0);
}

static void
close_pair(const int s[2])
{
	close(s[0]);
	close(s[1]);
}

/* ---- descriptors -------------------------------------------------------- */

static int
is_same_file(int a, int b)
{
	struct stat sa, sb;

	return fstat(a, &sa) == 0 && fstat(b, &sb) == 0 &&
	    sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

static void
test_descriptors_travel(void **state)
{
	unsigned int before = count_fds(), n, sent, i;
	int s[2], pipes[4], got[UNIX_FDS_MAX];
	char buf[16];

	(void)state;
	make_pair(s);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(pipe2(pipes + 2, O_CLOEXEC), 0);
	for (sent = 0; sent <= UNIX_FDS_MAX; sent++) {
		assert_int_equal(unix_send(s[0], "hello", 5, pipes, sent), 0);
		assert_int_equal(unix_recv(s[1], buf, sizeof buf, got, &n), 5);
		assert_memory_equal(buf, "hello", 5);
		assert_int_equal(n, sent);
		for (i = 0; i < n; i++) {
			assert_true(is_same_file(got[i], pipes[i]));
			assert_int_equal(fcntl(got[i], F_GETFD), FD_CLOEXEC);
			close(got[i]);
		}
	}
	close_pair(pipes);
	close_pair(pipes + 2);
	close_pair(s);
	assert_int_equal(count_fds(), before);
}

static void
test_send_refusals(void **state)
{
	static const int fds[UNIX_FDS_MAX + 1];
	int s[2], bad = -1;

	(void)state;
	make_pair(s);
	assert_int_equal(unix_send(s[0], "x", 1, fds, UNIX_FDS_MAX + 1), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(unix_send(s[0], "", 0, fds, 1), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(unix_send(s[0], "x", 1, &bad, 1), -1);
	assert_int_equal(errno, EBADF);
	close(s[1]);
	assert_int_equal(unix_send(s[0], "x", 1, NULL, 0), -1);
	assert_int_equal(errno, EPIPE);	/* and no SIGPIPE */
	close(s[0]);
}

/* Send COUNT descriptors, as nothing of ours would. */
static void
send_many(int s, unsigned int count)
{
	union {
		struct cmsghdr	 align;
		char		 buf[CMSG_SPACE(64 * sizeof(int))];
	} ctl;
	struct iovec iov = { (char[]){ "x" }, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = ctl.buf,
	    .msg_controllen = CMSG_SPACE(count * sizeof(int)) };
	struct cmsghdr *c;
	unsigned int i;
	int fd = STDIN_FILENO;

	memset(&ctl, 0, sizeof ctl);
	c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(count * sizeof(int));
	for (i = 0; i < count; i++)
		memcpy(CMSG_DATA(c) + i * sizeof fd, &fd, sizeof fd);
	assert_int_equal(sendmsg(s, &msg, 0), 1);
}

static void
test_too_many_descriptors_are_closed(void **state)
{
	unsigned int before = count_fds(), n, count;
	int s[2], got[UNIX_FDS_MAX];
	char c;

	(void)state;
	make_pair(s);
	for (count = UNIX_FDS_MAX + 1; count <= 64; count++) {
		send_many(s[0], count);
		assert_int_equal(unix_recv(s[1], &c, 1, got, &n), -1);
		assert_int_equal(errno, EMSGSIZE);
		assert_int_equal(n, 0);
		assert_int_equal(count_fds(), before + 2);
	}
	/* The stream goes on behind it. */
	assert_int_equal(unix_send(s[0], "y", 1, NULL, 0), 0);
	assert_int_equal(unix_recv(s[1], &c, 1, got, &n), 1);
	assert_int_equal(c, 'y');
	close(s[0]);
	assert_int_equal(unix_recv(s[1], &c, 1, got, &n), 0);
	close(s[1]);
}

#define LONG	(1 << 20)

static void
test_send_writes_all_of_it(void **state)
{
	static char data[LONG], back[LONG];
	int s[2], got[UNIX_FDS_MAX], status;
	unsigned int n, seen = 0;
	size_t at = 0, i;
	ssize_t len;
	pid_t pid;

	(void)state;
	for (i = 0; i < LONG; i++)
		data[i] = (char)(i * 7 + (i >> 8));
	make_pair(s);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		_exit(unix_send(s[0], data, LONG, s, 1) == -1);
	close(s[0]);
	while ((len = unix_recv(s[1], back + at, LONG - at, got, &n)) > 0) {
		at += (size_t)len;
		seen += n;
		while (n > 0)
			close(got[--n]);
		if (at == LONG)
			break;
	}
	assert_int_equal(at, LONG);
	assert_memory_equal(data, back, LONG);
	assert_int_equal(seen, 1);
	close(s[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* ---- names -------------------------------------------------------------- */

static void
serves(const char *path, mode_t mode)
{
	unsigned int before = count_fds();
	struct stat st;
	int l, c, a;
	uid_t uid;
	pid_t pid;

	l = unix_listen(path, mode);
	assert_int_not_equal(l, -1);
	assert_int_equal(fcntl(l, F_GETFD), FD_CLOEXEC);
	assert_true((fcntl(l, F_GETFL) & O_NONBLOCK) != 0);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, mode);
	assert_int_equal(accept(l, NULL, NULL), -1);
	c = unix_connect(path);
	assert_int_not_equal(c, -1);
	assert_int_equal(fcntl(c, F_GETFD), FD_CLOEXEC);
	assert_true((fcntl(c, F_GETFL) & O_NONBLOCK) == 0);
	a = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	assert_int_not_equal(a, -1);
	assert_int_equal(unix_peer(a, &uid, &pid), 0);
	assert_int_equal(uid, geteuid());
	assert_int_equal(pid, getpid());
	close(a);
	close(c);
	close(l);
	assert_int_equal(count_fds(), before);
}

static void
test_listen_and_connect(void **state)
{
	mode_t old = umask(077);
	char path[256];

	(void)state;
	(void)snprintf(path, sizeof path, "%s/s", top);
	serves(path, 0600);
	/* Nobody listens any more; the next one takes its place. */
	assert_int_equal(unix_connect(path), -1);
	assert_int_equal(errno, ECONNREFUSED);
	serves(path, 0666);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(unix_connect(path), -1);
	assert_int_equal(errno, ENOENT);
	(void)umask(old);
}

static void
test_names_of_any_length(void **state)
{
	char path[512];
	size_t i;

	(void)state;
	(void)snprintf(path, sizeof path, "%s/%0200d", top, 0);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof path, "%s/%0200d/socket", top, 0);
	serves(path, 0600);
	/* The lengths about that of sun_path. */
	for (i = 104; i < 112; i++) {
		(void)snprintf(path, sizeof path, "%s/", top);
		memset(path + strlen(path), 'x', i - strlen(path));
		path[i] = '\0';
		path[i - 9] = '\0';
		assert_int_equal(mkdir(path, 0700), 0);
		path[i - 9] = '/';
		serves(path, 0600);
	}
}

static void
test_names_that_cannot_be(void **state)
{
	unsigned int before = count_fds();
	char path[PATH_MAX + 64];

	(void)state;
	(void)snprintf(path, sizeof path, "%s/%0120d", top, 0);
	assert_int_equal(unix_listen(path, 0600), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	memset(path, 'x', 200);
	path[200] = '\0';
	assert_int_equal(unix_connect(path), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	memset(path, '/', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	assert_int_equal(unix_connect(path), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	(void)snprintf(path, sizeof path, "%s/missing/%0120d", top, 0);
	assert_int_equal(unix_connect(path), -1);
	assert_int_equal(errno, ENOENT);
	(void)snprintf(path, sizeof path, "%s/missing/s", top);
	assert_int_equal(unix_listen(path, 0600), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(count_fds(), before);
}

static void
test_only_a_socket_has_a_peer(void **state)
{
	int fds[2];
	uid_t uid;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(unix_peer(fds[0], &uid, &pid), -1);
	assert_int_equal(errno, ENOTSOCK);
	close_pair(fds);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_descriptors_travel),
		cmocka_unit_test(test_send_refusals),
		cmocka_unit_test(test_too_many_descriptors_are_closed),
		cmocka_unit_test(test_send_writes_all_of_it),
		cmocka_unit_test(test_listen_and_connect),
		cmocka_unit_test(test_names_of_any_length),
		cmocka_unit_test(test_names_that_cannot_be),
		cmocka_unit_test(test_only_a_socket_has_a_peer),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
