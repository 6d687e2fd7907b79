/*
 * say.c - see say.h.
 */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "safetext.h"
#include "text.h"

#define SAY_MAX	2048	/* octets of one message; the rest is cut */

__attribute__((format(printf, 2, 0)))
static void
say(const char *prefix, const char *fmt, va_list ap)
{
	char raw[SAY_MAX], safe[SAFETEXT_SIZE(SAY_MAX)];

	if (vsnprintf(raw, sizeof raw, fmt, ap) < 0)
		return;
	text_safe(safe, sizeof safe, raw, strlen(raw));
	(void)fprintf(stderr, "%s%s\n", prefix, safe);
}

int
say_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("tunl: ", fmt, ap);
	va_end(ap);
	return 1;
}

void
say_notice(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("[tunl] ", fmt, ap);
	va_end(ap);
}
