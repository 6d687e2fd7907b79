/*
 * recording.h - SID.cast: what the customer's shell showed, and who was there.
 *
 * Fed by the broker with everything that draws, and with markers for whoever
 * comes, goes, chats or decides.  It is no viewer: it takes all at once and
 * skips nothing; where octets are missing there is a marker that begins with
 * "gap", and then a whole screen.  What is typed is not in it.
 *
 * A disk that is full, or any other trouble, is told to both sides and tried
 * again now and then; it ends the session only where recording is required.
 */
#ifndef RECORDING_H
#define RECORDING_H

#include <stdbool.h>
#include <stdint.h>

#include "cast.h"
#include "proto.h"

struct blob;
struct broker;
struct chat_line;
struct event;
struct peer;

struct recording {
	struct cast	 cast;
	enum cast_state	 told;		/* what people know */
	struct event	*flush_ev, *retry_ev, *ask_ev;
	bool		 armed;		/* flush_ev is */
	bool		 waits;		/* for a screen, */
	uint64_t	 since_ms;	/* from this time on */
	bool		 sized;		/* no output since the last SIZE */
	bool		 linked;	/* the customer was here before */
};

/* B has its event base and settings.  0, or -1 without memory. */
int	recording_open(struct broker *b);
void	recording_close(struct broker *b);

/* True if what happens now is recorded: SESSION_INFO. */
bool	recording_is_on(const struct broker *b);

/* True if the customer has to be asked for a screen on its behalf. */
bool	recording_waits(const struct broker *b);

/*
 * True if this customer, who has just come, cannot be served as nothing can be
 * recorded; it was told.
 */
bool	recording_turns_away(struct broker *b, struct peer *p);

/* Of the stream. */
void	recording_output(struct broker *b, struct proto_str octets);
void	recording_size(struct broker *b, uint64_t cols, uint64_t rows);
void	recording_screen(struct broker *b, const struct blob *screen);

/* The customer's link is there, or gone. */
void	recording_link(struct broker *b, bool up);

/* A leg of an engineer comes; goes, but is still counted. */
void	recording_join(struct broker *b, const struct peer *p);
void	recording_leave(struct broker *b, const struct peer *p);

void	recording_chat(struct broker *b, const struct chat_line *l);

/* Any other marker. */
__attribute__((format(printf, 2, 3)))
void	recording_mark(struct broker *b, const char *fmt, ...);

#endif
