/*
 * tmux_fuzz.c - the control-mode parser: the same events however it is cut.
 */
#include <stdlib.h>
#include <string.h>

#include "../../customer/tmux.h"
#include "fuzz.h"

/* A running digest of what the callbacks were called with. */
struct digest {
	uint64_t	v;
};

static void
mix(struct digest *d, const void *data, size_t len)
{
	const unsigned char *p = data;

	while (len-- > 0)
		d->v = (d->v ^ *p++) * 1099511628211u;
}

static void
output_cb(void *arg, unsigned int pane, const char *data, size_t len)
{
	mix(arg, "o", 1);
	mix(arg, &pane, sizeof pane);
	mix(arg, &len, sizeof len);
	mix(arg, data, len);
}

static void
reply_cb(void *arg, bool ok, bool ours, const char *body, size_t len)
{
	if (body[len] != '\0')
		abort();
	mix(arg, ok ? "r" : "e", 1);
	mix(arg, &ours, sizeof ours);
	mix(arg, &len, sizeof len);
	mix(arg, body, len);
}

static void
notify_cb(void *arg, const char *name)
{
	mix(arg, name, strlen(name) + 1);
}

static const struct tmux_events events = { output_cb, reply_cb, notify_cb };

/* Feed in pieces of STEP octets. */
static uint64_t
run(const uint8_t *data, size_t size, size_t step)
{
	struct digest d = { 14695981039346656037u };
	struct tmux_parser p;
	size_t n;

	tmux_parser_init(&p, &events, &d);
	for (; size > 0; data += n, size -= n) {
		n = size < step ? size : step;
		if (tmux_parser_feed(&p, data, n) == -1)
			break;
	}
	tmux_parser_release(&p);
	return d.v;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t whole = run(data, size, size > 0 ? size : 1);

	if (run(data, size, 1) != whole || run(data, size, 7) != whole)
		abort();
	return 0;
}
