/*
 * httpd.c - see httpd.h: sockets, connections, the loop.  What is said on a
 * connection is in exchange.c.  The only files that know libmicrohttpd are
 * these two and framing.c.
 */
#include "httpd.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "forwarded.h"
#include "httpd_impl.h"
#include "listen.h"
#include "log.h"
#include "route.h"
#include "unix.h"

#define HEAD_MEMORY	(16u << 10)	/* a connection's buffer, head included */

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

void
httpd_deadline(struct conn *c, uint64_t ms)
{
	struct timeval tv = { (time_t)(ms / 1000),
	    (suseconds_t)(ms % 1000 * 1000) };

	(void)evtimer_add(c->deadline, &tv);
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
	httpd_deadline(c, l->h->conf.head_ms);
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
	    MHD_USE_ERROR_LOG, 0, NULL, NULL, exchange_access, l,
	    MHD_OPTION_EXTERNAL_LOGGER, mhd_log, NULL,
	    MHD_OPTION_LISTEN_SOCKET, l->fd,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned int)c->connections,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_MEMORY,
	    MHD_OPTION_STRICT_FOR_CLIENT, 0,
	    MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
	    MHD_OPTION_URI_LOG_CALLBACK, exchange_begin, l,
	    MHD_OPTION_NOTIFY_COMPLETED, exchange_over, l,
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
httpd_set_deadlines(struct httpd *h, uint32_t head_ms, uint32_t reply_ms,
    uint32_t body_rate)
{
	h->conf.head_ms = head_ms;
	h->conf.reply_ms = reply_ms;
	h->conf.body_rate = body_rate;
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
