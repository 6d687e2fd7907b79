/*
 * vtmodes_test.c - what is followed of a terminal's state, octet by octet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../customer/vtmodes.h"

#define DEFAULTS	"\033[0m\033(B\033)B\017\033[?2004l\033[?1004l\033[0 q"

/* What a terminal must be told after INPUT, and what of it is pending; the same
 * wherever the input is cut. */
static void
check_len(const char *input, size_t len, const char *set, const char *pending)
{
	char out[VTMODES_TEXT_MAX + 1];
	struct vtmodes vt;
	size_t cut, n;

	for (cut = 0; cut <= len; cut++) {
		vtmodes_init(&vt);
		vtmodes_feed(&vt, input, cut);
		vtmodes_feed(&vt, input + cut, len - cut);
		n = vtmodes_set(&vt, out);
		assert_true(n < sizeof out);
		out[n] = '\0';
		assert_string_equal(out, set);
		assert_int_equal(vt.npending, strlen(pending));
		assert_memory_equal(vt.pending, pending, vt.npending);
	}
}

static void
check(const char *input, const char *set)
{
	check_len(input, strlen(input), set, "");
}

static void
check_pending(const char *input, const char *pending)
{
	check_len(input, strlen(input), DEFAULTS, pending);
}

/* The SGR alone. */
static void
check_pen(const char *input, const char *sgr)
{
	char out[VTMODES_TEXT_MAX + 1];
	struct vtmodes vt;
	size_t n;

	vtmodes_init(&vt);
	vtmodes_feed(&vt, input, strlen(input));
	n = vtmodes_sgr(&vt.pen, out);
	out[n] = '\0';
	assert_string_equal(out, sgr);
}

static void
plain_text_changes_nothing(void **state)
{
	(void)state;
	check("", DEFAULTS);
	check("hello \303\251\n\r\t\b\007 [31m ?2004h", DEFAULTS);
	check_len("a\0b\377\200\237", 6, DEFAULTS, "");
}

static void
modes(void **state)
{
	(void)state;
	check("\033[?2004h", "\033[0m\033(B\033)B\017\033[?2004h\033[?1004l"
	    "\033[0 q");
	check("\033[?1004;2004h\033[?2004l", "\033[0m\033(B\033)B\017"
	    "\033[?2004l\033[?1004h\033[0 q");
	check("\033[5 q", "\033[0m\033(B\033)B\017\033[?2004l\033[?1004l"
	    "\033[5 q");
	check("\033[5 q\033[9 q\033[ q", DEFAULTS);
	/* not ours: no "?", another private mark, an intermediate */
	check("\033[2004h\033[>2004h\033[?2004$h\033[?2004r", DEFAULTS);
	check("\033[?2004h\033c", DEFAULTS);
}

static void
pen(void **state)
{
	(void)state;
	check_pen("\033[1;4;31m", "\033[0;1;4;31m");
	check_pen("\033[1m\033[22;3m", "\033[0;3m");
	check_pen("\033[38;5;200;48;2;1;2;3m",
	    "\033[0;38;5;200;48;2;1;2;3m");
	check_pen("\033[38:2::10:20:30;48:5:7m",
	    "\033[0;38;2;10;20;30;48;5;7m");
	check_pen("\033[38:2:10:20:30m", "\033[0;38;2;10;20;30m");
	check_pen("\033[4:3;58;5;9m", "\033[0;4:3;58;5;9m");
	check_pen("\033[4:3m\033[24;59m", "\033[0m");
	check_pen("\033[97;107m", "\033[0;97;107m");
	check_pen("\033[97;107m\033[39;49m", "\033[0m");
	check_pen("\033[38;5;1;42m", "\033[0;38;5;1;42m");
	check_pen("\033[21;53;9;8;7;5;2m",
	    "\033[0;2;5;7;8;9;53;4:2m");
	check_pen("\033[1;31;m", "\033[0m");
	check_pen("\033[7m\033[m", "\033[0m");
	/* broken ones touch nothing they should not */
	check_pen("\033[38;5;999m", "\033[0m");
	check_pen("\033[38;2;1m", "\033[0m");
	check_pen("\033[99999999999999999999;1m", "\033[0;1m");
	check_pen("\033[1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;"
	    "1;1;1;1;1;1;1;1;1;1;1;1m", "\033[0m");	/* too long: ignored */
}

static void
charsets(void **state)
{
	(void)state;
	check("\033(0", "\033[0m\033(0\033)B\017\033[?2004l\033[?1004l"
	    "\033[0 q");
	check("\033)0\016", "\033[0m\033(B\033)0\016\033[?2004l\033[?1004l"
	    "\033[0 q");
	check("\033)0\016\017\033)B", DEFAULTS);
	check("\033*0\033%G\033#8", DEFAULTS);
}

static void
saved_pen(void **state)
{
	(void)state;
	check_pen("\033[1m\0337\033[0;4m\0338", "\033[0;1m");
	check_pen("\033[1m\033[s\033[0m\033[u", "\033[0;1m");
	check_pen("\033[1m\033[?1049l", "\033[0;1m");
	check_pen("\033[1m\033[?1049h\033[?1049l\033[31m\033[?1049l",
	    "\033[0;1m");
	check_pen("\033[1m\033[?1049h\033[?1049l\033[31m\033[?47h\033[2m"
	    "\033[?1049l", "\033[0;1;31m");
	check("\033[?1049h\033(0\016\033[?1049l", "\033[0m\033(0\033)B\016"
	    "\033[?2004l\033[?1004l\033[0 q");
	check_pen("\033[1m\033[?1049h\033[31m\033[?1049l", "\033[0;1m");
	check_pen("\033[1m\033[?47h\033[31m\033[?47l", "\033[0;1;31m");
	check_pen("\033[1m\033[?1049h\033[31m\033[?1049h\033[?1049l",
	    "\033[0;1m");
}

/* What tmux reports since 3.0 only. */
static void
modes_that_old_tmux_keeps_to_itself(void **state)
{
	static const struct {
		const char	*input;
		bool		 origin, utf8, sgr;
	} cases[] = {
		{ "", false, false, false },
		{ "\033[?6h", true, false, false },
		{ "\033[?6h\033[?6l", false, false, false },
		{ "\033[6h\033[>6h\033[?6$h\033[?6s", false, false, false },
		{ "\033[?1002;1006h", false, false, true },
		{ "\033[?1005h\033[?1006h\033[?1005l", false, false, true },
		{ "\033[?1005;6h\033[?1000l", true, true, false },
		/* saved with the cursor, but not by the alternate screen */
		{ "\033[?6h\0337\033[?6l\0338", true, false, false },
		{ "\033[?6h\033[s\033[?6l\033[u", true, false, false },
		{ "\0337\033[?6;1006h\0338", false, false, true },
		{ "\033[?1049h\033[?6h\033[?1049l", true, false, false },
		{ "\033[?6;1005;1006h\033c\0338", false, false, false },
	};
	struct vtmodes vt;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		vtmodes_init(&vt);
		vtmodes_feed(&vt, cases[i].input, strlen(cases[i].input));
		assert_int_equal(vt.origin, cases[i].origin);
		assert_int_equal(vt.mouse_utf8, cases[i].utf8);
		assert_int_equal(vt.mouse_sgr, cases[i].sgr);
	}
}

static void
leaving_the_alternate_screen_is_counted(void **state)
{
	static const char input[] = "\033[?47l\033[?1049h\033[?47h\033[?1049l"
	    "\033[?1047h\033[?47l\033[?1049l\033[?1049h";
	struct vtmodes vt;

	(void)state;
	vtmodes_init(&vt);
	vtmodes_feed(&vt, input, sizeof input - 1);
	assert_int_equal(vt.leaves, 2);
	assert_true(vt.alternate);
}

static void
strings_are_skipped(void **state)
{
	(void)state;
	check("\033]2;title [31m\007", DEFAULTS);
	check("\033]2;\303\251\033\\", DEFAULTS);
	check("\033Ptmux;[31m\007[?2004h\033\\", DEFAULTS);
	check("\033_G\007\033\\\033^x\033\\\033Xy\033\\\033kname\033\\",
	    DEFAULTS);
	check("\033]2;abc\030", DEFAULTS);
}

static void
what_is_incomplete_is_kept(void **state)
{
	(void)state;
	check_pending("abc\033", "\033");
	check_pending("abc\033[1;3", "\033[1;3");
	check_pending("abc\033[1\r;3", "\033[1;3");
	check_pending("\033(", "\033(");
	check_pending("\033]2;ti", "\033]2;ti");
	check_pending("x\303", "\303");
	check_pending("x\342\202", "\342\202");
	check_pending("x\342\202A", "");
	check_pending("\033[1\033[?", "\033[?");
	check_pending("\033[1\032", "");
}

static void
pending_is_bounded(void **state)
{
	struct vtmodes vt;
	int i;

	(void)state;
	vtmodes_init(&vt);
	vtmodes_feed(&vt, "\033]52;", 5);
	for (i = 0; i < 100000; i++)
		vtmodes_feed(&vt, "A", 1);
	assert_int_equal(vt.npending, VTMODES_PENDING_MAX);
	vtmodes_feed(&vt, "\007", 1);
	assert_int_equal(vt.npending, 0);
}

/* FED, then octets are lost while tmux has PENDING, then NEXT: what is set. */
static void
check_lost(const char *fed, bool alternate, const char *pending,
    const char *next, const char *set)
{
	char out[VTMODES_TEXT_MAX + 1];
	struct vtmodes vt;

	vtmodes_init(&vt);
	vtmodes_feed(&vt, fed, strlen(fed));
	vtmodes_lost(&vt, alternate, pending, strlen(pending));
	assert_true(vt.alternate == alternate);
	assert_true(vt.unsure);
	assert_int_equal(vt.npending, strlen(pending));
	vtmodes_feed(&vt, next, strlen(next));
	out[vtmodes_set(&vt, out)] = '\0';
	assert_string_equal(out, set);
}

static void
after_a_loss_modes_stay_and_the_pen_is_the_default(void **state)
{
	(void)state;
	check_lost("\033[31m\033[?2004h\033[4 q\016", false, "", "x",
	    "\033[0m\033(B\033)B\017\033[?2004h\033[?1004l\033[4 q");
	/* the half sequence before it is not the one that goes on */
	check_lost("\033[3", false, "", "1m", DEFAULTS);
	check_lost("\033]2;x", false, "\033[3", "1m",
	    "\033[0;31m\033(B\033)B\017\033[?2004l\033[?1004l\033[0 q");
	check_lost("\033[?1049h", false, "", "", DEFAULTS);
	check_lost("", true, "", "\033[?1049l", DEFAULTS);
}

static void
the_pen_is_sure_again_when_all_of_it_is_set(void **state)
{
	static const struct {
		const char	*next;
		bool		 unsure;
	} cases[] = {
		{ "text", true }, { "\033[1m", true }, { "\033[m", false },
		{ "\033[0;31m", false }, { "\033[31;0m", false },
		{ "\033[38;5;0m", true }, { "\033c", false },
	};
	struct vtmodes vt;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		vtmodes_init(&vt);
		assert_false(vt.unsure);
		vtmodes_lost(&vt, false, "", 0);
		vtmodes_feed(&vt, cases[i].next, strlen(cases[i].next));
		assert_true(vt.unsure == cases[i].unsure);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text_changes_nothing),
		cmocka_unit_test(modes),
		cmocka_unit_test(pen),
		cmocka_unit_test(charsets),
		cmocka_unit_test(saved_pen),
		cmocka_unit_test(modes_that_old_tmux_keeps_to_itself),
		cmocka_unit_test(leaving_the_alternate_screen_is_counted),
		cmocka_unit_test(strings_are_skipped),
		cmocka_unit_test(what_is_incomplete_is_kept),
		cmocka_unit_test(pending_is_bounded),
		cmocka_unit_test(
		    after_a_loss_modes_stay_and_the_pen_is_the_default),
		cmocka_unit_test(the_pen_is_sure_again_when_all_of_it_is_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
