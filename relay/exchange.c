/*
 * exchange.c - one request and its answer: head, body, handler, answer.
 *
 * A body is held in memory (JSON, bounded) or passed on as it comes (to the
 * request's sink).  Nothing here knows what a request asks for.
 */
#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "forwarded.h"
#include "framing.h"
#include "httpd_impl.h"
#include "json.h"
#include "request.h"
#include "route.h"

#define FILE_BLOCK	65536u	/* octets of a file at a time */

/* LEFT: answered before its body was over; what still comes is dropped. */
enum stage { HEAD, BODY, ANSWER, LEFT };

/* A request and where it came from. */
struct exchange {
	struct request		 rq;	/* first: answered() casts */
	struct conn		*conn;
	struct MHD_Connection	*mc;
	char			*target;
	enum stage		 stage;
	bool			 suspended;
	uint64_t		 window;	/* that came since the deadline was
						 * set */
};

/* Refuse it and the connection. */
static void
refuse(struct exchange *ex, unsigned int status, const char *why)
{
	ex->rq.close = true;
	request_fail(&ex->rq, status, "%s", why);
}

/* ---- the answer ---- */

static void
add_header(struct MHD_Response *r, const char *name, const char *value)
{
	(void)MHD_add_response_header(r, name, value);
}

/* A file that is being sent. */
struct sending {
	struct conn	*conn;
	int		 fd;
	uint64_t	 at;	/* where the answer begins in it */
};

/* MHD wants the next octets: the peer has taken those before. */
static ssize_t
read_file_cb(void *arg, uint64_t pos, char *buf, size_t max)
{
	struct sending *sd = arg;
	ssize_t n;

	httpd_deadline(sd->conn, sd->conn->h->conf.reply_ms);
	do
		n = pread(sd->fd, buf, max, (off_t)(sd->at + pos));
	while (n == -1 && errno == EINTR);
	return n > 0 ? n : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void
sending_free_cb(void *arg)
{
	struct sending *sd = arg;

	close(sd->fd);
	free(sd);
}

static struct MHD_Response *
file_response(struct exchange *ex)
{
	struct MHD_Response *r;
	struct sending *sd;

	sd = malloc(sizeof *sd);
	if (sd == NULL)
		return NULL;
	*sd = (struct sending){ ex->conn, ex->rq.file, ex->rq.file_at };
	r = MHD_create_response_from_callback(ex->rq.reply_len, FILE_BLOCK,
	    read_file_cb, sd, sending_free_cb);
	if (r == NULL)
		free(sd);
	else
		ex->rq.has_file = false;
	return r;
}

static struct MHD_Response *
response(struct exchange *ex)
{
	static char nothing[1];
	struct request *rq = &ex->rq;
	struct MHD_Response *r;

	if (rq->has_file)
		return file_response(ex);
	r = MHD_create_response_from_buffer((size_t)rq->reply_len,
	    rq->reply != NULL ? rq->reply : nothing, rq->reply != NULL ?
	    MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
	if (r != NULL)
		rq->reply = NULL;
	return r;
}

static enum MHD_Result
send_answer(struct exchange *ex)
{
	struct request *rq = &ex->rq;
	struct MHD_Response *r = response(ex);
	enum MHD_Result rv;
	char secs[16];
	unsigned int i;

	if (r == NULL)
		return MHD_NO;
	if (rq->type != NULL)
		add_header(r, "Content-Type", rq->type);
	add_header(r, "Cache-Control", "no-store");
	if (rq->allow[0] != '\0')
		add_header(r, "Allow", rq->allow);
	if (rq->retry_after > 0) {
		(void)snprintf(secs, sizeof secs, "%u", rq->retry_after);
		add_header(r, "Retry-After", secs);
	}
	for (i = 0; i < rq->nheader; i++)
		add_header(r, rq->header[i].name, rq->header[i].value);
	if (rq->close || ex->conn->h->drained != NULL)
		add_header(r, "Connection", "close");
	httpd_deadline(ex->conn, ex->conn->h->conf.reply_ms);
	rv = MHD_queue_response(ex->mc, rq->status, r);
	MHD_destroy_response(r);
	return rv;
}

/*
 * Answer before the body is over, which MHD cannot: on the socket itself, on
 * which nothing of an answer is yet.  What still comes is read and dropped for
 * a while, as a reset would take the answer from the peer.
 */
static void
answer_early(struct exchange *ex)
{
	struct request *rq = &ex->rq;
	char text[1024];
	int n;

	n = snprintf(text, sizeof text, "HTTP/1.1 %u Refused\r\n"
	    "Content-Type: application/json\r\nContent-Length: %llu\r\n"
	    "Connection: close\r\n\r\n%.*s", rq->status,
	    (unsigned long long)rq->reply_len, (int)rq->reply_len, rq->reply);
	if (n > 0 && (size_t)n < sizeof text)
		(void)send(ex->conn->fd, text, (size_t)n, MSG_NOSIGNAL);
	ex->stage = LEFT;
	rq->sink = NULL;
	httpd_deadline(ex->conn, ex->conn->h->conf.head_ms);
}

/* ---- hold up, go on ---- */

static void
suspend(struct exchange *ex)
{
	(void)evtimer_del(ex->conn->deadline);
	ex->suspended = true;
	MHD_suspend_connection(ex->mc);
}

static void
resume(struct exchange *ex)
{
	if (!ex->suspended)
		return;
	ex->suspended = false;
	MHD_resume_connection(ex->mc);
	/* Resuming alone does not make the epoll descriptor ready. */
	event_active(ex->conn->l->timer, EV_TIMEOUT, 0);
}

/*
 * So much of the body must come until the next look: what the rate asks for,
 * or what there is left.
 */
static void
begin_window(struct exchange *ex)
{
	ex->window = 0;
	httpd_deadline(ex->conn, ex->conn->h->conf.head_ms);
}

static void
count_window(struct exchange *ex, size_t n)
{
	const struct httpd_conf *c = &ex->conn->h->conf;

	ex->window += n;
	if (ex->window >= (uint64_t)c->body_rate * c->head_ms / 1000)
		begin_window(ex);
}

/* A handler answered later. */
static void
answered(struct request *rq)
{
	struct exchange *ex = (struct exchange *)(void *)rq;

	if (ex->stage == BODY && rq->sink != NULL)
		answer_early(ex);
	resume(ex);
}

static void
sink_ready(struct request *rq)
{
	struct exchange *ex = (struct exchange *)(void *)rq;

	if (ex->stage != BODY || !ex->suspended)
		return;
	begin_window(ex);
	resume(ex);
}

/* ---- head and body ---- */

/* May a request with this head have such a body? */
static void
judge_body(struct exchange *ex, const struct framing *f)
{
	struct request *rq = &ex->rq;
	unsigned int flags = rq->route->flags;

	if ((flags & (ROUTE_BODY | ROUTE_DATA)) == 0 && f->length > 0)
		request_fail(rq, 400, "this endpoint takes no body");
	else if ((flags & ROUTE_BODY) != 0 && !f->json)
		request_fail(rq, 415, "the body must be application/json");
	else if ((flags & (ROUTE_BODY | ROUTE_DATA)) != 0 &&
	    f->encoding != NULL)
		request_fail(rq, 415, "Content-Encoding is not taken here");
}

/*
 * The head is here.  What is wrong with its framing is answered at once; what
 * else is wrong, after the body, so that the connection can go on.
 */
static void
take_head(struct exchange *ex, const char *method, const char *version)
{
	struct request *rq = &ex->rq;
	struct framing f;
	bool data;

	if (ex->conn->classes == 0) {
		refuse(ex, 403, "this socket is for the relay's own programs");
		return;
	}
	if (!framing_take(ex->mc, method, ex->target, version, &f)) {
		refuse(ex, f.status, f.why);
		return;
	}
	/* What a web server passes on is a customer's. */
	if (f.forwarded != NULL)
		rq->classes &= ROUTE_PUBLIC;
	if (f.forwarded != NULL && ex->conn->proxied &&
	    !forwarded_source(f.forwarded, rq->source)) {
		refuse(ex, 400, "X-Forwarded-For: expected an address");
		return;
	}
	rq->length = f.length;
	rq->authorization = f.authorization;
	rq->content_range = f.content_range;
	rq->range = f.range;
	if (route_find(rq, method, ex->target))
		judge_body(ex, &f);
	data = rq->route != NULL && (rq->route->flags & ROUTE_DATA) != 0;
	if (data && !rq->answered)
		rq->route->handler(rq);
	if (data && rq->sink == NULL)
		rq->close = f.length > 0;
	if (!data && f.length > JSON_BODY_MAX)
		refuse(ex, 413, "the body is too large");
	if (!rq->answered && !data && f.length > 0) {
		rq->body = malloc((size_t)f.length);
		if (rq->body == NULL)
			refuse(ex, 503, "out of memory");
	}
}

/* Octets of the body.  What MHD is to keep of them is left in *LEN. */
static void
take_body(struct exchange *ex, const char *data, size_t *len)
{
	struct request *rq = &ex->rq;
	size_t n = *len;

	if (ex->stage == BODY && rq->sink != NULL)
		n = rq->sink->take(rq, data, n);
	else if (rq->body != NULL && n <= rq->length - rq->body_len) {
		memcpy(rq->body + rq->body_len, data, n);
		rq->body_len += n;
	}
	*len -= n;
	if (ex->stage == BODY)
		count_window(ex, n);
	if (ex->stage == BODY && *len > 0)
		suspend(ex);
}

/* The whole request is here. */
static enum MHD_Result
handle(struct exchange *ex)
{
	struct request *rq = &ex->rq;

	(void)evtimer_del(ex->conn->deadline);
	ex->stage = ANSWER;
	if (rq->sink != NULL)
		rq->sink->end(rq, true);
	else if (!rq->answered)
		rq->route->handler(rq);
	if (rq->answered)
		return send_answer(ex);
	suspend(ex);
	return MHD_YES;
}

/* ---- what MHD calls ---- */

void *
exchange_begin(void *arg, const char *target, struct MHD_Connection *mc)
{
	const union MHD_ConnectionInfo *info;
	struct exchange *ex;

	(void)arg;
	info = MHD_get_connection_info(mc, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	if (info == NULL || info->socket_context == NULL)
		return NULL;
	ex = calloc(1, sizeof *ex);
	if (ex == NULL)
		return NULL;
	ex->target = strdup(target);
	if (ex->target == NULL) {
		free(ex);
		return NULL;
	}
	ex->conn = info->socket_context;
	ex->mc = mc;
	ex->rq.api = ex->conn->h->conf.api;
	ex->rq.classes = ex->conn->classes;
	ex->rq.answered_cb = answered;
	ex->rq.resume_cb = sink_ready;
	ex->conn->h->requests++;
	return ex;
}

void
exchange_over(void *arg, struct MHD_Connection *mc, void **state,
    enum MHD_RequestTerminationCode why)
{
	struct exchange *ex = *state;
	struct httpd *h;

	(void)arg;
	(void)mc;
	(void)why;
	if (ex == NULL)
		return;
	h = ex->conn->h;
	if (ex->stage == BODY && ex->rq.sink != NULL)
		ex->rq.sink->end(&ex->rq, false);
	httpd_deadline(ex->conn, h->conf.head_ms);	/* for the next one */
	request_clear(&ex->rq);
	free(ex->target);
	free(ex);
	*state = NULL;
	if (--h->requests == 0 && h->drained != NULL)
		h->drained(h->drained_arg);
}

/* MHD's one callback: head, pieces of the body, its end; and after a resume. */
enum MHD_Result
exchange_access(void *arg, struct MHD_Connection *mc, const char *path,
    const char *method, const char *version, const char *data, size_t *len,
    void **state)
{
	struct exchange *ex = *state;
	struct request *rq;

	(void)arg;
	(void)mc;
	(void)path;
	if (ex == NULL)
		return MHD_NO;
	rq = &ex->rq;
	if (ex->stage == HEAD) {
		take_head(ex, method, version);
		ex->stage = BODY;
		begin_window(ex);
		return rq->answered && rq->close ? send_answer(ex) : MHD_YES;
	}
	if (*len > 0) {
		take_body(ex, data, len);
		return MHD_YES;
	}
	if (ex->stage == LEFT)
		return MHD_NO;
	return ex->stage == BODY ? handle(ex) : send_answer(ex);
}
