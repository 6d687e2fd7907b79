/*
 * produce.c - the customer's leg: who is it, may it come in, and over to the
 * broker, which is started if there is none.
 */
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker.h"
#include "context.h"
#include "files.h"
#include "grant.h"
#include "keeper.h"
#include "leg.h"
#include "log.h"

#define RETRY_MS	20	/* between two looks at a broker that is ending */

/*
 * Say CLOSED ourselves, without a broker.  A session that is over is no
 * failure; whoever is refused gets status 1.
 */
static int
say_closed(const char *reason, const char *text, int status)
{
	char buf[PROTO_HEADER_MAX + LEG_TEXT_MAX];
	size_t n;

	n = proto_put(buf, sizeof buf, PROTO_HELLO, NULL, 0, "%d",
	    PROTO_VERSION);
	n += proto_put(buf + n, sizeof buf - n, PROTO_CLOSED, text,
	    strlen(text), "%s", reason);
	(void)write_all(STDOUT_FILENO, buf, n);
	leg_complain("%s", text);
	return status;
}

/* The certificate that sshd let in.  Its file is for nobody else to read. */
static int
read_certificate(struct leg_login *l)
{
	const char *path = getenv("SSH_USER_AUTH");
	int rv = leg_login(l);

	if (path != NULL && unlink(path) == -1 && errno != ENOENT)
		log_warn("SSH_USER_AUTH");
	if (rv == -1)
		return -1;
	if (!l->ai.is_cert ||
	    !sid_is_valid(l->ai.key_id, strlen(l->ai.key_id))) {
		leg_login_clear(l);
		return -1;
	}
	return 0;
}

/* Fill A, or return why this customer is refused. */
static const char *
identify(struct attach *a)
{
	const char *line = getenv("SSH_ORIGINAL_COMMAND"), *wrong;
	struct leg_login l;
	struct context ctx;

	memset(a, 0, sizeof *a);
	if (read_certificate(&l) == -1)
		return "this login needs a session's certificate";
	memcpy(a->key_id, l.ai.key_id, strlen(l.ai.key_id) + 1);
	a->serial = l.ai.serial;
	memcpy(a->remote, l.remote, sizeof a->remote);
	leg_login_clear(&l);
	if (line == NULL)
		return "there is no shell here, only linbit-tunl's sessions";
	wrong = context_parse(line, strlen(line), &ctx);
	if (wrong != NULL)
		return wrong;
	if (strcmp(ctx.id, a->key_id) != 0)
		return "this certificate is of another session";
	memcpy(a->context, line, strlen(line) + 1);
	return NULL;
}

/*
 * What the session's grant says: NULL if the session goes on, else the REASON
 * for CLOSED.
 */
static const char *
look_at_grant(const struct relayconf *conf, const struct attach *a)
{
	char path[PATH_MAX];
	struct grant g;
	int dirfd, rv;

	if (broker_path(conf, GRANT_DIR, "", path, sizeof path) == -1)
		return "refused";
	dirfd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dirfd == -1)
		return "refused";
	rv = grant_read(dirfd, a->key_id, &g);
	close(dirfd);
	if (rv == -1 || a->serial < g.serial_first || a->serial > g.serial_last)
		return "refused";
	return g.state == GRANT_ENDED ? grant_reason_name(g.reason) : NULL;
}

static int
open_parent(pid_t ppid)
{
#ifdef SYS_pidfd_open
	return ppid > 1 ? (int)syscall(SYS_pidfd_open, ppid, 0) : -1;
#else
	(void)ppid;
	return -1;
#endif
}

/* A connection to the broker, which is started if need be; -1: *ANSWER. */
static int
reach_broker(const struct relayconf *conf, const char *sid,
    enum keeper_started *answer)
{
	int s = leg_connect(conf, sid);

	*answer = KEEPER_READY;
	if (s != -1)
		return s;
	if (errno != ENOENT && errno != ECONNREFUSED) {
		*answer = KEEPER_FAILED;
		return -1;
	}
	*answer = keeper_start(conf, sid);
	return *answer == KEEPER_READY ? leg_connect(conf, sid) : -1;
}

/*
 * Hand over to a broker; one that is just ending is waited for.  Returns its
 * socket, or -1 with TEXT for the person and *STATUS.
 */
static int
hand_over(const struct relayconf *conf, const struct attach *a, int pidfd,
    char text[LEG_TEXT_MAX], int *status)
{
	uint64_t end = peer_clock() + conf->attach_ms;
	enum keeper_started started;
	int s;

	*status = LEG_TEMPFAIL;
	do {
		s = reach_broker(conf, a->key_id, &started);
		if (started == KEEPER_FAILED) {
			(void)snprintf(text, LEG_TEXT_MAX, "the relay cannot "
			    "carry sessions now; try again later");
			return -1;
		}
		if (s != -1) {
			switch (leg_attach(conf, s, a, STDIN_FILENO,
			    STDOUT_FILENO, pidfd, text)) {
			case LEG_OK:
				return s;
			case LEG_REFUSED:
				close(s);
				*status = 1;
				return -1;
			case LEG_GONE:
				close(s);
				break;
			}
		}
		(void)poll(NULL, 0, RETRY_MS);
	} while (peer_clock() < end);
	(void)snprintf(text, LEG_TEXT_MAX, "the relay's process for this "
	    "session does not answer; try again later");
	return -1;
}

/*
 * True if sshd has closed its end.  If it has not, it was alive a moment ago and
 * is who our parent was then; an orphan's parent would be somebody else, who is
 * not to be signalled.
 */
static bool
is_hung_up(void)
{
	struct pollfd pfd = { STDIN_FILENO, POLLIN, 0 };

	return poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLHUP) != 0;
}

int
leg_produce(const struct relayconf *conf)
{
	pid_t ppid = getppid();
	int parent = open_parent(ppid), s, status;
	char text[LEG_TEXT_MAX];
	const char *wrong;
	struct attach a;

	wrong = identify(&a);	/* which also takes sshd's file away */
	if (is_hung_up())
		return 75;
	if (wrong != NULL) {
		log_info("a customer was refused: %s", wrong);
		return say_closed("refused", wrong, 1);
	}
	wrong = look_at_grant(conf, &a);
	if (wrong != NULL && strcmp(wrong, "refused") == 0)
		return say_closed("refused", "there is no such session", 1);
	if (wrong != NULL)
		return say_closed(wrong, broker_reason_text(wrong), 0);
	s = hand_over(conf, &a, parent, text, &status);
	if (s == -1) {
		leg_complain("%s", text);
		return status;
	}
	leg_let_go();
	return leg_wait(s, parent, ppid);
}
