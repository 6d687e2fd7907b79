/*
 * intake_test.c - a file that is received: buffer, digest, resumption, end.
 */
#include <sys/eventfd.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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
#include "sha256.h"
#include "../../relay/intake.h"

#define BIG	(3 * INTAKE_BUFFER + 12345)

struct fixture {
	char			 dir[64];
	struct intake_conf	 conf;
	int			 woken;
	unsigned char		*data;
};

static void
wake(void *arg)
{
	(void)eventfd_write(*(int *)arg, 1);
}

static void
wait_woken(struct fixture *f)
{
	struct pollfd p = { .fd = f->woken, .events = POLLIN };
	eventfd_t n;

	assert_int_equal(poll(&p, 1, 20000), 1);
	assert_int_equal(eventfd_read(f->woken, &n), 0);
}

static enum intake_result
wait_done(struct fixture *f, struct intake *in, unsigned char *digest)
{
	unsigned char unwanted[INTAKE_DIGEST];
	enum intake_result r;
	int e;

	while (!intake_done(in, &r, digest != NULL ? digest : unwanted, &e))
		wait_woken(f);
	return r;
}

/* Put it all, as room comes. */
static void
put(struct fixture *f, struct intake *in, const unsigned char *p, size_t len)
{
	size_t n;

	while (len > 0) {
		n = intake_put(in, p, len < 10000 ? len : 10000);
		p += n;
		len -= n;
		while (len > 0 && n == 0 && !intake_has_room(in))
			wait_woken(f);
	}
}

static enum intake_result
receive(struct fixture *f, struct intake *in, size_t from, size_t to)
{
	assert_int_equal(intake_receive(in, from), 0);
	put(f, in, f->data + from, to - from);
	intake_end(in);
	return wait_done(f, in, NULL);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	size_t i;

	(void)snprintf(f->dir, sizeof f->dir, "/tmp/intake-test-XXXXXX");
	f->data = malloc(BIG);
	if (f->data == NULL || mkdtemp(f->dir) == NULL)
		return -1;
	for (i = 0; i < BIG; i++)
		f->data[i] = (unsigned char)(i * 2654435761u >> 24);
	f->woken = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	f->conf.dirfd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->conf.wake = wake;
	f->conf.wake_arg = &f->woken;
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	close(f->conf.dirfd);
	close(f->woken);
	(void)dir_remove(AT_FDCWD, f->dir);
	free(f->data);
	free(f);
	return 0;
}

static void
check_file(struct fixture *f, const char *name, size_t size)
{
	size_t len;
	char *text;

	text = file_read(f->conf.dirfd, name, BIG, &len);
	assert_non_null(text);
	assert_int_equal(len, size);
	assert_memory_equal(text, f->data, len);
	free(text);
}

static void
test_pieces(void **state)
{
	struct fixture *f = *state;
	struct intake *in = intake_new(&f->conf, "file");
	unsigned char want[INTAKE_DIGEST], digest[INTAKE_DIGEST];
	size_t a = INTAKE_BUFFER + 7, b = 2 * INTAKE_BUFFER;

	assert_int_equal(intake_offset(&f->conf, "file"), 0);
	assert_int_equal(receive(f, in, 0, a), INTAKE_OK);
	assert_int_equal(intake_offset(&f->conf, "file"), a);
	assert_int_equal(intake_written(in), a);
	assert_int_equal(receive(f, in, a, b), INTAKE_OK);
	/* Another that knows nothing goes on. */
	intake_free(in);
	in = intake_new(&f->conf, "file");
	assert_int_equal(receive(f, in, b, BIG), INTAKE_OK);
	check_file(f, "file.part", BIG);
	sha256(f->data, BIG, want);
	assert_int_equal(intake_finish(in, BIG, want), 0);
	assert_int_equal(wait_done(f, in, digest), INTAKE_OK);
	assert_memory_equal(digest, want, sizeof want);
	check_file(f, "file", BIG);
	assert_int_equal(faccessat(f->conf.dirfd, "file.part", F_OK, 0), -1);
	assert_int_equal(intake_offset(&f->conf, "file"), BIG);
	/* And again, by one that was killed before it could say so. */
	intake_free(in);
	in = intake_new(&f->conf, "file");
	assert_int_equal(intake_finish(in, BIG, NULL), 0);
	assert_int_equal(wait_done(f, in, digest), INTAKE_OK);
	assert_memory_equal(digest, want, sizeof want);
	intake_free(in);
}

static void
test_mismatch(void **state)
{
	struct fixture *f = *state;
	struct intake *in = intake_new(&f->conf, "file");
	unsigned char want[INTAKE_DIGEST] = { 1 };

	assert_int_equal(receive(f, in, 0, 1000), INTAKE_OK);
	assert_int_equal(intake_finish(in, 1000, want), 0);
	assert_int_equal(wait_done(f, in, NULL), INTAKE_MISMATCH);
	assert_int_equal(intake_offset(&f->conf, "file"), 0);
	assert_int_equal(receive(f, in, 0, 1000), INTAKE_OK);
	assert_int_equal(intake_finish(in, 1001, NULL), 0);
	assert_int_equal(wait_done(f, in, NULL), INTAKE_MISMATCH);
	sha256(f->data, 1000, want);
	assert_int_equal(receive(f, in, 0, 1000), INTAKE_OK);
	assert_int_equal(intake_finish(in, 1000, want), 0);
	assert_int_equal(wait_done(f, in, NULL), INTAKE_OK);
	check_file(f, "file", 1000);
	intake_free(in);
}

static void
test_no_room(void **state)
{
	struct fixture *f = *state;
	struct intake *in = intake_new(&f->conf, "file");

	f->conf.floor = UINT64_MAX;
	assert_int_equal(receive(f, in, 0, 10), INTAKE_FULL);
	assert_int_equal(intake_offset(&f->conf, "file"), 0);
	f->conf.floor = 0;
	assert_int_equal(receive(f, in, 0, 10), INTAKE_OK);
	intake_free(in);
}

static void
test_links(void **state)
{
	struct fixture *f = *state;
	struct intake *in = intake_new(&f->conf, "file");

	assert_int_equal(symlinkat("/dev/null", f->conf.dirfd, "file.part"), 0);
	assert_int_equal(receive(f, in, 0, 10), INTAKE_ERROR);
	assert_int_equal(unlinkat(f->conf.dirfd, "file.part", 0), 0);
	assert_int_equal(intake_finish(in, 10, NULL), 0);
	assert_int_equal(wait_done(f, in, NULL), INTAKE_ERROR);
	intake_free(in);
}

/* What was given to it is written, whenever it has to end. */
static void
test_free_at_work(void **state)
{
	struct fixture *f = *state;
	struct intake *in = intake_new(&f->conf, "file");

	assert_int_equal(intake_receive(in, 0), 0);
	assert_int_equal(intake_put(in, f->data, INTAKE_BUFFER), INTAKE_BUFFER);
	intake_free(in);
	check_file(f, "file.part", INTAKE_BUFFER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mismatch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_room, setup, teardown),
		cmocka_unit_test_setup_teardown(test_links, setup, teardown),
		cmocka_unit_test_setup_teardown(test_free_at_work, setup,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
