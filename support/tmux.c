/*
 * tmux.c - see tmux.h.
 */
#include "tmux.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "num.h"
#include "spawn.h"

#define RUN_MS	5000

void
tmux_begin(struct tmux *tm)
{
	tm->argc = 0;
	tm->used = 0;
	tm->argv[tm->argc++] = "tmux";
}

static void
add(struct tmux *tm, const char *arg)
{
	size_t len = strlen(arg);

	if (tm->argc == TMUX_ARGV_MAX - 1)
		fatalx("tmux command line too long");
	/* tmux takes a ";" at an argument's end for the end of the command */
	if (len > 0 && arg[len - 1] == ';')
		arg = tmux_text(tm, "%.*s\\;", (int)len - 1, arg);
	tm->argv[tm->argc++] = arg;
	tm->argv[tm->argc] = NULL;
}

static void
add_all(struct tmux *tm, va_list ap)
{
	const char *arg;

	while ((arg = va_arg(ap, const char *)) != NULL)
		add(tm, arg);
}

void
tmux_add(struct tmux *tm, ...)
{
	va_list ap;

	if (tm->argc > 1)
		tm->argv[tm->argc++] = ";";
	va_start(ap, tm);
	add_all(tm, ap);
	va_end(ap);
}

void
tmux_more(struct tmux *tm, ...)
{
	va_list ap;

	va_start(ap, tm);
	add_all(tm, ap);
	va_end(ap);
}

const char *
tmux_text(struct tmux *tm, const char *fmt, ...)
{
	char *text = tm->pool + tm->used;
	size_t room = sizeof tm->pool - tm->used;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= room)
		fatalx("tmux command line too long");
	tm->used += (size_t)n + 1;
	return text;
}

int
tmux_run(struct tmux *tm, char *out, size_t cap)
{
	char none[16];

	if (out == NULL) {
		out = none;
		cap = sizeof none;
	}
	return spawn_capture(tm->argv, out, cap, RUN_MS);
}

void
tmux_exec(const struct tmux *tm)
{
	(void)execvp(tm->argv[0], (char *const *)(uintptr_t)tm->argv);
}

unsigned int
tmux_version_parse(const char *s)
{
	uint64_t major, minor;
	size_t n;

	s += strcspn(s, "0123456789\n");
	n = strspn(s, "0123456789");
	if (num_parse(s, n, 0, 99, &major) == -1 || s[n] != '.')
		return 0;
	s += n + 1;
	n = strspn(s, "0123456789");
	if (num_parse(s, n, 0, 99, &minor) == -1)
		return 0;
	return (unsigned int)(100 * major + minor);
}

unsigned int
tmux_version(void)
{
	const char *argv[] = { "tmux", "-V", NULL };
	char out[64];

	if (spawn_capture(argv, out, sizeof out, RUN_MS) != 0)
		return 0;
	return tmux_version_parse(out);
}
