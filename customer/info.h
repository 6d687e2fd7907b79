/*
 * info.h - who watches, and how the session stands: the relay's SESSION_INFO.
 *
 * Pure.  What it reads comes from the relay and is bounded here; texts are
 * made fit for a terminal.
 */
#ifndef INFO_H
#define INFO_H

#include <stdbool.h>
#include <stddef.h>

#define INFO_VIEWERS	64
#define INFO_NAME	200	/* octets, NUL included */
#define INFO_KEY	300

struct info_viewer {
	unsigned long	n;		/* the relay's number */
	char		name[INFO_NAME];	/* as claimed; not "" */
	char		key[INFO_KEY];	/* as the relay verified it; or "" */
	bool		ro;
};

struct info {
	struct info_viewer	viewers[INFO_VIEWERS];
	unsigned int		count;
	unsigned int		more;	/* viewers that did not fit */
	char			support_case[INFO_NAME];	/* or "" */
	bool			known;		/* it was told */
	bool			recording;	/* the relay does */
};

/* Read the JSON of LEN octets.  0, or -1 with INFO empty. */
int	info_parse(struct info *info, const char *json, size_t len);

/* The viewer of number N, or NULL. */
const struct info_viewer	*info_find(const struct info *info,
	    unsigned long n);

/*
 * Who watches, in words: "nobody watches", "2 watch: Ann, Ben (read-only)".
 * RESTRICTED: nobody may type, so that nobody is marked.  Returns OUT.
 */
char	*info_summary(const struct info *info, bool restricted, char *out,
	    size_t cap);

#endif
