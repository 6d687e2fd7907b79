/*
 * log_test.c - diagnostics: what they look like, and that no octet of theirs
 * can do harm.
 */
#include <sys/wait.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "log.h"

static void
test_printable_on_every_octet(void **state)
{
	char in, out[8], want[8];
	int c;

	(void)state;
	for (c = 0; c < 256; c++) {
		in = (char)c;
		if (c == '\\')
			(void)snprintf(want, sizeof want, "\\\\");
		else if (c >= 0x20 && c < 0x7f)
			(void)snprintf(want, sizeof want, "%c", c);
		else
			(void)snprintf(want, sizeof want, "\\%03o",
			    (unsigned int)c);
		assert_ptr_equal(log_printable(out, sizeof out, &in, 1), out);
		assert_string_equal(out, want);
	}
}

static void
test_printable_cuts_between_octets(void **state)
{
	char out[8];

	(void)state;
	assert_string_equal(log_printable(out, 4, "abcdef", 6), "abc");
	assert_string_equal(log_printable(out, 4, "ab\n", 3), "ab");
	assert_string_equal(log_printable(out, 7, "ab\n", 3), "ab\\012");
	assert_string_equal(log_printable(out, 6, "ab\n", 3), "ab");
	assert_string_equal(log_printable(out, 3, "a\\", 2), "a");
	assert_string_equal(log_printable(out, 4, "a\\", 2), "a\\\\");
	assert_string_equal(log_printable(out, 1, "a", 1), "");
	assert_string_equal(log_printable(out, 8, "", 0), "");
}

/* A child whose stderr is read: what it says, and its status. */
struct talk {
	char	text[8192];
	int	status;
};

static void
listen_to(struct talk *t, void (*speak)(void))
{
	size_t got = 0;
	int fds[2];
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		(void)dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		close(fds[1]);
		speak();
		_exit(7);
	}
	close(fds[1]);
	while ((n = read(fds[0], t->text + got, sizeof t->text - 1 - got)) > 0)
		got += (size_t)n;
	t->text[got] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(pid, &t->status, 0), pid);
	assert_true(WIFEXITED(t->status));
	t->status = WEXITSTATUS(t->status);
}

static void
speak_levels(void)
{
	log_init("prog", 1, 0);
	log_debug("not heard");
	log_info("a %d", 1);
	log_warnx("b \x1b[31m\n%s", "\xc3\xa9\\");
	errno = ENOENT;
	log_warn("c");
	if (errno != ENOENT)
		_exit(1);
	log_session("swift-fox-jumps-barrel\n");
	log_init("prog", 1, 1);
	log_debug("heard");
	log_session("");
	log_info("d");
}

static void
test_stderr(void **state)
{
	struct talk t;

	(void)state;
	listen_to(&t, speak_levels);
	assert_int_equal(t.status, 7);
	assert_string_equal(t.text,
	    "prog: a 1\n"
	    "prog: b \\033[31m\\012\\303\\251\\\\\n"
	    "prog: c: No such file or directory\n"
	    "prog: swift-fox-jumps-barrel\\012: heard\n"
	    "prog: d\n");
}

static void
speak_fatal(void)
{
	log_init("prog", 1, 0);
	errno = EACCES;
	fatal("cannot open %s", "x");
}

static void
speak_fatalx(void)
{
	log_init("prog", 1, 0);
	fatalx("no such session");
}

static void
test_fatal(void **state)
{
	struct talk t;

	(void)state;
	listen_to(&t, speak_fatal);
	assert_int_equal(t.status, 1);
	assert_string_equal(t.text, "prog: cannot open x: Permission denied\n");
	listen_to(&t, speak_fatalx);
	assert_int_equal(t.status, 1);
	assert_string_equal(t.text, "prog: no such session\n");
}

static void
speak_long(void)
{
	char text[5000];

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	log_init("prog", 1, 0);
	errno = EPERM;
	log_warn("%s", text);
	memset(text, '\n', sizeof text - 1);
	log_warn("%s", text);
}

static void
test_long_lines_are_cut_and_end(void **state)
{
	struct talk t;
	char *lf;

	(void)state;
	listen_to(&t, speak_long);
	lf = strchr(t.text, '\n');
	assert_non_null(lf);
	assert_in_range(lf - t.text, 1000, 2100);
	lf = strchr(lf + 1, '\n');
	assert_non_null(lf);
	assert_string_equal(lf, "\n");
}

static void
speak_to_fd(void)
{
	/* stderr by another number, to see that it is the number that counts */
	log_init("prog", 0, 0);
	log_to_fd(dup(STDERR_FILENO));
	log_session("a-b-c-d");
	log_warnx("x\ny");
}

static void
test_file_lines_have_time_and_session(void **state)
{
	struct talk t;

	(void)state;
	listen_to(&t, speak_to_fd);
	/* 2026-01-31T23:59:59+0100 */
	assert_true(strlen(t.text) > 25);
	assert_int_equal(t.text[4], '-');
	assert_int_equal(t.text[10], 'T');
	assert_int_equal(t.text[24], ' ');
	assert_string_equal(t.text + 25, "prog: a-b-c-d: x\\012y\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_printable_on_every_octet),
		cmocka_unit_test(test_printable_cuts_between_octets),
		cmocka_unit_test(test_stderr),
		cmocka_unit_test(test_fatal),
		cmocka_unit_test(test_long_lines_are_cut_and_end),
		cmocka_unit_test(test_file_lines_have_time_and_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
