/*
 * httpd_impl.h - what httpd.c and exchange.c share.
 */
#ifndef HTTPD_IMPL_H
#define HTTPD_IMPL_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <microhttpd.h>

#include "httpd.h"

struct event;

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

/* The connection is shut down unless another deadline is set within MS. */
void	httpd_deadline(struct conn *c, uint64_t ms);

/* libmicrohttpd's callbacks about requests. */
void	*exchange_begin(void *arg, const char *target,
	    struct MHD_Connection *mc);
void	 exchange_over(void *arg, struct MHD_Connection *mc, void **state,
	    enum MHD_RequestTerminationCode why);
enum MHD_Result exchange_access(void *arg, struct MHD_Connection *mc,
	    const char *path, const char *method, const char *version,
	    const char *data, size_t *len, void **state);

#endif
