/*
 * httpd.h - HTTP/1.1 on the sockets of relay-api: libmicrohttpd in a libevent
 * loop.
 *
 * It finds the bounds of requests, refuses what could be read in two ways,
 * keeps deadlines, and hands over requests with their whole body.  It knows no
 * endpoint but through route_find().
 */
#ifndef HTTPD_H
#define HTTPD_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

struct api;
struct event_base;
struct httpd;

struct httpd_conf {
	struct event_base	*base;
	struct api		*api;		/* for the handlers */
	uid_t			 trusted_uid;	/* besides root and our own, who
						 * may use the unix sockets */
	uid_t			 enroll_uid;	/* who may enrol there, and no
						 * more */
	const char		*proxies;	/* addresses, separated by
						 * spaces; stays the caller's */
	uint32_t		 head_ms, reply_ms; /* deadlines */
	uint32_t		 body_rate;	/* octets a second, at least */
	uint32_t		 connections;	/* a socket */
};

/* CONF is copied.  Returns NULL with errno. */
struct httpd	*httpd_new(const struct httpd_conf *conf);

/* From now on these deadlines. */
void		 httpd_set_deadlines(struct httpd *h, uint32_t head_ms,
		    uint32_t reply_ms, uint32_t body_rate);

/* Listen as listen_at() does.  Returns 0, or -1 with one line in ERR. */
int		 httpd_listen(struct httpd *h, const char *address,
		    char *bound, size_t cap, char *err, size_t errcap);

/*
 * Take no more connections; DONE is called, once, from the loop or from here,
 * when no request is left.
 */
void		 httpd_drain(struct httpd *h, void (*done)(void *), void *arg);

/* Close everything.  No request may be waiting for its answer. */
void		 httpd_free(struct httpd *h);

#endif
