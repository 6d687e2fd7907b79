/*
 * hidden.c - the small faces: a new certificate, a key that was pressed.
 */
#include "customer.h"

#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "castkeep.h"
#include "credentials.h"
#include "files.h"
#include "server.h"
#include "sessiondir.h"
#include "settings.h"
#include "unix.h"

#define END_MS	10000	/* the daemon's last steps */

int
renew_main(const char *path)
{
	enum credentials_answer answer;
	struct sessiondir sd;
	struct settings s;
	char err[1024];

	if (sessiondir_open(&sd, path) == -1 ||
	    sessiondir_load(&sd, &s) == -1)
		return EX_TEMPFAIL;
	answer = credentials_get(&sd, &s, NULL, err, sizeof err);
	if (answer != CREDENTIALS_OK)
		(void)fprintf(stderr, "%s\n", err);
	sessiondir_close(&sd);
	return answer == CREDENTIALS_OK ? 0 :
	    answer == CREDENTIALS_REFUSED ? 1 : EX_TEMPFAIL;
}

/* Wait until the daemon at S has gone.  0, or -1 if it does not go. */
static int
wait_gone(int s)
{
	struct pollfd pfd = { .fd = s, .events = POLLIN };
	struct timespec start, now;
	char discard[256];

	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		if (poll(&pfd, 1, 100) > 0 &&
		    read(s, discard, sizeof discard) <= 0)
			return 0;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - start.tv_sec) * 1000 < END_MS);
	return -1;
}

/* End a session whose daemon does not. */
static void
force_end(struct sessiondir *sd)
{
	server_kill(sd);
	if (sessiondir_locked(sd, FILE_LOCK))
		return;
	if (castkeep_rescue(sd) == -1)
		sessiondir_strip(sd);
	else
		sessiondir_remove(sd);
}

int
key_main(const char *path, const char *what)
{
	bool end = strcmp(what, "end") == 0;
	const char *frames = end ? "HELLO key\nBYE\n" : "HELLO key\nBYE away\n";
	char sock[SESSIONDIR_PATH_MAX];
	struct sessiondir sd;
	int s, rv = -1;

	if (sessiondir_open(&sd, path) == -1)
		return 1;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);	/* tmux goes before we do */
	s = unix_connect(sessiondir_file(&sd, FILE_DAEMON, sock));
	if (s != -1)
		rv = write_all(s, frames, strlen(frames));
	if (rv == 0 && end)
		rv = wait_gone(s);
	if (rv == -1 && end)
		force_end(&sd);
	return rv == 0 ? 0 : 1;
}
