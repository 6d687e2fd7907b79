/*
 * notify.h - telling the service manager how we are, as sd_notify(3) does: a
 * datagram to the socket that NOTIFY_SOCKET names.  Nothing happens without
 * one.
 */
#ifndef NOTIFY_H
#define NOTIFY_H

#include <stdint.h>

/* Send STATE, such as "READY=1"; failures are nobody's business. */
void		notify_send(const char *state);

/*
 * How often, in milliseconds, the manager wants "WATCHDOG=1" from us at the
 * latest (WATCHDOG_USEC, for our pid); 0: it does not.
 */
uint32_t	notify_watchdog_ms(void);

#endif
