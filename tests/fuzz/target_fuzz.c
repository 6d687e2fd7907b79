/*
 * target_fuzz.c - request targets: paths and queries, as the API routes them.
 */
#include <stdlib.h>
#include <string.h>

#include "../../relay/json.h"
#include "../../relay/route.h"
#include "../unit/handlers.h"
#include "fuzz.h"

static void
check(const struct request *rq)
{
	unsigned int i;

	must((rq->route->class & rq->classes) != 0);
	must(rq->sid[0] == '\0' || sid_is_valid(rq->sid, strlen(rq->sid)));
	must((strstr(rq->route->path, "<id>") != NULL) == (rq->sid[0] != '\0'));
	must((strstr(rq->route->path, "<upload>") != NULL) ==
	    (rq->upload[0] != '\0'));
	must((strstr(rq->route->path, "<token>") != NULL) ==
	    (rq->token[0] != '\0'));
	for (i = 0; i < rq->nquery; i++) {
		must(strstr(rq->route->query, rq->query[i].name) != NULL);
		must(json_is_plain(rq->query[i].value,
		    strlen(rq->query[i].value)));
	}
}

/* The first octet chooses method and classes, the rest is the target. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const methods[] = { "GET", "POST", "PATCH",
	    "DELETE", "HEAD", "x", "", "PUT" };
	struct request rq;
	char *target;

	if (size == 0)
		return 0;
	target = malloc(size);
	must(target != NULL);
	memcpy(target, data + 1, size - 1);
	target[size - 1] = '\0';
	memset(&rq, 0, sizeof rq);
	rq.classes = data[0] >> 3 & 7;
	if (route_find(&rq, methods[data[0] & 7], target)) {
		must(!rq.answered);
		check(&rq);
	} else
		must(rq.answered && rq.status >= 400 && rq.status <= 405);
	request_clear(&rq);
	free(target);
	return 0;
}
