/*
 * tmux_test.c - the control-mode parser, whole and cut at every octet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../customer/tmux.h"

/* What the callbacks were called with, as text. */
struct record {
	char	text[8192];
	size_t	len;
};

__attribute__((format(printf, 2, 3)))
static void
record(struct record *r, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(r->text + r->len, sizeof r->text - r->len, fmt, ap);
	va_end(ap);
	assert_true(n >= 0 && (size_t)n < sizeof r->text - r->len);
	r->len += (size_t)n;
}

static void
output_cb(void *arg, unsigned int pane, const char *data, size_t len)
{
	size_t i;

	record(arg, "out %u ", pane);
	for (i = 0; i < len; i++)
		record(arg, "%02x", (unsigned char)data[i]);
	record(arg, "\n");
}

static void
reply_cb(void *arg, bool ok, bool ours, const char *body, size_t len)
{
	assert_int_equal(strlen(body), len);
	record(arg, "%s%s [%s]\n", ok ? "ok" : "error", ours ? "" : " other",
	    body);
}

static void
notify_cb(void *arg, const char *name)
{
	record(arg, "note %s\n", name);
}

static const struct tmux_events events = { output_cb, reply_cb, notify_cb };

/* Feed INPUT cut at CUT and compare. */
static void
feed_cut(const char *input, size_t len, size_t cut, const char *want)
{
	struct record r = { .len = 0 };
	struct tmux_parser p;

	tmux_parser_init(&p, &events, &r);
	assert_int_equal(tmux_parser_feed(&p, input, cut), 0);
	assert_int_equal(tmux_parser_feed(&p, input + cut, len - cut), 0);
	tmux_parser_release(&p);
	r.text[r.len] = '\0';
	assert_string_equal(r.text, want);
}

static void
feed(const char *input, const char *want)
{
	size_t len = strlen(input), cut;

	for (cut = 0; cut <= len; cut++)
		feed_cut(input, len, cut, want);
}

static void
output_is_unescaped(void **state)
{
	(void)state;
	feed("%output %0 a\\033[1m\\134b\n", "out 0 611b5b316d5c62\n");
	feed("%output %17 \\000\\377\n", "out 17 00ff\n");
	feed("%output %1 \303\251\377 \n", "out 1 c3a9ff20\n");
	/* not an escape: as it stands */
	feed("%output %1 \\4\\999\\\n", "out 1 5c345c3939395c\n");
}

static void
every_octet_comes_through(void **state)
{
	char line[2048], want[1024];
	int i, n, w;

	(void)state;
	n = snprintf(line, sizeof line, "%%output %%3 ");
	w = snprintf(want, sizeof want, "out 3 ");
	for (i = 0; i < 256; i++) {
		if (i < 32 || i == '\\')
			n += snprintf(line + n, sizeof line - (size_t)n,
			    "\\%03o", (unsigned int)i);
		else
			line[n++] = (char)i;
		w += snprintf(want + w, sizeof want - (size_t)w, "%02x",
		    (unsigned int)i);
	}
	line[n++] = '\n';
	(void)snprintf(want + w, sizeof want - (size_t)w, "\n");
	feed_cut(line, (size_t)n, 100, want);
}

static void
replies_are_framed(void **state)
{
	(void)state;
	feed("%begin 1 2 1\none\n\ntwo\n%end 1 2 1\n", "ok [one\n\ntwo\n]\n");
	feed("%begin 1 2 1\n%end 1 2 1\n", "ok []\n");
	feed("%begin 1 3 1\nno such thing\n%error 1 3 1\n",
	    "error [no such thing\n]\n");
	feed("%begin 1 2 0\n%end 1 2 0\n", "ok other []\n");
}

/* A captured row may look like anything. */
static void
a_row_ends_no_reply(void **state)
{
	(void)state;
	feed("%begin 9 8 1\n%end 9 7 1\n%output %1 x\n%end\n%begin 1 1 1\n"
	    "%error 9 8 0\n%end 9 8 1\n",
	    "ok [%end 9 7 1\n%output %1 x\n%end\n%begin 1 1 1\n"
	    "%error 9 8 0\n]\n");
}

/* A row that wraps, captured alone by a tmux before 3.1. */
static void
a_row_without_an_end(void **state)
{
	(void)state;
	feed("%begin 1 2 1\nabc%end 1 2 1\n%begin 1 3 1\nd\n%end 1 3 1\n",
	    "ok [abc\n]\nok [d\n]\n");
	feed("%begin 1 2 1\nrow\nabc %end%end 1 2 1\n",
	    "ok [row\nabc %end\n]\n");
	feed("%begin 1 2 1\na%end 1 3 1\nb%end 1 2 1 \n%error 1 2 1\n",
	    "error [a%end 1 3 1\nb%end 1 2 1 \n]\n");
}

static void
notifications_have_names(void **state)
{
	(void)state;
	feed("%layout-change @0 b25d,80x24,0,0,0 b25d,80x24,0,0,0 *\n"
	    "%exit\njunk\n\n%\n%sessions-changed\n",
	    "note layout-change\nnote exit\nnote sessions-changed\n");
}

static void
bad_output_is_dropped(void **state)
{
	(void)state;
	feed("%output\n%output 1 x\n%output %x y\n%output %1\n"
	    "%output %99999999999 z\n", "note output\n");
}

static void
lines_are_bounded(void **state)
{
	struct record r = { .len = 0 };
	struct tmux_parser p;
	char *big = malloc(TMUX_LINE_MAX + 1);

	(void)state;
	assert_non_null(big);
	memset(big, 'x', TMUX_LINE_MAX + 1);
	tmux_parser_init(&p, &events, &r);
	assert_int_equal(tmux_parser_feed(&p, big, TMUX_LINE_MAX), 0);
	assert_int_equal(tmux_parser_feed(&p, big, 1), -1);
	tmux_parser_release(&p);
	free(big);
}

static void
quoting(void **state)
{
	char out[16];

	(void)state;
	assert_int_equal(tmux_quote(out, sizeof out, "a b$;#"), 8);
	assert_string_equal(out, "'a b$;#'");
	assert_int_equal(tmux_quote(out, sizeof out, "a'b"), -1);
	assert_int_equal(tmux_quote(out, sizeof out, "a\nb"), -1);
	assert_int_equal(tmux_quote(out, sizeof out, "12345678901234"), -1);
	assert_int_equal(tmux_quote(out, sizeof out, "1234567890123"), 15);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_is_unescaped),
		cmocka_unit_test(every_octet_comes_through),
		cmocka_unit_test(replies_are_framed),
		cmocka_unit_test(a_row_ends_no_reply),
		cmocka_unit_test(a_row_without_an_end),
		cmocka_unit_test(notifications_have_names),
		cmocka_unit_test(bad_output_is_dropped),
		cmocka_unit_test(lines_are_bounded),
		cmocka_unit_test(quoting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
