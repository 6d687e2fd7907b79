/*
 * vtfilter_test.c - what draws passes as it is, what acts is dropped, and it
 * does not matter where the stream is cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../support/vtfilter.h"
#include "../../support/vtrules.h"

#define E	"\033"
#define OUT_MAX	4096

static char		last_title[VTFILTER_TITLE_MAX];
static unsigned int	titles;

static void
title_cb(void *arg, const char *title)
{
	(void)arg;
	titles++;
	(void)snprintf(last_title, sizeof last_title, "%s", title);
}

/* Filter IN in pieces of STEP octets; the length of what came out. */
static size_t
filter(const char *in, size_t len, size_t step, char out[OUT_MAX])
{
	struct vtfilter vf;
	size_t i, n, o = 0;

	vtfilter_init(&vf, title_cb, NULL);
	for (i = 0; i < len; i += n) {
		n = len - i < step ? len - i : step;
		o += vtfilter_run(&vf, in + i, n, out + o);
	}
	return o;
}

static void
expect(const char *in, size_t in_len, const char *want, size_t want_len)
{
	static const size_t steps[] = { OUT_MAX, 1, 2, 3, 7 };
	char out[OUT_MAX + VTFILTER_SEQ_MAX];
	size_t i, n;

	for (i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		n = filter(in, in_len, steps[i], out);
		if (n != want_len || memcmp(out, want, n) != 0)
			fail_msg("step %zu: \"%s\" became \"%.*s\"", steps[i],
			    in, (int)n, out);
	}
}

static void
what_draws_passes(void **state)
{
	static const char *const cases[] = {
		"plain text, ~ and all\r\n", "\a\b\t\n\v\f\r\016\017\030",
		"Gr\303\274\303\237e \344\270\226\347\225\214 "
		    "\360\237\230\200 e\314\201", "\302\240\337\277\340\240\200"
		    "\355\237\277\356\200\200\364\217\277\277",
		/* ESC */
		E "7" E "8" E "D" E "E" E "H" E "M" E "=" E ">" E "c" E "\\",
		E "(B" E ")0" E "*A" E "+B" E "#8",
		/* cursor, erase, insert, delete, scroll, tabs, repeat */
		E "[A" E "[2B" E "[3C" E "[4D" E "[E" E "[F" E "[7G" E "[1;2H",
		E "[1;2f" E "[3d" E "[4`" E "[2a" E "[2e" E "[2I" E "[2Z",
		E "[J" E "[1J" E "[2J" E "[3J" E "[K" E "[1K" E "[2K" E "[5X",
		E "[@" E "[2L" E "[2M" E "[2P" E "[2S" E "[2T" E "[5b",
		E "[3g" E "[0g" E "[r" E "[2;20r" E "[s" E "[u",
		/* colours */
		E "[m" E "[0;1;4;38;5;200;48;2;1;2;3m" E "[4:3m"
		    E "[38:2::1:2:3m" E "[58:5:9m",
		/* modes */
		E "[4h" E "[4l" E "[34h" E "[?25l" E "[?25h" E "[?1049h"
		    E "[?1h" E "[?7l" E "[?6h" E "[?12l" E "[?1000;1006h"
		    E "[?2004h" E "[?2026l" E "[?47h" E "[?1005l" E "[?3l",
		E "[?1004l", E "[2 q" E "[ q" E "[!p",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
		expect(cases[i], strlen(cases[i]), cases[i],
		    strlen(cases[i]));
}

static void
what_acts_is_dropped(void **state)
{
	static const char *const cases[] = {
		/* answers, which would be typed into the customer's shell */
		"\005", E "Z", E "[c", E "[0c", E "[>c", E "[=c", E "[5n",
		E "[6n", E "[?6n", E "[?996n", E "[>q", E "[?2004$p", E "[4$p",
		E "[x", E "[11t", E "[13t", E "[14t", E "[18t", E "[20t",
		E "[21t", E "[?u", E "[?4m", E "[?2;1S", E "[1;1;1;1;1;1*y",
		E "]4;1;?\a", E "]10;?\a", E "]11;?" E "\\", E "]52;c;?\a",
		E "P$qm" E "\\", E "P+q544e" E "\\", E "]1337;ReportCellSize\a",
		/* clipboard, palette, links, notices, files, printing */
		E "]52;c;Zm9v\a", E "]52;c;Zm9v" E "\\", E "]4;1;rgb:0/0/0\a",
		E "]12;red\a", E "]104\a", E "]8;;http://x\a", E "]9;hi\a",
		E "]777;notify;a;b\a", E "]7;file:///\a", E "]133;A\a",
		E "]1337;File=:AA==\a", E "]99;;x\a", E "]\a", E "]l\a",
		E "[i", E "[5i", E "[?5i",
		/* strings */
		E "Ptmux;" E E "]52;c;Zm9v\a" E "\\", E "P1;2|abc" E "\\",
		E "PqABC" E "\\", E "Xsos" E "\\", E "^pm" E "\\",
		E "_apc" E "\\", E "kname" E "\\", E "_a\ab" E "\\",
		E "Px\a" E "[31m" E "\\",
		/* window, keyboard, reports, margins, LEDs, unknown */
		E "[8;1;1t", E "[22;0t", E "[3;1;1t", E "[>4;2m", E "[>1u",
		E "[=1u", E "[<u", E "[1q", E "[0\"q", E "[?1004h",
		E "[?2031h", E "[?1001h", E "[?69h", E "[5;10s", E "[?1r",
		E "[?1s", E "[?9h", E "[20h", E "[2h", E "[12l", E "[?9999h",
		E "[1;1;1;1;1T", E "[?J", E "[?K", E "[1$r", E "[y", E "[|",
		E "[}", E "[~", E "[?h", E "[h", E "[>h", E "[4:1h",
		E "[4!h", E "[1:2H", E "[1;2<H", E "[ 1q", E "[?999999999h",
		/* other character sets, locking shifts, unknown */
		E "%@", E "%G", E "(C", E "-A", E " F", E "#3", E "n", E "o",
		E "~", E "|", E "N", E "O", E "l", E "V", E "!!!!!!!!B",
		/* C1, as octets and as characters; what is no UTF-8 */
		"\233", "\235", "\220", "\302\233", "\302\200", "\302\237",
		"\300\200", "\355\240\200", "\364\220\200\200", "\200",
		"\377", "\342\202", E, E "[", E "[1;2", "\177", "\021\023",
		"\032",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
		expect(cases[i], strlen(cases[i]), "", 0);
	expect("a\0b", 3, "ab", 2);
}

static void
only_the_bad_part_is_dropped(void **state)
{
	static const struct {
		const char	*in, *out;
	} cases[] = {
		{ "a" E "]52;c;Zm9v\a" "b", "ab" },
		{ "a\2331mb", "a1mb" },
		{ "\303(", "(" },
		{ "\342\202x\342\202\254", "x\342\202\254" },
		{ "x\302\2332Jy", "x2Jy" },
		{ E "[?1000;1004;1006h", E "[?1000;1006h" },
		{ E "[?1004;25h", E "[?25h" },
		{ E "[4;20h", E "[4h" },
		{ E "[1" E "[2J", E "[2J" },		/* begun anew */
		{ E "[1\r\nA", "\r\n" E "[1A" },	/* C0 inside: at once */
		{ E "[1\0052A", E "[12A" },
		{ E "[1\030A", "\030A" },		/* cancelled */
		{ E "[1\032A", "A" },
		{ E "]52;c;a\030b", "\030b" },
		{ E "Pabc\030d", "\030d" },
		{ E "]52;c;a" E "[31mb", E "[31mb" },	/* ESC ends it */
		{ E "_x" E "[31mb", E "[31mb" },
		{ E "Pabc" E "[31m" E "\\d", "d" },	/* but not this */
		{ E E "7", E "7" },
		{ E "]0;t\a" E "]2;u" E "\\x", "x" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
		expect(cases[i].in, strlen(cases[i].in), cases[i].out,
		    strlen(cases[i].out));
}

static void
long_sequences_are_dropped(void **state)
{
	char in[OUT_MAX];
	size_t n;

	(void)state;
	memset(in, '1', sizeof in);
	in[0] = '\033';
	in[1] = '[';
	in[VTFILTER_SEQ_MAX - 1] = 'm';
	expect(in, VTFILTER_SEQ_MAX, in, VTFILTER_SEQ_MAX);
	in[VTFILTER_SEQ_MAX - 1] = '1';
	in[2 * VTFILTER_SEQ_MAX] = 'm';
	in[2 * VTFILTER_SEQ_MAX + 1] = 'x';
	expect(in, 2 * VTFILTER_SEQ_MAX + 2, "x", 1);
	/* a string of any length ends where it ends */
	n = sizeof in;
	in[1] = ']';
	memset(in + 2, 'a', n - 2);
	in[n - 2] = '\a';
	in[n - 1] = 'y';
	expect(in, n, "y", 1);
}

static void
title_is(const char *in, const char *want)
{
	char out[OUT_MAX];

	titles = 0;
	assert_int_equal(filter(in, strlen(in), 1, out), 0);
	if (want == NULL) {
		assert_int_equal(titles, 0);
		return;
	}
	assert_int_equal(titles, 1);
	assert_string_equal(last_title, want);
}

static void
titles_are_told_and_safe(void **state)
{
	char in[512];

	(void)state;
	title_is(E "]0;root@db1: ~\a", "root@db1: ~");
	title_is(E "]2;vim" E "\\", "vim");
	title_is(E "]2;\a", "");
	title_is(E "]2;Gr\303\274n\a", "Gr\303\274n");
	title_is(E "]2;a#(reboot)#[fg=red]\a", "a_(reboot)_[fg=red]");
	title_is(E "]2;x\r\n\tz\302\233\342\200\256y\a", "xzy");
	title_is(E "]2;x\303\a", "x");
	title_is(E "]1;icon\a", NULL);
	title_is(E "]21;x\a", NULL);
	title_is(E "]0\a", NULL);
	title_is(E "]2;cancelled\032", NULL);
	memset(in, 'a', sizeof in);
	memcpy(in, E "]2;", 4);
	memcpy(in + sizeof in - 2, "\a", 2);
	title_is(in, last_title);
	assert_in_range(strlen(last_title), VTFILTER_TITLE_MAX - 5,
	    VTFILTER_TITLE_MAX - 1);
}

static void
reset_forgets_a_beginning(void **state)
{
	struct vtfilter vf;
	char out[64];

	(void)state;
	vtfilter_init(&vf, NULL, NULL);
	assert_int_equal(vtfilter_run(&vf, E "]2;t", 5, out), 0);
	vtfilter_reset(&vf);
	assert_int_equal(vtfilter_run(&vf, "x", 1, out), 1);
	assert_int_equal(vtfilter_run(&vf, E "]2;t\a", 6, out), 0);
}

/* ---- the table ------------------------------------------------------------ */

/* A sequence that the row fits, with its Nth final and number NO. */
static size_t
example(enum vt_kind kind, const struct vt_rule *r, size_t n, unsigned int no,
    char out[64])
{
	static const char *const params[] = { "7;5;3", "4:3;58:5:9", "2", "" };
	char final = r->finals != NULL ? r->finals[n] : 0;
	char inter[2] = { r->inter, 0 }, marker[2] = { r->marker, 0 };

	switch (kind) {
	case VT_C0:
		if (no >= 0x80)
			return (size_t)snprintf(out, 64, "\302%c", (int)no);
		out[0] = (char)no;
		return 1;
	case VT_ESC:
		return (size_t)snprintf(out, 64, E "%s%c", inter, final);
	case VT_CSI:
		return (size_t)snprintf(out, 64, E "[%s%s%s%c", marker,
		    params[r->params], inter, final);
	case VT_DEC_MODE:
		return (size_t)snprintf(out, 64, E "[?%u%c", no, final);
	case VT_ANSI_MODE:
		return (size_t)snprintf(out, 64, E "[%u%c", no, final);
	case VT_STRING:
		return (size_t)snprintf(out, 64, E "%ctext;?" E "\\", final);
	case VT_OSC:
		return (size_t)snprintf(out, 64, E "]%u;text;?\a", no);
	case VT_KINDS:
		break;
	}
	return 0;
}

static void
check_row(enum vt_kind kind, const struct vt_rule *r, size_t n,
    unsigned int no)
{
	char in[64];
	size_t len = example(kind, r, n, no, in);

	titles = 0;
	expect(in, len, in, r->does == VT_PASS ? len : 0);
	if ((r->does == VT_TITLE) != (titles > 0))
		fail_msg("title or not: \"%.*s\"", (int)len, in);
}

/* Every final and number of a row.  Modes are judged by their numbers, so CSI h
 * and l themselves are not tried. */
static void
check_rows(enum vt_kind kind)
{
	const struct vt_rule *r;
	unsigned int no;
	size_t n, i, k;

	r = vtrules(kind, &n);
	for (i = 0; i < n; i++, r++) {
		assert_true(r->why != NULL && r->why[0] != '\0');
		if (r->does == VT_MODES)
			continue;
		for (k = 0; k == 0 || (r->finals != NULL &&
		    r->finals[k] != '\0'); k++)
			for (no = r->low; no <= r->high; no++)
				check_row(kind, r, k, no);
	}
}

static void
every_row_does_what_it_says(void **state)
{
	int kind;

	(void)state;
	for (kind = 0; kind < VT_KINDS; kind++)
		check_rows((enum vt_kind)kind);
}

/* No other final, marker or intermediate passes than the table's. */
static void
what_is_in_no_row_is_dropped(void **state)
{
	static const char markers[] = " <=>?", inters[] = "\0 !\"#$%&'()*+,-./";
	char in[32], out[OUT_MAX];
	unsigned int passed = 0;
	size_t m, i;
	int c;

	(void)state;
	for (m = 0; m < sizeof markers - 1; m++)
		for (i = 0; i < sizeof inters - 1; i++)
			for (c = 0x40; c < 0x7f; c++) {
				char marker[2] = { markers[m] == ' ' ? '\0' :
				    markers[m], 0 };
				char inter[2] = { inters[i], 0 };
				int len = snprintf(in, sizeof in,
				    E "[%s9999%s%c", marker, inter, c);

				passed += filter(in, (size_t)len, 1, out) > 0;
			}
	/* A-M P S T X Z ` a b d e f g m r @ and SP q */
	assert_int_equal(passed, 29);
}

/* ---- splits --------------------------------------------------------------- */

static unsigned int
draw_lot(unsigned int *seed, unsigned int n)
{
	*seed = *seed * 1103515245u + 12345u;
	return (*seed >> 16) % n;
}

/* Append something that draws. */
static size_t
harmless(unsigned int *seed, char *out, size_t cap)
{
	static const char *const pieces[] = {
		"plain text ", "\r\n", "\t", "\b", "\a", "\016lqk\017",
		"gr\303\274n", "\344\270\226\347\225\214", "e\314\201",
		"\360\237\230\200", E "[m", E "[1;38;2;1;2;3m", E "[4:3m",
		E "[2J", E "[K", E "[?25l", E "[?1049h", E "[?1000;1006h",
		E "(0", E ")B", E "7", E "8", E "M", E "c", E "[3;9r",
		E "[5b", E "[2 q", E "[!p", E "[10P", E "[4h", E "#8",
	};
	const char *p;

	if (draw_lot(seed, 3) == 0)
		return (size_t)snprintf(out, cap, E "[%u;%uH",
		    draw_lot(seed, 99), draw_lot(seed, 300));
	p = pieces[draw_lot(seed, sizeof pieces / sizeof pieces[0])];
	return (size_t)snprintf(out, cap, "%s", p);
}

/* IN cut in two at AT. */
static size_t
filter_at(const char *in, size_t len, size_t at, char out[OUT_MAX])
{
	struct vtfilter vf;
	size_t n;

	vtfilter_init(&vf, title_cb, NULL);
	n = vtfilter_run(&vf, in, at, out);
	return n + vtfilter_run(&vf, in + at, len - at, out + n);
}

static void
harmless_streams_pass_however_they_are_split(void **state)
{
	char in[512], out[OUT_MAX];
	unsigned int seed;
	size_t len, at;

	(void)state;
	for (seed = 1; seed <= 30; seed++) {
		unsigned int lots = seed;

		for (len = 0; len < sizeof in - 64;)
			len += harmless(&lots, in + len, 64);
		expect(in, len, in, len);
		for (at = 0; at <= len; at++)
			if (filter_at(in, len, at, out) != len ||
			    memcmp(in, out, len) != 0)
				fail_msg("seed %u, cut at %zu", seed, at);
	}
}

/* What remains of it is the same wherever it is cut: NULs, broken UTF-8, halves
 * of sequences, one within another. */
static void
hostile_streams_are_the_same_however_they_are_split(void **state)
{
	static const char in[] = "a\0b\0" "\342\202" "c\300\257" E "[3" E "[1"
	    ";2Hd" E "]52;c;AA" E "\\e" E "Ptmux;" E E "]0;x\a" E "\\f\233"
	    "31m" E "[?1004;25h" E "[6n" E "_title" E "\\g" E "[>c\005" E "Z"
	    "\302\205\302\240" E "]8;;http://x/" E "\\link" E "]8;;\a\377h"
	    E "[8;1;1t" E "]2;t\303\274\a" E "[999999999999999999C" E "[1;31";
	char whole[OUT_MAX], out[OUT_MAX];
	size_t len = sizeof in - 1, n, at;

	(void)state;
	n = filter(in, len, len, whole);
	for (at = 0; at <= len; at++)
		if (filter_at(in, len, at, out) != n ||
		    memcmp(whole, out, n) != 0)
			fail_msg("cut at %zu", at);
	expect(whole, n, whole, n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_draws_passes),
		cmocka_unit_test(what_acts_is_dropped),
		cmocka_unit_test(only_the_bad_part_is_dropped),
		cmocka_unit_test(long_sequences_are_dropped),
		cmocka_unit_test(titles_are_told_and_safe),
		cmocka_unit_test(reset_forgets_a_beginning),
		cmocka_unit_test(every_row_does_what_it_says),
		cmocka_unit_test(what_is_in_no_row_is_dropped),
		cmocka_unit_test(harmless_streams_pass_however_they_are_split),
		cmocka_unit_test(
		    hostile_streams_are_the_same_however_they_are_split),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
