/*
 * snapshot_test.c - from tmux's answers to octets that paint.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <event2/buffer.h>

#include "../../customer/snapshot.h"
#include "../../customer/tmuxcaps.h"

#define PLAIN	"80 24 3 1 0 4294967295 4294967295 0 23 1 0 1 0 0 0 0 0 0 0 0 " \
		"12 8,16\n"

static struct snapshot_text
text(const char *s)
{
	struct snapshot_text t = { s, strlen(s) };

	return t;
}

static void
parse(const char *s, struct snapshot_info *info)
{
	assert_int_equal(snapshot_parse(info, s, strlen(s)), 0);
}

/* Paint into a string. */
static const char *
paint(const char *info_line, const char *screen, const char *saved,
    const char *stream)
{
	static char out[65536];
	struct evbuffer *b = evbuffer_new();
	struct snapshot_info info;
	struct vtmodes vt;
	int n;

	parse(info_line, &info);
	vtmodes_init(&vt);
	vtmodes_feed(&vt, stream, strlen(stream));
	assert_int_equal(snapshot_screen(b, &info, text(screen), text(saved),
	    &vt), 0);
	n = evbuffer_remove(b, out, sizeof out - 1);
	assert_true(n > 0);
	out[n] = '\0';
	evbuffer_free(b);
	return out;
}

static void
has(const char *all, const char *part)
{
	if (strstr(all, part) == NULL)
		fail_msg("%s is not in it", part);
}

static void
has_not(const char *all, const char *part)
{
	assert_null(strstr(all, part));
}

static void
info_is_read(void **state)
{
	struct snapshot_info info;

	(void)state;
	parse(PLAIN, &info);
	assert_int_equal(info.cols, 80);
	assert_int_equal(info.rows, 24);
	assert_int_equal(info.cx, 3);
	assert_int_equal(info.cy, 1);
	assert_false(info.alternate);
	assert_false(info.saved_cursor);
	assert_int_equal(info.lower, 23);
	assert_true(info.cursor);
	assert_true(info.wrap);
	assert_int_equal(info.history, 12);
	assert_string_equal(info.tabs, "8,16");
	parse("80 24 93 1 0 0 0 0 23 1 0 1 0 0 0 0 0 0 0 0 12 8\n", &info);
	assert_int_equal(info.cx, 79);
	parse("10 2 10 1 1 4 0 0 1 0 1 0 1 1 1 0 1 0 0 1 0 ", &info);
	assert_true(info.alternate && info.saved_cursor && info.insert &&
	    info.origin && info.keypad && info.cursor_keys &&
	    info.mouse_button && info.mouse_sgr);
	assert_false(info.cursor || info.wrap || info.mouse_all);
}

static void
nonsense_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "\n", "80", "80 24 3 1",
		/* outside the screen */
		"80 24 3 24 0 0 0 0 23 1 0 1 0 0 0 0 0 0 0 0 12 8\n",
		"80 24 3 1 0 0 0 0 24 1 0 1 0 0 0 0 0 0 0 0 12 8\n",
		"80 24 3 1 0 0 0 9 8 1 0 1 0 0 0 0 0 0 0 0 12 8\n",
		"0 24 0 1 0 0 0 0 23 1 0 1 0 0 0 0 0 0 0 0 12 8\n",
		/* not numbers, not flags */
		"80 x 3 1 0 0 0 0 23 1 0 1 0 0 0 0 0 0 0 0 12 8\n",
		"80 24 3 1 0 0 0 0 23 2 0 1 0 0 0 0 0 0 0 0 12 8\n",
		"80 24 3 1 0 0 0 0 23 1 0 1 0 0 0 0 0 0 0 0 12 8;9\n",
	};
	struct snapshot_info info;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(snapshot_parse(&info, bad[i],
		    strlen(bad[i])), -1);
}

static void
rows_and_cursor(void **state)
{
	const char *s = paint(PLAIN, "one\n\nthree\n", "", "");

	(void)state;
	has(s, "\033[1;1Hone\033[3;1Hthree\033[0m");
	has(s, "\033[2;4H\0337\033[1;24r\0338");
	has(s, "\033[3g\033[1;9H\033H\033[1;17H\033H\033[0m\033[1;1H\033[2K");
	has(s, "\033[?25h");
	has_not(s, "\033[?1049h");
	has_not(s, "\033[?7l\033[?25h");
}

static void
what_would_act_is_changed(void **state)
{
	const char *s = paint(PLAIN, "\033[5:3mover\033[31;5:3;4mx\302\233y"
	    "\302\240z\n", "", "");

	(void)state;
	has(s, "\033[53mover\033[31;53;4mx\357\277\275y\302\240z");
}

static void
modes_come_last(void **state)
{
	const char *s = paint("80 24 3 5 0 0 0 2 9 0 1 0 1 1 1 0 1 0 0 1 0 \n",
	    "x\n", "", "\033[1m\033[?2004h\033[3");
	const char *region = strstr(s, "\033[?6h\033[6;4H\0337\033[3;10r\0338");

	(void)state;
	assert_non_null(region);
	has(region, "\033[4h");
	has(region, "\033[?1h");
	has(region, "\033[?1002h");
	has(region, "\033[?1006h");
	has(region, "\033[?7l");
	has(region, "\033=");
	has(region, "\033[?25l");
	has(region, "\033[0;1m");
	has(region, "\033[?2004h");
	assert_string_equal(s + strlen(s) - 3, "\033[3");
}

static void
a_wrap_that_is_due(void **state)
{
	const char *s = paint("5 2 5 1 0 0 0 0 1 1 0 1 0 0 0 0 0 0 0 0 0 \n",
	    "\033[31mab\nabcde\n", "", "");

	(void)state;
	has(s, "\033[2;1H\0337\033[1;2r\0338\033[0;31mabcde\033[0m");
	s = paint("5 2 5 1 0 0 0 0 1 1 0 1 0 0 0 0 0 0 0 0 0 \n",
	    "\033[5:3mab\nabcde\n", "", "");
	has(s, "\0338\033[0;53mabcde\033[0m");
}

static void
the_screen_below(void **state)
{
	const char *s = paint("9 2 0 0 1 4 1 0 1 1 0 1 0 0 0 0 0 0 0 0 0 \n",
	    "vim\n", "shell\n$ ls\n", "");

	(void)state;
	has(s, "\033[1;1Hshell\033[2;1H$ ls\033[0m\017\033[2;5H\033[0m\033[?1049h");
	has(strstr(s, "\033[?1049h"), "\033[1;1Hvim");
	s = paint("9 2 0 0 1 4294967295 4294967295 0 1 1 0 1 0 0 0 0 0 0 0 0 0 "
	    "\n", "vim\n", "shell\n", "");
	has(s, "\033[?47h");
	has_not(s, "\033[?1049h");
}

/* tmux brings it back also where the main screen is shown already. */
static void
what_was_saved_with_it(void **state)
{
	const char *s = paint("9 2 0 0 0 4 1 0 1 1 0 1 0 0 0 0 0 0 0 0 0 \n",
	    "shell\n", "", "\033[1m\033[?1049h\033[2m\033[?1049l\033[3m");
	const char *saved = strstr(s, "\033[2;5H\033[0;1m\033[?1049h");

	(void)state;
	assert_non_null(saved);
	has(saved, "\033[?1049l\033[0m\033[1;1H\033[2K");
	has(saved, "\033[0;1;3m");
}

static void
too_many_rows(void **state)
{
	const char *s = paint("5 2 0 0 0 0 0 0 1 1 0 1 0 0 0 0 0 0 0 0 0 \n",
	    "a\nb\nc\nd\n", "", "");

	(void)state;
	has(s, "\033[2;1Hb");
	has_not(s, "\033[3;1H");
}

static void
history_scrolls_out(void **state)
{
	struct evbuffer *b = evbuffer_new();
	struct snapshot_info info;
	char out[4096];
	int n;

	(void)state;
	parse("5 2 0 0 0 0 0 0 1 1 0 1 0 0 0 0 0 0 0 0 0 \n", &info);
	assert_int_equal(snapshot_history(b, &info, text("one\ntwo\n"),
	    2), 0);
	n = evbuffer_remove(b, out, sizeof out - 1);
	assert_true(n > 0);
	out[n] = '\0';
	has(out, "\033[1;1Hone\r\ntwo\033[0m\017\033[2;1H\n\n");
	evbuffer_free(b);
}

static void
history_is_bounded(void **state)
{
	static char big[3u << 20];
	struct evbuffer *b = evbuffer_new();
	struct snapshot_info info;
	struct snapshot_text t = { big, sizeof big };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof big; i++)
		big[i] = i % 50 == 49 ? '\n' : 'x';
	parse(PLAIN, &info);
	assert_int_equal(snapshot_history(b, &info, t, 60000), 0);
	assert_true(evbuffer_get_length(b) <= SNAPSHOT_MAX);
	evbuffer_free(b);
}

/* ---- asking --------------------------------------------------------------- */

#define HAS(cap)	(UINT32_C(1) << (cap))

static const struct tmuxcaps new_tmux = { "3.3a", UINT32_MAX, UINT32_MAX };
static const struct tmuxcaps as_old = { "3.3a", 0, UINT32_MAX };
static const struct tmuxcaps tmux_2_6 = { "2.6", 0, 0 };
static const struct tmuxcaps tmux_2_9 = { "2.9", HAS(TMUX_ORIGIN),
    HAS(TMUX_ORIGIN) };

/* The line for ASK; the number of its commands must be N. */
static const char *
asked(const struct tmuxcaps *caps, const struct snapshot_ask *ask,
    unsigned int n)
{
	static char out[65536];
	struct evbuffer *b = evbuffer_new();
	int len;

	assert_int_equal(snapshot_commands(b, caps, ask), n);
	len = evbuffer_remove(b, out, sizeof out - 1);
	assert_true(len > 0);
	out[len] = '\0';
	evbuffer_free(b);
	return out;
}

static void
a_line_of_commands(void **state)
{
	const struct snapshot_ask ask = { 7, 2, true, 50 };
	const struct snapshot_ask plain = { 7, 3, false, 0 };
	const char *line;

	(void)state;
	line = asked(&new_tmux, &ask, 5);
	has(line, "display-message -p -t%7 '#{pane_width} ");
	has(line, "#{origin_flag}");
	has(line, "' ; capture-pane -peN -t%7 ; capture-pane -peNaq -t%7 ; "
	    "capture-pane -pPC -t%7 ; capture-pane -peJ -S-50 -E-1 -t%7");
	line = asked(&tmux_2_6, &ask, 7);
	has_not(line, "#{origin_flag}");
	has(line, "' ; capture-pane -peJ -S0 -E0 -t%7 ; "
	    "capture-pane -peJ -S1 -E1 -t%7 ; "
	    "capture-pane -peJaq -S0 -E0 -t%7 ; "
	    "capture-pane -peJaq -S1 -E1 -t%7 ; "
	    "capture-pane -pPC -t%7 ; capture-pane -peJ -S-50 -E-1 -t%7");
	has(asked(&as_old, &plain, 5), " ; capture-pane -peN -S0 -E0 -t%7 ;");
	has(asked(&tmux_2_6, &plain, 5), " -S2 -E2 -t%7");
}

#define ROWS	"10 2 3 1 %d 0 0 0 1 1 0 1 0 0 0 0 0 0 0 0 %d 8\n"

/* Read answers: the first one, and N - 1 others. */
static int
answered(struct snapshot_answer *an, const struct tmuxcaps *caps,
    struct snapshot_ask *ask, int alternate, int history,
    const char *const *others, unsigned int n, const char *stream)
{
	struct snapshot_text texts[8];
	struct vtmodes vt;
	char info[256];
	unsigned int i;

	(void)snprintf(info, sizeof info, ROWS, alternate, history);
	texts[0] = text(info);
	for (i = 1; i < n; i++)
		texts[i] = text(others[i - 1]);
	vtmodes_init(&vt);
	vtmodes_feed(&vt, stream, strlen(stream));
	return snapshot_read(an, caps, ask, texts, n, &vt);
}

static void
is_text(struct snapshot_text t, const char *want)
{
	assert_int_equal(t.len, strlen(want));
	assert_memory_equal(t.s, want, t.len);
}

static void
answers_at_once(void **state)
{
	static const char *const others[] = { "one\ntwo\n", "below\n", "\\033\n",
	    "above\n" };
	struct snapshot_ask ask = { 7, 2, false, 50 };
	struct snapshot_answer an;

	(void)state;
	assert_int_equal(answered(&an, &new_tmux, &ask, 1, 9, others, 5,
	    "\033[?6;1006h"), 0);
	is_text(an.screen, others[0]);
	is_text(an.saved, others[1]);
	is_text(an.pending, others[2]);
	is_text(an.history, others[3]);
	assert_int_equal(an.above, 9);
	assert_false(an.info.origin || an.info.mouse_sgr);
	snapshot_release(&an);
	assert_int_equal(answered(&an, &new_tmux, &ask, 1, 99, others, 5, ""),
	    0);
	assert_int_equal(an.above, 50);
	snapshot_release(&an);
	assert_int_equal(answered(&an, &new_tmux, &ask, 1, 9, others, 4, ""),
	    -1);
	snapshot_release(&an);
	ask.history = 0;
	assert_int_equal(answered(&an, &new_tmux, &ask, 1, 9, others, 5, ""),
	    -1);
	snapshot_release(&an);
}

static void
answers_row_by_row(void **state)
{
	static const char *const others[] = { "\033[31mone\n", "\n", "a\n",
	    "\n", "", "above\n" };
	struct snapshot_ask ask = { 7, 2, true, 5 };
	struct snapshot_answer an;

	(void)state;
	assert_int_equal(answered(&an, &tmux_2_9, &ask, 1, 9, others, 7,
	    "\033[?6;1006h"), 0);
	is_text(an.screen, "\033[0m\017\033[31mone\n\n");
	is_text(an.saved, "\033[0m\017a\n\n");
	is_text(an.history, "above\n");
	assert_true(an.info.origin && an.info.mouse_sgr);
	assert_false(an.info.mouse_utf8);
	snapshot_release(&an);
	/* before 2.9, tmux does not know what ?6 means */
	assert_int_equal(answered(&an, &tmux_2_6, &ask, 1, 9, others, 7,
	    "\033[?6;1005h"), 0);
	assert_false(an.info.origin);
	assert_true(an.info.mouse_utf8);
	snapshot_release(&an);
	assert_int_equal(answered(&an, &tmux_2_6, &ask, 1, 9, others, 6, ""),
	    -1);
	snapshot_release(&an);
}

/* What was known of the pane is old: then it is asked once more. */
static void
another_pane_than_was_known(void **state)
{
	static const char *const others[] = { "one\n", "two\n", "" };
	struct snapshot_ask ask = { 7, 1, false, 0 };
	struct snapshot_answer an;

	(void)state;
	assert_int_equal(answered(&an, &tmux_2_6, &ask, 0, 0, others, 3, ""),
	    1);
	snapshot_release(&an);
	assert_int_equal(ask.rows, 2);
	assert_false(ask.alternate);
	assert_int_equal(answered(&an, &tmux_2_6, &ask, 0, 0, others, 4, ""),
	    0);
	is_text(an.screen, "\033[0m\017one\n\033[0m\017two\n");
	snapshot_release(&an);
	assert_int_equal(answered(&an, &tmux_2_6, &ask, 1, 0, others, 4, ""),
	    1);
	assert_true(ask.alternate);
	snapshot_release(&an);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(info_is_read),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(rows_and_cursor),
		cmocka_unit_test(what_would_act_is_changed),
		cmocka_unit_test(modes_come_last),
		cmocka_unit_test(a_wrap_that_is_due),
		cmocka_unit_test(the_screen_below),
		cmocka_unit_test(what_was_saved_with_it),
		cmocka_unit_test(too_many_rows),
		cmocka_unit_test(history_scrolls_out),
		cmocka_unit_test(history_is_bounded),
		cmocka_unit_test(a_line_of_commands),
		cmocka_unit_test(answers_at_once),
		cmocka_unit_test(answers_row_by_row),
		cmocka_unit_test(another_pane_than_was_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
