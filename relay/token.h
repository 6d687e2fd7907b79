/*
 * token.h - the form of a one-time token: six digits, easily read out.
 */
#ifndef TOKEN_H
#define TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOKEN_LEN	6	/* octets */

/* Are the LEN octets at S one? */
bool	token_is_valid(const char *s, size_t len);

/*
 * The token that the random number N stands for; every token as likely as any
 * other.  False for the few N that stand for none.
 */
bool	token_of(uint32_t n, char token[TOKEN_LEN + 1]);

/* Draw one (getrandom): 0, or -1 with errno. */
int	token_draw(char token[TOKEN_LEN + 1]);

#endif
