/*
 * vtfilter_fuzz.c - whatever comes in: what goes out has only sequences that
 * draw, does not depend on where the stream was cut, never grows, and passes a
 * second time unchanged.  The judge here is written anew, from the list of what
 * may pass.
 */
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "../../support/vtfilter.h"
#include "proto.h"
#include "fuzz.h"

#define MAX	8192

static void
title_cb(void *arg, const char *title)
{
	size_t i, len = strlen(title);

	(void)arg;
	must(len < VTFILTER_TITLE_MAX && proto_is_utf8(title, len));
	for (i = 0; i < len; i++)
		must((unsigned char)title[i] >= 0x20 && title[i] != 0x7f &&
		    title[i] != '#');
}

/* One sequence that may pass, at the start of a text. */
static const char may_pass[] = "^(\033(["
    "78=>DEHMc\\]|[()*+][0AB]|#8|"
    "\\[([0-9;]*[]@A-HIJKLMPSXZ`abdefgmr[]|[0-9]*T|[su]|[0-9;:]*m|"
    "0*(4|34)(;0*(4|34))*[hl]|"
    "\\?[0-9]+(;[0-9]+)*[hl]|[0-9;]* q|!p)))";

/* Private modes that may be set. */
static int
mode_may_pass(unsigned long mode, char how)
{
	static const unsigned short modes[] = { 1, 3, 5, 6, 7, 12, 25, 47, 1000,
	    1002, 1003, 1005, 1006, 1047, 1048, 1049, 2004, 2026 };
	size_t i;

	for (i = 0; i < sizeof modes / sizeof modes[0]; i++)
		if (modes[i] == mode)
			return 1;
	return mode == 1004 && how == 'l';
}

static void
check_modes(const char *s, size_t len)
{
	size_t i;
	char *end;

	for (i = 3; i < len; i = (size_t)(end - s) + 1)
		must(mode_may_pass(strtoul(s + i, &end, 10), s[len - 1]));
}

/* S is NUL-terminated; no NUL is in it. */
static void
check_sequences(const char *s, size_t len)
{
	static regex_t re;
	static int compiled;
	regmatch_t m;
	size_t i = 0, n;

	if (!compiled) {
		must(regcomp(&re, may_pass, REG_EXTENDED) == 0);
		compiled = 1;
	}
	while (i < len) {
		unsigned char c = (unsigned char)s[i];

		if (c != 0x1b) {
			must((c >= 0x20 && c != 0x7f) ||
			    (c >= 0x07 && c <= 0x0f) || c == 0x18);
			must(c != 0xc2 || (unsigned char)s[i + 1] >= 0xa0);
			i++;
			continue;
		}
		must(regexec(&re, s + i, 1, &m, 0) == 0);
		n = (size_t)m.rm_eo;
		if (n > 3 && s[i + 2] == '?')
			check_modes(s + i, n);
		i += n;
	}
}

/* Filter in pieces whose lengths the data say. */
static size_t
filter_cut(const uint8_t *data, size_t size, char *out)
{
	struct vtfilter vf;
	size_t i = 0, n, o = 0, k;

	vtfilter_init(&vf, title_cb, NULL);
	while (i < size) {
		n = 1 + data[i] % 11;
		if (n > size - i)
			n = size - i;
		k = vtfilter_run(&vf, data + i, n, out + o);
		must(k <= n + VTFILTER_SEQ_MAX);
		o += k;
		i += n;
	}
	return o;
}

/* Small ones are cut at every place. */
static void
check_cuts(const uint8_t *data, size_t size, const char *whole, size_t len)
{
	char out[64 + VTFILTER_SEQ_MAX];
	struct vtfilter vf;
	size_t at, n;

	for (at = 0; size <= 64 && at <= size; at++) {
		vtfilter_init(&vf, title_cb, NULL);
		n = vtfilter_run(&vf, data, at, out);
		n += vtfilter_run(&vf, data + at, size - at, out + n);
		must(n == len && memcmp(out, whole, n) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char whole[MAX + VTFILTER_SEQ_MAX], cut[sizeof whole];
	static char again[sizeof whole + VTFILTER_SEQ_MAX];
	struct vtfilter vf;
	size_t n;

	if (size > MAX)
		return 0;
	vtfilter_init(&vf, title_cb, NULL);
	n = vtfilter_run(&vf, data, size, whole);
	must(n <= size);
	whole[n] = '\0';
	must(proto_is_utf8(whole, n));
	check_sequences(whole, n);
	check_cuts(data, size, whole, n);
	must(filter_cut(data, size, cut) == n && memcmp(cut, whole, n) == 0);
	vtfilter_init(&vf, NULL, NULL);
	must(vtfilter_run(&vf, whole, n, again) == n &&
	    memcmp(again, whole, n) == 0);
	return 0;
}
