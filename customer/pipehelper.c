/*
 * pipehelper.c - the face that tmux starts for a pane's pipe, see pipe.h.  It
 * reads and writes nothing of what goes through the pipe.
 */
#include "pipe.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "unix.h"

#define LIFE_SECS	10	/* longer than the daemon waits for it */

int
pipe_main(const char *path, const char *token)
{
	static const int fds[2] = { STDIN_FILENO, STDOUT_FILENO };
	char sock[SESSIONDIR_PATH_MAX], ack;
	int s, n;

	/* one that hangs would keep the pipe open, and nobody would read it */
	(void)signal(SIGALRM, SIG_DFL);
	(void)alarm(LIFE_SECS);
	n = snprintf(sock, sizeof sock, "%s/" FILE_PIPE, path);
	if (n < 0 || (size_t)n >= sizeof sock)
		return 1;
	s = unix_connect(sock);
	if (s == -1 || unix_send(s, token, strlen(token), fds, 2) == -1)
		return 1;
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	return read(s, &ack, 1) == 1 ? 0 : 1;
}
