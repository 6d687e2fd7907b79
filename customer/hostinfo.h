/*
 * hostinfo.h - what this machine tells the relay of itself.
 */
#ifndef HOSTINFO_H
#define HOSTINFO_H

#include <stddef.h>

#include "context.h"
#include "sessiondir.h"
#include "settings.h"

/*
 * This machine's full name, if the resolver knows one, into OUT.  May wait for
 * DNS.
 */
void	hostinfo_name(char out[CONTEXT_HOST_MAX + 1]);

/*
 * Fill C for the session of SD: the name kept in FILE_HOST, the addresses, nets
 * and DNS servers of this moment, the effective user.  Does not wait.
 */
void	hostinfo_fill(struct context *c, const struct sessiondir *sd,
	    const struct settings *s);

/*
 * Write the ssh configuration whose RemoteCommand is C's context line into OUT
 * (CAP octets).  Returns the length, or -1 if it does not fit or C is not good.
 */
int	hostinfo_ssh_config(const struct context *c, char *out, size_t cap);

#endif
