/*
 * poke.h - words from the join session's key bindings and hooks to the programs
 * in its windows: short lines through a FIFO, which a shell can write.
 */
#ifndef POKE_H
#define POKE_H

struct event_base;
struct poke;

#define POKE_MAX	64	/* octets of a line */

/*
 * Make the FIFO PATH (0600; one that is there is used) and call CB with each
 * line written to it, without its LF.  NULL with errno.
 */
struct poke	*poke_new(struct event_base *base, const char *path,
		    void (*cb)(void *arg, const char *line), void *arg);

/* Removes the FIFO, too. */
void		 poke_free(struct poke *poke);

#endif
