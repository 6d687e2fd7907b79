/*
 * say.h - what tunl says to its user on stderr.
 *
 * The text is made fit for the terminal in here, so that no caller can forget.
 */
#ifndef SAY_H
#define SAY_H

#define SAY_PRINTF __attribute__((format(printf, 1, 2)))

/* "tunl: …"; returns 1, the exit status of every failure. */
int	say_error(const char *fmt, ...) SAY_PRINTF;

/* "[tunl] …" */
void	say_notice(const char *fmt, ...) SAY_PRINTF;

#endif
