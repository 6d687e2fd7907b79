/*
 * ring.h - the stream that all viewers of a session share.
 *
 * One bounded ring of items with a cursor for each viewer, so that memory does
 * not grow with viewers.  Writing never waits: the oldest items fall out, and
 * a cursor that stood on one of them is lost.  Screens are kept beside the ring
 * as counted blobs and count against its size.  Knows nothing of peers.
 */
#ifndef RING_H
#define RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_SIZE	(256u << 10)

/* Octets shared by the viewers that have not got them yet. */
struct blob {
	unsigned int	 refs;
	uint16_t	 cols, rows;	/* of a screen; 0 for history */
	bool		 gap;		/* something was skipped before it */
	size_t		 len, cap;
	char		*data;
};

struct blob	*blob_new(void);		/* one reference; NULL: memory */
int		 blob_add(struct blob *b, const void *data, size_t len);
struct blob	*blob_ref(struct blob *b);
void		 blob_unref(struct blob *b);	/* NULL is fine */
size_t		 blob_octets(void);		/* in all that there are */

enum ring_kind {
	RING_OUTPUT,		/* octets */
	RING_SIZED,		/* the pane is cols x rows now */
	RING_SCREEN		/* a blob */
};

struct ring_item {
	enum ring_kind	 kind;
	uint16_t	 cols, rows;
	struct blob	*blob;		/* the ring's reference */
	size_t		 len;		/* octets that ring_take() will give */
};

/* Where a viewer is: an item, and how much of its octets it has. */
struct ring_cursor {
	uint64_t	at;
	size_t		done;
};

struct ring {
	char		*data;		/* RING_SIZE octets, mapped when needed */
	uint64_t	 base;		/* position of the first octet of data */
	uint64_t	 tail, head;	/* oldest item; where the next one goes */
	uint64_t	 last;		/* the newest item, if tail < head */
	bool		 sealed;	/* a cursor stands at head: the newest
					 * item may not grow any more */
	uint64_t	 screen;	/* the newest RING_SCREEN, if has_screen */
	bool		 has_screen;
	size_t		 blobs;		/* octets in the blobs of screens */
	size_t		 touched;	/* octets of data that are resident */
};

void	ring_init(struct ring *r);
void	ring_release(struct ring *r);

/*
 * Append octets, a size, or a screen (a reference is taken).  Octets join the
 * newest item if that is an OUTPUT that nobody has got all of.  Returns 0, or -1
 * if there is no memory.
 */
int	ring_output(struct ring *r, const void *data, size_t len);
int	ring_size(struct ring *r, uint16_t cols, uint16_t rows);
int	ring_screen(struct ring *r, struct blob *b);

/* A cursor behind all that is there: it gets what follows. */
void	ring_join(struct ring *r, struct ring_cursor *c);

/* True if the cursor fell out: what it stood on is gone. */
bool	ring_lost(const struct ring *r, const struct ring_cursor *c);

/* Move the cursor to the newest screen in the ring.  False: there is none. */
bool	ring_skip(const struct ring *r, struct ring_cursor *c);

/*
 * Look at the item at the cursor: its kind, and in len how many octets of an
 * OUTPUT are left.  False: nothing yet (or the cursor is lost).
 */
bool	ring_peek(const struct ring *r, const struct ring_cursor *c,
	    struct ring_item *it);

/* Move the cursor over the item, whatever of it is left. */
void	ring_pass(struct ring *r, struct ring_cursor *c);

/*
 * Take of an OUTPUT: up to CAP octets are copied to BUF and the cursor moves
 * over them.  Returns their number.
 */
size_t	ring_take(struct ring *r, struct ring_cursor *c, char *buf,
	    size_t cap);

/* Forget what lies before every cursor; LOWEST is the least of them. */
void	ring_trim(struct ring *r, uint64_t lowest);

/* Give the memory of an empty ring back to the system. */
void	ring_idle(struct ring *r);

#endif
