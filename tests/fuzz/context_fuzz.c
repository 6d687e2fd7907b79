/*
 * context_fuzz.c - the context line: what is taken is within bounds, and is
 * said again by the formatter so that it is taken for the same.
 */

#include "context.h"
#include "fuzz.h"

static void
check_list(const char *list, bool net)
{
	char again[CONTEXT_LIST_MAX + 1] = "", item[CONTEXT_ITEM_MAX + 1];
	struct proto_str s;

	while (context_next(&list, &s)) {
		must(s.len <= CONTEXT_ITEM_MAX);
		memcpy(item, s.s, s.len);
		item[s.len] = '\0';
		must(context_add(again, item, net) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char line[CONTEXT_LINE_MAX + 1], line2[CONTEXT_LINE_MAX + 1];
	struct context c, again;
	int n;

	if (context_parse((const char *)data, size, &c) != NULL)
		return 0;
	must(sid_is_valid(c.id, strlen(c.id)));
	must(context_is_host(c.host, strlen(c.host)));
	check_list(c.ips, false);
	check_list(c.nets, true);
	check_list(c.dns, false);
	n = context_format(&c, line, sizeof line);
	must(n > 0 && (size_t)n == strlen(line));
	must(context_parse(line, (size_t)n, &again) == NULL);
	must(memcmp(&c, &again, sizeof c) == 0);
	must(context_format(&again, line2, sizeof line2) == n);
	must(strcmp(line, line2) == 0);
	return 0;
}
