/*
 * faces.h - the daemon's side of the session directory's socket: the chat pane,
 * a waiting launcher, a key that was pressed.
 *
 * It keeps what a chat pane needs to be drawn anew and tells every face what
 * changes.  Only processes of our own uid get in.
 */
#ifndef FACES_H
#define FACES_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "sessiondir.h"
#include "talk.h"

struct event_base;
struct faces;

struct faces_ops {
	/* There is a new line in the chat, of whatever style. */
	void	(*said_cb)(void *arg, const struct talk_line *line);
	/* A line was typed; it is in the talk, pending. */
	void	(*chat_cb)(void *arg, const struct talk_line *line);
	/* The customer wants to end the session, or only the link. */
	void	(*leave_cb)(void *arg, bool away);
	/* A launcher came: the customer wants the link. */
	void	(*launch_cb)(void *arg);
};

/* Listen in SD.  All pointers must outlive it.  NULL with errno. */
struct faces	*faces_new(struct event_base *base,
		    const struct sessiondir *sd, const struct faces_ops *ops,
		    void *arg);
void	faces_free(struct faces *f);

/* Both panes are there. */
void	faces_ready(struct faces *f);

/* The link's state, in a word of local.h, and why (UTF-8). */
void	faces_link(struct faces *f, const char *state, const char *why);

/* The relay's SESSION_INFO, as it came. */
void	faces_info(struct faces *f, const char *json, size_t len);

/* The permission state, by its name. */
void	faces_perm(struct faces *f, const char *perm);

/* A notice from the relay. */
void	faces_notice(struct faces *f, const char *text, size_t len);

/* A line of chat; arguments as for talk_add().  False if it was there. */
bool	faces_line(struct faces *f, enum talk_style style, const char *id,
	    time_t when, const char *name, const char *text, size_t len);

/* A line of ours about what happens, with the time. */
__attribute__((format(printf, 3, 4)))
void	faces_say(struct faces *f, enum talk_style style, const char *fmt, ...);

/* The relay has our line ID. */
void	faces_kept(struct faces *f, const char *id);

/* All lines, to send again what is pending. */
const struct talk	*faces_talk(const struct faces *f);

/* The session has ended: tell, and let nobody in any more. */
void	faces_closed(struct faces *f, const char *text);

#endif
