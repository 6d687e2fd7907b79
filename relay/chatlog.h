/*
 * chatlog.h - the chat of a session: SID.chat, and its last lines in memory.
 *
 * One line a message in SID.chat: time, id, who, text, separated by tabs.  Text
 * is UTF-8 with everything that acts on a terminal, and the backslash, as
 * \ooo, so that the file can be looked at and read back.  An id is taken once.
 * Messages of engineers are kept until the customer's machine has them.
 */
#ifndef CHATLOG_H
#define CHATLOG_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "proto.h"

#define CHATLOG_LINES	64	/* messages in memory */
#define CHATLOG_TAIL	(48u << 10)	/* octets of their text, unless unacked */
#define CHATLOG_IDS	512	/* ids remembered */
#define CHATLOG_ID_MAX	19

struct chat_line {
	TAILQ_ENTRY(chat_line) entry;
	char		id[CHATLOG_ID_MAX + 1];
	time_t		when;
	uint32_t	viewer;		/* 0: the customer */
	char		name[PROTO_NAME_MAX + 1];
	bool		unacked;	/* the customer's machine may lack it */
	size_t		len;
	char		text[];		/* UTF-8, LEN octets */
};

TAILQ_HEAD(chat_lines, chat_line);

struct chatlog {
	int			fd;	/* SID.chat, O_APPEND; -1: none */
	struct chat_lines	lines;	/* oldest first */
	unsigned int		nlines;
	size_t			octets;	/* of text in them */
	uint64_t		ids[CHATLOG_IDS];
	unsigned int		nids;	/* taken in all; the newest are kept */
};

/* What the customer's machine may lack, as far as was written down. */
struct chat_owed {
	char		last[CHATLOG_ID_MAX + 1];	/* newest line then, or "" */
	char		ids[CHATLOG_LINES][CHATLOG_ID_MAX + 1];
	unsigned int	n;
};

enum chatlog_answer {
	CHATLOG_NEW,		/* written; *LINE is it */
	CHATLOG_KNOWN,		/* had it already: acknowledge it again */
	CHATLOG_FULL,		/* too many that the customer lacks */
	CHATLOG_FAILED		/* could not be written; errno */
};

/*
 * Open DIR/SID.chat, which is made if need be, and take up its end: of what
 * engineers wrote, the customer's machine may lack what OWED says and what is
 * newer (all of it if OWED is empty).  Returns 0, or -1 with errno; then
 * CHATLOG_FAILED is all that it answers.
 */
int	chatlog_open(struct chatlog *c, const char *dir, const char *sid,
	    const struct chat_owed *owed);
void	chatlog_close(struct chatlog *c);

/*
 * Take a message with ID (a chat id) of VIEWER, or of the customer (0), unless
 * it is there: it is in SID.chat when this returns CHATLOG_NEW.
 */
enum chatlog_answer chatlog_add(struct chatlog *c, struct proto_str id,
	    uint32_t viewer, const char *name, struct proto_str text,
	    struct chat_line **line);

/* The customer's machine has the message ID; false: that was known. */
bool	chatlog_acked(struct chatlog *c, struct proto_str id);

/* What it may lack, for chatlog_open() of a later process. */
void	chatlog_owed(const struct chatlog *c, struct chat_owed *owed);

/* Escape and unescape a text; the pure part.  Lengths, or -1: no room, or not
 * of that form. */
int	chatlog_escape(const char *s, size_t len, char *out, size_t cap);
int	chatlog_unescape(const char *s, size_t len, char *out, size_t cap);

/* Read a line of SID.chat without its LF: a new chat_line, or NULL. */
struct chat_line *chatlog_read_line(const char *s, size_t len);

#endif
