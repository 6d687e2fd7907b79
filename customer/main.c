/*
 * main.c - linbit-tunl: the customer's program, and its faces.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "customer.h"
#include "pipe.h"
#include "settings.h"
#include "sid.h"
#include "sign.h"

/* Options that set a setting. */
static const struct option options[] = {
	{ "token", required_argument, NULL, 't' },
	{ "case", required_argument, NULL, 'c' },
	{ "restricted", no_argument, NULL, 'r' },
	{ "relay", required_argument, NULL, 'R' },
	{ "relay-port", required_argument, NULL, 'p' },
	{ "api-url", required_argument, NULL, 'u' },
	{ "prefix", required_argument, NULL, 'k' },
	{ "no-attach", no_argument, NULL, 'n' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'v' },
	{ NULL, 0, NULL, 0 }
};

static const char usage[] =
"usage: linbit-tunl [SESSION_ID] [--token TOKEN] [--case CASE] [--restricted]\n"
"                   [--relay HOST] [--relay-port PORT] [--api-url URL]\n"
"                   [--prefix KEY] [--no-attach]\n"
"\n"
"Share a shell on this machine with support, who gave you the SESSION_ID, a\n"
"TOKEN, or both.\n"
"\n"
"  --token TOKEN      six digits, such as 482917, '482 917' or 482-917\n"
"  --case CASE        the number of your support case\n"
"  --restricted       support can watch and chat, and cannot type\n"
"  --relay HOST       the relay to connect to\n"
"  --relay-port PORT  its ssh port\n"
"  --api-url URL      its HTTPS address\n"
"  --prefix KEY       the key before every command key (C-b)\n"
"  --no-attach        start the session, and return when it is connected\n"
"  --help, --version\n"
"\n"
"Start it again with the same SESSION_ID to come back to the same shell.\n";

/* The setting of an option, or NULL. */
static const char *
setting_of(int opt)
{
	switch (opt) {
	case 'c':
		return "TUNL_CASE";
	case 'r':
		return "TUNL_RESTRICTED";
	case 'R':
		return "TUNL_RELAY";
	case 'p':
		return "TUNL_RELAY_PORT";
	case 'u':
		return "TUNL_API_URL";
	case 'k':
		return "TUNL_PREFIX";
	default:
		return NULL;
	}
}

static int
bad(const char *text)
{
	(void)fprintf(stderr, "linbit-tunl: %s\n", text);
	return 1;
}

static int
print(const char *text)
{
	if (fputs(text, stdout) == EOF || fflush(stdout) == EOF)
		return bad("cannot write");
	return 0;
}

static int
hidden_face(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "@daemon") == 0)
		return daemon_main(argv[2]);
	if (argc == 3 && strcmp(argv[1], "@chat") == 0)
		return chat_main(argv[2]);
	if (argc == 3 && strcmp(argv[1], "@renew") == 0)
		return renew_main(argv[2]);
	if (argc == 4 && strcmp(argv[1], "@key") == 0)
		return key_main(argv[2], argv[3]);
	if (argc == 4 && strcmp(argv[1], "@pipe") == 0)
		return pipe_main(argv[2], argv[3]);
	return bad("no such face");
}

/*
 * Add the digits of ARG, which may have blanks and hyphens between them, to
 * TOKEN.  -1 if there is anything else, or are too many.  ARG is blotted out:
 * ps need not show it as long as the session lasts.
 */
static int
take_digits(char token[LAUNCH_TOKEN_LEN + 1], char *arg)
{
	size_t n = strlen(token);
	int rv = 0;

	for (; *arg != '\0'; arg++) {
		if (*arg >= '0' && *arg <= '9' && n < LAUNCH_TOKEN_LEN)
			token[n++] = *arg;
		else if (*arg != ' ' && *arg != '-')
			rv = -1;
		*arg = '*';
	}
	token[n] = '\0';
	return rv;
}

/* The rest of the token, if it was typed in two, and the session ID. */
static int
take_rest(struct launch *la, char token[LAUNCH_TOKEN_LEN + 1], int argc,
    char **argv)
{
	if (la->token != NULL && strlen(token) < LAUNCH_TOKEN_LEN && argc > 0 &&
	    *argv[0] >= '0' && *argv[0] <= '9') {
		argc--;
		if (take_digits(token, *argv++) == -1)
			token[0] = '\0';
	}
	if (la->token != NULL && strlen(token) != LAUNCH_TOKEN_LEN)
		return bad("a token is six digits, as in 482917 or "
		    "'482 917'; check what support gave you");
	if (argc == 0 && la->token == NULL)
		return bad("which session? Ask support for a session ID, then "
		    "run: linbit-tunl SESSION_ID; or for a token, then run: "
		    "linbit-tunl --token TOKEN");
	if (argc > 1)
		return bad("more than one SESSION_ID (try --help)");
	if (argc == 1 && !sid_is_valid(argv[0], strlen(argv[0])))
		return bad("a session ID is four words joined by '-', as in "
		    "swift-fox-jumps-barrel; check what support gave you");
	la->sid = argv[0];
	return 0;
}

int
main(int argc, char **argv)
{
	struct launch la = { .attach = true };
	char err[1024], token[LAUNCH_TOKEN_LEN + 1] = "";
	struct settings s;
	int opt;

	if (argc == 2 && getenv(SIGN_ASKPASS) != NULL)
		return sign_askpass(getenv(SIGN_ASKPASS));
	if (argc > 1 && argv[1][0] == '@')
		return hidden_face(argc, argv);
	settings_init(&s);
	/* the flags win, but --help must work whatever the file says */
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'h')
			return print(usage);
		if (opt == 'v')
			return print("linbit-tunl " TUNL_VERSION "\n");
		if (opt == '?')
			return 1;
	}
	if (settings_load(&s, err, sizeof err) == -1)
		return bad(err);
	for (optind = 1; (opt = getopt_long(argc, argv, "", options, NULL)) !=
	    -1;) {
		if (opt == 'n')
			la.attach = false;
		else if (opt == 't') {
			la.token = token;
			if (take_digits(token, optarg) == -1)
				token[0] = '\0';
		} else if (settings_set(&s, setting_of(opt), opt == 'r' ? "yes" :
		    optarg, err, sizeof err) == -1)
			return bad(err);
	}
	settings_finish(&s);
	if (take_rest(&la, token, argc - optind, argv + optind) != 0)
		return 1;
	return launch_main(&la, &s);
}
