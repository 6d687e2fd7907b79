#!/bin/bash
# The engineer sees what the customer sees: seeded streams of everything that
# draws, with the screens compared cell by cell, for who was there from the
# start and for who joins in the middle, even of a sequence; and resizes.
#
# FIDELITY_SEEDS is how many seeds (12, which is every kind once),
# FIDELITY_FIRST the first of them (1).
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

vtgen=$build/unit/vtgen
cells=$repo/tests/integration/vtcells.py
count=${FIDELITY_SEEDS:-12}
first=${FIDELITY_FIRST:-1}
steps=120		# of a stream
large=(100x36 112x40 104x35)
small=(84x30 90x33 72x28)

format='mode='
for f in pane_width pane_height cursor_x cursor_y cursor_flag cursor_shape \
    alternate_on insert_flag wrap_flag origin_flag keypad_flag \
    keypad_cursor_flag mouse_standard_flag mouse_button_flag mouse_all_flag \
    mouse_utf8_flag mouse_sgr_flag bracket_paste_flag scroll_region_upper \
    scroll_region_lower pane_tabs; do
	format+=" $f=#{$f}"
done

# ---- the two sides ----------------------------------------------------------

# A program in the customer's shell that copies to its terminal the files it is
# told of.  It neither echoes nor prints.
play() {
	cat >"$HOME/play" <<-'EOP'
		stty -echo
		exec 3<>"$HOME/go"
		while read -r file <&3; do
			cat "$file"
		done
	EOP
	mkfifo "$HOME/go"
	type_line customer 'exec bash ~/play'
	exec {go}<>"$HOME/go"
}

# inner SIDE COMMAND...: to the tmux whose pane is that side's main one
inner() {
	local side=$1

	shift
	if [ "$side" = customer ]; then
		tmux -S "$(session_dir)/tmux.sock" "$@"
	else
		TMUX_TMPDIR=$TUNL_LAB/tmux/$side tmux "$@"
	fi
}

# Find the customer's main pane, once.
find_main() {
	main_pane=$(inner customer show-options -v @linbit-main)
	[ -n "$main_pane" ] || fail "no pane of the customer's is the main one"
}

pane() {
	if [ "$1" = customer ]; then
		printf '%s\n' "$main_pane"
	else
		printf '=tunl-join-%s:0\n' "$sid"
	fi
}

# grab SIDE: its screen and modes, at one moment, into $tmp/SIDE.screen
grab() {
	inner "$1" display-message -p -t "$(pane "$1")" "$format" \; \
	    capture-pane -p -e -N -t "$(pane "$1")" >"$tmp/$1.screen"
}

# customer_is FORMAT: something that tmux knows of the customer's main pane
customer_is() {
	inner customer display-message -p -t "$main_pane" "$1"
}

# equal ENGINEER: its screen and the customer's; else what differs first goes
# into $tmp/ENGINEER.diff
equal() {
	local a=$tmp/customer.screen b=$tmp/$1.screen

	grab customer && grab "$1" || return
	cmp -s "$a" "$b" || "$cells" "$a" "$b" >"$tmp/$1.diff" 2>&1
}

# compare WHAT: every engineer's screen must come to be the customer's
compare() {
	local who

	for who in "${engineers[@]}"; do
		until_true 8 equal "$who" && continue
		printf '%s: %s: A is the customer, B %s\n' "$test_name" "$1" \
		    "$who"
		cat "$tmp/$who.diff"
		failed=$((failed + 1))
	done
}

# ---- a seed -----------------------------------------------------------------

# titled TEXT: the customer's tmux has read as far as this title
titled() {
	[ "$(customer_is '#{pane_title}')" = "$1" ]
}

# draw FROM TO SKIP MORE [MEANWHILE...]: have the customer's terminal draw
# these steps, less the first SKIP octets, and MORE of the step behind; the
# title tells that it has, as it is no part of the picture
draw() {
	local mark=$seed.$1.$2 stream=$tmp/stream.$1 args=("${@:1:4}")

	read -ra size <<<"$(customer_is '#{pane_width} #{pane_height}')"
	command="vtgen $fill $seed ${size[*]} ${args[*]}"
	{
		[ "$3" -gt 0 ] || printf '\r'
		generate "$1" "$2" "$3" 0
		printf '\033]2;%s\a' "$mark"
		generate "$2" "$2" 0 "$4"
	} >"$stream"
	printf '%s\n' "$stream" >&"$go"
	"${@:5}"
	within 10 "$command is drawn at the customer's" titled "$mark"
}

generate() {
	# shellcheck disable=SC2086
	"$vtgen" $fill "$seed" "${size[@]}" "$@" ||
	    fail "no stream: vtgen $fill $seed ${size[*]} $*"
}

# One more engineer, in the middle of things; and gone again.
join() {
	engineer "guest$seed"
	engineers+=("guest$seed")
	within 15 "guest$seed has a window" joined "guest$seed"
}

joined() {
	inner "$1" has-session -t "=tunl-join-$sid:" 2>/dev/null
}

leave() {
	inner "${engineers[-1]}" kill-server
	term_close "${engineers[-1]}"
	unset 'engineers[-1]'
}

# resize SIZE...: the customer resizes the terminal, to the seed's one of these
resize() {
	local sizes=("$@") to

	to=${sizes[seed % $#]}
	term_resize customer "$to"
	within 10 "the customer's window follows" resized "${to%x*}"
}

resized() {
	[ "$(customer_is '#{window_width}')" = "$1" ]
}

# Two halves, cut inside a step; whether somebody joins or the size changes
# depends on the seed.  Then the first step again, so that nothing is left that
# a later seed's screens depend on.
run_seed() {
	local middle=$((steps / 2)) octets=$((seed % 7))
	local joins=$((seed % 3 == 0)) resizes=$((seed % 4))
	local meanwhile=()

	fill=
	case $joins,$resizes in
	0,[02])	# nobody needs a capture
		fill=-f ;;
	*,1)	# what is cut goes on as it began, so not at another size
		octets=0 ;;
	*,3)	# smaller, it would leave the cursor of an alternate screen
		# where only tmux can have it
		meanwhile=(resize "${large[@]}") ;;
	esac
	draw 0 "$middle" 0 "$octets"
	compare "$command"
	if [ "$joins" -eq 1 ]; then
		join
		compare "$command, then joined"
	fi
	if [ "$resizes" -eq 1 ]; then
		resize "${small[@]}"
		compare "$command, then resized"
	fi
	draw "$middle" "$steps" "$octets" 0 "${meanwhile[@]}"
	compare "$command ${meanwhile[*]}"
	draw 0 1 0 0
	compare "$command"
	[ "$joins" -eq 0 ] || leave
}

lab_up
new_session
customer "${large[0]}"
find_main
engineer eva
shell_echoes eva
engineers=(eva)
term_resize eva 140x60
play
failed=0
for ((seed = first; seed < first + count; seed++)); do
	run_seed
done
if [ "$failed" -gt 0 ]; then
	printf '%d of the screens differ\n' "$failed"
	verdict=failed
	exit 1
fi
