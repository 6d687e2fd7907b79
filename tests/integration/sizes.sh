#!/bin/bash
# Whose size holds: the smallest engineer's, a forced one for a while, the
# customer's where a viewport is asked for or everybody has left; zoom, panning,
# a customer who resizes meanwhile, and terminals of odd sizes.  Each time all
# screens show the same.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

ctmux() {
	tmux -S "$(session_dir)/tmux.sock" "$@"
}

# ntmux NAME COMMAND...: that engineer's tmux
ntmux() {
	local name=$1

	shift
	env -u TMUX "TMUX_TMPDIR=$TUNL_LAB/tmux/$name" tmux "$@"
}

# join_as NAME WxH [COMMAND...]: an engineer with a terminal of that size
join_as() {
	local name=$1 size=$2

	shift 2
	mkdir -p "$TUNL_LAB/tmux/$name" "$TUNL_LAB/run-user/$name"
	term_start "$name" "$size" env "TUNL_DISPLAY_NAME=$name" \
	    "TMUX_TMPDIR=$TUNL_LAB/tmux/$name" \
	    "XDG_RUNTIME_DIR=$TUNL_LAB/run-user/$name" "$@" tunl join "$sid"
	within 15 "$name has joined" wished "$name"
}

# wished NAME: the relay knows what size the engineer would like
wished() {
	grep -qsP "\"$1\"\t.*\tsize\t[1-9]" "$TUNL_LAB/log/$sid.log"
}

# The customer's shell pane, or an engineer's window 0: its size, its text.
pane_of() {
	if [ "$1" = customer ]; then
		printf '%s\n' "$main_pane"
	else
		printf '=tunl-join-%s:0\n' "$sid"
	fi
}

tmux_of() {
	local name=$1

	shift
	if [ "$name" = customer ]; then
		ctmux "$@"
	else
		ntmux "$name" "$@"
	fi
}

size_of() {
	tmux_of "$1" display-message -p -t "$(pane_of "$1")" \
	    '#{pane_width}x#{pane_height}'
}

text_of() {
	tmux_of "$1" capture-pane -p -t "$(pane_of "$1")"
}

is_size() {
	[ "$(size_of "$1")" = "$2" ]
}

same_text() {
	[ "$(text_of "$1")" = "$(text_of customer)" ]
}

# all_have WxH WHAT NAME...: the customer's shell gets this size, the program in
# it is told, and these engineers come to see the same
all_have() {
	local size=$1 what=$2 name

	shift 2
	within 15 "$what: the customer's shell has $size, not $(size_of \
	    customer)" is_size customer "$size"
	within 10 "$what: the shell is told so" shell_has_size "$size"
	for name; do
		within 10 "$what: $name's window has $size" \
		    is_size "$name" "$size"
		until_true 10 same_text "$name" || fail "$what: $name sees" \
		    "$(diff <(text_of customer) <(text_of "$name"))"
	done
}

# (tput clear: nothing of another size is left to be wrapped anew.)
shell_has_size() {
	type_line customer \
	    'tput clear; echo size=$(stty size | sed "s/\(.*\) \(.*\)/\2x\1/")='
	until_true 2 customer_prints "size=$1="
}

customer_prints() {
	text_of customer | grep -qF -- "$1"
}

customer_narrow() {
	[ "$(size_of customer | cut -dx -f1)" = "$1" ]
}

customer_taller() {
	[ "$(size_of customer | cut -dx -f2)" -gt "$rows" ]
}

menu() {
	press "$1" C-b Enter
	wait_screen "$1" 'Force my dimensions'
	press "$1" "$2"
}

lab_up
new_session
customer 100x34
main_pane=$(ctmux show-options -v @linbit-main)
full=$(size_of customer)
rows=${full#*x}

# ---- the smallest wins ------------------------------------------------------

join_as eva 80x20
all_have 80x19 "eva joins" eva
join_as tom 70x40 LC_ALL=C
all_have 70x19 "the smaller of each" eva tom
term_resize eva 120x50
all_have "70x$rows" "eva's terminal grows" eva tom
term_resize eva 81x21
all_have 70x20 "and shrinks" eva tom

# ---- forced, for a while ----------------------------------------------------

menu eva R
all_have 81x20 "forced" eva tom
wait_screen eva 'your dimensions hold'
term_resize eva 120x50
all_have "$full" "forced, never more than the customer's" eva tom
menu eva R
wait_screen eva 'no longer forced'
all_have "70x$rows" "no longer forced" eva tom
menu eva R
all_have "$full" "forced again" eva tom
press eva C-b Q
all_have "70x$rows" "who forced it has left" tom
term_close eva

# ---- viewport ---------------------------------------------------------------

press tom C-b v
all_have "$full" "tom wants a viewport" tom
type_line customer "clear; printf 'left%86sright\n' ''"
wait_screen tom '^left'
press tom C-b Right
press tom Right
press tom Right
press tom Right
wait_screen tom 'right *$'
shows tom '^left' && fail "tom's terminal shows all"
press tom C-b Home
wait_screen tom '^left'
press tom C-b v
all_have "70x$rows" "no longer" tom

# ---- the customer -----------------------------------------------------------

term_resize customer 60x30
within 10 "narrower than anybody's" customer_narrow 60
small=$(size_of customer)
all_have "$small" "the customer's terminal shrinks" tom
term_resize customer 140x34
all_have "70x$rows" "and grows" tom
term_resize tom 200x60
all_have "140x$rows" "all of it" tom
press tom C-b z
within 10 "zoomed" customer_taller
all_have 140x34 "zoomed" tom
press tom C-b z
all_have "140x$rows" "no longer zoomed" tom

# ---- odd sizes --------------------------------------------------------------

term_resize tom 33x2
within 10 "a terminal of two rows" is_size customer 33x5
term_resize tom 1x1
all_have "140x$rows" "one that shows nothing has no say" tom
term_resize tom 1200x1100
all_have "140x$rows" "one of 1200x1100" tom
press tom C-b d
within 10 "tom is away" term_ended tom
all_have "140x$rows" "nobody looks"
term_close tom
join_as eva 90x30
all_have "90x$rows" "eva again" eva
press eva C-b Q
all_have "140x$rows" "everybody has left"
