/*
 * attach_fuzz.c - the payload of ATTACH: what is taken is said again by the
 * formatter so that it is taken for the same.
 */
#include <string.h>

#include "../../relay/attach.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char buf[ATTACH_MAX];
	struct attach a, b;
	size_t n;

	if (attach_parse((const char *)data, size, &a) != NULL)
		return 0;
	must(attach_name_ok(a.name));
	must(a.role == 0 || attach_client_ok(a.client));
	must(a.role != 0 || sid_is_valid(a.key_id, strlen(a.key_id)));
	n = attach_format(&a, buf, sizeof buf);
	must(n > 0);
	must(attach_parse(buf, n, &b) == NULL);
	must(a.role == b.role && a.ro == (a.role != 0 ? b.ro : a.ro));
	must(strcmp(a.remote, b.remote) == 0);
	if (a.role == 0)
		must(strcmp(a.context, b.context) == 0 &&
		    strcmp(a.key_id, b.key_id) == 0 && a.serial == b.serial);
	else
		must(strcmp(a.client, b.client) == 0 &&
		    strcmp(a.name, b.name) == 0 &&
		    strcmp(a.comment, b.comment) == 0 &&
		    strcmp(a.fingerprint, b.fingerprint) == 0);
	return 0;
}
