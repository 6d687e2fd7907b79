/*
 * api_upload.h - what the handlers of uploads share.
 */
#ifndef API_UPLOAD_H
#define API_UPLOAD_H

#include "api.h"
#include "upload.h"

#define UPLOAD_NAME_MAX	255	/* octets of what its sender calls it */

/* What is on record of one, in memory of our own. */
struct upload_slot {
	char		id[UPLOAD_ID_LEN + 1];
	char		sha256[STORE_HEX_LEN + 1];	/* or "" */
	char		name[UPLOAD_NAME_MAX + 1];
	bool		complete, has_owner;
	int64_t		size, expires_at;
	unsigned char	owner[STORE_KEY_LEN];
};

/* For store_upload_get(): fills the struct upload_slot ARG. */
void	upload_slot_cb(void *arg, const struct store_upload *up);

/* The record of one in JSON. */
struct cJSON *upload_record(struct api *api, const struct store_upload *up);

/* The same for store_upload_get(). */
struct upload_one {
	struct api	*api;
	struct cJSON	*object;
};

void	upload_one_cb(void *arg, const struct store_upload *up);

/* Answer for a result that nobody has a better word for. */
void	upload_fail(struct request *rq, enum store_result r);

/* Find the upload that RQ names and may have; else it is answered. */
bool	upload_find(struct request *rq, struct upload_slot *sl);

#endif
