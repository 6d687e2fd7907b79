# shellcheck shell=bash
# shellcheck source=screens.sh
. "$(dirname "$0")/screens.sh"
# fidelity_lib.sh - seeded streams of everything that draws, and three kinds of
# engineers whose screens must come to be the customer's, cell by cell: who was
# there from the start, who joins in the middle, even of a sequence, and who
# was skipped ahead.  Sourced after lib.sh.
#
# people_up		a session, its customer, and two engineers
# run_seeds FIRST COUNT	compare on these seeds; every kind is in 12 of them
# people_down		the session is over, nothing differed or the test fails
tmp=${tmp:?lib.sh first}
vtgen=$build/unit/vtgen
steps=120		# of a stream
large=(100x36 112x40 104x35)
small=(84x30 90x33 72x28)
flood=2000000		# octets: more than credit and ring can hold

# ---- the people -------------------------------------------------------------

# A program in the customer's shell, or with `exec` in its place, that copies to
# its terminal the files it is told of.  It neither echoes nor prints.
play() {
	cat >"$HOME/play" <<-'EOP'
		stty -echo
		trap 'stty echo' EXIT
		exec 3<>"$HOME/go"
		while read -r file <&3; do
			[ "$file" != end ] || exit
			cat "$file"
		done
	EOP
	rm -f "$HOME/go"
	mkfifo "$HOME/go"
	type_line customer "$1 bash ~/play"
	exec {go}<>"$HOME/go"
}

# Lines like no other, so that none is there twice.
make_flood() {
	seq -f 'flood %.0f, which nobody has to see' 1 100000 |
	    head -c "$flood" >"$tmp/flood"
}

# Sue is the one who stops reading now and then.
people_up() {
	new_session
	customer "${large[0]}"
	find_main
	engineers=()
	one_more eva
	shell_echoes eva
	one_more sue
	[ -s "$tmp/flood" ] || make_flood
	play exec
}

people_down() {
	local who

	printf 'end\n' >&"$go"
	exec {go}>&-
	within 15 "linbit-tunl ends" term_ended customer
	term_close customer
	for who in "${engineers[@]}"; do
		inner "$who" kill-server 2>/dev/null
		term_close "$who"
	done
	within 10 "nothing of the session is left" session_gone
	engineers=()
	compared
}

# ---- a seed -----------------------------------------------------------------

# titled TEXT: the customer's tmux has read as far as this title
titled() {
	[ "$(customer_is '#{pane_title}')" = "$1" ]
}

# shown WHAT FILE: the customer's terminal draws this, and its title tells that
# it has, as that is no part of the picture
shown() {
	printf '%s\n' "$2" >&"$go"
	within 60 "$1 is drawn at the customer's" titled "$3"
}

# draw FROM TO SKIP MORE [MEANWHILE...]: these steps, less the first SKIP
# octets, and MORE of the step behind
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
	"${@:5}"
	shown "$command" "$stream" "$mark"
}

generate() {
	# shellcheck disable=SC2086
	"$vtgen" $fill "$seed" "${size[@]}" "$@" ||
	    fail "no stream: vtgen $fill $seed ${size[*]} $*"
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

# Sue's connection stops, and more than can wait for her is drawn.  (A program
# in a pane cannot be stopped: tmux sends it on.)
stop_sue() {
	view=$(view_of sue)
	read_before=$(octets_read "$view")
	within 20 "Sue is connected" is_connected
	kill -STOP "$stopped" || fail "Sue has no connection to stop"
	{
		cat "$tmp/flood"
		printf '\033\\\030\033]2;flooded.%s\a' "$seed"
	} >"$tmp/flood.$seed"
	shown "a flood" "$tmp/flood.$seed" "flooded.$seed"
	rm -f "$tmp/flood.$seed"
}

is_connected() {
	stopped=$(master_of sue)
	[ -n "$stopped" ]
}

wake_sue() {
	kill -CONT "$stopped"
}

octets_read() {
	sed -n 's/^rchar: //p' "/proc/$1/io"
}

was_skipped() {
	local n=$(($(octets_read "$view") - read_before))

	[ $n -lt $((flood / 2)) ] ||
	    fail "${where:+$where: }Sue was not skipped ahead: she read $n octets"
	[ "$(view_of sue)" = "$view" ] || fail "Sue's view is another one"
}

# Two halves, cut inside a step; whether somebody joins or is skipped between
# them, and whether the size changes, depends on the seed.  Then the first step
# again, so that nothing is left that a later seed's screens depend on.
run_seed() {
	local middle=$((steps / 2)) octets=$((seed % 7))
	local kind=$((seed % 3)) resizes=$((seed % 4)) meanwhile=()

	fill=
	case $kind,$resizes in
	2,[02])	# nobody needs a capture
		fill=-f ;;
	*,1)	# what is cut goes on as it began, so not at another size
		octets=0 ;;
	*,3)	# smaller, it would leave the cursor of an alternate screen
		# where only tmux can have it
		meanwhile=(resize "${large[@]}") ;;
	esac
	draw 0 "$middle" 0 "$octets"
	compare "$command"
	if [ "$kind" -eq 0 ]; then
		one_more "guest$seed"
		compare "$command, then joined"
	elif [ "$kind" -eq 1 ]; then
		stop_sue
	fi
	if [ "$resizes" -eq 1 ]; then
		resize "${small[@]}"
		[ "$kind" -eq 1 ] || compare "$command, then resized"
	fi
	draw "$middle" "$steps" "$octets" 0 "${meanwhile[@]}"
	[ "$kind" -ne 1 ] || wake_sue
	compare "$command ${meanwhile[*]}"
	[ "$kind" -ne 1 ] || was_skipped
	draw 0 1 0 0
	compare "$command"
	[ "$kind" -ne 0 ] || one_less
}

run_seeds() {
	for ((seed = $1; seed < $1 + $2; seed++)); do
		run_seed
	done
}
