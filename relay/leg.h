/*
 * leg.h - a local leg: a short program that sshd started, which hands its
 * connection over to the session's broker and then only waits.
 */
#ifndef LEG_H
#define LEG_H

#include "attach.h"
#include "authinfo.h"
#include "relayconf.h"

#define LEG_TEMPFAIL	75	/* EX_TEMPFAIL: connect again */
#define LEG_TEXT_MAX	1024	/* octets of a text for the person */

/* How somebody logged in; text is what ai points into, to be freed. */
struct leg_login {
	struct authinfo	 ai;
	char		*text;
	char		 remote[ATTACH_REMOTE_MAX + 1];	/* "" if unknown */
};

/*
 * Read what sshd says (SSH_USER_AUTH, SSH_CONNECTION).  Returns 0, or -1 with
 * errno (EINVAL: not what sshd writes).
 */
int	leg_login(struct leg_login *l);
void	leg_login_clear(struct leg_login *l);

/* One line on stderr for the person, after the program's name. */
__attribute__((format(printf, 1, 2)))
void	leg_complain(const char *fmt, ...);

/* RUN_DIR/SID.sock: a connection, or -1 with errno. */
int	leg_connect(const struct relayconf *conf, const char *sid);

enum leg_answer {
	LEG_OK,
	LEG_REFUSED,	/* with TEXT for the person */
	LEG_GONE	/* the broker is ending, or hangs */
};

/*
 * Send ATTACH on S with the descriptors IN and OUT (and PIDFD unless -1), and
 * wait for the answer.
 */
enum leg_answer leg_attach(const struct relayconf *conf, int s,
	    const struct attach *a, int in, int out, int pidfd,
	    char text[LEG_TEXT_MAX]);

/* Let go of the descriptors 0 and 1, which are the broker's now. */
void	leg_let_go(void);

/*
 * Wait for END or HANGUP on S, print its text, and return the exit status.
 * HANGUP ends the process PARENT (a pidfd, or -1), which is PPID.
 */
int	leg_wait(int s, int parent, pid_t ppid);

/* ---- produce.c, enroll.c, consume.c ------------------------------------- */

/* The customer's leg; the way to its certificate. */
int	leg_produce(const struct relayconf *conf);
int	leg_enroll(const struct relayconf *conf);

/* The support verbs; argv[0] is the verb. */
int	leg_consume(const struct relayconf *conf, int argc, char **argv);
int	leg_close(const struct relayconf *conf, int argc, char **argv);
int	leg_status(const struct relayconf *conf, int argc, char **argv);

#endif
