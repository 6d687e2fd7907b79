/*
 * tunl.h - the table of subcommands, and what each of them is given.
 *
 * One table (in tunl.c) drives dispatch, usage and help; the completion and
 * the manual page are checked against it.
 */
#ifndef TUNL_H
#define TUNL_H

#include <stdbool.h>
#include <stddef.h>

#include "relaycall.h"
#include "settings.h"

#define COMMAND_OPTIONS	6	/* at most, of one command */
#define COMMAND_ARGS	1	/* at most, that are no options */

struct option_row {
	const char	*name;		/* "--case" */
	const char	*value;		/* "CASE"; NULL: it takes none */
	const char	*help;
	const char	*alias;		/* another name, or NULL */
};

/* The command line of a subcommand, taken apart. */
struct args {
	const struct command	*cmd;
	const char		*values[COMMAND_OPTIONS]; /* "" for a flag */
	const char		*arg;	/* the argument, or NULL */
};

struct tunl {
	struct settings	 set;
	struct relay	 relay;
};

struct command {
	const char	*name;
	const char	*arg;		/* "SESSION_ID", "[SESSION_ID]", NULL */
	const char	*summary;	/* one line; NULL: internal, not listed */
	const char	*about;		/* a paragraph */
	struct option_row options[COMMAND_OPTIONS];
	int	(*run)(struct tunl *t, const struct args *args);
};

/* The value of option NAME ("" for a flag), or NULL if it was not given. */
const char *args_value(const struct args *args, const char *name);

/*
 * Take ARGV[0..ARGC) apart for CMD.  Returns 0, or -1 after saying what is
 * wrong.
 */
int	args_parse(struct args *args, const struct command *cmd, int argc,
	    char **argv);

/* The table; it ends with a row without a name. */
extern const struct command commands[];

int	cmd_list(struct tunl *t, const struct args *args);
int	cmd_show(struct tunl *t, const struct args *args);
int	cmd_create_session(struct tunl *t, const struct args *args);
int	cmd_cancel(struct tunl *t, const struct args *args);
int	cmd_close(struct tunl *t, const struct args *args);
int	cmd_join(struct tunl *t, const struct args *args);
int	cmd_help(struct tunl *t, const struct args *args);
int	cmd_view(struct tunl *t, const struct args *args);
int	cmd_chat(struct tunl *t, const struct args *args);
int	cmd_leg(struct tunl *t, const struct args *args);

/* Join the session SID: what `join` and `create-session --join` share. */
struct join_how {
	bool	 read_only;
	bool	 debug;
};
/* See to it that there is a terminal and a tmux.  0, or -1 after saying why. */
int	join_ready(void);

int	join_session(struct tunl *t, const char *sid, bool pending,
	    const struct join_how *how);

#endif
