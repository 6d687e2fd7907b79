#!/bin/bash
# Two engineers, one of them read-only: both see the shell, only one types,
# and the customer's header names both.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

lab_up
new_session
customer 110x34
engineer eva
shell_echoes eva
engineer tom --read-only
wait_screen customer 'LINBIT SHARE.*(\beva\b.*\btom\b|\btom\b.*\beva\b)'

type_line customer 'echo both see $((7 * 9))'
wait_screen eva '^both see 63'
wait_screen tom '^both see 63'

# What Tom types must be nowhere when what Eva types later is everywhere.
type_line tom 'touch ~/from-tom; echo tom=$((5 * 5))'
type_line eva 'touch ~/from-eva; echo eva=$((6 * 6))'
wait_screen eva '^eva=36'
wait_screen tom '^eva=36'
wait_screen customer '^eva=36'
[ -e "$HOME/from-eva" ] || fail "Eva's command did not run"
[ ! -e "$HOME/from-tom" ] || fail "a read-only engineer's command ran"
shows_not customer 'from-tom' || fail "a read-only engineer's typing arrived"

# One leaves; the other and the customer go on.
press tom C-b Q
within 10 "Tom is out of the header" shows_not customer 'LINBIT SHARE.*\btom\b'
shell_echoes eva
type_line customer exit
within 15 "linbit-tunl ends" term_ended customer
nothing_left
