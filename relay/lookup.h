/*
 * lookup.h - why a session has no broker: asked of its grant file, and of the
 * API about one whose customer has not come yet.
 */
#ifndef LOOKUP_H
#define LOOKUP_H

#include "relayconf.h"

enum lookup {
	LOOKUP_ACTIVE,		/* its customer is not connected right now */
	LOOKUP_PENDING,		/* its customer has not come yet */
	LOOKUP_ENDED,
	LOOKUP_NONE,		/* there is no such session */
	LOOKUP_UNSURE		/* the API does not say */
};

enum lookup lookup_session(const struct relayconf *conf, const char *sid);

#endif
