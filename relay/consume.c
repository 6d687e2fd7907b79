/*
 * consume.c - the engineers' legs: consume hands its connection over to the
 * session's broker; close and status talk to the broker themselves.
 */
#include <sys/random.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "keyfile.h"
#include "leg.h"
#include "log.h"
#include "lookup.h"
#include "sid.h"

/* Who is it: the key of the login, and what the relay's own list says of it. */
static int
identify(const struct relayconf *conf, struct attach *a)
{
	struct leg_login l;
	size_t len;
	char *keys;

	if (leg_login(&l) == -1 || l.ai.is_cert) {
		leg_login_clear(&l);
		leg_complain("this login needs an engineer's key");
		return -1;
	}
	memcpy(a->fingerprint, l.ai.fingerprint, sizeof a->fingerprint);
	memcpy(a->remote, l.remote, sizeof a->remote);
	keys = file_read(AT_FDCWD, conf->support_keys, KEYFILE_SIZE_MAX, &len);
	if (keys == NULL)
		log_warn("%s", conf->support_keys);
	else if (keyfile_comment(keys, len, l.ai.key, l.ai.key_len,
	    a->comment) == -1)
		log_info("key %s is not in %s", a->fingerprint,
		    conf->support_keys);
	free(keys);
	leg_login_clear(&l);
	return 0;
}

/* A client id for who did not bring one. */
static void
random_client(char client[SESSION_CLIENT_LEN + 1])
{
	unsigned char r[SESSION_CLIENT_LEN / 2];
	size_t i;

	if (getrandom(r, sizeof r, 0) != (ssize_t)sizeof r)
		fatal("getrandom");
	for (i = 0; i < sizeof r; i++)
		(void)snprintf(client + 2 * i, 3, "%02x", r[i]);
}

/* There is no broker: say why.  Returns the exit status. */
static int
no_broker(const struct relayconf *conf, const char *sid)
{
	switch (lookup_session(conf, sid)) {
	case LOOKUP_ACTIVE:
		leg_complain("the customer of session %s is not connected at "
		    "the moment", sid);
		return LEG_TEMPFAIL;
	case LOOKUP_PENDING:
		leg_complain("the customer of session %s has not come yet",
		    sid);
		return LEG_TEMPFAIL;
	case LOOKUP_ENDED:
		leg_complain("session %s is over", sid);
		return 1;
	case LOOKUP_NONE:
		leg_complain("there is no session %s", sid);
		return 1;
	case LOOKUP_UNSURE:
		break;
	}
	leg_complain("session %s has no customer, and relay-api does not say "
	    "why", sid);
	return LEG_TEMPFAIL;
}

/*
 * Attach with the descriptors IN and OUT.  Returns the broker's socket, or -1
 * with *STATUS, and the person knows why.
 */
static int
join(const struct relayconf *conf, const char *sid, const struct attach *a,
    int in, int out, int *status)
{
	char text[LEG_TEXT_MAX];
	int s = leg_connect(conf, sid);

	if (s == -1) {
		*status = no_broker(conf, sid);
		return -1;
	}
	switch (leg_attach(conf, s, a, in, out, -1, text)) {
	case LEG_OK:
		return s;
	case LEG_REFUSED:
		leg_complain("%s", text);
		*status = 1;
		break;
	case LEG_GONE:
		leg_complain("the relay's process for this session does not "
		    "answer; try again");
		*status = LEG_TEMPFAIL;
		break;
	}
	close(s);
	return -1;
}

/* The session ID among the words, which must have its form. */
static int
check_sid(const char *sid)
{
	if (sid != NULL && sid_is_valid(sid, strlen(sid)))
		return 0;
	leg_complain("not a session ID");
	return -1;
}

static int
usage_consume(void)
{
	leg_complain("usage: consume SESSION_ID [--chat] [--read-only] "
	    "[--name NAME] [--client ID]");
	return 1;
}

/* The flags of consume; false if they are not as they should. */
static bool
parse_flags(struct attach *a, int argc, char **argv)
{
	int i;

	for (i = 2; i < argc; i++) {
		const char *next = i + 1 < argc ? argv[i + 1] : NULL;

		if (strcmp(argv[i], "--chat") == 0)
			a->role = PROTO_CHAT;
		else if (strcmp(argv[i], "--read-only") == 0)
			a->ro = true;
		else if (strcmp(argv[i], "--name") == 0 && next != NULL) {
			struct proto_str s = { next, strlen(next) };

			if (proto_name_decode(s, a->name,
			    sizeof a->name) == -1 || !attach_name_ok(a->name))
				return false;
			i++;
		} else if (strcmp(argv[i], "--client") == 0 && next != NULL) {
			if (!attach_client_ok(next))
				return false;
			memcpy(a->client, next, sizeof a->client);
			i++;
		} else
			return false;
	}
	return true;
}

int
leg_consume(const struct relayconf *conf, int argc, char **argv)
{
	struct attach a;
	int s, status;

	memset(&a, 0, sizeof a);
	a.role = PROTO_VIEW;
	random_client(a.client);
	if (argc < 2 || !parse_flags(&a, argc, argv))
		return usage_consume();
	if (check_sid(argv[1]) == -1 || identify(conf, &a) == -1)
		return 1;
	s = join(conf, argv[1], &a, STDIN_FILENO, STDOUT_FILENO, &status);
	if (s == -1)
		return status;
	leg_let_go();
	return leg_wait(s, -1, 0);
}

/* ---- control legs ------------------------------------------------------- */

/* A control leg's own end of the connection. */
struct control {
	int	 s;		/* the broker's socket */
	int	 fd;		/* frames to and from it */
	int	 ms;		/* how long to wait for one */
	size_t	 len;		/* octets in buf */
	size_t	 used;		/* of them those of the last frame */
	char	 buf[PROTO_FRAME_MAX];
};

/* Attach, and send what the NUL-terminated FRAMES are. */
static int
control_open(const struct relayconf *conf, const char *sid,
    const char *frames, struct control *c, int *status)
{
	struct attach a;
	int sv[2];

	memset(&a, 0, sizeof a);
	a.role = PROTO_CONTROL;
	random_client(a.client);
	*status = 1;
	if (check_sid(sid) == -1 || identify(conf, &a) == -1)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1)
		fatal("socketpair");
	c->s = join(conf, sid, &a, sv[1], sv[1], status);
	close(sv[1]);
	if (c->s == -1) {
		close(sv[0]);
		return -1;
	}
	c->fd = sv[0];
	c->len = c->used = 0;
	c->ms = (int)(conf->attach_ms + 3 * conf->hello_ms);
	if (write_all(c->fd, frames, strlen(frames)) == -1)
		log_debug("the broker is gone");
	return 0;
}

/* The next frame; -1 at the end of the stream, or if none comes in time. */
static int
control_next(struct control *c, struct proto_frame *f)
{
	struct pollfd pfd = { c->fd, POLLIN, 0 };
	enum proto_rule rule;
	ssize_t got;
	size_t n;

	memmove(c->buf, c->buf + c->used, c->len - c->used);
	c->len -= c->used;
	c->used = 0;
	while (proto_parse(c->buf, c->len, f, &rule, &n) != PROTO_FRAME) {
		if (c->len == sizeof c->buf || poll(&pfd, 1, c->ms) <= 0)
			return -1;
		got = read(c->fd, c->buf + c->len, sizeof c->buf - c->len);
		if (got <= 0)
			return -1;
		c->len += (size_t)got;
	}
	c->used = n;
	return 0;
}

int
leg_status(const struct relayconf *conf, int argc, char **argv)
{
	static struct control c;
	struct proto_frame f;
	int status;

	if (argc != 2) {
		leg_complain("usage: status SESSION_ID");
		return 1;
	}
	if (control_open(conf, argv[1], "HELLO 1\n", &c, &status) == -1)
		return status;
	while (control_next(&c, &f) == 0)
		if (proto_is(f.verb, "SESSION_INFO")) {
			(void)printf("%.*s\n", (int)f.payload.len,
			    f.payload.s);
			return fflush(stdout) == 0 ? 0 : 1;
		}
	return leg_wait(c.s, -1, 0);
}

int
leg_close(const struct relayconf *conf, int argc, char **argv)
{
	static struct control c;
	struct proto_frame f;
	int status;

	if (argc != 2) {
		leg_complain("usage: close SESSION_ID");
		return 1;
	}
	if (control_open(conf, argv[1], "HELLO 1\nTERMINATE\n", &c,
	    &status) == -1)
		return status;
	while (control_next(&c, &f) == 0)
		;
	return leg_wait(c.s, -1, 0);
}
