/*
 * tmux.h - running the engineer's own tmux: the server of $TMUX, else the
 * default one.
 */
#ifndef TMUX_H
#define TMUX_H

#include <stdbool.h>
#include <stddef.h>

#define TMUX_ARGV_MAX	640
#define TMUX_POOL	16384	/* octets of texts made for a command line */

/* Several commands, run as one line. */
struct tmux {
	const char	*argv[TMUX_ARGV_MAX];
	int		 argc;
	char		 pool[TMUX_POOL];
	size_t		 used;
};

void	tmux_begin(struct tmux *tm);

/* Add a command: NULL-terminated arguments, which must live until it is run. */
void	tmux_add(struct tmux *tm, ...) __attribute__((sentinel));

/* Add arguments to the last command. */
void	tmux_more(struct tmux *tm, ...) __attribute__((sentinel));

/* A text that lives as long as TM.  Too many of them end the program. */
const char *tmux_text(struct tmux *tm, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/*
 * Run it, what it prints into OUT (CAP octets; both streams' words are lost if
 * OUT is NULL).  Returns its exit status, or -1 with errno.
 */
int	tmux_run(struct tmux *tm, char *out, size_t cap);

/* Become it; returns, with errno, only if that fails. */
void	tmux_exec(const struct tmux *tm);

/* tmux's version as 100 * major + minor, 303 for "3.3a"; 0: there is none. */
unsigned int tmux_version(void);

/* The same of the first line of S: "3.3a", "tmux next-3.4". */
unsigned int tmux_version_parse(const char *s);

#define TMUX_OLDEST	209	/* resize-window */
#define TMUX_MENUS	300	/* display-menu */

#endif
