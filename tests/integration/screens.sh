# shellcheck shell=bash
# shellcheck source=lib.sh
# screens.sh - what the customer's tmux and the engineers' know of the shared
# pane, compared cell by cell.  Sourced after lib.sh.
#
# find_main		first, once a session
# inner SIDE COMMAND...	a command for the tmux whose pane shows the shell;
#			SIDE is `customer` or an engineer's name
# equal ENGINEER	whether its screen is the customer's
# compare WHAT		the same of all in `engineers`, each given time; counts
#			in `failed` and prints what differs
# compared		at the end: fails if something did
# use_tmux DIR		the product runs the tmux in DIR from now on; the
#			terminals themselves stay with the system's
tmp=${tmp:?lib.sh first}
cells=$repo/tests/integration/vtcells.py
engineers=()
failed=0
where=			# for messages: which tmux, with which capabilities
system_tmux=$(command -v tmux)

format='mode='
for f in pane_width pane_height cursor_x cursor_y cursor_flag cursor_shape \
    alternate_on insert_flag wrap_flag origin_flag keypad_flag \
    keypad_cursor_flag mouse_standard_flag mouse_button_flag mouse_all_flag \
    mouse_utf8_flag mouse_sgr_flag bracket_paste_flag scroll_region_upper \
    scroll_region_lower pane_tabs; do
	format+=" $f=#{$f}"
done

outer() {
	"$system_tmux" -S "$term_socket" -f /dev/null "$@"
}

# The lab's path is kept for the second time.
use_tmux() {
	lab_path=${lab_path:-$PATH}
	PATH=${1:+$1:}$lab_path
	outer set-environment -g PATH "$PATH"
}

inner() {
	local side=$1

	shift
	if [ "$side" = customer ]; then
		tmux -S "$(session_dir)/tmux.sock" "$@"
	else
		TMUX_TMPDIR=$TUNL_LAB/tmux/$side tmux "$@"
	fi
}

find_main() {
	main_pane=$(inner customer show-options -v @linbit-main)
	[ -n "$main_pane" ] || fail "no pane of the customer's is the main one"
	# trailing blanks with their colours: from tmux 3.1 on
	blanks=
	inner customer list-commands | grep -q '^capture-pane.*\[-[A-Za-z]*N' &&
	    blanks=-N
}

pane() {
	if [ "$1" = customer ]; then
		printf '%s\n' "$main_pane"
	else
		printf '=tunl-join-%s:0\n' "$sid"
	fi
}

# customer_is FORMAT: something that tmux knows of the customer's main pane
customer_is() {
	inner customer display-message -p -t "$main_pane" "$1"
}

# grab SIDE: its screen and modes, at one moment, into $tmp/SIDE.screen
grab() {
	# shellcheck disable=SC2086
	inner "$1" display-message -p -t "$(pane "$1")" "$format" \; \
	    capture-pane -p -e $blanks -t "$(pane "$1")" >"$tmp/$1.screen"
}

# What differs first goes into $tmp/ENGINEER.diff.
equal() {
	local a=$tmp/customer.screen b=$tmp/$1.screen

	grab customer && grab "$1" || return
	cmp -s "$a" "$b" || "$cells" "$a" "$b" >"$tmp/$1.diff" 2>&1
}

compare() {
	local who

	for who in "${engineers[@]}"; do
		until_true 8 equal "$who" && continue
		printf '%s: %s%s: A is the customer, B %s\n' "$test_name" \
		    "${where:+$where: }" "$1" "$who"
		cat "$tmp/$who.diff"
		failed=$((failed + 1))
	done
}

compared() {
	[ "$failed" -gt 0 ] || return 0
	printf '%d of the screens differ\n' "$failed"
	verdict=failed
	exit 1
}

# ---- engineers --------------------------------------------------------------

# An engineer has a window with the shell in it.
joined() {
	inner "$1" has-session -t "=tunl-join-$sid:" 2>/dev/null
}

# one_more NAME: an engineer whose screens are compared from now on
one_more() {
	engineer "$1"
	engineers+=("$1")
	within 15 "$1 has a window" joined "$1"
	term_resize "$1" 140x60
}

# one_less: the last of them goes
one_less() {
	inner "${engineers[-1]}" kill-server
	term_close "${engineers[-1]}"
	unset 'engineers[-1]'
}

# view_of NAME: the process that shows an engineer the shell
view_of() {
	local pid

	for pid in $(below "$(inner "$1" display-message -p '#{pid}')" tunl); do
		[ "$(tr '\0' '\n' <"/proc/$pid/cmdline" | sed -n 2p)" != view ] ||
		    printf '%s\n' "$pid"
	done 2>/dev/null
}

# master_of NAME: the ssh that carries an engineer's legs
master_of() {
	ssh -S "$(echo "$TUNL_LAB/run-user/$1"/*.ctl)" -O check 127.0.0.1 2>&1 |
	    sed -n 's/.*(pid=\([0-9]*\)).*/\1/p'
}
