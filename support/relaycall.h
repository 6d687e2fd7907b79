/*
 * relaycall.h - the way to the relay: one private ssh master, calls to the API
 * through a unix socket that it forwards, and commands that ride on it.
 *
 * The master is ours: its own socket in the runtime directory, gone after a
 * minute without use.  The user's own ssh configuration holds for it (Host
 * stanzas), but no master of the user's is ever used.  Prints nothing; errors
 * are words in the context.
 */
#ifndef RELAYCALL_H
#define RELAYCALL_H

#include <sys/stat.h>
#include <sys/types.h>

#include <stdbool.h>

#include "http.h"
#include "runtime.h"
#include "settings.h"
#include "sid.h"

struct cJSON;

struct relay {
	const struct settings *set;
	struct runtime	 rt;
	char		 key[SID_HASH_LEN + 1];	/* names this relay's files */
	char		 ctl[RUNTIME_PATH_MAX];	/* the master's socket */
	char		 api[RUNTIME_PATH_MAX];	/* forwarded to the API */
	char		 err[1024];	/* why the last call failed */
};

/* Prepare; starts nothing.  SET must outlive R.  0, or -1 with r->err. */
int	relay_init(struct relay *r, const struct settings *set);
void	relay_clear(struct relay *r);

/*
 * See to it that the master runs; any number of processes may do so at once.
 * May ask for a passphrase if stdin is a terminal.  0, or -1 with r->err.
 */
int	relay_master(struct relay *r);

/* True if it runs. */
bool	relay_is_up(const struct relay *r);

/*
 * The same in steps, for who has something else to do meanwhile: begin, wait,
 * both 0 or -1 with r->err, and in any case end.  Until then nobody else tries.
 */
struct relay_login {
	int	 lock;
	int	 err;		/* its stderr */
	pid_t	 pid;		/* -1: it runs already */
	bool	 batch;
};

int	relay_login_begin(struct relay *r, struct relay_login *l);
int	relay_login_wait(struct relay *r, struct relay_login *l);
void	relay_login_end(struct relay *r, struct relay_login *l);

/*
 * Call the API, starting the master where needed.  BODY may be NULL.  Returns
 * the HTTP status with REPLY filled, or -1 with r->err.
 */
int	relay_call(struct relay *r, const char *method, const char *target,
	    const struct cJSON *body, struct http_reply *reply);

/*
 * Put the API's own words about a refused call into r->err, after WHAT ("cannot
 * open session 'x'").
 */
void	relay_refused(struct relay *r, const char *what,
	    const struct http_reply *reply);

#define RELAY_ARGV_MAX	48

/*
 * Build the argv of an ssh that runs the NULL-terminated ARGS (of letters that
 * need no quoting) on the relay over the master.  It points into R, ARGS and
 * the settings.
 */
void	relay_argv(const struct relay *r, const char *const *args,
	    const char *argv[RELAY_ARGV_MAX]);

/* Which master it is, to tell it from the next one. */
struct relay_stamp {
	dev_t		 dev;
	ino_t		 ino;
	struct timespec	 born;
};

void	relay_stamp(const struct relay *r, struct relay_stamp *stamp);

/*
 * End the master if it still is the one of STAMP: its link is dead.  Takes up
 * to a second.
 */
void	relay_drop(struct relay *r, const struct relay_stamp *stamp);

#endif
