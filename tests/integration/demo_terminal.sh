#!/bin/bash
# The demo on a terminal: both sides at once, whichever way it is left; then
# nothing is left behind.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# demo NAME WxH: both people's screens are there, in the one terminal
demo() {
	term_start "$1" "$2" "$repo/tests/demo"
	wait_screen "$1" 'LINBIT SHARE.*connected' 30
	wait_screen "$1" '[0-9] watch' 30
	wait_screen "$1" ':main' 30
}

# over NAME: it has cleared up after itself, and says so
over() {
	within 30 "the demo ends" term_ended "$1"
	[ "$(term_status "$1")" = 0 ] && told "$1" '^nothing left behind$' ||
	    fail "the demo's status is $(term_status "$1")"
	term_close "$1"
}

world_snapshot "$tmp/before"
term_init "$tmp/outer"

demo wide 160x45
type_line wide 'echo left $((11 * 11))'
wait_screen wide '^left 121.*left 121'
press wide M-Right
type_line wide 'echo right $((12 * 12))'
wait_screen wide '^right 144.*right 144'
press wide M-q
over wide

demo narrow 90x50
type_line narrow exit
over narrow

demo closed 100x40
pid=$(outer display-message -p -t =closed: '#{pane_pid}')
term_close closed
within 30 "it ends with its terminal" all_gone "$pid"

term_end
world_restored "$tmp/before" || fail "something is left behind"
