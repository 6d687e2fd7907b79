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
#include "upload.h"

#define REQUEST_QUERY_MAX	8
#define REQUEST_VALUE_MAX	256	/* octets of a query value, decoded */
#define REQUEST_ALLOW_MAX	64
#define REQUEST_NAME_MAX	128	/* octets of <name> in a path */

#define REQUEST_HEADERS_MAX	4	/* of an answer, besides the usual */

struct api;
struct cJSON;
struct json_body;
struct json_field;
struct route;

struct request_query {
	char	name[16];
	char	value[REQUEST_VALUE_MAX + 1];
};

struct request_header {
	const char	*name;
	char		 value[120];
};

/*
 * Where the body of a ROUTE_DATA request goes as it comes.  take() says how
 * much it took; less than LEN holds the sender up until request_resume().
 * end() is called once, when the body is WHOLE or its connection broke; then
 * the request is no more, else it waits for its answer.  An answer before the
 * end ends it too, with neither called.
 */
struct request_sink {
	size_t	(*take)(struct request *rq, const void *data, size_t len);
	void	(*end)(struct request *rq, bool whole);
};

struct request {
	struct api		*api;
	const struct route	*route;
	unsigned int		 classes;	/* what the peer may reach */
	char			 source[THROTTLE_SOURCE_MAX + 1]; /* who asks,
						 * see throttle.h; "": unknown */
	char			 sid[SID_MAX + 1];	/* <id> in the path */
	char			 token[TOKEN_LEN + 1]; /* <token> in it */
	char			 upload[UPLOAD_ID_LEN + 1]; /* <upload> in it */
	char			 name[REQUEST_NAME_MAX + 1]; /* <name> in it */
	struct request_query	 query[REQUEST_QUERY_MAX];
	unsigned int		 nquery;
	char			*body;		/* not NUL-terminated */
	size_t			 body_len;
	/* Fields of the head, or NULL; and how long the body will be. */
	const char		*authorization, *content_range, *encoding;
	const char		*range;
	uint64_t		 length;
	/* ROUTE_DATA: the handler sets these, or answers. */
	const struct request_sink *sink;
	void			*sink_arg;

	/* The answer. */
	bool			 answered;
	unsigned int		 status;
	char			*reply;		/* ours until the engine takes it */
	uint64_t		 reply_len;
	const char		*type;		/* Content-Type */
	char			 allow[REQUEST_ALLOW_MAX]; /* "" for none */
	unsigned int		 retry_after;	/* seconds; 0: none */
	struct request_header	 header[REQUEST_HEADERS_MAX];
	unsigned int		 nheader;
	int			 file;		/* reply_len octets of it from
						 * file_at on, if .reply is
						 * NULL and .has_file */
	bool			 has_file;
	uint64_t		 file_at;
	bool			 close;		/* the connection, after it */

	/* Called when it is answered; the engine's. */
	void			(*answered_cb)(struct request *rq);
	void			(*resume_cb)(struct request *rq);
};

/* The sink has room again. */
void	request_resume(struct request *rq);

/* Add a field to the answer to be; VALUE is copied, and cut. */
void	request_header(struct request *rq, const char *name,
	    const char *value);

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

/* The same, of another type. */
void	request_text_of(struct request *rq, const char *type, char *text,
	    size_t len);

/*
 * Answer with FD, which is taken over: a regular file of SIZE octets, or what
 * the request's Range asks for of it (206, or 416).
 */
void	request_file(struct request *rq, int fd, uint64_t size,
	    const char *type);

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
