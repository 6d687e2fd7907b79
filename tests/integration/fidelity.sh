#!/bin/bash
# The engineer sees what the customer sees: seeded streams of everything that
# draws, with the screens compared cell by cell, for who was there from the
# start and for who joins in the middle, even of a sequence; and resizes.
#
# FIDELITY_SEEDS is how many seeds (12), FIDELITY_FIRST the first of them (1).
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

vtgen=$build/unit/vtgen
cells=$repo/tests/integration/vtcells.py
count=${FIDELITY_SEEDS:-12}
first=${FIDELITY_FIRST:-1}
steps=120		# of a stream
joins=3			# seeds between two engineers who join midway
sizes=(100x36 84x30 112x40 90x33)

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
	main_pane=$(inner customer list-panes -a -F \
	    '#{@linbit-role} #{pane_id}' | sed -n 's/^main //p')
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

# The customer's main pane: "COLS ROWS", or its title.
customer_is() {
	inner customer display-message -p -t "$main_pane" "$1"
}

equal() {
	grab "$1" && { cmp -s "$tmp/customer.screen" "$tmp/$1.screen" ||
	    "$cells" "$tmp/customer.screen" "$tmp/$1.screen" \
	    >"$tmp/$1.diff" 2>&1; }
}

# compare WHAT: every engineer's screen must come to be the customer's
compare() {
	local who

	for who in "${engineers[@]}"; do
		grab customer
		until_true 8 equal "$who" && continue
		printf '%s: %s: A is the customer, B %s\n' "$test_name" "$1" \
		    "$who"
		cat "$tmp/$who.diff"
		[ -z "${FIDELITY_KEEP:-}" ] || cp -r "$tmp"/*.screen \
		    "$tmp/stream" "$FIDELITY_KEEP"
		failed=$((failed + 1))
	done
}

# ---- a seed -----------------------------------------------------------------

# titled TEXT: the customer's tmux has read as far as this title
titled() {
	[ "$(customer_is '#{pane_title}')" = "$1" ]
}

# draw FROM TO [OCTETS [OCTETS]]: have the customer's terminal draw these steps
draw() {
	local size mark="$seed.$1.${2}"

	read -ra size <<<"$(customer_is '#{pane_width} #{pane_height}')"
	command="vtgen $seed ${size[*]} $*"
	"$vtgen" "$seed" "${size[@]}" "$1" "$2" "${3:-0}" >"$tmp/stream"
	if [ "${4:-0}" -gt 0 ]; then
		printf '\033]2;%s\a' "$mark" >>"$tmp/stream"
		"$vtgen" "$seed" "${size[@]}" "$2" "$2" 0 "$4" >>"$tmp/stream"
	else
		printf '\033]2;%s\a' "$mark" >>"$tmp/stream"
	fi
	printf '%s\n' "$tmp/stream" >&"$go"
	within 10 "$command is drawn at the customer's" titled "$mark"
}

# One more engineer, in the middle of things.
join() {
	engineer "guest$seed"
	engineers+=("guest$seed")
	within 15 "guest$seed has a window" inner "guest$seed" has-session \
	    -t "=tunl-join-$sid:" 2>/dev/null
}

leave() {
	inner "guest$seed" kill-server
	term_close "guest$seed"
	unset 'engineers[-1]'
}

resize() {
	term_resize customer "${sizes[seed % ${#sizes[@]}]}"
	within 10 "the customer's window follows" resized \
	    "${sizes[seed % ${#sizes[@]}]}"
}

resized() {
	[ "$(customer_is '#{window_width}')" = "${1%x*}" ]
}

run_seed() {
	local middle=$((steps / 2)) octets=$((seed % 7))

	# what is cut goes on as it began, so not at another size
	[ $((seed % 4)) -ne 1 ] || octets=0
	draw 0 "$middle" 0 "$octets"
	compare "$command"
	if [ $((seed % joins)) -eq 0 ]; then
		join
		compare "$command, then joined"
	fi
	if [ $((seed % 4)) -eq 1 ]; then
		resize
		compare "$command, then resized"
	fi
	draw "$middle" "$steps" "$octets"
	compare "$command"
	if [ $((seed % 4)) -eq 3 ]; then
		resize
		compare "$command, then resized"
	fi
	[ "${#engineers[@]}" -eq 1 ] || leave
}

lab_up
new_session
customer 100x36
find_main
engineer eva
shell_echoes eva
engineers=(eva)
failed=0
term_resize eva 140x60
play
for ((seed = first; seed < first + count; seed++)); do
	[ -z "${FIDELITY_ONLY:-}" ] || [[ " $FIDELITY_ONLY " == *" $seed "* ]] ||
	    continue
	run_seed
done
[ "$failed" -eq 0 ] || fail "$failed screens differ"
