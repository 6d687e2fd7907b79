/*
 * args.c - a subcommand's command line, read by its row of the table.
 */
#include <stdio.h>
#include <string.h>

#include "say.h"
#include "tunl.h"

const char *
args_value(const struct args *args, const char *name)
{
	size_t i;

	for (i = 0; i < COMMAND_OPTIONS; i++)
		if (args->cmd->options[i].name != NULL &&
		    strcmp(args->cmd->options[i].name, name) == 0)
			return args->values[i];
	return NULL;
}

/* True if the LEN octets at S are NAME. */
static bool
is_named(const char *s, size_t len, const char *name)
{
	return name != NULL && strlen(name) == len &&
	    strncmp(s, name, len) == 0;
}

/* The row of the option that the LEN octets at S name, or -1. */
static int
option_find(const struct command *cmd, const char *s, size_t len)
{
	int i;

	for (i = 0; i < COMMAND_OPTIONS && cmd->options[i].name != NULL; i++)
		if (is_named(s, len, cmd->options[i].name) ||
		    is_named(s, len, cmd->options[i].alias))
			return i;
	return -1;
}

/*
 * Read the option at ARGV[0], whose value may be in ARGV[1].  Returns how many
 * of ARGV it took, or -1.
 */
static int
option_take(struct args *args, int argc, char **argv)
{
	const char *s = argv[0], *value = NULL;
	size_t len = strcspn(s, "=");
	int i = option_find(args->cmd, s, len), took = 1;
	const struct option_row *row;

	if (i == -1) {
		say_error("%s has no option '%s' (see `tunl help %s`)",
		    args->cmd->name, s, args->cmd->name);
		return -1;
	}
	row = &args->cmd->options[i];
	if (s[len] == '=')
		value = s + len + 1;
	if (row->value == NULL && value != NULL) {
		say_error("%s takes no value", row->name);
		return -1;
	}
	if (row->value != NULL && value == NULL) {
		if (argc < 2) {
			say_error("%s needs a value: %s", row->name,
			    row->value);
			return -1;
		}
		value = argv[1];
		took = 2;
	}
	if (args->values[i] != NULL) {
		say_error("%s is given twice", row->name);
		return -1;
	}
	args->values[i] = value != NULL ? value : "";
	return took;
}

int
args_parse(struct args *args, const struct command *cmd, int argc, char **argv)
{
	bool options = true;
	int i = 0, took;

	memset(args, 0, sizeof *args);
	args->cmd = cmd;
	while (i < argc) {
		if (options && strcmp(argv[i], "--") == 0) {
			options = false;
			i++;
		} else if (options && argv[i][0] == '-') {
			took = option_take(args, argc - i, argv + i);
			if (took == -1)
				return -1;
			i += took;
		} else if (cmd->arg == NULL || args->arg != NULL) {
			say_error("%s: too many arguments: '%s' (see `tunl "
			    "help %s`)", cmd->name, argv[i], cmd->name);
			return -1;
		} else
			args->arg = argv[i++];
	}
	if (cmd->arg != NULL && cmd->arg[0] != '[' && args->arg == NULL) {
		say_error("%s needs a %s (see `tunl help %s`)", cmd->name,
		    cmd->arg, cmd->name);
		return -1;
	}
	return 0;
}
