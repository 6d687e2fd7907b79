#!/bin/bash
# Support ends a session, or takes back an invitation, and the customer is told
# so in words.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

lab_up

# tunl close: the customer's shell ends.
new_session
customer
engineer eva
shell_echoes eva
tunl close "$sid" >"$tmp/out" 2>&1 || fail "tunl close: $(cat "$tmp/out")"
within 15 "linbit-tunl ends" term_ended customer
told customer '^linbit-tunl: .*support' ||
    fail "the customer is not told who ended it"
within 15 "the session's directory goes" session_gone
within 15 "the registry knows" record_is status closed
wait_screen eva '[Tt]erminated|[Ee]nded|[Cc]losed'
term_close customer
term_close eva

# tunl cancel of an invitation: it is worth nothing afterwards.
new_session
tunl cancel "$sid" >"$tmp/out" 2>&1 || fail "tunl cancel: $(cat "$tmp/out")"
tunl list 2>/dev/null | grep -q "$sid" && fail "a cancelled session is listed"
term_start customer 90x24 linbit-tunl "$sid"
within 15 "linbit-tunl gives up" term_ended customer
[ "$(term_status customer)" = 1 ] ||
    fail "linbit-tunl's status is $(term_status customer)"
told customer '^linbit-tunl: .*does not accept' || fail "linbit-tunl does not say why"
session_gone || fail "its directory is left"
term_close customer

# tunl cancel of a session: out of the registry, and the shell goes on.
new_session
customer
within 5 "the session is active" record_is status active
tunl cancel "$sid" >"$tmp/out" 2>&1 || fail "tunl cancel: $(cat "$tmp/out")"
tunl list 2>/dev/null | grep -q "$sid" && fail "a cancelled session is listed"
shell_echoes customer
type_line customer exit
within 15 "linbit-tunl ends" term_ended customer
within 15 "the session's directory goes" session_gone

tunl close no-such-session-here >"$tmp/out" 2>&1 && fail "it closed nothing"
grep -q "^tunl: .*no-such-session-here" "$tmp/out" ||
    fail "close of nothing says: $(cat "$tmp/out")"
nothing_left
