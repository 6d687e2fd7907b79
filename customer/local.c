/*
 * local.c - see local.h.
 */
#include "local.h"

#include <event2/bufferevent.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

void
local_send(struct bufferevent *bev, const char *verb, const void *payload,
    size_t len, const char *fmt, ...)
{
	static char frame[PROTO_FRAME_MAX];
	struct proto_frame f = { .verb = { verb, strlen(verb) } };
	char args[PROTO_HEADER_MAX], *s = args;
	va_list ap;
	size_t n;

	args[0] = '\0';
	if (fmt != NULL) {
		va_start(ap, fmt);
		(void)vsnprintf(args, sizeof args, fmt, ap);
		va_end(ap);
	}
	while (*s != '\0' && f.nargs < PROTO_ARGS_MAX) {
		f.args[f.nargs].s = s;
		f.args[f.nargs++].len = strcspn(s, " ");
		s += strcspn(s, " ");
		s += *s == ' ';
	}
	f.has_payload = payload != NULL;
	f.payload.s = payload;
	f.payload.len = payload != NULL ? len : 0;
	n = proto_format(&f, frame, sizeof frame);
	if (n == 0)
		log_warnx("a local %s could not be formed", verb);
	else
		(void)bufferevent_write(bev, frame, n);
}

int
local_take(const void *buf, size_t len, struct proto_frame *f)
{
	enum proto_rule rule;
	size_t n;

	switch (proto_parse(buf, len, f, &rule, &n)) {
	case PROTO_FRAME:
		return (int)n;
	case PROTO_MORE:
		return 0;
	default:
		return -1;
	}
}

static char *
copy(struct proto_str s, char *out, size_t cap)
{
	size_t n = s.len < cap ? s.len : cap - 1;

	if (n > 0)
		memcpy(out, s.s, n);
	out[n] = '\0';
	return out;
}

char *
local_arg(const struct proto_frame *f, unsigned int i, char *out, size_t cap)
{
	struct proto_str none = { "", 0 };

	return copy(i < f->nargs ? f->args[i] : none, out, cap);
}

char *
local_text(const struct proto_frame *f, char *out, size_t cap)
{
	return copy(f->payload, out, cap);
}
