/*
 * snapshot_fuzz.c - tmux's answers into octets: bounded, and nothing in them
 * acts but what snapshot.c writes itself.  The input is the answers, one after
 * the other, with a NUL between them.
 */
#include <event2/buffer.h>

#include <stdlib.h>
#include <string.h>

#include "../../customer/snapshot.h"
#include "../../customer/tmuxcaps.h"
#include "fuzz.h"

/* Up to the next NUL. */
static struct snapshot_text
take(const uint8_t **data, size_t *size)
{
	struct snapshot_text t = { (const char *)*data, 0 };
	const uint8_t *nul = *size > 0 ? memchr(*data, 0, *size) : NULL;

	t.len = nul != NULL ? (size_t)(nul - *data) : *size;
	*data += t.len;
	*size -= t.len;
	if (nul != NULL) {
		++*data;
		--*size;
	}
	return t;
}

/* The same as an old tmux's answers. */
static void
read_answers(const struct snapshot_text *answers, const struct vtmodes *vt)
{
	static const struct tmuxcaps none = { "2.6", 0, 0 };
	struct snapshot_ask ask = { 0, 1, false, 1 };
	struct snapshot_answer an;

	if (snapshot_read(&an, &none, &ask, answers, 4, vt) == 0 &&
	    an.screen.len > answers[1].len + 8)
		abort();
	snapshot_release(&an);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct snapshot_text line = take(&data, &size);
	struct snapshot_text screen = take(&data, &size);
	struct snapshot_text saved = take(&data, &size);
	const struct snapshot_text answers[] = { line, screen, saved,
	    saved };
	struct snapshot_info info;
	struct evbuffer *out;
	struct vtmodes vt;

	if (snapshot_parse(&info, line.s, line.len) == -1)
		return 0;
	vtmodes_init(&vt);
	vtmodes_feed(&vt, data, size);
	read_answers(answers, &vt);
	out = evbuffer_new();
	if (out == NULL)
		abort();
	if (snapshot_screen(out, &info, screen, saved, &vt) == 0 &&
	    evbuffer_get_length(out) > SNAPSHOT_MAX)
		abort();
	evbuffer_drain(out, evbuffer_get_length(out));
	if (snapshot_history(out, &info, screen, info.history) == 0 &&
	    evbuffer_get_length(out) > SNAPSHOT_MAX)
		abort();
	evbuffer_free(out);
	return 0;
}
