/*
 * state_fuzz.c - SID.state: whatever is taken is in bounds, fits the file, and
 * is the same when it is written and read again.
 */
#include <stdlib.h>
#include <string.h>

#include "../../relay/state.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct state st, back;
	static char buf[STATE_MAX];
	unsigned int i;
	size_t n;

	if (size > STATE_MAX ||
	    state_parse((const char *)data, size, &st) != NULL)
		return 0;
	must(st.ngrades <= SESSION_GRADES && st.nviewers <= SESSION_VIEWERS &&
	    st.chat.n <= CHATLOG_LINES && st.next_n > 0);
	for (i = 0; i < st.nviewers; i++)
		must(st.viewers[i].n > 0 && st.viewers[i].n < st.next_n);
	n = state_format(&st, buf, sizeof buf);
	must(n > 0 && state_parse(buf, n, &back) == NULL);
	must(memcmp(&st, &back, sizeof st) == 0);
	return 0;
}
