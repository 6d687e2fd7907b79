/*
 * cast_test.c - recordings: text, times, continuing, limits, a full disk.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cmocka.h>

#include "cast.h"

#define NAME	"x.cast"

static int dir;

static int
setup(void **state)
{
	char path[] = "/tmp/tunl-cast-XXXXXX";

	*state = NULL;
	if (mkdtemp(path) == NULL)
		return -1;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = strdup(path);
	return dir == -1;
}

static int
teardown(void **state)
{
	static const char *const names[] = { NAME, NAME ".1", NAME ".2" };
	size_t i;

	for (i = 0; i < sizeof names / sizeof names[0]; i++)
		(void)unlinkat(dir, names[i], 0);
	close(dir);
	(void)rmdir(*state);
	free(*state);
	return 0;
}

/* The file's contents, as a string. */
static const char *
content(const char *name)
{
	static char buf[1 << 20];
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_int_not_equal(fd, -1);
	n = read(fd, buf, sizeof buf - 1);
	assert_true(n >= 0);
	buf[n] = '\0';
	close(fd);
	return buf;
}

static void
put_file(const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* The events' lines without their times, as one string. */
static const char *
events(const char *name)
{
	static char out[1 << 16];
	const char *s = strchr(content(name), '\n'), *lf;
	uint64_t us, last = 0;
	size_t o = 0;

	assert_non_null(s);
	for (s++; *s != '\0'; s = lf + 1) {
		lf = strchr(s, '\n');
		assert_non_null(lf);
		assert_true(cast_read_event(s, (size_t)(lf - s), &us));
		assert_true(us >= last);
		last = us;
		s = strchr(s, ',') + 2;
		assert_true(o + (size_t)(lf - s) < sizeof out);
		memcpy(out + o, s, (size_t)(lf - s));
		o += (size_t)(lf - s) - 1;
		out[o++] = '\n';
	}
	out[o] = '\0';
	return out;
}

static void
start(struct cast *c, uint64_t max)
{
	assert_int_equal(cast_open(c, dir, NAME, 0600, max, "a \"title\""), 0);
}

static void
output(struct cast *c, const char *text)
{
	cast_output(c, text, strlen(text));
}

static void
test_events(void **state)
{
	struct cast c;

	(void)state;
	start(&c, 1 << 20);
	cast_mark(&c, "before\nanything");
	assert_false(cast_waits(&c));
	cast_size(&c, 80, 24);
	assert_true(cast_waits(&c));
	output(&c, "a\"b\\c\r\n\033[m\177\xc2\x9b!");
	cast_size(&c, 80, 24);
	cast_size(&c, 100, 30);
	cast_flush(&c);
	assert_false(cast_waits(&c));
	assert_int_equal(strncmp(content(NAME), "{\"version\": 2, \"width\": "
	    "80, \"height\": 24, \"timestamp\": ", 54), 0);
	assert_non_null(strstr(content(NAME), "\"a \\\"title\\\"\"}\n["));
	assert_string_equal(events(NAME), "\"m\", \"before anything\"\n"
	    "\"o\", \"a\\\"b\\\\c\\r\\n\\u001b[m\\u007f\\u009b!\"\n"
	    "\"r\", \"100x30\"\n");
	cast_close(&c);
}

static void
test_characters_are_joined(void **state)
{
	struct cast c;

	(void)state;
	start(&c, 1 << 20);
	cast_size(&c, 80, 24);
	output(&c, "\xe2");
	output(&c, "\x82");
	cast_size(&c, 81, 24);
	output(&c, "\xac|\xf0\x9f");
	output(&c, "x\xf0");
	cast_cut(&c, true);
	output(&c, "\x9f\xe2\x82");
	cast_cut(&c, false);
	output(&c, "\xe2\x82");
	cast_close(&c);
	assert_string_equal(events(NAME), "\"r\", \"81x24\"\n"
	    "\"o\", \"\xe2\x82\xac|\"\n"
	    "\"o\", \"\xef\xbf\xbdx\"\n\"o\", \"\xef\xbf\xbd\"\n"
	    "\"o\", \"\xef\xbf\xbd\"\n\"o\", \"\xef\xbf\xbd\"\n");
}

/* Many octets of the worst kind: lines within bounds, and nothing lost. */
static void
test_much(void **state)
{
	static char zeros[3 * CAST_BUFFER];
	const char *s, *lf;
	size_t n = 0;
	struct cast c;

	(void)state;
	start(&c, 1 << 30);
	cast_size(&c, 80, 24);
	cast_output(&c, zeros, sizeof zeros);
	cast_close(&c);
	for (s = content(NAME); (lf = strchr(s, '\n')) != NULL; s = lf + 1)
		assert_true(lf - s < CAST_BUFFER);
	for (s = content(NAME); (s = strstr(s, "\\u0000")) != NULL; s++)
		n++;
	assert_int_equal(n, sizeof zeros);
}

static void
test_goes_on(void **state)
{
	struct cast c;
	size_t whole;

	(void)state;
	start(&c, 1 << 20);
	cast_size(&c, 80, 24);
	output(&c, "one");
	cast_close(&c);
	whole = strlen(content(NAME));
	start(&c, 1 << 20);
	assert_int_equal(c.size, whole);
	cast_size(&c, 80, 24);
	output(&c, "two");
	cast_close(&c);
	assert_string_equal(events(NAME), "\"o\", \"one\"\n"
	    "\"r\", \"80x24\"\n\"o\", \"two\"\n");
}

#define HEAD	"{\"version\": 2, \"width\": 80, \"height\": 24, " \
		"\"timestamp\": 4000000000, \"title\": \"x\"}\n"

/* Power was cut: what is no whole line goes; time does not. */
static void
test_half_a_line(void **state)
{
	static const struct {
		const char	*before, *after;
	} cases[] = {
		{ HEAD "[5.000001, \"o\", \"x\"]\n[6.0000", "\"o\", \"x\"\n" },
		{ HEAD "[5.000001, \"o\", \"x\"]\n[6.000000, \"o\", \"y\"]",
		    "\"o\", \"x\"\n" },
		{ HEAD "[5.000001, \"o\", \"x\"]\nzzzz\n\n", "\"o\", \"x\"\n" },
		{ HEAD "[0.000000, \"o\", \"x\"]\n", "\"o\", \"x\"\n" },
		{ HEAD "[5.0", "" },
		{ HEAD, "" },
	};
	struct cast c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		put_file(NAME, cases[i].before);
		start(&c, 1 << 20);
		cast_close(&c);
		assert_string_equal(events(NAME), cases[i].after);
	}
	/* that timestamp is in the future: after the last time none earlier */
	put_file(NAME, cases[0].before);
	start(&c, 1 << 20);
	output(&c, "z");
	cast_close(&c);
	assert_non_null(strstr(content(NAME), "[5.000001, \"o\", \"z\"]"));
}

static void
test_half_a_header(void **state)
{
	struct cast c;

	(void)state;
	put_file(NAME, "{\"version\": 2, \"wid");
	start(&c, 1 << 20);
	cast_size(&c, 80, 24);
	cast_close(&c);
	assert_string_equal(events(NAME), "");
}

static void
test_foreign_file_is_kept(void **state)
{
	struct cast c;
	int i;

	(void)state;
	for (i = 1; i <= 2; i++) {
		put_file(NAME, "my diary\n");
		start(&c, 1 << 20);
		cast_size(&c, 80, 24);
		cast_close(&c);
		assert_string_equal(events(NAME), "");
		assert_string_equal(content(i == 1 ? NAME ".1" : NAME ".2"),
		    "my diary\n");
	}
	(void)unlinkat(dir, NAME, 0);
	assert_int_equal(symlinkat(NAME ".1", dir, NAME), 0);
	assert_int_equal(cast_open(&c, dir, NAME, 0600, 1 << 20, "x"), -1);
	assert_int_equal(c.state, CAST_FAILED);
	cast_close(&c);
	assert_string_equal(content(NAME ".1"), "my diary\n");
}

static void
test_limit(void **state)
{
	struct cast c;
	size_t len;
	int i;

	(void)state;
	start(&c, 10000);
	cast_size(&c, 80, 24);
	for (i = 0; i < 2000; i++)
		output(&c, "0123456789");
	assert_int_equal(c.state, CAST_FULL);
	len = strlen(content(NAME));
	assert_true(len > 9000 && len <= 10000);
	assert_non_null(strstr(events(NAME), "\"m\", \"the record has reached"));
	cast_mark(&c, "no");
	cast_close(&c);
	start(&c, 10000);
	assert_int_equal(c.state, CAST_FULL);
	output(&c, "no");
	cast_close(&c);
	assert_int_equal(strlen(content(NAME)), len);
}

static void
limit_files(rlim_t octets)
{
	struct rlimit rl;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &rl), 0);
	rl.rlim_cur = octets;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &rl), 0);
}

/* Writing fails in the middle of a line, and goes on later. */
static void
test_disk_full(void **state)
{
	struct cast c;
	int i;

	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN);
	start(&c, 1 << 20);
	cast_size(&c, 80, 24);
	limit_files(1000);
	for (i = 0; i < 100; i++)
		output(&c, "0123456789");
	cast_flush(&c);
	assert_int_equal(c.state, CAST_FAILED);
	assert_int_equal(c.error, EFBIG);
	assert_int_equal(cast_retry(&c), -1);
	limit_files(RLIM_INFINITY);
	assert_true(strlen(content(NAME)) <= 1000);
	assert_non_null(strstr(events(NAME), "0123456789"));
	assert_int_equal(cast_retry(&c), 0);
	cast_size(&c, 80, 24);
	output(&c, "again");
	cast_close(&c);
	assert_non_null(strstr(events(NAME), "\"m\", \"gap: it could not be "
	    "recorded: File too large\"\n\"r\", \"80x24\"\n\"o\", "
	    "\"again\"\n"));
}

/* The same before there is a header. */
static void
test_disk_full_at_first(void **state)
{
	struct cast c;

	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN);
	start(&c, 1 << 20);
	cast_size(&c, 100, 30);
	output(&c, "lost");
	limit_files(10);
	cast_flush(&c);
	assert_int_equal(c.state, CAST_FAILED);
	limit_files(RLIM_INFINITY);
	assert_int_equal(cast_retry(&c), 0);
	output(&c, "kept");
	cast_close(&c);
	assert_non_null(strstr(content(NAME), "\"width\": 100"));
	assert_non_null(strstr(events(NAME), "\"o\", \"kept\"\n"));
}

int
main(void)
{
#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_events),
		TEST(test_characters_are_joined),
		TEST(test_much),
		TEST(test_goes_on),
		TEST(test_half_a_line),
		TEST(test_half_a_header),
		TEST(test_foreign_file_is_kept),
		TEST(test_limit),
		TEST(test_disk_full),
		TEST(test_disk_full_at_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
