/*
 * validate_token.c - validate-token [CONF]: PAM asks whether the secret that
 * somebody gave to sshd is good.
 *
 * Started by pam_exec, as root, with the secret on stdin.  relay-api decides;
 * status 0 lets in, and anything unexpected, or no answer within LIMIT
 * seconds, does not.  It uses up nothing: that is done when the customer's key
 * is there (enroll.c).  Only the account for enrolment can be entered so,
 * however PAM is set up.  No secret is ever logged.
 */
#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apicall.h"
#include "files.h"
#include "log.h"

#define LIMIT		3	/* seconds; SIGALRM ends us */
#define SECRET_MAX	255	/* octets */
#define CONNECTION_MAX	127

/* Nothing that JSON would have to escape. */
static int
is_simple(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s < ' ' || *s > '~' || *s == '"' || *s == '\\')
			return 0;
	return 1;
}

/* What is on stdin, without an end of line or of string. */
static int
read_secret(char buf[SECRET_MAX + 2])
{
	size_t have = 0;
	ssize_t n;

	while (have < SECRET_MAX + 1 && (n = read(STDIN_FILENO, buf + have,
	    SECRET_MAX + 1 - have)) > 0)
		have += (size_t)n;
	while (have > 0 && (buf[have - 1] == '\0' || buf[have - 1] == '\n' ||
	    buf[have - 1] == '\r'))
		have--;
	buf[have] = '\0';
	return have == 0 || have > SECRET_MAX || strlen(buf) != have ||
	    !is_simple(buf) ? -1 : 0;
}

/* People type a token as it was told to them: `482 917` or `482-917`. */
static void
join_digits(char *s)
{
	size_t i, n = 0;

	for (i = 0; s[i] != '\0'; i++)
		if (!isdigit((unsigned char)s[i]) && s[i] != ' ' && s[i] != '-')
			return;
	for (i = 0; s[i] != '\0'; i++)
		if (isdigit((unsigned char)s[i]))
			s[n++] = s[i];
	s[n] = '\0';
}

/* May this login be tried at all? */
static const char *
wrong_login(const struct relayconf *conf)
{
	const char *type = getenv("PAM_TYPE"), *user = getenv("PAM_USER"),
	    *connection = getenv("SSH_CONNECTION");

	if (type == NULL || strcmp(type, "auth") != 0)
		return "PAM_TYPE is not auth";
	if (user == NULL || strcmp(user, conf->enroll_user) != 0)
		return "this account is not for enrolment";
	if (connection == NULL || strlen(connection) > CONNECTION_MAX ||
	    !is_simple(connection))
		return "sshd does not say which connection this is";
	return NULL;
}

/* HTTP's status for the secret, or -1. */
static int
ask(const struct relayconf *conf, const char *secret)
{
	char body[SECRET_MAX + CONNECTION_MAX + 64];
	struct http_reply reply;
	int rv;

	(void)snprintf(body, sizeof body,
	    "{\"connection\":\"%s\",\"secret\":\"%s\"}",
	    getenv("SSH_CONNECTION"), secret);
	rv = api_call(conf, "/api/v1/enroll/check", body, &reply);
	wipe(body, sizeof body);
	if (rv == -1)
		return -1;
	rv = reply.status;
	http_reply_clear(&reply);
	return rv;
}

static int
validate(const struct relayconf *conf)
{
	const char *wrong = wrong_login(conf);
	char secret[SECRET_MAX + 2];
	int status = -1;

	if (wrong != NULL) {
		log_warnx("refused: %s", wrong);
		return 1;
	}
	if (read_secret(secret) == -1) {
		log_info("refused: no such secret can be");
		return 1;
	}
	join_digits(secret);
	status = ask(conf, secret);
	wipe(secret, sizeof secret);
	if (status == -1)
		log_warn("refused: cannot ask relay-api");
	else if (status != 204)
		log_info("refused: relay-api says %d", status);
	return status == 204 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	struct relayconf conf;
	char err[512];
	int status;

	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return puts("validate-token " TUNL_VERSION) == EOF;
	(void)signal(SIGALRM, SIG_DFL);
	(void)alarm(LIMIT);
	log_init("validate-token", 0, 0);
	if (argc > 2 || (argc == 2 && setenv("TUNL_CONF", argv[1], 1) == -1)) {
		log_warnx("usage: validate-token [CONF]");
		return 1;
	}
	if (relayconf_load(&conf, err, sizeof err) == -1) {
		log_warnx("%s", err);
		return 1;
	}
	status = validate(&conf);
	relayconf_clear(&conf);
	return status;
}
