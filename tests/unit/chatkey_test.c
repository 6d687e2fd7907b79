/*
 * chatkey_test.c - what terminals send, as keys; split anywhere, and hostile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "chatkey.h"

/* One key out of IN, all of which it must use. */
static enum chatkey
key_of(const char *in, uint32_t *cp)
{
	bool pasting = false;
	enum chatkey key;

	assert_int_equal(chatkey_next(in, strlen(in), &pasting, &key, cp),
	    strlen(in));
	return key;
}

static void
keys(void **state)
{
	static const struct {
		const char	*in;
		enum chatkey	 key;
	} cases[] = {
		{ "\r", CHATKEY_ENTER }, { "\n", CHATKEY_ENTER },
		{ "\033OM", CHATKEY_ENTER },
		{ "\003", CHATKEY_CLEAR }, { "\004", CHATKEY_EOF },
		{ "\014", CHATKEY_REDRAW }, { "\032", CHATKEY_NONE },
		{ "\022", CHATKEY_NONE }, { "\t", CHATKEY_NONE },
		{ "\033[A", CHATKEY_UP }, { "\033OA", CHATKEY_UP },
		{ "\033[B", CHATKEY_DOWN }, { "\033OC", CHATKEY_RIGHT },
		{ "\033[D", CHATKEY_LEFT },
		{ "\033[1;5D", CHATKEY_WORD_LEFT },
		{ "\033[1;3C", CHATKEY_WORD_RIGHT },
		{ "\033[1;2C", CHATKEY_RIGHT },
		{ "\033[H", CHATKEY_HOME }, { "\033[1~", CHATKEY_HOME },
		{ "\033[7~", CHATKEY_HOME }, { "\033OF", CHATKEY_END },
		{ "\033[4~", CHATKEY_END }, { "\033[3~", CHATKEY_DELETE },
		{ "\033[5~", CHATKEY_PAGE_UP },
		{ "\033[6~", CHATKEY_PAGE_DOWN },
		{ "\033[5;2~", CHATKEY_PAGE_UP },
		{ "\033b", CHATKEY_WORD_LEFT }, { "\033f", CHATKEY_WORD_RIGHT },
		{ "\033d", CHATKEY_KILL_NEXT_WORD },
		{ "\033\177", CHATKEY_KILL_WORD },
		{ "\177", CHATKEY_BACKSPACE }, { "\b", CHATKEY_BACKSPACE },
		/* known to nobody: swallowed whole */
		{ "\033[15~", CHATKEY_NONE }, { "\033[<0;1;1M", CHATKEY_NONE },
		{ "\033[I", CHATKEY_NONE }, { "\033[?1;2c", CHATKEY_NONE },
		{ "\033[[A", CHATKEY_NONE }, { "\033OP", CHATKEY_NONE },
		{ "\033[201~", CHATKEY_NONE },
	};
	uint32_t cp;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(key_of(cases[i].in, &cp), cases[i].key);
}

static void
characters(void **state)
{
	static const struct {
		const char	*in;
		uint32_t	 cp;
	} cases[] = {
		{ "a", 'a' }, { " ", ' ' }, { "\303\274", 0xfc },
		{ "\346\227\245", 0x65e5 }, { "\360\237\230\200", 0x1f600 },
		{ "\377", 0xfffd }, { "\200", 0xfffd }, { "\302\233", 0xfffd },
		{ "\342\200\256", 0xfffd },
	};
	uint32_t cp;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(key_of(cases[i].in, &cp), CHATKEY_CHAR);
		assert_int_equal(cp, cases[i].cp);
	}
}

/* Feed IN in pieces of STEP octets; characters as they are, keys as #N. */
static void
run(const char *in, size_t step, char *out)
{
	char buf[256];
	size_t len = strlen(in), have = 0, at = 0, n, used;
	bool pasting = false;
	enum chatkey key;
	uint32_t cp;

	while (at < len) {
		n = len - at < step ? len - at : step;
		memcpy(buf + have, in + at, n);
		at += n;
		have += n;
		for (used = 0; used < have; used += n) {
			n = chatkey_next(buf + used, have - used, &pasting,
			    &key, &cp);
			if (n == 0)
				break;
			if (key == CHATKEY_CHAR)
				*out++ = cp < 0x80 ? (char)cp : '?';
			else if (key != CHATKEY_NONE) {
				*out++ = '#';
				*out++ = (char)('A' + key);
			}
		}
		memmove(buf, buf + used, have - used);
		have -= used;
	}
	*out = '\0';
}

static void
split_anywhere(void **state)
{
	const char *in = "ab\033[A\303\274\033[1;5Dx\033OH\r"
	    "\033[200~p\tq\r\033[31mr\n\001\346\227\245\033[201~\033[3~end";
	char whole[128], pieces[128];
	size_t step;

	(void)state;
	run(in, 200, whole);
	assert_string_equal(whole, "ab#I?#Ox#M#Cp q [31mr ?#Rend");
	for (step = 1; step < 12; step++) {
		run(in, step, pieces);
		assert_string_equal(pieces, whole);
	}
}

static void
incomplete_waits(void **state)
{
	static const char *const starts[] = { "\033", "\033[", "\033[1",
	    "\033[1;5", "\033O", "\033[[", "\303", "\346\227", "\360\237\230" };
	bool pasting = false;
	enum chatkey key;
	uint32_t cp;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof starts / sizeof starts[0]; i++)
		assert_int_equal(chatkey_next(starts[i], strlen(starts[i]),
		    &pasting, &key, &cp), 0);
}

/* An escape that begins nothing does not eat what is typed next. */
static void
lone_escape(void **state)
{
	char out[64];

	(void)state;
	run("\033hello", 1, out);
	assert_string_equal(out, "hello");
	run("\033\033[Ax", 1, out);
	assert_string_equal(out, "#Ix");
	run("\033[\001x", 1, out);
	assert_string_equal(out, "#Mx");
}

static void
endless_sequence_is_dropped(void **state)
{
	char in[CHATKEY_MAX + 9], out[64];

	(void)state;
	memset(in, '1', sizeof in - 1);
	in[sizeof in - 1] = '\0';
	in[0] = '\033';
	in[1] = '[';
	run(in, 1, out);
	assert_string_equal(out, "11111111");
}

static void
paste_is_text(void **state)
{
	char out[64];

	(void)state;
	run("\033[200~a\004b\033b\033[200~c\033[201~d", 200, out);
	assert_string_equal(out, "abb[200~cd");
	/* one whose end got lost can be left */
	run("\033[200~a\003b\r", 200, out);
	assert_string_equal(out, "a#Db#C");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys),
		cmocka_unit_test(characters),
		cmocka_unit_test(split_anywhere),
		cmocka_unit_test(incomplete_waits),
		cmocka_unit_test(lone_escape),
		cmocka_unit_test(endless_sequence_is_dropped),
		cmocka_unit_test(paste_is_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
