/*
 * proto_fuzz.c - the protocol's parser: never reads past what it is given,
 * says the same however the octets arrive, and what it takes is written back
 * octet for octet.
 */

#include "proto.h"
#include "fuzz.h"

#define SPLIT_MAX	2048	/* try every split of inputs up to this */

/* A frame of FORM made from its parts by proto_put() is the same frame. */
static void
check_put(const struct proto_frame *f, enum proto_form form, const char *s,
    size_t len)
{
	static char out[PROTO_FRAME_MAX];
	char args[PROTO_HEADER_MAX] = "";
	size_t o = 0, n;
	unsigned int i;

	for (i = 0; i < f->nargs; i++)
		o += (size_t)snprintf(args + o, sizeof args - o, "%s%.*s",
		    i > 0 ? " " : "", (int)f->args[i].len, f->args[i].s);
	n = proto_put(out, sizeof out, form, f->has_payload ? f->payload.s :
	    NULL, f->payload.len, f->nargs > 0 ? "%s" : NULL, args);
	must(n == len && memcmp(out, s, len) == 0);
}

/* What the table says of the frame, in every direction and role. */
static void
check_table(const struct proto_frame *f, const char *s, size_t len)
{
	unsigned int path, role;
	enum proto_verdict v;
	enum proto_form form;
	enum proto_rule rule;

	for (path = PROTO_C2B; path <= PROTO_B2L; path <<= 1)
		for (role = PROTO_VIEW; role <= PROTO_CONTROL; role <<= 1) {
			form = PROTO_FORMS;
			v = proto_check(f, path, role, &form, &rule);
			must((v == PROTO_WRONG) == (rule != PROTO_RULE_OK));
			must((v == PROTO_GOOD) == (form != PROTO_FORMS));
			must(proto_rule_text(rule) != NULL);
			if (v == PROTO_GOOD)
				check_put(f, form, s, len);
		}
}

/* An answer for the whole holds for every part of it that gives one. */
static void
check_splits(const char *s, size_t size)
{
	struct proto_frame f;
	enum proto_answer whole, part;
	enum proto_rule rule, r;
	size_t at, n, len;

	whole = proto_parse(s, size, &f, &rule, &at);
	for (len = 0; len < size && len < SPLIT_MAX; len++) {
		part = proto_parse(s, len, &f, &r, &n);
		if (part != PROTO_MORE) {
			must(part == whole && r == rule && n == at);
			must(part == PROTO_MALFORMED || n <= len);
			return;
		}
		must(n > len);
		must(whole != PROTO_FRAME || n <= at);
	}
}

static void
check_frames(const char *s, size_t size)
{
	static char out[PROTO_FRAME_MAX];
	struct proto_frame f;
	enum proto_answer a;
	enum proto_rule rule;
	size_t n;

	while ((a = proto_parse(s, size, &f, &rule, &n)) == PROTO_FRAME) {
		must(n > 0 && n <= size);
		must(proto_format(&f, out, sizeof out) == n);
		must(memcmp(out, s, n) == 0);
		check_table(&f, s, n);
		s += n;
		size -= n;
	}
	if (a == PROTO_MALFORMED)
		must(rule != PROTO_RULE_OK && n <= size);
	else
		must(n > size && n <= PROTO_FRAME_MAX);
}

/* Percent-encoding: one spelling, both ways. */
static void
check_text(const char *s, size_t size)
{
	static char out[3 * PROTO_HEADER_MAX + 1], back[PROTO_HEADER_MAX + 1];
	int n;

	if (size > PROTO_HEADER_MAX)
		return;
	n = proto_pct_decode(s, size, back, sizeof back);
	if (n != -1) {
		must(proto_pct_encode(back, (size_t)n, out, sizeof out) ==
		    (int)size);
		must(memcmp(out, s, size) == 0);
	}
	n = proto_pct_encode(s, size, out, sizeof out);
	must(n >= (int)size);
	if (memchr(s, '\0', size) == NULL) {
		must(proto_pct_decode(out, (size_t)n, back, sizeof back) ==
		    (int)size);
		must(memcmp(back, s, size) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *s = (const char *)data;

	if (size == 0)
		return 0;
	check_frames(s, size);
	check_splits(s, size);
	check_text(s, size);
	return 0;
}
