#!/bin/bash
# snapshot.sh - a screen of the customer's shell pane, taken by the product and
# replayed in a fresh pane of the same size, is that screen: its cells, cursor
# and modes, and whatever the program prints next.
#
# Drives $TUNL_BUILD/unit/snapshot_demo (make build/unit/snapshot_demo), which
# is the product's tmux side, on a tmux of its own.  Prints failures only.
set -u
umask 077
repo=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
demo=${TUNL_BUILD:-$repo/build}/unit/snapshot_demo
# shellcheck source=term.sh
. "$repo/tests/integration/term.sh"
poll=0.02
cols=72 rows=20			# of the window; the chat pane takes 10
export LC_ALL=C.UTF-8
unset TMUX TMUX_PANE
failed=0 marks=0 pid=''

tmp=$(mktemp -d /tmp/snap-XXXXXX) || exit 1
cleanup() {
	[ -z "$pid" ] || kill "$pid" 2>/dev/null
	tmux -S "$tmp/tmux.sock" kill-server 2>/dev/null
	tmux -S "$tmp/replay.sock" kill-server 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP PIPE

bad() {
	printf 'snapshot.sh: %s\n' "$*"
	failed=1
}

# t original|replay COMMAND...
t() {
	local which=$1

	shift
	case $which in
	original) tmux -u -S "$tmp/tmux.sock" "$@" ;;
	replay) tmux -u -S "$tmp/replay.sock" "$@" ;;
	esac
}

pane() {
	[ "$1" = replay ] && echo replay: || cat "$tmp/pane"
}

# How to ask a pane for all that can be asked.
formats='#{cursor_x},#{cursor_y} alternate #{?alternate_on,#{alternate_saved_x}'
formats+=' #{alternate_saved_y},no} region #{scroll_region_upper}-'
formats+='#{scroll_region_lower} flags #{cursor_flag}#{insert_flag}'
formats+='#{wrap_flag}#{origin_flag}#{keypad_flag}#{keypad_cursor_flag}'
formats+='#{mouse_standard_flag}#{mouse_button_flag}#{mouse_all_flag}'
formats+='#{mouse_utf8_flag}#{mouse_sgr_flag} tabs #{pane_tabs}'

dump() {
	local p

	p=$(pane "$1")
	t "$1" display-message -p -t "$p" "$formats"
	t "$1" capture-pane -p -e -N -t "$p"
	t "$1" capture-pane -p -e -N -a -q -t "$p"
	t "$1" capture-pane -p -P -C -t "$p"
}

is_title() {
	[ "$(t "$1" display-message -p -t "$(pane "$1")" '#{pane_title}')" = \
	    "$2" ]
}

# write_octets original|replay OCTETS: and wait until the pane has them
write_octets() {
	marks=$((marks + 1))
	printf '%s\033]2;mark%d\007' "$2" $marks >"$tmp/$1.fifo"
	until_true 10 is_title "$1" mark$marks || bad "$1 does not draw"
}

# Replay a file; $(cat) would lose line feeds at its end.
replay() {
	cat "$1" >"$tmp/replay.fifo"
	write_octets replay ''
}

is_pending() {
	[ "$(t "$1" capture-pane -p -P -C -t "$(pane "$1")")" = "$2" ]
}

shoot() {
	local answer

	echo "shoot $tmp/shot 50" >&"${DEMO[1]}"
	read -r -t 10 answer <&"${DEMO[0]}" || answer=none
	case $answer in
	shot*) return ;;
	esac
	bad "$1: no screen was taken: $answer"
	return 1
}

fresh_replay() {
	t replay respawn-pane -k -t replay: "exec sh $tmp/draw replay"
	t replay clear-history -t replay:
	write_octets replay ''
}

same() {
	dump original >"$tmp/want"
	dump replay >"$tmp/got"
	cmp -s "$tmp/want" "$tmp/got" && return
	bad "$1: the replay differs"
	diff "$tmp/want" "$tmp/got" | cat -v | head -20
}

# round_trip NAME OCTETS [NEXT]: what is drawn, and what is printed after it
round_trip() {
	write_octets original $'\033c'"$2"
	shoot "$1" || return
	fresh_replay
	replay "$tmp/shot"
	same "$1"
	[ -n "${3:-}" ] || return
	write_octets original "$3"
	write_octets replay "$3"
	same "$1, and on"
}

# half NAME OCTETS PENDING NEXT: OCTETS end within a sequence
half() {
	write_octets original $'\033c'
	printf '%s' "$2" >"$tmp/original.fifo"
	until_true 10 is_pending original "$3" || bad "$1: never pending"
	shoot "$1" || return
	fresh_replay
	cat "$tmp/shot" >"$tmp/replay.fifo"
	until_true 10 is_pending replay "$3" || bad "$1: not pending again"
	same "$1"
	write_octets original "$4"
	write_octets replay "$4"
	same "$1, and on"
}

# ---- the panes --------------------------------------------------------------

mkfifo "$tmp/original.fifo" "$tmp/replay.fifo"
cat >"$tmp/draw" <<END
stty raw -echo
exec cat <>$tmp/\$1.fifo
END
cat >"$tmp/conf" <<END
set -g status off
set -g window-size smallest
set -g default-command 'exec sh $tmp/draw original'
END
t original -f "$tmp/conf" new-session -d -s linbit-demo -x $cols -y $rows \
    'exec cat' || exit 1
coproc DEMO { exec "$demo" "$tmp" 2>"$tmp/err"; }
pid=$DEMO_PID
read -r -t 10 answer <&"${DEMO[0]}" || answer=none
[ "$answer" = ready ] || { bad "no panes: $answer"; cat "$tmp/err"; exit 1; }
t original show-options -v -t linbit-demo @linbit-main >"$tmp/pane"
t replay -f "$tmp/conf" new-session -d -s replay -x $cols -y $((rows - 10)) \
    "exec sh $tmp/draw replay" || exit 1

# ---- the screens ------------------------------------------------------------

e=$'\033'
round_trip empty ''
round_trip text $'one\r\ntwo\r\n\r\n  four' ' more'
round_trip colours "${e}[1;31mred${e}[0m ${e}[38;5;200;48;5;17mx${e}[0m${e}[K
${e}[38;2;1;2;3;48;2;9;8;7m rgb ${e}[4:3;58;5;9mcurly${e}[0m ${e}[53mover" \
    ' and on'
round_trip pen "${e}[3;7;38;5;99mon" ' and on'
round_trip background "${e}[44m${e}[2J${e}[5;5Hblue${e}[K" ' x'
round_trip wide $'日本語 e\u0301a\u0308 \U1F600 ok' $'x日'
round_trip 'wide at the edge' "${e}[1;71H日${e}[2;72H日x" y
round_trip 'combining at the edge' \
    "${e}[1;72Hx"$'\u0337\u0335\u0303'"${e}[2;71Hy"$'\u0303z\u0301' $'\u0302'
round_trip 'combining at the edge, alternate' \
    "${e}[1;72Hx"$'\u0337\u0335\u0303'"${e}[2;1H${e}[?1049hvi" "${e}[?1049lx"
round_trip 'line drawing' "${e}(0lqqk${e}(B text ${e})0${e}[4;1H"$'\016'"xx" \
    'qq'
round_trip 'wrap pending' "${e}[3;1H${e}[32m$(printf '%72s' '' | tr ' ' w)" 'X'
round_trip 'wrap pending, last row' "${e}[10;1H$(printf '%72s' '' | tr ' ' w)" X
round_trip 'no wrap' "${e}[?7l${e}[3;70Hab" cdef
round_trip region "a${e}[3;6r${e}[6;1Hbottom" $'\r\n\nnext'
round_trip origin "${e}[3;6r${e}[?6h${e}[2;5Hin" "${e}[1;1Htop"
round_trip insert "word${e}[1;1H${e}[4h" new
round_trip tabs "${e}[3g${e}[1;5H${e}H${e}[1;31H${e}H${e}[1;1Ha" $'\tb\tc'
round_trip modes "${e}[?1h${e}=${e}[?25l${e}[?1002h${e}[?1006h"
round_trip mouse "${e}[?1003h${e}[?1005h"
round_trip alternate "shell\$ vi${e}[?1049h${e}[2;3H${e}[7mvi${e}[0m" \
    " x${e}[?1049l back"
round_trip 'alternate, without cursor' "sh${e}[?47h${e}[2;3Hvi" "${e}[?47l x"
round_trip 'alternate, all at once' \
    "${e}[31mmain${e}[?1049h${e}[2;5r${e}[?6h${e}[44m${e}[2Jx" \
    "y${e}[?6l${e}[r${e}[?1049lz"
round_trip scrolled "$(seq 1 40 | sed 's/$/\r/')" $'\r\n41'
round_trip invalid $'\377\200a\302' 'b'
half 'half a sequence' "abc${e}[1;3" '\033[1;3' '1mred'
half 'half a string' "abc${e}]2;ti" '\033]2;ti' $'tle\007x'

# ---- what is above ----------------------------------------------------------

write_octets original $'\033c'
t original clear-history -t "$(pane original)"
write_octets original "$(seq 1 40 | sed 's/$/\r/')"
shoot history && {
	fresh_replay
	replay "$tmp/shot.history"
	replay "$tmp/shot"
	same history
	for which in original replay; do
		t $which capture-pane -p -S - -E -1 -t "$(pane $which)" \
		    >"$tmp/$which.above"
	done
	cmp -s "$tmp/original.above" "$tmp/replay.above" ||
	    bad "history: what is above differs: $(diff \
	    "$tmp/original.above" "$tmp/replay.above" | head -20)"
}
exit $failed
