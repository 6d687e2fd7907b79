/*
 * chatlog_fuzz.c - SID.chat: what is escaped is fit for a terminal and comes
 * back as it was; a line that is read has what a frame may carry.
 */
#include <stdlib.h>
#include <string.h>

#include "../../relay/chatlog.h"
#include "fuzz.h"

#define MAX	4096

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char escaped[4 * MAX + 1], back[MAX + 1];
	const char *text = (const char *)data;
	struct chat_line *l;
	int n, i;

	if (size > MAX)
		return 0;
	n = chatlog_escape(text, size, escaped, sizeof escaped);
	must(n >= (int)size && proto_is_utf8(escaped, (size_t)n));
	for (i = 0; i < n; i++)
		must((unsigned char)escaped[i] >= ' ' && escaped[i] != 0x7f);
	must(chatlog_unescape(escaped, (size_t)n, back, sizeof back) ==
	    (int)size);
	must(size == 0 || memcmp(back, text, size) == 0);
	l = chatlog_read_line(text, size);
	if (l == NULL)
		return 0;
	must(l->len <= PROTO_CHAT_MAX && proto_is_utf8(l->text, l->len));
	must(strlen(l->name) <= PROTO_NAME_MAX);
	must(proto_is_chat_id((struct proto_str){ l->id, strlen(l->id) }));
	free(l);
	return 0;
}
