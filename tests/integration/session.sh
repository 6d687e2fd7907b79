#!/bin/bash
# A session from its invitation to its end: typing on both sides, sizes, chat,
# and nothing left of it.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# size_is NAME COLS: typed there, the shell says so many columns
size_is() {
	type_line "$1" 'echo wide=$(tput cols)='
	until_true 1 shows "$1" "^wide=$2="
}

# once NAME TEXT: on exactly one line of the screen
once() {
	[ "$(screen "$1" | grep -cF -- "$2")" -eq 1 ]
}

lab_up
new_session --case CASE-4711
tunl list >"$tmp/list" || fail "tunl list"
grep -q "$sid.*pending" "$tmp/list" ||
    fail "a pending session is not listed: $(cat "$tmp/list")"
customer 100x34
within 5 "the session is active" record_is status active
[ "$(record case)" = CASE-4711 ] || fail "the record's case: $(record case)"
engineer eva
shell_echoes eva
wait_screen customer 'LINBIT SHARE.*\beva\b'

type_line customer 'echo mine $((6 * 7))'
wait_screen eva '^mine 42'

# The customer's terminal is the customer's; an engineer may only have less.
within 10 "the engineer sees the customer's width" size_is eva 100
term_resize eva 80x24
within 15 "the engineer's smaller window wins" size_is eva 80
term_resize eva 130x50
within 15 "never wider than the customer's" size_is eva 100
term_resize customer 90x30
within 15 "the customer's smaller window wins" size_is eva 90

press eva C-b 1
type_line eva "Guten Tag, hier ist Eva"
within 10 "Eva's line at the customer, once" \
    once customer "Guten Tag, hier ist Eva"
within 10 "Eva's line at Eva's, once" once eva "Guten Tag, hier ist Eva"
press customer C-b c
type_line customer "Grüß Gott aus Wien"
within 10 "the customer's line at Eva's, once" once eva "Grüß Gott aus Wien"
within 10 "the customer's line there, once" once customer "Grüß Gott aus Wien"
grep -qF "Grüß Gott" "$TUNL_LAB/log/$sid.chat" || fail "not in the chat's file"
press eva C-b 0
press customer C-b c
shell_echoes customer

type_line customer exit
within 15 "linbit-tunl ends" term_ended customer
[ "$(term_status customer)" = 0 ] ||
    fail "linbit-tunl's status is $(term_status customer)"
within 15 "the session's directory goes" session_gone
within 15 "the registry knows" record_is status closed
wait_screen eva '[Ee]nded|[Oo]ver|[Cc]losed|dead'
tunl list 2>/dev/null | grep -q "$sid" && fail "an ended session is listed"
nothing_left
