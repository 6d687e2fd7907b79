/*
 * chatlog_test.c - each chat line once, kept before it is acknowledged, and
 * read back by the next broker.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../relay/chatlog.h"

#define LEN(a)	(sizeof (a) / sizeof (a)[0])

static char	dir[] = "/tmp/chatlog-test-XXXXXX";

static struct proto_str
str(const char *s)
{
	struct proto_str p = { s, strlen(s) };

	return p;
}

static enum chatlog_answer
add(struct chatlog *c, const char *id, uint32_t viewer, const char *text)
{
	struct chat_line *l;

	return chatlog_add(c, str(id), viewer, viewer ? "Eva" : "", str(text),
	    &l);
}

static int
make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) == NULL ? -1 : 0;
}

static void
remove_file(void)
{
	char path[64];

	(void)snprintf(path, sizeof path, "%s/a-b-c-d.chat", dir);
	assert_int_equal(unlink(path), 0);
}

static int
remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

static void
test_escape(void **state)
{
	static const struct {
		const char	*text, *escaped;
	} cases[] = {
		{ "", "" },
		{ "hello \xc3\xbc \xe6\xbc\xa2", "hello \xc3\xbc \xe6\xbc\xa2" },
		{ "a\\b", "a\\134b" },
		{ "\t\n\r\033", "\\011\\012\\015\\033" },
		{ "\x7f\xc2\x9b", "\\177\\302\\233" },
		{ "\xe2\x80\xae", "\\342\\200\\256" },	/* overrides direction */
		{ "\xff\xc3", "\\377\\303" },
		{ "\xef\xbf\xbd", "\\357\\277\\275" },
	};
	char out[128], back[128];
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		n = chatlog_escape(cases[i].text, strlen(cases[i].text), out,
		    sizeof out);
		assert_int_equal(n, strlen(cases[i].escaped));
		assert_string_equal(out, cases[i].escaped);
		assert_int_equal(chatlog_unescape(out, (size_t)n, back,
		    sizeof back), strlen(cases[i].text));
		assert_string_equal(back, cases[i].text);
	}
	assert_int_equal(chatlog_escape("abc", 3, out, 3), -1);
	assert_int_equal(chatlog_escape("abc", 3, out, 4), 3);
	assert_int_equal(chatlog_unescape("\\400", 4, out, sizeof out), -1);
	assert_int_equal(chatlog_unescape("\\09x", 4, out, sizeof out), -1);
	assert_int_equal(chatlog_unescape("\\01", 3, out, sizeof out), -1);
	assert_int_equal(chatlog_unescape("abc", 3, out, 3), -1);
}

static const struct chat_owed none;

static void
test_once(void **state)
{
	struct chatlog c;
	struct chat_line *l;

	(void)state;
	assert_int_equal(chatlog_open(&c, dir, "a-b-c-d", &none), 0);
	assert_int_equal(add(&c, "00000001.1", 1, "one"), CHATLOG_NEW);
	assert_int_equal(add(&c, "00000001.1", 1, "other"), CHATLOG_KNOWN);
	assert_int_equal(add(&c, "00000001.2", 0, "two\n\033"), CHATLOG_NEW);
	assert_int_equal(add(&c, "0000000a.2", 2, ""), CHATLOG_NEW);
	l = TAILQ_FIRST(&c.lines);
	assert_true(l->unacked);
	assert_false(TAILQ_NEXT(l, entry)->unacked);	/* its own */
	assert_true(chatlog_acked(&c, str("00000001.1")));
	assert_false(chatlog_acked(&c, str("00000001.1")));
	assert_false(chatlog_acked(&c, str("99999999.1")));
	assert_false(l->unacked);
	chatlog_close(&c);
	assert_int_equal(add(&c, "00000001.9", 1, "x"), CHATLOG_FAILED);
	/* The next broker takes it up. */
	assert_int_equal(chatlog_open(&c, dir, "a-b-c-d", &none), 0);
	assert_int_equal(c.nlines, 3);
	l = TAILQ_FIRST(&c.lines);
	assert_string_equal(l->id, "00000001.1");
	assert_string_equal(l->text, "one");
	assert_string_equal(l->name, "Eva");
	assert_int_equal(l->viewer, 1);
	assert_true(l->when > 0 && l->when <= time(NULL));
	l = TAILQ_NEXT(l, entry);
	assert_int_equal(l->viewer, 0);
	assert_string_equal(l->text, "two\n\033");
	assert_int_equal(add(&c, "00000001.2", 0, "two"), CHATLOG_KNOWN);
	assert_int_equal(add(&c, "00000001.3", 0, "three"), CHATLOG_NEW);
	chatlog_close(&c);
	remove_file();
}

/* Memory is bounded; what the customer lacks is not dropped but refused. */
static void
test_bounds(void **state)
{
	char id[32], text[PROTO_CHAT_MAX + 2];
	struct chatlog c;
	unsigned int i;

	(void)state;
	memset(text, 'x', sizeof text);
	text[PROTO_CHAT_MAX + 1] = '\0';
	assert_int_equal(chatlog_open(&c, dir, "a-b-c-d", &none), 0);
	assert_int_equal(add(&c, "00000001.0", 0, text), CHATLOG_FAILED);
	assert_int_equal(errno, EMSGSIZE);
	text[PROTO_CHAT_MAX] = '\0';
	for (i = 0; i < 1000; i++) {
		(void)snprintf(id, sizeof id, "00000001.%u", i);
		assert_int_equal(add(&c, id, 0, text), CHATLOG_NEW);
		assert_true(c.octets <= CHATLOG_TAIL);
		assert_true(c.nlines <= CHATLOG_LINES);
	}
	for (i = 0; i < CHATLOG_LINES; i++) {
		(void)snprintf(id, sizeof id, "00000002.%u", i);
		assert_int_equal(add(&c, id, 1, "x"), CHATLOG_NEW);
	}
	assert_int_equal(add(&c, "00000002.99", 1, "x"), CHATLOG_FULL);
	assert_int_equal(add(&c, "00000001.9999", 0, "x"), CHATLOG_FULL);
	assert_true(chatlog_acked(&c, str("00000002.5")));
	assert_int_equal(add(&c, "00000002.99", 1, "x"), CHATLOG_NEW);
	chatlog_close(&c);
	/* Only the end of a long file is read. */
	assert_int_equal(chatlog_open(&c, dir, "a-b-c-d", &none), 0);
	assert_true(c.nlines <= CHATLOG_LINES && c.nlines > 0);
	assert_string_equal(TAILQ_LAST(&c.lines, chat_lines)->id,
	    "00000002.99");
	chatlog_close(&c);
	remove_file();
}

/* What the customer's machine may lack, for a broker that takes over. */
static void
test_owed(void **state)
{
	char id[32], text[PROTO_CHAT_MAX + 1];
	struct chat_owed owed;
	struct chatlog c;
	struct chat_line *l;
	unsigned int i;

	(void)state;
	memset(text, '\\', sizeof text);
	text[PROTO_CHAT_MAX] = '\0';
	assert_int_equal(chatlog_open(&c, dir, "a-b-c-d", &none), 0);
	chatlog_owed(&c, &owed);
	assert_int_equal(owed.n, 0);
	assert_string_equal(owed.last, "");
	for (i = 0; i < CHATLOG_LINES; i++) {
		(void)snprintf(id, sizeof id, "00000001.%u", i);
		assert_int_equal(add(&c, id, i == 40 ? 0 : 1, text),
		    CHATLOG_NEW);
		if (i > 1)
			assert_int_equal(chatlog_acked(&c, str(id)), i != 40);
		if (i == 50)
			chatlog_owed(&c, &owed);
	}
	assert_int_equal(owed.n, 2);
	assert_string_equal(owed.ids[1], "00000001.1");
	assert_string_equal(owed.last, "00000001.50");
	chatlog_close(&c);
	/* Old ones that it lacks are there however long the file is; of what
	 * came after OWED was written nobody knows, so all of it. */
	assert_int_equal(chatlog_open(&c, dir, "a-b-c-d", &owed), 0);
	i = 0;
	TAILQ_FOREACH(l, &c.lines, entry)
		if (l->unacked) {
			(void)snprintf(id, sizeof id, "00000001.%u",
			    i < 2 ? i : 51 + i - 2);
			assert_string_equal(l->id, id);
			i++;
		}
	assert_int_equal(i, 2 + CHATLOG_LINES - 51);
	chatlog_close(&c);
	/* Nothing is known: all of it, as far as it is kept. */
	assert_int_equal(chatlog_open(&c, dir, "a-b-c-d", &none), 0);
	TAILQ_FOREACH(l, &c.lines, entry)
		assert_true(l->unacked == (l->viewer != 0));
	assert_true(c.nlines <= CHATLOG_LINES);
	chatlog_close(&c);
	remove_file();
}

static void
test_lines(void **state)
{
	static const char *const good[] = {
		"2026-01-02T03:04:05.678Z\t00000001.1\tcustomer\t",
		"2026-01-02T03:04:05.678Z\t00000001.1\tcustomer\ta\\011b",
		"2026-01-02T03:04:05.678Z\t00000001.1\tviewer 1 \tx",
		"2026-01-02T03:04:05.678Z\t00000001.1\tviewer 4000 Eva E\tx",
	}, *const bad[] = {
		"", "\t\t\t", "x\t00000001.1\tcustomer\tx",
		"2026-01-02T03:04:05.678Z\t1.1\tcustomer\tx",
		"2026-01-02T03:04:05.678Z\t00000001.1\tcustomer",
		"2026-01-02T03:04:05.678Z\t00000001.1\tcustomers\tx",
		"2026-01-02T03:04:05.678Z\t00000001.1\tviewer 0 x\tx",
		"2026-01-02T03:04:05.678Z\t00000001.1\tviewer 1\tx",
		"2026-01-02T03:04:05.678Z\t00000001.1\tviewer x y\tx",
		"2026-01-02T03:04:05.678Z\t00000001.1\tviewer 1 \\377\tx",
		"2026-01-02T03:04:05.678Z\t00000001.1\tcustomer\t\\377",
		"2026-01-02T03:04:05.678Z\t00000001.1\tcustomer\t\\3",
		"2026-13-02T03:04:05.678Z\t00000001.1\tcustomer\tx",
	};
	struct chat_line *l;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(good); i++) {
		l = chatlog_read_line(good[i], strlen(good[i]));
		if (l == NULL)
			fail_msg("%s was not taken", good[i]);
		assert_int_equal(l->when, 1767323045);
		free(l);
	}
	for (i = 0; i < LEN(bad); i++)
		if (chatlog_read_line(bad[i], strlen(bad[i])) != NULL)
			fail_msg("%s was taken", bad[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_owed),
		cmocka_unit_test(test_lines),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
