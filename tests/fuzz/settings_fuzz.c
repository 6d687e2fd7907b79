/*
 * settings_fuzz.c - the customer's configuration: what is taken can be written
 * and read back, and no value can be mistaken for an option.
 */
#include <stdlib.h>
#include <string.h>

#include "../../customer/settings.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[16 * SETTINGS_TEXT];
	struct settings s, again;
	char err[256];
	int n;

	settings_init(&s);
	if (settings_parse(&s, "fuzz", (const char *)data, size, err,
	    sizeof err) == -1) {
		if (memchr(err, '\0', sizeof err) == NULL)
			abort();
		return 0;
	}
	settings_finish(&s);
	if (s.relay[0] == '-' || s.relay_user[0] == '-' ||
	    s.known_hosts[0] != '/')
		abort();
	n = settings_format(&s, text, sizeof text);
	settings_init(&again);
	if (n == -1 || settings_parse(&again, "again", text, (size_t)n, err,
	    sizeof err) == -1 || strcmp(s.relay, again.relay) != 0 ||
	    strcmp(s.prefix, again.prefix) != 0 ||
	    strcmp(s.api_url, again.api_url) != 0 ||
	    s.ping_ms != again.ping_ms)
		abort();
	return 0;
}
