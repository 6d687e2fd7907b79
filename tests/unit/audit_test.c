/*
 * audit_test.c - one act is one line of six fields, whatever is in them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../relay/audit.h"
#include "files.h"

static void
test_format(void **state)
{
	char buf[AUDIT_LINE_MAX];
	size_t n;

	(void)state;
	n = audit_format(buf, "2026-01-02T03:04:05.678Z", "a-b-c-d",
	    "viewer 1 x \"y\"", "SHA256:z", "type", "3 octets");
	assert_int_equal(n, 71);
	assert_memory_equal(buf, "2026-01-02T03:04:05.678Z\ta-b-c-d\t"
	    "viewer 1 x \"y\"\tSHA256:z\ttype\t3 octets\n", n);
	n = audit_format(buf, "", "", "", "", "", "");
	assert_int_equal(n, 12);
	assert_memory_equal(buf, "-\t-\t-\t-\t-\t-\n", n);
}

static size_t
count(const char *s, size_t len, char c)
{
	size_t n = 0, i;

	for (i = 0; i < len; i++)
		n += s[i] == c;
	return n;
}

/* Every octet in every field: still one line, five tabs, printable ASCII. */
static void
test_every_octet(void **state)
{
	char buf[AUDIT_LINE_MAX], text[5];
	size_t n, i;
	int c;

	(void)state;
	for (c = 1; c < 256; c++) {
		(void)snprintf(text, sizeof text, "a%cb", c);
		n = audit_format(buf, text, text, text, text, text, text);
		assert_int_equal(count(buf, n, '\n'), 1);
		assert_int_equal(count(buf, n, '\t'), 5);
		assert_true(buf[n - 1] == '\n');
		for (i = 0; i < n - 1; i++)
			assert_true(buf[i] == '\t' ||
			    (buf[i] >= ' ' && buf[i] <= '~'));
	}
}

static void
test_long_fields_are_cut(void **state)
{
	char buf[AUDIT_LINE_MAX], text[4096];
	size_t n;
	int c;

	(void)state;
	for (c = 1; c < 256; c += 30) {
		memset(text, c, sizeof text - 1);
		text[sizeof text - 1] = '\0';
		n = audit_format(buf, text, text, text, text, text, text);
		assert_true(n < sizeof buf);
		assert_int_equal(count(buf, n, '\t'), 5);
		assert_int_equal(count(buf, n, '\n'), 1);
	}
}

static void
test_file(void **state)
{
	char dir[] = "/tmp/audit-test-XXXXXX", *text;
	struct audit a;
	struct stat st;
	int fd, i;

	(void)state;
	assert_non_null(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (i = 0; i < 2; i++) {	/* appended, also by the next broker */
		assert_int_equal(audit_open(&a, dir, "a-b-c-d"), 0);
		assert_int_equal(audit_write(&a, "customer", "-", "x", "%d\n",
		    i), 0);
		audit_close(&a);
	}
	assert_int_equal(audit_write(&a, "customer", "-", "x", "closed"), -1);
	assert_int_equal(errno, EBADF);
	text = file_read(fd, "a-b-c-d.log", 4096, NULL);
	assert_non_null(text);
	assert_int_equal(count(text, strlen(text), '\n'), 2);
	assert_non_null(strstr(text, "\tcustomer\t-\tx\t0\\012\n"));
	assert_non_null(strstr(text, "\tcustomer\t-\tx\t1\\012\n"));
	free(text);
	assert_int_equal(fstatat(fd, "a-b-c-d.log", &st, 0), 0);
	assert_int_equal(st.st_mode & 0007, 0);
	/* A link that somebody planted is not followed. */
	assert_int_equal(symlinkat("/dev/null", fd, "e-f-g-h.log"), 0);
	assert_int_equal(audit_open(&a, dir, "e-f-g-h"), -1);
	(void)unlinkat(fd, "a-b-c-d.log", 0);
	(void)unlinkat(fd, "e-f-g-h.log", 0);
	close(fd);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_every_octet),
		cmocka_unit_test(test_long_fields_are_cut),
		cmocka_unit_test(test_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
