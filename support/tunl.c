/*
 * tunl.c - the support side of linbit-tunl: the table of subcommands, and the
 * way from a command line to one of them.
 */
#include "tunl.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "say.h"
#include "text.h"

#define SID_ARG		"SESSION_ID"
#define SID_OPTIONAL	"[SESSION_ID]"

const struct command commands[] = {
	{ "list", NULL, "list active and pending sessions",
	  "Pending sessions, which no customer has connected to yet, are shown "
	  "with the mode \"pending\".  Newest first.",
	  { { "--json", NULL, "print JSON, with the API's field names", NULL } },
	  cmd_list },
	{ "show", SID_ARG, "show one session in full",
	  "Active, pending and closed sessions.",
	  { { "--json", NULL, "print JSON, with the API's field names", NULL } },
	  cmd_show },
	{ "join", SID_OPTIONAL, "look at a customer's terminal, and type in it",
	  "Opens a tmux session with the customer's shell in window 0 and the "
	  "chat in window 1.  Waits for the customer if the session is "
	  "pending.  Its keys are in the menu: prefix Enter, or F1.",
	  { { "--read-only", NULL, "look only: what you type goes nowhere",
	      "--ro" },
	    { "--debug", NULL, "log, and keep the temporary directory", NULL } },
	  cmd_join },
	{ "create-session", SID_OPTIONAL, "open a session for a customer",
	  "Prints what to tell the customer.  At least one of --case, "
	  "--customer and --ad-hoc is needed.",
	  { { "--case", "CASE", "the support case it belongs to", NULL },
	    { "--customer", "NAME", "the customer's name", NULL },
	    { "--ad-hoc", NULL, "it belongs to no case or customer yet", NULL },
	    { "--expires-in", "MINUTES", "how long the customer may take to "
	      "connect", NULL },
	    { "--join", NULL, "wait for the customer, then join", NULL },
	    { "--json", NULL, "print JSON, with the API's field names", NULL } },
	  cmd_create_session },
	{ "close", SID_OPTIONAL, "end a customer's session",
	  "The customer's shell of this session ends; everybody who watches is "
	  "told.",
	  { { 0 } }, cmd_close },
	{ "cancel", SID_OPTIONAL, "take a session out of the relay's registry",
	  "A pending session: the customer can no longer use its SESSION_ID.  "
	  "An active one is only forgotten: the customer's connection goes on "
	  "(`tunl close` ends it).",
	  { { 0 } }, cmd_cancel },
	{ "help", "[COMMAND]", "show this summary, or what COMMAND does",
	  "The same as `tunl COMMAND --help`.",
	  { { 0 } }, cmd_help },
	/* started by join, in its tmux windows */
	{ "view", SID_ARG, NULL,
	  "Shows the customer's terminal on this one.  Started by join.",
	  { { "--client", "ID", "16 hex digits, shared with chat", NULL },
	    { "--name", "NAME", "display name, percent-encoded", NULL },
	    { "--read-only", NULL, "look only", NULL },
	    { "--debug", NULL, "log, and keep the temporary directory", NULL } },
	  cmd_view },
	{ "chat", SID_ARG, NULL,
	  "Shows the chat with the customer.  Started by join.",
	  { { "--client", "ID", "16 hex digits, shared with view", NULL },
	    { "--name", "NAME", "display name, percent-encoded", NULL },
	    { "--read-only", NULL, "read only", NULL },
	    { "--debug", NULL, "log, and keep the temporary directory", NULL } },
	  cmd_chat },
	{ "leg", SID_ARG, NULL,
	  "Connects stdin and stdout with a session on the relay.  Started by "
	  "view and chat.",
	  { { "--client", "ID", "16 hex digits", NULL },
	    { "--name", "NAME", "display name, percent-encoded", NULL },
	    { "--read-only", NULL, "look only", NULL },
	    { "--chat", NULL, "the chat, not the terminal", NULL } },
	  cmd_leg },
	{ 0 }
};

/* ---- help ----------------------------------------------------------------- */

static const struct command *
command_find(const char *name)
{
	const struct command *cmd;

	for (cmd = commands; cmd->name != NULL; cmd++)
		if (strcmp(cmd->name, name) == 0)
			return cmd;
	return NULL;
}

/* Print S in lines of at most 76 columns. */
static void
print_wrapped(const char *s)
{
	size_t len, cut;

	while (*s != '\0') {
		len = strlen(s);
		if (len > 76) {
			for (cut = 76; cut > 0 && s[cut] != ' '; cut--)
				;
			len = cut > 0 ? cut : 76;
		}
		printf("%.*s\n", (int)len, s);
		s += len;
		s += strspn(s, " ");
	}
}

static void
print_synopsis(FILE *f, const struct command *cmd)
{
	const struct option_row *o = cmd->options;
	int i;

	fprintf(f, "tunl %s", cmd->name);
	for (i = 0; i < COMMAND_OPTIONS && o[i].name != NULL; i++)
		fprintf(f, " [%s%s%s]", o[i].name, o[i].value != NULL ? " " :
		    "", o[i].value != NULL ? o[i].value : "");
	if (cmd->arg != NULL)
		fprintf(f, " %s", cmd->arg);
	fputc('\n', f);
}

static void
print_usage(FILE *f)
{
	const struct command *cmd;

	fputs("usage: tunl COMMAND [OPTIONS] [ARGUMENT]\n\n", f);
	for (cmd = commands; cmd->name != NULL; cmd++)
		if (cmd->summary != NULL)
			fprintf(f, "  %-16s%s\n", cmd->name, cmd->summary);
	fputs("\nA SESSION_ID may be cut to any prefix that only one session "
	    "has.\n`tunl help COMMAND` shows its options; tunl(1) tells the "
	    "rest.\n", f);
}

static int
help_command(const struct command *cmd)
{
	const struct option_row *o = cmd->options;
	char left[64];
	int i;

	fputs("usage: ", stdout);
	print_synopsis(stdout, cmd);
	putchar('\n');
	print_wrapped(cmd->about);
	if (o[0].name != NULL)
		putchar('\n');
	for (i = 0; i < COMMAND_OPTIONS && o[i].name != NULL; i++) {
		(void)snprintf(left, sizeof left, "%s%s%s%s%s", o[i].name,
		    o[i].alias != NULL ? ", " : "",
		    o[i].alias != NULL ? o[i].alias : "",
		    o[i].value != NULL ? " " : "",
		    o[i].value != NULL ? o[i].value : "");
		printf("  %-24s%s\n", left, o[i].help);
	}
	return 0;
}

/* The edit distance of A and B, which are short; large if they are not. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[33], i, j, la = strlen(a), lb = strlen(b), left, above;

	if (la > 32 || lb > 32)
		return 33;
	for (j = 0; j <= lb; j++)
		row[j] = j;
	for (i = 1; i <= la; i++) {
		above = row[0];
		row[0] = i;
		for (j = 1; j <= lb; j++) {
			size_t best = above + (a[i - 1] != b[j - 1]);

			above = row[j];
			left = row[j - 1];
			if (left + 1 < best)
				best = left + 1;
			if (above + 1 < best)
				best = above + 1;
			row[j] = best;
		}
	}
	return row[lb];
}

/* The command that NAME may have been meant to be, or NULL. */
static const struct command *
command_near(const char *name)
{
	const struct command *cmd, *near = NULL;
	size_t best = 3, d;

	for (cmd = commands; cmd->name != NULL; cmd++) {
		if (cmd->summary == NULL)
			continue;
		d = distance(name, cmd->name);
		if (strlen(name) > 1 &&
		    strncmp(name, cmd->name, strlen(name)) == 0)
			d = 1;
		if (d < best && d < strlen(name)) {
			best = d;
			near = cmd;
		}
	}
	return near;
}

static int
command_unknown(const char *name)
{
	const struct command *near = command_near(name);

	if (near != NULL)
		return say_error("'%s' is no tunl command; did you mean '%s'?",
		    name, near->name);
	return say_error("'%s' is no tunl command (`tunl help` lists them)",
	    name);
}

int
cmd_help(struct tunl *t, const struct args *args)
{
	const struct command *cmd;

	(void)t;
	if (args->arg == NULL) {
		print_usage(stdout);
		return 0;
	}
	cmd = command_find(args->arg);
	return cmd != NULL ? help_command(cmd) : command_unknown(args->arg);
}

/* ---- start ---------------------------------------------------------------- */

/* True if one of ARGV, before a "--", asks for help. */
static bool
wants_help(int argc, char **argv)
{
	int i;

	for (i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 ||
		    strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

static int
command_run(const struct command *cmd, int argc, char **argv)
{
	struct tunl t;
	struct args args;
	char err[256];
	int rv;

	memset(&t, 0, sizeof t);
	if (wants_help(argc, argv))
		return help_command(cmd);
	if (args_parse(&args, cmd, argc, argv) == -1)
		return 1;
	if (cmd->run == cmd_help)
		return cmd_help(&t, &args);
	if (settings_load(&t.set, err, sizeof err) == -1)
		return say_error("%s", err);
	if (relay_init(&t.relay, &t.set) == -1)
		return say_error("%s", t.relay.err);
	rv = cmd->run(&t, &args);
	relay_clear(&t.relay);
	return rv;
}

static int
run(int argc, char **argv)
{
	const struct command *cmd;

	if (argc < 2) {
		print_usage(stderr);
		return 1;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("tunl " TUNL_VERSION);
		return 0;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_usage(stdout);
		return 0;
	}
	cmd = command_find(argv[1]);
	if (cmd == NULL)
		return command_unknown(argv[1]);
	return command_run(cmd, argc - 2, argv + 2);
}

int
main(int argc, char **argv)
{
	int rv;

	(void)setlocale(LC_CTYPE, "");
	text_init(strcmp(nl_langinfo(CODESET), "UTF-8") == 0);
	(void)signal(SIGPIPE, SIG_IGN);
	rv = run(argc, argv);
	/* an exit status of 0 says that all was written */
	if (fflush(stdout) == EOF || ferror(stdout)) {
		if (rv == 0 && errno != EPIPE)
			say_error("cannot write the output: %s",
			    strerror(errno));
		rv = 1;
	}
	return rv;
}
