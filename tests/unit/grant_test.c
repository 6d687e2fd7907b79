/*
 * grant_test.c - grant files, written and read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../common/files.h"
#include "../../relay/grant.h"

static const struct grant active = {
	.sid = "swift-fox-jumps-barrel", .serial_first = 1000001,
	.serial_last = 1000003, .nports = 4,
	.ports = { 30000, 30001, 30002, 30003 }, .state = GRANT_ACTIVE,
};

static const char active_text[] = "v=1\nsession=swift-fox-jumps-barrel\n"
    "serials=1000001-1000003\nports=30000,30001,30002,30003\nstate=active\n";

static struct grant
ended(enum grant_reason reason)
{
	struct grant g = active;

	g.state = GRANT_ENDED;
	g.until = 1800000000;
	g.reason = reason;
	return g;
}

static void
test_format_is_the_contract(void **state)
{
	struct grant g = ended(GRANT_REASON_TERMINATED);
	char buf[GRANT_SIZE_MAX], want[GRANT_SIZE_MAX];

	(void)state;
	assert_int_equal(grant_format(&active, buf, sizeof buf),
	    strlen(active_text));
	assert_string_equal(buf, active_text);
	assert_true(grant_format(&g, buf, sizeof buf) > 0);
	(void)snprintf(want, sizeof want, "%.*sstate=ended\nuntil=1800000000\n"
	    "reason=terminated\n",
	    (int)(strstr(active_text, "state=") - active_text), active_text);
	assert_string_equal(buf, want);
	assert_int_equal(grant_format(&active, buf, strlen(active_text)), 0);
}

static void
test_round_trip(void **state)
{
	static const enum grant_reason reasons[] = { GRANT_REASON_ENDED,
	    GRANT_REASON_TERMINATED, GRANT_REASON_CANCELLED,
	    GRANT_REASON_LOST };
	char buf[GRANT_SIZE_MAX];
	struct grant g, back;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
		g = ended(reasons[i]);
		n = grant_format(&g, buf, sizeof buf);
		assert_int_equal(grant_parse(buf, n, &back), 0);
		assert_memory_equal(&g, &back, sizeof g);
	}
}

/* Every octet left out, and every octet changed, is noticed, or is another
 * well-formed grant; none is taken for this one. */
static void
test_damage_is_noticed(void **state)
{
	char text[sizeof active_text];
	size_t i, len = strlen(active_text);
	struct grant g;

	(void)state;
	for (i = 0; i < len; i++)
		assert_int_equal(grant_parse(active_text, i, &g), -1);
	for (i = 0; i < len; i++) {
		memcpy(text, active_text, len);
		text[i] = '~';
		assert_int_equal(grant_parse(text, len, &g), -1);
		text[i] = '\0';
		assert_int_equal(grant_parse(text, len, &g), -1);
	}
}

static void
test_parse_refuses(void **state)
{
	static const char *const bad[] = {
		"", "\n", "v=2\n", "v=1\nsession=../../etc/passwd\n",
		"v=1\nsession=a-b-c-d\nserials=1-1\nports=1\nstate=active\n",
		"v=1\nsession=aa-bb-cc-dd\nserials=2-1\nports=1\nstate=active\n",
		"v=1\nsession=aa-bb-cc-dd\nserials=0-1\nports=1\nstate=active\n",
		"v=1\nsession=aa-bb-cc-dd\nserials=1-1\nports=\nstate=active\n",
		"v=1\nsession=aa-bb-cc-dd\nserials=1-1\nports=0\nstate=active\n",
		"v=1\nsession=aa-bb-cc-dd\nserials=1-1\nports=65536\n"
		    "state=active\n",
		"v=1\nsession=aa-bb-cc-dd\nserials=1-1\nports=1,\nstate=active\n",
		"v=1\nsession=aa-bb-cc-dd\nserials=1-1\nports=1,1,1,1,1,1,1,1,1,"
		    "1,1,1,1,1,1,1,1\nstate=active\n",
		"v=1\nsession=aa-bb-cc-dd\nserials=1-1\nports=1\nstate=ended\n",
		"v=1\nsession=aa-bb-cc-dd\nserials=1-1\nports=1\nstate=ended\n"
		    "until=1\nreason=\n",
		"v=1\nsession=aa-bb-cc-dd\nserials=1-1\nports=1\nstate=ended\n"
		    "until=-1\nreason=lost\n",
		"v=1\nsession=aa-bb-cc-dd\nserials=1-1\nports=1\nstate=active\n"
		    "until=1\nreason=lost\n",
		"v=1\nsession=aa-bb-cc-dd\nserials=1-1\nports=1\nstate=active",
	};
	struct grant g;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (grant_parse(bad[i], strlen(bad[i]), &g) != -1)
			fail_msg("taken: %s", bad[i]);
}

static int
setup(void **state)
{
	static char dir[] = "/tmp/grant-test-XXXXXX";
	static int fd;

	memcpy(dir + sizeof dir - 7, "XXXXXX", 6);
	if (mkdtemp(dir) == NULL)
		return -1;
	fd = dir_private(dir);
	*state = &fd;
	return fd == -1 ? -1 : 0;
}

static int
teardown(void **state)
{
	int fd = *(int *)*state, rv;
	char link[64], path[256];
	ssize_t n;

	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof path - 1);
	if (n == -1)
		return -1;
	path[n] = '\0';
	rv = dir_remove(AT_FDCWD, path);
	close(fd);
	return rv;
}

static void
test_files(void **state)
{
	int fd = *(int *)*state;
	struct grant g;

	assert_int_equal(grant_read(fd, active.sid, &g), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(grant_write(fd, &active), 0);
	assert_int_equal(grant_read(fd, active.sid, &g), 0);
	assert_memory_equal(&g, &active, sizeof g);
	assert_int_equal(grant_link(fd, active.sid, 1000002), 0);
	assert_int_equal(grant_link(fd, active.sid, 1000002), 0);
	assert_int_equal(grant_read_serial(fd, 1000002, &g), 0);
	assert_memory_equal(&g, &active, sizeof g);
	assert_int_equal(grant_read_serial(fd, 1000001, &g), -1);
	assert_int_equal(errno, ENOENT);
}

static void
test_files_refuse(void **state)
{
	int fd = *(int *)*state;
	struct grant g;

	assert_int_equal(grant_write(fd, &active), 0);
	/* a serial that is not in its range */
	assert_int_equal(grant_link(fd, active.sid, 1000004), 0);
	assert_int_equal(grant_read_serial(fd, 1000004, &g), -1);
	assert_int_equal(errno, EINVAL);
	/* a link that leads elsewhere */
	assert_int_equal(symlinkat("../../etc/passwd", fd, "7"), 0);
	assert_int_equal(grant_read_serial(fd, 7, &g), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(grant_read(fd, "../x", &g), -1);
	assert_int_equal(errno, EINVAL);
	/* another session's file under this name */
	assert_int_equal(symlinkat(active.sid, fd, "aa-bb-cc-dd"), 0);
	assert_int_equal(grant_read(fd, "aa-bb-cc-dd", &g), -1);
	assert_int_equal(renameat(fd, active.sid, fd, "aa-bb-cc-dd"), 0);
	assert_int_equal(grant_read(fd, "aa-bb-cc-dd", &g), -1);
	assert_int_equal(errno, EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_format_is_the_contract),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_damage_is_noticed),
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test_setup_teardown(test_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_files_refuse, setup,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
