/*
 * cmd_control.c - commands that ride on the private master: `tunl close`, and
 * the internal `tunl leg`.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "leg.h"
#include "legproc.h"
#include "proto.h"
#include "say.h"
#include "sessions.h"
#include "spawn.h"
#include "tunl.h"

#define EX_TEMPFAIL	75
#define SAID_MAX	1024

/* Read FD to its end, the last SAID_MAX octets or so into SAID. */
static void
read_words(int fd, char said[SAID_MAX])
{
	size_t len = 0;
	ssize_t n;

	for (;;) {
		if (len == SAID_MAX - 1) {
			len /= 2;
			memmove(said, said + SAID_MAX - 1 - len, len);
		}
		n = read(fd, said + len, SAID_MAX - 1 - len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	while (len > 0 && (said[len - 1] == '\n' || said[len - 1] == '\r'))
		len--;
	said[len] = '\0';
}

/*
 * Run relay-share VERB SID on the relay.  Returns its exit status with its last
 * words in SAID, or -1 with errno.
 */
static int
relay_share(struct relay *r, const char *verb, const char *sid,
    char said[SAID_MAX])
{
	const char *args[] = { "relay-share", verb, sid, NULL };
	const char *argv[RELAY_ARGV_MAX];
	struct spawn sp = SPAWN_INIT(argv);
	int fds[2];
	pid_t pid;

	relay_argv(r, args, argv);
	if (pipe2(fds, O_CLOEXEC) == -1)
		return -1;
	sp.in = sp.out = -1;
	sp.err = fds[1];
	pid = spawn_start(&sp);
	close(fds[1]);
	if (pid != -1)
		read_words(fds[0], said);
	close(fds[0]);
	return pid == -1 ? -1 : spawn_wait(pid);
}

/* What relay-share said, without its own name. */
static const char *
words(const char *said)
{
	const char *last = strrchr(said, '\n');

	last = last != NULL ? last + 1 : said;
	if (strncmp(last, "relay-share: ", 13) == 0)
		last += 13;
	return *last != '\0' ? last : "the relay gave no reason";
}

int
cmd_close(struct tunl *t, const struct args *args)
{
	char said[SAID_MAX] = "";
	struct session s;
	int status;

	if (session_find(&t->relay, args->arg, args->arg != NULL ?
	    SESSION_ANY : SESSION_ACTIVE, &s) == -1)
		return 1;
	session_clear(&s);
	if (s.pending)
		return say_error("session '%s' is still pending; `tunl cancel "
		    "%s` takes it back", s.sid, s.sid);
	if (relay_master(&t->relay) == -1)
		return say_error("%s", t->relay.err);
	status = relay_share(&t->relay, "close", s.sid, said);
	if (status == -1)
		return say_error("cannot run ssh: %s", strerror(errno));
	if (status != 0)
		return say_error("cannot close session '%s': %s", s.sid,
		    words(said));
	say_notice("session %s is closed", s.sid);
	return 0;
}

int
cmd_leg(struct tunl *t, const struct args *args)
{
	struct leg_conf conf = { .sid = args->arg,
	    .client = args_value(args, "--client"),
	    .name = args_value(args, "--name"),
	    .role = args_value(args, "--chat") != NULL ? PROTO_CHAT :
	    PROTO_VIEW,
	    .read_only = args_value(args, "--read-only") != NULL };
	const char *argv[RELAY_ARGV_MAX];

	if (!sid_is_valid(args->arg, strlen(args->arg)) ||
	    conf.client == NULL ||
	    strspn(conf.client, "0123456789abcdef") != 16 ||
	    conf.client[16] != '\0' || conf.name == NULL)
		return say_error("leg: bad arguments");
	if (relay_master(&t->relay) == -1) {
		(void)say_error("%s", t->relay.err);
		return EX_TEMPFAIL;
	}
	legproc_argv(&conf, &t->relay, argv);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)execvp(argv[0], (char *const *)(uintptr_t)argv);
	(void)say_error("cannot run ssh: %s", strerror(errno));
	return EX_TEMPFAIL;
}
