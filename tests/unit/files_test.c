/*
 * files_test.c - private directories, atomic writes, bounded reads, removal.
 */
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "files.h"

#define NOBODY	65534

static char	top[] = "/tmp/files_test.XXXXXX";	/* of this run */
static int	topfd = -1;

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(top) == NULL)
		return -1;
	topfd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return topfd == -1 ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	close(topfd);
	return dir_remove(AT_FDCWD, top);
}

static const char *
path_of(const char *name)
{
	static char path[256];

	(void)snprintf(path, sizeof path, "%s/%s", top, name);
	return path;
}

static void
put(int dirfd, const char *name, const char *text)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static int
exists(const char *name)
{
	struct stat st;

	return fstatat(topfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static unsigned int
count_entries(const char *name)
{
	DIR *d = opendir(path_of(name));
	unsigned int n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 2;
}

/* ---- dir_private -------------------------------------------------------- */

static void
test_private_is_made_and_taken_again(void **state)
{
	struct stat st;
	mode_t old = umask(0);
	int fd;

	(void)state;
	fd = dir_private(path_of("private"));
	(void)umask(old);
	assert_int_not_equal(fd, -1);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	put(fd, "kept", "x");
	close(fd);
	fd = dir_private(path_of("private"));
	assert_int_not_equal(fd, -1);
	assert_int_equal(faccessat(fd, "kept", F_OK, 0), 0);
	close(fd);
}

static void
private_is_refused(const char *path, int error)
{
	assert_int_equal(dir_private(path), -1);
	assert_int_equal(errno, error);
}

static void
test_private_refusals(void **state)
{
	static const mode_t modes[] = { 0750, 0701, 0720, 0777, 01777 };
	struct stat st;
	size_t i;

	(void)state;
	assert_int_equal(mkdirat(topfd, "real", 0700), 0);
	assert_int_equal(symlinkat("real", topfd, "link"), 0);
	private_is_refused(path_of("link"), ENOTDIR);
	assert_int_equal(symlinkat("nowhere", topfd, "dangling"), 0);
	private_is_refused(path_of("dangling"), ENOTDIR);
	put(topfd, "file", "x");
	private_is_refused(path_of("file"), ENOTDIR);
	assert_int_equal(mkfifoat(topfd, "fifo", 0600), 0);
	private_is_refused(path_of("fifo"), ENOTDIR);
	private_is_refused(path_of("no/such"), ENOENT);
	for (i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		assert_int_equal(fchmodat(topfd, "real", modes[i], 0), 0);
		private_is_refused(path_of("real"), EPERM);
		assert_int_equal(fstatat(topfd, "real", &st, 0), 0);
		assert_int_equal(st.st_mode & 07777, modes[i]);
	}
	private_is_refused("/", EPERM);
	assert_int_equal(fchmodat(topfd, "real", 0700, 0), 0);
	if (geteuid() == 0) {
		assert_int_equal(fchownat(topfd, "real", NOBODY, NOBODY, 0), 0);
		private_is_refused(path_of("real"), EPERM);
	}
}

/* ---- file_replace ------------------------------------------------------- */

static void
test_replace(void **state)
{
	struct stat st;
	char *s;
	size_t len;

	(void)state;
	assert_int_equal(mkdirat(topfd, "replace", 0700), 0);
	put(topfd, "replace/target", "untouched");
	assert_int_equal(file_replace(topfd, "f", "one", 3, 0644, 1), 0);
	assert_int_equal(fstatat(topfd, "f", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(file_replace(topfd, "f", "two!", 4, 0600, 0), 0);
	s = file_read(topfd, "f", 4, &len);
	assert_non_null(s);
	assert_int_equal(len, 4);
	assert_string_equal(s, "two!");
	free(s);
	assert_int_equal(file_replace(topfd, "empty", NULL, 0, 0600, 0), 0);
	/* A link is replaced, not written through. */
	assert_int_equal(symlinkat("replace/target", topfd, "l"), 0);
	assert_int_equal(file_replace(topfd, "l", "new", 3, 0600, 0), 0);
	s = file_read(topfd, "replace/target", 100, NULL);
	assert_string_equal(s, "untouched");
	free(s);
}

static void
test_replace_leaves_nothing_behind(void **state)
{
	char name[256], tmp[64];
	int fd;

	(void)state;
	assert_int_equal(mkdirat(topfd, "dir", 0700), 0);
	assert_int_equal(mkdirat(topfd, "dir/sub", 0700), 0);
	fd = openat(topfd, "dir", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	assert_int_equal(file_replace(fd, "sub", "x", 1, 0600, 0), -1);
	assert_int_equal(errno, EISDIR);
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	assert_int_equal(file_replace(fd, name, "x", 1, 0600, 0), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	assert_int_equal(file_replace(fd, "no/f", "x", 1, 0600, 0), -1);
	assert_int_equal(count_entries("dir"), 1);
	/* What a killed process of the same pid left is no obstacle. */
	(void)snprintf(tmp, sizeof tmp, ".f.%ld", (long)getpid());
	put(fd, tmp, "half");
	assert_int_equal(file_replace(fd, "f", "x", 1, 0600, 0), 0);
	assert_int_equal(count_entries("dir"), 2);
	close(fd);
}

/* In a child: read the file over and over; every time all of one letter. */
__attribute__((noreturn))
static void
read_forever(int ready)
{
	size_t len, i;
	char *s;

	for (;;) {
		s = file_read(topfd, "atomic", 1 << 16, &len);
		if (s == NULL || len != (s[0] == 'a' ? 30000u : 60000u))
			_exit(1);
		for (i = 0; i < len; i++)
			if (s[i] != s[0])
				_exit(1);
		free(s);
		if (write(ready, "", 1) == -1)	/* enough */
			_exit(0);
	}
}

static void
test_replace_is_atomic(void **state)
{
	static char a[30000], b[60000];
	int fds[2], i, status;
	pid_t pid;
	char c;

	(void)state;
	memset(a, 'a', sizeof a);
	memset(b, 'b', sizeof b);
	assert_int_equal(file_replace(topfd, "atomic", a, sizeof a, 0600, 0),
	    0);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		(void)signal(SIGPIPE, SIG_IGN);
		close(fds[0]);
		read_forever(fds[1]);
	}
	close(fds[1]);
	for (i = 0; i < 300; i++) {
		assert_int_equal(file_replace(topfd, "atomic",
		    i % 2 == 0 ? b : a, i % 2 == 0 ? sizeof b : sizeof a, 0600,
		    0), 0);
		if (i % 10 == 0)
			assert_int_equal(read(fds[0], &c, 1), 1);
	}
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* ---- file_read ---------------------------------------------------------- */

static void
read_fails(const char *name, size_t max, int error)
{
	assert_null(file_read(topfd, name, max, NULL));
	assert_int_equal(errno, error);
}

static void
test_read(void **state)
{
	size_t len;
	char *s;

	(void)state;
	put(topfd, "r", "12345");
	s = file_read(topfd, "r", 5, &len);
	assert_non_null(s);
	assert_int_equal(len, 5);
	assert_string_equal(s, "12345");
	free(s);
	read_fails("r", 4, EFBIG);
	put(topfd, "r0", "");
	s = file_read(topfd, "r0", 0, NULL);
	assert_non_null(s);
	assert_string_equal(s, "");
	free(s);
	assert_int_equal(mkfifoat(topfd, "rf", 0600), 0);
	read_fails("rf", 100, EINVAL);
	assert_int_equal(symlinkat("r", topfd, "rl"), 0);
	read_fails("rl", 100, ELOOP);
	read_fails(".", 100, EINVAL);
	read_fails("missing", 100, ENOENT);
}

/* ---- dir_remove --------------------------------------------------------- */

static void
test_remove(void **state)
{
	char deep[256] = "tree";
	int i;

	(void)state;
	assert_int_equal(mkdirat(topfd, "outside", 0700), 0);
	put(topfd, "outside/kept", "x");
	assert_int_equal(mkdirat(topfd, deep, 0700), 0);
	for (i = 0; i < 20; i++) {
		(void)snprintf(deep + strlen(deep), 16, "/d%d", i);
		assert_int_equal(mkdirat(topfd, deep, 0700), 0);
	}
	put(topfd, "tree/a", "x");
	put(topfd, "tree/d0/.hidden", "x");
	assert_int_equal(symlinkat("../outside", topfd, "tree/link"), 0);
	assert_int_equal(symlinkat("/", topfd, "tree/d0/root"), 0);
	assert_int_equal(mkfifoat(topfd, "tree/d0/fifo", 0), 0);
	assert_int_equal(dir_remove(topfd, "tree"), 0);
	assert_false(exists("tree"));
	assert_true(exists("outside/kept"));
	/* A link in its place is removed itself. */
	assert_int_equal(symlinkat("outside", topfd, "link2"), 0);
	assert_int_equal(dir_remove(topfd, "link2"), 0);
	assert_false(exists("link2"));
	assert_true(exists("outside/kept"));
	assert_int_equal(dir_remove(topfd, "outside/kept"), 0);
	assert_int_equal(dir_remove(topfd, "missing"), -1);
	assert_int_equal(errno, ENOENT);
}

/* Root may remove anything, so this runs as somebody else. */
static int
remove_goes_on(void)
{
	int error, fd = dir_private(path_of("nobody/d"));

	if (fd == -1 || mkdirat(fd, "t", 0700) == -1 ||
	    mkdirat(fd, "t/locked", 0700) == -1 ||
	    mkdirat(fd, "t/locked/in", 0700) == -1 ||
	    mkdirat(fd, "t/y", 0700) == -1 || mkdirat(fd, "t/z", 0700) == -1 ||
	    fchmodat(fd, "t/locked", 0, 0) == -1)
		return 1;
	if (dir_remove(fd, "t") != -1)
		return 2;
	error = errno;
	if (fchmodat(fd, "t/locked", 0700, 0) == -1 ||
	    faccessat(fd, "t/locked/in", F_OK, 0) == -1)
		return 3;
	if (faccessat(fd, "t/y", F_OK, 0) == 0 ||
	    faccessat(fd, "t/z", F_OK, 0) == 0)
		return 4;
	return error == EACCES ? 0 : 5;
}

static int
remove_goes_on_as_nobody(void)
{
	if (geteuid() == 0 && (setgroups(0, NULL) == -1 ||
	    setgid(NOBODY) == -1 || setuid(NOBODY) == -1))
		return 9;
	return remove_goes_on();
}

/* With another file system mounted inside what is removed. */
static int
remove_stays(void)
{
	int filled;

	if (unshare(CLONE_NEWNS | (geteuid() == 0 ? 0 : CLONE_NEWUSER)) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("none", path_of("stay/mnt"), "tmpfs", 0, NULL) == -1)
		return 0;	/* this kernel lets nobody mount anything */
	/* The old one belongs to the old name space. */
	topfd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (topfd == -1)
		return 1;
	/* Somebody without a uid in there cannot make anything. */
	filled = mkdirat(topfd, "stay/mnt/kept", 0700) == 0;
	if (dir_remove(topfd, "stay") != -1 || errno != EXDEV)
		return 2;
	if (exists("stay/gone") || !exists("stay/mnt") ||
	    (filled && !exists("stay/mnt/kept")))
		return 3;
	return 0;
}

static void
in_a_process(int (*run)(void))
{
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0)
		_exit(run());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
test_remove_goes_on_past_a_failure(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(topfd, "nobody", 0777), 0);
	assert_int_equal(fchmodat(topfd, "nobody", 0777, 0), 0);
	assert_int_equal(fchmod(topfd, 0755), 0);
	in_a_process(remove_goes_on_as_nobody);
}

static void
test_remove_stays_on_its_file_system(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(topfd, "stay", 0700), 0);
	assert_int_equal(mkdirat(topfd, "stay/mnt", 0700), 0);
	put(topfd, "stay/gone", "x");
	in_a_process(remove_stays);
}

/* ---- the rest ----------------------------------------------------------- */

static void
test_nonblock(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(fd_nonblock(fds[0], 1), 0);
	assert_true((fcntl(fds[0], F_GETFL) & O_NONBLOCK) != 0);
	assert_int_equal(fd_nonblock(fds[0], 0), 0);
	assert_true((fcntl(fds[0], F_GETFL) & O_NONBLOCK) == 0);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(fd_nonblock(-1, 1), -1);
	assert_int_equal(errno, EBADF);
}

static void
test_write_all_reports_the_error(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_int_not_equal(fd, -1);
	assert_int_equal(write_all(fd, "x", 1), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(write_all(fd, "", 0), 0);
	close(fd);
}

static void
test_wipe(void **state)
{
	char secret[] = "secret";
	static const char zero[sizeof secret];

	(void)state;
	wipe(secret, sizeof secret);
	assert_memory_equal(secret, zero, sizeof secret);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_private_is_made_and_taken_again),
		cmocka_unit_test(test_private_refusals),
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_replace_leaves_nothing_behind),
		cmocka_unit_test(test_replace_is_atomic),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_remove_goes_on_past_a_failure),
		cmocka_unit_test(test_remove_stays_on_its_file_system),
		cmocka_unit_test(test_nonblock),
		cmocka_unit_test(test_write_all_reports_the_error),
		cmocka_unit_test(test_wipe),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
