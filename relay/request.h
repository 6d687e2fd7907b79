/*
 * request.h - one request to the API and its answer, as handlers see them.
 *
 * A handler answers exactly once, by one of the request_*() answers below,
 * either before it returns or later; until then the request stays where it is.
 * Nothing here knows how requests arrive.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sid.h"
#include "throttle.h"
#include "token.h"

#define REQUEST_QUERY_MAX	8
#define REQUEST_VALUE_MAX	256	/* octets of a query value, decoded */
#define REQUEST_ALLOW_MAX	64

struct api;
struct cJSON;
struct json_body;
struct json_field;
struct route;

struct request_query {
	char	name[16];
	char	value[REQUEST_VALUE_MAX + 1];
};

struct request {
	struct api		*api;
	const struct route	*route;
	unsigned int		 classes;	/* what the peer may reach */
	char			 source[THROTTLE_SOURCE_MAX + 1]; /* who asks,
						 * see throttle.h; "": unknown */
	char			 sid[SID_MAX + 1];	/* <id> in the path */
	char			 token[TOKEN_LEN + 1]; /* <token> in it */
	struct request_query	 query[REQUEST_QUERY_MAX];
	unsigned int		 nquery;
	char			*body;		/* not NUL-terminated */
	size_t			 body_len;

	/* The answer. */
	bool			 answered;
	unsigned int		 status;
	char			*reply;		/* ours until the engine takes it */
	size_t			 reply_len;
	const char		*type;		/* Content-Type */
	char			 allow[REQUEST_ALLOW_MAX]; /* "" for none */
	unsigned int		 retry_after;	/* seconds; 0: none */
	bool			 close;		/* the connection, after it */

	/* Called when it is answered; the engine's. */
	void			(*answered_cb)(struct request *rq);
};

/* The value of a query parameter, or NULL. */
const char *request_query(const struct request *rq, const char *name);

/*
 * Take S, what stood behind the "?" of a target, apart:
 * name=value pairs with `&` between, percent-decoded, of plain text, each once,
 * and only those that ALLOWED names (separated by spaces).  Returns false with
 * the request answered if they are anything else.
 */
bool	request_take_query(struct request *rq, const char *s,
	    const char *allowed);

/*
 * Read the body as json_read() does.  Returns false with the request answered
 * if it is not what FIELDS say.
 */
bool	request_take_body(struct request *rq, struct json_body *body,
	    const struct json_field *fields, size_t count);

/* Answer with an object, which is freed; NULL stands for no memory. */
void	request_json(struct request *rq, unsigned int status,
	    struct cJSON *object);

/* Answer with text/plain, which is taken over. */
void	request_text(struct request *rq, char *text, size_t len);

/* Answer 204. */
void	request_nothing(struct request *rq);

/* Answer with the error form: {"error":{"code":…,"message":…}}. */
void	request_fail(struct request *rq, unsigned int status, const char *fmt,
	    ...) __attribute__((format(printf, 3, 4)));

/* The same, 401, in the one wording for every secret that is no good. */
void	request_unauthorized(struct request *rq);

/* Free what it holds. */
void	request_clear(struct request *rq);

#endif
