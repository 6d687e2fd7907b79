/*
 * relayconf_fuzz.c - the relay's settings file.
 */
#include <string.h>

#include "../../relay/relayconf.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct relayconf c;
	char err[256] = "";

	if (relayconf_parse(&c, "file", (const char *)data, size, err,
	    sizeof err) == -1) {
		/* One printable line; it quotes nothing. */
		must(err[0] != '\0' && strpbrk(err, "\n\r\x1b") == NULL);
		return 0;
	}
	must(c.db[0] == '/' && c.run_dir[0] == '/' && c.user[0] != '-');
	must(c.port_first >= 1 && c.port_last <= 65535);
	must(c.port_last - c.port_first + 1 >= c.ports_per_session);
	must(c.ports_per_session >= 1 &&
	    c.ports_per_session <= RELAYCONF_PORTS_MAX);
	must(c.grace_ms > 0 && c.sweep_ms > 0 && c.cert_ttl_ms >= 1000);
	relayconf_clear(&c);
	return 0;
}
