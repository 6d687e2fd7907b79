/*
 * share.c - relay-share: what sshd starts for everybody who logs in.
 *
 *	relay-share produce	a customer's connection (ForceCommand)
 *	relay-share enroll	one of a customer who has a secret and wants a
 *				certificate for it (ForceCommand)
 *	relay-share support	an engineer's; the verb is in
 *				SSH_ORIGINAL_COMMAND
 *	relay-share login	either, by the kind of key: for a relay that has
 *				one account only
 *
 * This is the table of what it can do; the verbs are in produce.c and
 * consume.c, the session itself in broker.c.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keeper.h"
#include "leg.h"
#include "log.h"

#define WORDS_MAX	16
#define COMMAND_MAX	1024	/* octets of an engineer's command */

static const struct {
	const char	*verb;
	int		(*run)(const struct relayconf *, int, char **);
} verbs[] = {
	{ "consume", leg_consume },
	{ "close", leg_close },
	{ "status", leg_status },
};

/*
 * Split COMMAND, which is changed, at its spaces.  There is no shell and there
 * are no quotes: a word is printable ASCII.  Returns the number of words, or
 * -1.
 */
static int
split(char *command, char *words[WORDS_MAX])
{
	int n = 0;
	char *p;

	for (p = command; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			return -1;
	for (p = command; *p != '\0'; p += strcspn(p, " ")) {
		if (*p == ' ')
			*p++ = '\0';
		if (*p == ' ' || *p == '\0')
			continue;
		if (n == WORDS_MAX)
			return -1;
		words[n++] = p;
	}
	return n;
}

static int
support(const struct relayconf *conf)
{
	const char *given = getenv("SSH_ORIGINAL_COMMAND");
	char command[COMMAND_MAX], *words[WORDS_MAX], **w = words;
	int n = -1;
	size_t i;

	if (given == NULL) {
		leg_complain("there is no shell here; see tunl help");
		return 1;
	}
	if (strlen(given) < sizeof command) {
		memcpy(command, given, strlen(given) + 1);
		n = split(command, words);
	}
	if (n > 0 && strcmp(w[0], "relay-share") == 0) {
		w++;
		n--;
	}
	for (i = 0; n > 0 && i < sizeof verbs / sizeof verbs[0]; i++)
		if (strcmp(w[0], verbs[i].verb) == 0)
			return verbs[i].run(conf, n, w);
	leg_complain("no such command here; there are consume, close, status");
	return 1;
}

/* One account for all: a certificate is a customer's. */
static int
login(const struct relayconf *conf)
{
	struct leg_login l;
	bool customer;

	if (leg_login(&l) == -1) {
		leg_complain("sshd does not say who this is "
		    "(ExposeAuthInfo)");
		return 1;
	}
	customer = l.ai.is_cert;
	leg_login_clear(&l);
	return customer ? leg_produce(conf) : support(conf);
}

static const struct {
	const char	*name;
	int		(*run)(const struct relayconf *);
} programs[] = {
	{ "produce", leg_produce },
	{ "enroll", leg_enroll },
	{ "support", support },
	{ "login", login },
	{ "keeper", keeper_main },	/* started by produce */
};

int
main(int argc, char **argv)
{
	struct relayconf conf;
	char err[512];
	int status = 1;
	size_t i;

	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return puts("relay-share " TUNL_VERSION) == EOF;
	log_init("relay-share", 0, 0);
	(void)signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < sizeof programs / sizeof programs[0]; i++)
		if (argc == 2 && strcmp(argv[1], programs[i].name) == 0)
			break;
	if (i == sizeof programs / sizeof programs[0]) {
		leg_complain("usage: relay-share produce | enroll | support | login");
		return 1;
	}
	if (relayconf_load(&conf, err, sizeof err) == -1) {
		log_warnx("%s", err);
		leg_complain("the relay is not set up right; "
		    "its log says what is wrong");
		return 1;
	}
	status = programs[i].run(&conf);
	relayconf_clear(&conf);
	return status;
}
