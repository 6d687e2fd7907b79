#!/bin/bash
# A customer on a bad link whose terminal prints without end: the engineer's
# keys arrive and their effect is seen soon, ^C ends it, nobody takes the link
# for lost, and the screens are the same in the end.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=screens.sh
. "$(dirname "$0")/screens.sh"
# shellcheck source=link.sh
. "$(dirname "$0")/link.sh"

soon=10			# seconds; how soon, within two, is for the bench to tell
noticed=9		# seconds: silence would be, at both ends, after eight

# Prints without end, and says on every line which key came last.
cat >"$HOME/flood" <<'EOP'
import os, select, termios, tty
before = termios.tcgetattr(0)
tty.setcbreak(0)
key = 'none'
try:
    while True:
        if select.select([0], [], [], 0)[0]:
            key = os.read(0, 1).decode()
        os.write(1, (f'the last key was {key}, it says\n' * 50).encode())
except KeyboardInterrupt:
    termios.tcsetattr(0, termios.TCSADRAIN, before)
EOP

# effect WHAT REGEX: Eva must see it soon; how late it is is worth knowing only
# if it is too late
effect() {
	local begin=$SECONDS

	until_true "$soon" shows eva "$2" && return
	until_true 60 shows eva "$2" &&
	    fail "$1: seen after $((SECONDS - begin)) s, with" \
		"$(link_octets up) octets"
	fail "$1: not seen in $((SECONDS - begin)) s"
}

is_lost() {
	[ "$(produce)" != "$leg" ]
}

keys_in_a_flood() {
	local key

	type_line eva 'python3 ~/flood'
	effect "a flood" '^the last key was none,'
	for key in a b c; do
		type_text eva "$key"
		effect "key $key" "^the last key was $key,"
	done
	press eva C-c
	shell_echoes eva 30
	compare "a flood, then ^C"
}

# It is stopped by the engineer's ^C after so long that silence would have been
# noticed.
yes_and_interrupt() {
	type_line eva 'PS1="over> "; yes'
	effect "yes" '^y '
	! until_true "$noticed" is_lost || fail "the customer connected again"
	press eva C-c
	effect "^C" '^over> '
	compare "yes, then ^C"
	type_line eva 'PS1="$ "'
	shell_echoes eva 30
}

the_same_link() {
	[ "$(produce)" = "$leg" ] || fail "$1: the customer connected again"
	[ "$(customer_ssh)" = "$ssh" ] || fail "$1: the customer's ssh is new"
	! told customer 'connecting|connection was lost|does not (answer|move)' ||
	    fail "$1: the customer is told of a lost link"
	! grep -iE 'lost|missed' "$TUNL_LAB/log/$sid.log" ||
	    fail "$1: the relay took the link for lost"
}

lab_up TUNL_PING=2s TUNL_PING_MISSED=3
link_up 'rate up 64000'
new_session
term_start customer 100x36 env "TUNL_RELAY_PORT=$link_port" TUNL_PING=2s \
    TUNL_PING_MISSED=3 linbit-tunl "$sid"
shell_echoes customer
find_main
one_more eva
shell_echoes eva 30
leg=$(produce) ssh=$(customer_ssh)

keys_in_a_flood
yes_and_interrupt
the_same_link "64 kbit/s"

link_tell 'rate up 2000000'
link_tell 'delay 300'
link_tell 'loss 5'
keys_in_a_flood
the_same_link "300 ms and retransmissions"
compared

link_tell 'loss 0'
link_tell 'delay 0'
type_line customer exit
within 15 "linbit-tunl ends" term_ended customer
link_down
nothing_left
