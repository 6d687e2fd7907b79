/*
 * httpd.c - see httpd.h.  The only files that know libmicrohttpd are this one
 * and framing.c.
 */
#include "httpd.h"

#include <sys/queue.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <event2/event.h>
#include <microhttpd.h>

#include "forwarded.h"
#include "framing.h"
#include "json.h"
#include "listen.h"
#include "log.h"
#include "request.h"
#include "route.h"
#include "unix.h"

#define HEAD_MEMORY	(16u << 10)	/* a connection's buffer, head included */

struct listener {
	SLIST_ENTRY(listener)	 entry;
	struct httpd		*h;
	struct MHD_Daemon	*mhd;
	struct event		*ready, *timer;
	int			 fd;		/* -1 once it is closed */
	char			*path;		/* of a unix socket, else NULL */
};

struct httpd {
	struct httpd_conf		 conf;
	SLIST_HEAD(, listener)		 listeners;
	unsigned int			 requests;	/* that are under way */
	void				 (*drained)(void *);
	void				*drained_arg;
};

struct conn {
	struct httpd	*h;
	struct listener	*l;
	int		 fd;		/* MHD's */
	struct event	*deadline;
	unsigned int	 classes;
	bool		 proxied;	/* the peer speaks for others */
};

enum stage { HEAD, BODY, ANSWER };

/* A request and where it came from. */
struct exchange {
	struct request		 rq;	/* first: answered() casts */
	struct conn		*conn;
	struct MHD_Connection	*mc;
	char			*target;
	enum stage		 stage;
	bool			 suspended;
	size_t			 expected;	/* octets of body */
};

/* ---- deadlines ---- */

static void
deadline_cb(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	/* MHD finds its end and cleans up. */
	(void)shutdown(c->fd, SHUT_RDWR);
}

static void
deadline(struct conn *c, uint64_t ms)
{
	struct timeval tv = { (time_t)(ms / 1000),
	    (suseconds_t)(ms % 1000 * 1000) };

	(void)evtimer_add(c->deadline, &tv);
}

/* Refuse it and the connection. */
static void
refuse(struct exchange *ex, unsigned int status, const char *why)
{
	ex->rq.close = true;
	request_fail(&ex->rq, status, "%s", why);
}

static enum MHD_Result
forwarded_cb(void *arg, enum MHD_ValueKind kind, const char *name,
    const char *value)
{
	(void)kind;
	if (strcasecmp(name, "X-Forwarded-For") == 0)
		*(const char **)arg = value != NULL ? value : "";
	return MHD_YES;
}

/* Who asks, as far as a proxy tells. */
static bool
take_source(struct exchange *ex)
{
	const char *field = NULL;

	if (!ex->conn->proxied)
		return true;
	(void)MHD_get_connection_values(ex->mc, MHD_HEADER_KIND, forwarded_cb,
	    &field);
	return field == NULL || forwarded_source(field, ex->rq.source);
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

	if (ex->conn->classes == 0) {
		refuse(ex, 403, "this socket is for the relay's own programs");
		return;
	}
	if (!framing_take(ex->mc, method, ex->target, version, JSON_BODY_MAX,
	    &f)) {
		refuse(ex, f.status, f.why);
		return;
	}
	ex->expected = f.length;
	if (!take_source(ex)) {
		refuse(ex, 400, "X-Forwarded-For: expected an address");
		return;
	}
	if (route_find(rq, method, ex->target)) {
		if ((rq->route->flags & ROUTE_BODY) == 0 && f.length > 0)
			request_fail(rq, 400, "this endpoint takes no body");
		else if ((rq->route->flags & ROUTE_BODY) != 0 && !f.json)
			request_fail(rq, 415,
			    "the body must be application/json");
	}
	if (!rq->answered && f.length > 0) {
		rq->body = malloc(f.length);
		if (rq->body == NULL)
			refuse(ex, 503, "out of memory");
	}
}

/* ---- an exchange ---- */

/* A handler answered later. */
static void
answered(struct request *rq)
{
	struct exchange *ex = (struct exchange *)(void *)rq;

	if (ex->suspended) {
		ex->suspended = false;
		MHD_resume_connection(ex->mc);
		/* Resuming alone does not make the epoll descriptor ready. */
		event_active(ex->conn->l->timer, EV_TIMEOUT, 0);
	}
}

static void *
request_begun(void *arg, const char *target, struct MHD_Connection *mc)
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
	ex->conn->h->requests++;
	return ex;
}

static void
request_over(void *arg, struct MHD_Connection *mc, void **state,
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
	deadline(ex->conn, h->conf.head_ms);	/* for the next one */
	request_clear(&ex->rq);
	free(ex->target);
	free(ex);
	*state = NULL;
	if (--h->requests == 0 && h->drained != NULL)
		h->drained(h->drained_arg);
}

static void
add_header(struct MHD_Response *r, const char *name, const char *value)
{
	(void)MHD_add_response_header(r, name, value);
}

static enum MHD_Result
send_answer(struct exchange *ex)
{
	static char nothing[1];
	struct request *rq = &ex->rq;
	struct MHD_Response *r;
	enum MHD_Result rv;
	char secs[16];

	r = MHD_create_response_from_buffer(rq->reply_len,
	    rq->reply != NULL ? rq->reply : nothing, rq->reply != NULL ?
	    MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
	if (r == NULL)
		return MHD_NO;
	rq->reply = NULL;
	if (rq->type != NULL)
		add_header(r, "Content-Type", rq->type);
	add_header(r, "Cache-Control", "no-store");
	if (rq->allow[0] != '\0')
		add_header(r, "Allow", rq->allow);
	if (rq->retry_after > 0) {
		(void)snprintf(secs, sizeof secs, "%u", rq->retry_after);
		add_header(r, "Retry-After", secs);
	}
	if (rq->close || ex->conn->h->drained != NULL)
		add_header(r, "Connection", "close");
	deadline(ex->conn, ex->conn->h->conf.reply_ms);
	rv = MHD_queue_response(ex->mc, rq->status, r);
	MHD_destroy_response(r);
	return rv;
}

/* The whole request is here. */
static enum MHD_Result
handle(struct exchange *ex)
{
	(void)evtimer_del(ex->conn->deadline);
	ex->stage = ANSWER;
	if (!ex->rq.answered)
		ex->rq.route->handler(&ex->rq);
	if (ex->rq.answered)
		return send_answer(ex);
	ex->suspended = true;
	MHD_suspend_connection(ex->mc);
	return MHD_YES;
}

/* MHD's one callback: head, pieces of the body, its end; and after a resume. */
static enum MHD_Result
access_cb(void *arg, struct MHD_Connection *mc, const char *path,
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
		ex->stage = BODY;
		take_head(ex, method, version);
		deadline(ex->conn, ex->conn->h->conf.head_ms +
		    ex->expected * 1000 / ex->conn->h->conf.body_rate);
		return rq->answered && rq->close ? send_answer(ex) : MHD_YES;
	}
	if (*len > 0) {
		if (rq->body != NULL && *len <= ex->expected - rq->body_len) {
			memcpy(rq->body + rq->body_len, data, *len);
			rq->body_len += *len;
		}
		*len = 0;
		return MHD_YES;
	}
	return ex->stage == BODY ? handle(ex) : send_answer(ex);
}

/* ---- connections ---- */

/* What the peer of a socket may reach. */
static unsigned int
peer_classes(const struct listener *l, int fd)
{
	uid_t uid;
	pid_t pid;

	if (l->path == NULL)
		return ROUTE_PUBLIC | ROUTE_SUPPORT;
	if (unix_peer(fd, &uid, &pid) == -1)
		return 0;
	if (uid == 0 || uid == geteuid() || uid == l->h->conf.trusted_uid)
		return ROUTE_PUBLIC | ROUTE_SUPPORT | ROUTE_INTERNAL |
		    ROUTE_ENROLL;
	return uid == l->h->conf.enroll_uid ? ROUTE_ENROLL : 0;
}

static struct conn *
conn_new(struct listener *l, int fd)
{
	struct conn *c;

	c = calloc(1, sizeof *c);
	if (c == NULL)
		return NULL;
	c->h = l->h;
	c->l = l;
	c->fd = fd;
	c->classes = peer_classes(l, fd);
	c->proxied = l->path == NULL &&
	    forwarded_by_proxy(fd, l->h->conf.proxies);
	c->deadline = evtimer_new(l->h->conf.base, deadline_cb, c);
	if (c->deadline == NULL) {
		free(c);
		return NULL;
	}
	deadline(c, l->h->conf.head_ms);
	return c;
}

static void
connection_cb(void *arg, struct MHD_Connection *mc, void **state,
    enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *info;
	struct conn *c = *state;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (c != NULL)
			event_free(c->deadline);
		free(c);
		*state = NULL;
		return;
	}
	info = MHD_get_connection_info(mc, MHD_CONNECTION_INFO_CONNECTION_FD);
	*state = conn_new(arg, info->connect_fd);
	if (*state == NULL)	/* no memory, so no deadline: not kept */
		(void)shutdown(info->connect_fd, SHUT_RDWR);
}

/* ---- listeners ---- */

static unsigned int
connections(struct listener *l)
{
	return MHD_get_daemon_info(l->mhd,
	    MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections;
}

/* Let MHD do what there is to do, and come back when it wants. */
static void
run_cb(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;
	struct timeval tv = { 0, 0 };
	MHD_UNSIGNED_LONG_LONG ms;
	bool full = connections(l) >= l->h->conf.connections;

	(void)fd;
	(void)what;
	(void)MHD_run(l->mhd);
	/* It looks whether it may accept again only when it is run. */
	if (full && connections(l) < l->h->conf.connections)
		(void)MHD_run(l->mhd);
	if (MHD_get_timeout(l->mhd, &ms) == MHD_YES) {
		tv.tv_sec = (time_t)(ms / 1000);
		tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
		(void)evtimer_add(l->timer, &tv);
	} else
		(void)evtimer_del(l->timer);
}

__attribute__((format(printf, 2, 0)))
static void
mhd_log(void *arg, const char *fmt, va_list ap)
{
	char line[256];

	(void)arg;
	(void)vsnprintf(line, sizeof line, fmt, ap);
	line[strcspn(line, "\n")] = '\0';
	log_debug("http: %s", line);
}

static int
daemon_start(struct listener *l)
{
	const struct httpd_conf *c = &l->h->conf;
	int fd;

	l->mhd = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME |
	    MHD_USE_ERROR_LOG, 0, NULL, NULL, access_cb, l,
	    MHD_OPTION_EXTERNAL_LOGGER, mhd_log, NULL,
	    MHD_OPTION_LISTEN_SOCKET, l->fd,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned int)c->connections,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_MEMORY,
	    MHD_OPTION_STRICT_FOR_CLIENT, 0,
	    MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
	    MHD_OPTION_URI_LOG_CALLBACK, request_begun, l,
	    MHD_OPTION_NOTIFY_COMPLETED, request_over, l,
	    MHD_OPTION_NOTIFY_CONNECTION, connection_cb, l,
	    MHD_OPTION_END);
	if (l->mhd == NULL)
		return -1;
	fd = MHD_get_daemon_info(l->mhd, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	l->ready = event_new(c->base, fd, EV_READ | EV_PERSIST, run_cb, l);
	l->timer = evtimer_new(c->base, run_cb, l);
	if (l->ready == NULL || l->timer == NULL)
		return -1;
	return event_add(l->ready, NULL);
}

static void
listener_free(struct listener *l)
{
	if (l->mhd != NULL)
		MHD_stop_daemon(l->mhd);
	if (l->mhd == NULL && l->fd != -1)
		close(l->fd);
	if (l->ready != NULL)
		event_free(l->ready);
	if (l->timer != NULL)
		event_free(l->timer);
	if (l->path != NULL)
		(void)unlink(l->path);
	free(l->path);
	free(l);
}

int
httpd_listen(struct httpd *h, const char *address, char *bound, size_t cap,
    char *err, size_t errcap)
{
	struct listener *l;

	l = calloc(1, sizeof *l);
	if (l == NULL) {
		(void)snprintf(err, errcap, "out of memory");
		return -1;
	}
	l->h = h;
	l->fd = listen_at(address, bound, cap, &l->path, err, errcap);
	if (l->fd == -1) {
		listener_free(l);
		return -1;
	}
	if (daemon_start(l) == -1) {
		(void)snprintf(err, errcap, "cannot start libmicrohttpd");
		listener_free(l);
		return -1;
	}
	SLIST_INSERT_HEAD(&h->listeners, l, entry);
	return 0;
}

struct httpd *
httpd_new(const struct httpd_conf *conf)
{
	struct httpd *h;

	h = calloc(1, sizeof *h);
	if (h == NULL)
		return NULL;
	h->conf = *conf;
	SLIST_INIT(&h->listeners);
	return h;
}

void
httpd_drain(struct httpd *h, void (*done)(void *), void *arg)
{
	struct listener *l;

	h->drained = done;
	h->drained_arg = arg;
	SLIST_FOREACH(l, &h->listeners, entry) {
		l->fd = MHD_quiesce_daemon(l->mhd);
		if (l->fd != -1)
			close(l->fd);
		l->fd = -1;
	}
	if (h->requests == 0)
		done(arg);
}

void
httpd_free(struct httpd *h)
{
	struct listener *l;

	h->drained = NULL;
	while ((l = SLIST_FIRST(&h->listeners)) != NULL) {
		SLIST_REMOVE_HEAD(&h->listeners, entry);
		listener_free(l);
	}
	free(h);
}
