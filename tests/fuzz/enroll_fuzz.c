/*
 * enroll_fuzz.c - secrets that come through PAM: what is taken out of one was
 * in it, in the right form.
 */
#include <string.h>

#include "../../relay/enrollment.h"
#include "../../relay/token.h"
#include "fuzz.h"
#include "sid.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct enroll_secret s;

	(void)enroll_is_connection((const char *)data, size);
	if (enroll_parse((const char *)data, size, &s) == -1)
		return 0;
	must(s.token != NULL || s.session_id != NULL || s.resume != NULL);
	must(s.token == NULL || token_is_valid(s.token, strlen(s.token)));
	must(s.session_id == NULL ||
	    sid_is_valid(s.session_id, strlen(s.session_id)));
	must(s.resume == NULL || strlen(s.resume) == 64);
	must(s.key == NULL || strlen(s.key) == 64);
	return 0;
}
