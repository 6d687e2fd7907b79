#!/bin/bash
# One session, from start to end, on every tmux: on the installed one with what
# old ones lack forced off, and on the programs that TMUX_BINS names, with
# spaces between them.  What is different between them must not be seen.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# ---- the two sides' tmux ----------------------------------------------------

# The customer's; `ctmux` is of that version too, as others cannot talk to it.
ctmux() {
	env PATH="$path" tmux -S "$(session_dir)/tmux.sock" "$@"
}

end_customer() {
	ctmux kill-server 2>/dev/null
	until_true 10 session_gone || rm -rf "$(session_dir)"
}

main_is() {
	[ "$(ctmux display-message -p -t "$main" "$1")" = "$2" ]
}

# The engineer's, of NAME; 2.9 is the oldest that can be.
etmux() {
	env -u TMUX PATH="$engineer_path" TMUX_TMPDIR="$TUNL_LAB/tmux/$1" \
	    tmux "${@:2}" 2>/dev/null
}

shown_at() {
	etmux "$1" display-message -p -t "=tunl-join-$sid:0" "$2"
}

shown_is() {
	[ "$(shown_at "$1" "$2")" = "$3" ]
}

joins() {
	mkdir -p "$TUNL_LAB/tmux/$1" "$TUNL_LAB/run-user/$1"
	term_start "$1" 120x40 env PATH="$engineer_path" \
	    TUNL_DISPLAY_NAME="$1" TMUX_TMPDIR="$TUNL_LAB/tmux/$1" \
	    XDG_RUNTIME_DIR="$TUNL_LAB/run-user/$1" tunl join "$sid"
}

leaves() {
	etmux "$1" kill-server
	term_close "$1"
}

# ---- every octet ------------------------------------------------------------

# An engineer without a terminal, which could not type all of them: at once, one
# after the other from the last to the first, and some that look like others.
all_octets() {
	python3 -c 'import sys
out = sys.stdout.buffer
def frame(octets):
	out.write(b"KEYS main +%d\n%s\n" % (len(octets), octets))
every = bytes(range(256))
parts = [every] + [every[i:i + 1] for i in reversed(range(256))] + [
    "Grüße; \\ ; 日本 \U0001f600;".encode(), b"\xff" * 300, b";", b"x" * 300]
if sys.argv[1] == "frames":
	out.write(b"HELLO 1\n")
	for p in parts:
		frame(p)
else:
	out.write(b"".join(parts))' "$1"
}

# An engineer's leg by hand: say what FILE has, and stay until it is true.
# raw_leg FILE SECONDS COMMAND...
raw_leg() {
	local rv

	rm -f "$tmp/leg"
	mkfifo "$tmp/leg"
	ssh -T 127.0.0.1 consume "$sid" <"$tmp/leg" >/dev/null 2>"$tmp/leg.err" &
	{
		cat "$1"
		until_true "${@:2}"
		rv=$?
	} >"$tmp/leg"
	wait $!
	return $rv
}

octets_arrive() {
	local n

	all_octets plain >"$tmp/typed"
	all_octets frames >"$tmp/frames"
	n=$(wc -c <"$tmp/typed")
	rm -f ~/got
	type_line customer \
	    "stty raw -echo; echo ra\"\"w; head -c $n >~/got; stty sane"
	wait_screen customer '^raw'
	raw_leg "$tmp/frames" 20 got_all "$n" || fail "$version: octets are lost"
	cmp "$tmp/typed" ~/got || fail "$version: octets do not arrive as typed"
	shell_echoes customer
}

got_all() {
	[ "$(wc -c <~/got)" -ge "$1" ]
}

# ---- a screen ---------------------------------------------------------------

# What only a capture can give to who joins late: blanks with a colour, a row
# that wraps, both screens, modes.  Before 2.9 the customer's tmux does not obey
# origin mode, but the engineer's would.
draw() {
	local origin='\033[?6h'

	[[ $version != 2.[0-8]* ]] || origin=
	cat >~/draw <<-'EOP'
		printf '\033[H\033[2J\033[44mblue%60s\033[0m\r\n'
		printf 'w%.0s' $(seq $(($1 + 3)))
		printf '\r\nmain-%s' screen
		printf '\033[?1049h\033[H\033[2J\033[41mred%60s\033[0m\r\n'
		printf '\033[?1002h\033[?1006h\033[3;9r'"$2"'\033[2;4Hor%s' igin
		read -r line
		printf '\033[?6l\033[r\033[?1002l\033[?1006l\033[?1049l'
	EOP
	type_line customer "bash ~/draw $1 '$origin'"
	wait_screen customer 'origin'
}

# blanks NAME REGEX: a row of what NAME is shown, with its colours, matches
blanks() {
	local flag=N

	[[ $(etmux "$1" -V) != *' '2.* && $(etmux "$1" -V) != *' 3.0'* ]] ||
	    flag=J
	etmux "$1" capture-pane -pe$flag -t "=tunl-join-$sid:0" |
	    grep -Eq -- "$2"
}

same_text() {
	local pane="=tunl-join-$sid:0"

	[ "$(ctmux capture-pane -p -t "$main")" = \
	    "$(etmux "$1" capture-pane -p -t "$pane")" ] &&
	    [ "$(ctmux display-message -p -t "$main" \
	    '#{cursor_x} #{cursor_y}')" = \
	    "$(shown_at "$1" '#{cursor_x} #{cursor_y}')" ]
}

late_screens() {
	draw "$1"
	joins tom
	within 15 "$version: tom's screen" same_text tom
	within 5 "$version: coloured blanks" blanks tom 'red {60}'
	within 5 "$version: tom's mouse" \
	    shown_is tom '#{mouse_button_flag} #{alternate_on}' '1 1'
	press customer Enter
	wait_screen customer '^main-screen'
	within 10 "$version: tom's main screen" same_text tom
	within 10 "$version: eva's main screen" same_text eva
	within 5 "$version: coloured blanks" blanks tom 'blue {60}'
	leaves tom
}

# ---- sizes ------------------------------------------------------------------

sizes() {
	local rows

	term_resize eva 80x24
	within 10 "$version: a wish" main_is '#{pane_width}' 80
	term_resize eva 130x50
	within 10 "$version: a wish taken back" main_is '#{pane_width}' 100
	term_resize customer 90x30
	within 10 "$version: the customer is smaller" \
	    main_is '#{pane_width}' 90
	within 10 "$version: eva is told" shown_is eva '#{pane_width}' 90
	term_resize customer 100x34
	within 10 "$version: and larger again" main_is '#{pane_width}' 100
	rows=$(ctmux display-message -p -t "$main" '#{pane_height}')
	printf 'HELLO 1\nZOOM\n' >"$tmp/zoom"
	raw_leg "$tmp/zoom" 10 main_is '#{pane_height}' 34 ||
	    fail "$version: no zoom"
	raw_leg "$tmp/zoom" 10 main_is '#{pane_height}' "$rows" ||
	    fail "$version: zoomed for ever"
}

# ---- a session --------------------------------------------------------------

# walk VERSION PATH [CAPS]: from start to end
walk() {
	local chat

	version=$1 path=$2
	engineer_path=$path
	case $version in
	2.[0-8]*) engineer_path=$PATH ;;
	esac
	new_session
	term_start customer 100x34 env PATH="$path" TUNL_TMUX_CAPS="${3:-}" \
	    linbit-tunl "$sid"
	shell_echoes customer
	main=$(ctmux show-options -v @linbit-main)
	type_line customer 'seq -f before-%g 90'
	wait_screen customer '^before-90'
	joins eva
	shell_echoes eva
	etmux eva capture-pane -p -S - -t "=tunl-join-$sid:0" |
	    grep -q '^before-30$' || fail "$version: no scrollback"
	wait_screen customer 'LINBIT SHARE.*\beva\b'
	type_line eva 'echo "Grüße $((6 * 7)) 日本;"'
	wait_screen customer '^Grüße 42 日本;'
	octets_arrive
	late_screens 100
	sizes

	press customer C-b [
	within 5 "$version: copy mode" main_is '#{pane_in_mode}' 1
	shell_echoes eva
	within 5 "$version: it was left" main_is '#{pane_in_mode}' 0

	chat=$(ctmux display-message -p -t \
	    "$(ctmux show-options -v @linbit-chat)" '#{pane_pid}')
	kill_hard "$chat"
	within 15 "$version: the chat pane is there again" \
	    shows customer 'LINBIT SHARE'
	shell_echoes eva

	case $version in
	as*)	type_line customer exit ;;
	*)	press customer C-b K
		wait_screen customer 'End the session'
		press customer y ;;
	esac
	within 15 "$version: linbit-tunl ends" term_ended customer
	[ "$(term_status customer)" = 0 ] ||
	    fail "$version: linbit-tunl's status is $(term_status customer)"
	within 15 "$version: the session's directory goes" session_gone
	within 15 "$version: the registry knows" record_is status closed
	leaves eva
	term_close customer
}

lab_up
for caps in 2.6 2.9 3.1 -pipe; do
	walk "as $caps" "$PATH" "$caps"
done
for program in ${TMUX_BINS:-}; do
	[ -x "$program" ] || fail "TMUX_BINS: no program $program"
	version=$("$program" -V) || fail "TMUX_BINS: $program is no tmux"
	bin=$tmp/bin-${version#tmux }
	mkdir "$bin" && ln -s "$program" "$bin/tmux" || exit 1
	walk "${version#tmux }" "$bin:$PATH"
done
nothing_left
