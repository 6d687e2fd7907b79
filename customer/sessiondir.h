/*
 * sessiondir.h - the private directory of a session, and the files in it.
 *
 * /tmp/linbit-tunl-HASH, named by a hash of the session ID so that no argv
 * shows the ID; ours alone (0700), or it is not used.  It holds the only
 * secrets and sockets that the customer's side has, and goes away with the
 * session.
 */
#ifndef SESSIONDIR_H
#define SESSIONDIR_H

#include <stdbool.h>
#include <stddef.h>

#include "settings.h"
#include "sid.h"

#define SESSIONDIR_PREFIX	"/tmp/linbit-tunl-"
#define SESSIONDIR_PATH_MAX	64	/* a file in it, NUL included */

/* The files. */
#define FILE_SID	"sid"
#define FILE_SETTINGS	"settings"
#define FILE_HOST	"host"		/* the machine's full name */
#define FILE_KEY	"key"		/* and key.pub, key-cert.pub */
#define FILE_KEY_PUB	"key.pub"
#define FILE_CERT	"key-cert.pub"
#define FILE_SIGNED	"signed.json"	/* what the relay answered */
#define FILE_SSH_CONFIG	"ssh_config"
#define FILE_SSH_CTL	"ssh-ctl.sock"
#define FILE_LOG	"ssh.log"
#define FILE_TMUX_CONF	"tmux.conf"
#define FILE_TMUX_SOCK	"tmux.sock"
#define FILE_KEY_SOCK	"key.sock"	/* a tmux that is asked about keys */
#define FILE_DAEMON	"daemon.sock"
#define FILE_PIPE	"pipe.sock"	/* for the helpers of pipe.h */
#define FILE_LOCK	"lock"		/* held by the daemon; see below */
#define FILE_START	"start"		/* held by a launcher at work */

struct sessiondir {
	char	sid[SID_MAX + 1];
	char	hash[SID_HASH_LEN + 1];
	char	path[32];
	int	fd;		/* of the directory; -1: not open */
	bool	made;		/* by sessiondir_create(), just now */
};

/*
 * Make the directory for SID, or take the one that is there.  Returns 0, or -1
 * with errno: EPERM or ENOTDIR if what is there is not ours, EINVAL if it
 * belongs to another session ID.
 */
int	sessiondir_create(struct sessiondir *sd, const char *sid);

/*
 * Make one for a session whose ID is not known yet (sd->sid is "").  0, or -1
 * with errno.
 */
int	sessiondir_new(struct sessiondir *sd);

/*
 * Now it is known, in sd->sid: name the directory after it, and close it.
 * Returns 0, or -1 with errno, as sessiondir_create(); EEXIST or ENOTEMPTY if
 * there is such a directory.
 */
int	sessiondir_settle(struct sessiondir *sd);

/* Open the existing directory PATH and read whose it is.  0, or -1 (errno). */
int	sessiondir_open(struct sessiondir *sd, const char *path);

void	sessiondir_close(struct sessiondir *sd);

/* Remove the directory and all in it. */
void	sessiondir_remove(struct sessiondir *sd);

/* Remove all that is in it but the recording and what tells whose it is. */
void	sessiondir_strip(struct sessiondir *sd);

/* The path of the file NAME in it, into OUT. */
const char	*sessiondir_file(const struct sessiondir *sd, const char *name,
	    char out[SESSIONDIR_PATH_MAX]);

/*
 * Lock the file NAME, which is made if need be.  Returns its descriptor, or -1
 * with errno (EWOULDBLOCK: somebody has it; ENOENT: the directory is gone).
 */
int	sessiondir_lock(const struct sessiondir *sd, const char *name);

/* True if a process has the file NAME locked. */
bool	sessiondir_locked(const struct sessiondir *sd, const char *name);

/*
 * Remove the directories of sessions of ours that have been dead, after a power
 * cut say, for SECS seconds.  RESCUE is called before, and returns -1 if the
 * recording has to stay where it is.
 */
void	sessiondir_sweep(unsigned int secs,
	    int (*rescue)(const struct sessiondir *sd));

/* Keep the settings in it, or read them back.  0, or -1 with errno. */
int	sessiondir_save(const struct sessiondir *sd, const struct settings *s);
int	sessiondir_load(const struct sessiondir *sd, struct settings *s);

#endif
