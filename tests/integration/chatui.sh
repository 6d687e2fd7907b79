#!/bin/bash
# chatui.sh - the chat screen in a real terminal: what is typed, drawn, resized.
#
# Drives $TUNL_BUILD/unit/chatui_demo (make build/unit/chatui_demo) in a tmux of
# its own.  Prints failures only.
set -u
umask 077
repo=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
demo=${TUNL_BUILD:-$repo/build}/unit/chatui_demo
export LC_ALL=C.UTF-8
unset TMUX NO_COLOR
failed=0 server=''

# shellcheck source=term.sh
. "$repo/tests/integration/term.sh"
poll=0.02

tmp=$(mktemp -d "${TMPDIR:-/tmp}/chatui-XXXXXX") || exit 1
cleanup() {
	[ -z "$server" ] || kill "$server" 2>/dev/null
	until_true 5 server_gone
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP PIPE

t() {
	TMUX_TMPDIR=$tmp tmux -u -S "$tmp/sock" -f /dev/null "$@"
}

server_gone() {
	[ -z "$server" ] || ! kill -0 "$server" 2>/dev/null
}

screen() {
	t capture-pane -p -t demo
}

row() {	# row N: the N-th row of the screen, from 1
	screen | sed -n "$1p"
}

cursor() {
	t display-message -p -t demo '#{cursor_x},#{cursor_y}'
}

keys() {
	t send-keys -t demo "$@"
}

resize() {
	t resize-window -t demo -x "$1" -y "$2"
}

bad() {
	printf 'chatui.sh: %s\n' "$*"
	failed=1
}

# want WHAT VALUE COMMAND...: the command must come to print exactly VALUE
prints() {
	local value=$1

	shift
	[ "$("$@")" = "$value" ]
}
want() {
	local what=$1 value=$2

	shift 2
	until_true 10 prints "$value" "$@" && return
	bad "$what: not \"$value\" but \"$("$@")\" on"
	screen
}

# shows WHAT TEXT / hides WHAT TEXT: a text is, or is no longer, on the screen
on_screen() {
	screen | grep -qF -- "$1"
}
off_screen() {
	! on_screen "$1"
}
shows() {
	until_true 10 on_screen "$2" && return
	bad "$1: no \"$2\" on"
	screen
}
hides() {
	until_true 10 off_screen "$2" && return
	bad "$1: still \"$2\" on"
	screen
}

# start COLUMNS ROWS [VARIABLE=VALUE...]: a fresh one, with a file for its output
start() {
	launch "$@"
	shows "start $*" "[DEMO] top row"
}

launch() {
	local cols=$1 rows=$2

	shift 2
	: >"$tmp/out"
	rm -f "$tmp/after"
	t kill-session -t keep 2>/dev/null
	t new-session -d -s "keep" -x 20 -y 5 "exec cat" ||
	    { bad "no tmux"; exit 1; }
	server=$(t display-message -p '#{pid}')
	t kill-session -t demo 2>/dev/null
	t new-session -d -s demo -x "$cols" -y "$rows" \
	    "stty -g >$tmp/before; env $* sh -c 'echo \$\$ >$tmp/pid
	    exec $demo $tmp/out 2>$tmp/err'
	    echo status \$?; stty -g >$tmp/after; trap '' INT; cat"
}

stop() {
	keys C-c C-d
	shows "end" "status 0"
	until_true 5 test -s "$tmp/after"
	cmp -s "$tmp/before" "$tmp/after" || bad "terminal modes are not restored" \
	    "$(cat "$tmp/before" "$tmp/after")"
	[ ! -s "$tmp/err" ] || { bad "on stderr:"; cat "$tmp/err"; }
	want "keypad off" "0 0" \
	    t display-message -p -t demo '#{keypad_flag} #{keypad_cursor_flag}'
	t set-buffer pasted
	t paste-buffer -p -t demo
	shows "the shell's paste" pasted
	hides "the shell's paste" 200~
}

test_editing() {
	start 80 24
	keys 'one two three' M-b C-w X C-a Y C-e Z
	want "words, home, end" '> Yone XthreeZ' row 24
	want "cursor" 14,23 cursor
	keys Left Left C-k BSpace
	want "kill to the end" '> Yone Xthr' row 24
	keys Home C-Right Right C-u
	want "kill to the start" '> Xthr' row 24
	keys C-y
	want "yank" '> Yone Xthr' row 24
	keys C-a DC C-d C-b C-f C-t
	want "delete, move, transpose" '> en Xthr' row 24
	keys C-a M-f M-d
	want "kill the next word" '> en' row 24
	keys C-c first Enter second Enter draft Up
	want "history" '> second' row 24
	keys Up Up Up
	want "history's end" '> first' row 24
	keys Down Down Down
	want "the line before it" '> draft' row 24
	keys C-c '   ' Enter
	want "blank lines are not sent" $'first\nsecond' cat "$tmp/out"
	keys C-z C-r C-s C-q C-v C-o C-x C-g 'C-\' 'C-]' M-x M-1 F1 F5 S-F3 Tab
	keys plain
	want "other keys do nothing" '> x1plain' row 24
	keys C-c /refuse Enter Left
	want "a refused line stays" '> /refuse' row 24
	want "with its cursor" 8,23 cursor
	stop
}

test_unicode() {
	start 40 9
	keys $'gr\u00fc\u00df \u65e5\u672c e\u0301'
	want "wide and combining" $'> gr\u00fc\u00df \u65e5\u672c e\u0301' row 9
	want "their columns" 13,8 cursor
	keys Left Left Left BSpace X
	want "delete a wide one" $'> gr\u00fc\u00df \u65e5X e\u0301' row 9
	keys Enter
	want "submitted" $'gr\u00fc\u00df \u65e5X e\u0301' cat "$tmp/out"
	shows "drawn" $'12:00 <me> gr\u00fc\u00df \u65e5X e\u0301'
	keys '/hostile' Enter
	shows "end" "end of hostile"
	shows "made printable" $'<ev\ufffd[31mil>'
	shows "made printable" \
	    $'a\ufffd]0;owned\ufffdb\ufffd[2Jc\ufffd1md\ufffde\ufffdf\ufffdg h'
	[ "$(t display-message -p -t demo '#{pane_title}')" != owned ] ||
	    bad "a chat line set the title"
	stop
}

test_long_line() {
	local digits=0123456789

	start 30 9
	keys "$digits$digits${digits}abc"
	want "scrolled to the end" '><67890123456789abc' row 9
	keys C-a
	want "and to the start" '> 012345678901234567890123456>' row 9
	resize 20 9
	want "narrower" '> 01234567890123456>' row 9
	resize 60 9
	want "wider" "> $digits$digits${digits}abc" row 9
	keys C-c
	stop
}

test_paste() {
	start 60 9
	t set-buffer $'two\nlines\tand \033[31ma colour\033[0m'
	t paste-buffer -p -r -t demo
	want "one line of it" '> two lines and [31ma colour[0m' row 9
	keys C-c
	t set-buffer "$(printf 'x%.0s' {1..1500})"
	t paste-buffer -p -t demo
	shows "a limit" "the line is full"
	keys Enter
	want "its length" 1001 eval "wc -c <$tmp/out"
	hides "the notice goes" "the line is full"
	stop
}

test_scrollback() {
	start 60 9
	keys '/fill 3000' Enter
	shows "the newest" "line 3000"
	keys PageUp
	shows "page up" "line 2995"
	shows "marker" "more below: PgDn"
	hides "page up" "line 3000"
	kill -USR1 "$(cat "$tmp/pid")"
	shows "told of a new line" "1 new below: PgDn"
	shows "stays where it is" "line 2995"
	keys PageDown PageDown
	shows "back at the end" "while away"
	hides "back at the end" "PgDn"
	keys PageUp PageUp hello Enter
	shows "entering a line goes there too" "<me> hello"
	stop
}

test_resize() {
	local size

	start 80 24
	keys '/fill 30' Enter '/peer a b cd' Enter 'typed'
	for size in '5 3' '1 1' '2 2' '1 9' '9 1' '20 5' '200 60' '3 4'; do
		# shellcheck disable=SC2086
		resize $size
		# shellcheck disable=SC2086
		want "size $size" "${size/ /x}" \
		    t display-message -p -t demo '#{pane_width}x#{pane_height}'
	done
	resize 20 5
	want "20x5" $'[DEMO] top row\n'$'12:00 <J\u00fcrgen> a b\ncd' \
	    eval 'screen | sed -n "1p;3,4p"'
	resize 80 9
	want "input kept" '> typed' row 9
	shows "lines kept" "line 30"
	hides "drawn once" "line 20"
	keys C-c
	stop
}

test_terminals() {
	local type

	for type in vt100 screen tmux-256color xterm linux no-such-type; do
		start 60 9 "TERM=$type" LC_ALL=C LANG=C
		keys $'h\u00e4 \u65e5' Enter '/bad wrong' Enter ab Left X
		shows "$type" $'12:00 <me> h\u00e4 \u65e5'
		want "$type" 'wrong' row 1
		want "$type" '> aXb' row 9
		want "$type" 4,8 cursor
		stop
	done
	start 60 9 TERM=xterm-256color
	keys '/bad wrong' Enter
	want "red" $'\e[1m\e[31mwrong' colours
	stop
	start 60 9 TERM=xterm-256color NO_COLOR=1
	keys '/bad wrong' Enter
	want "not red" $'\e[7mwrong' colours
	stop
}

colours() {
	t capture-pane -e -p -t demo | sed -n '1s/\(wrong\).*/\1/p'
}

test_rows() {
	start 60 9
	keys '/notice not sent' Enter
	want "notice" 'not sent' row 2
	keys '/notice ' Enter
	want "tick" 'up for' eval 'row 2 | cut -c 1-6'
	keys '/lapse soon over' Enter
	want "notice" 'soon over' row 2
	want "lapsed" 'up for' eval 'row 2 | cut -c 1-6'
	keys hello Enter '/mark on' Enter
	shows "pending" $'<me> hello \u2026'
	keys '/mark off' Enter
	hides "delivered" $'\u2026'
	keys '/readonly the session is over' Enter 'no'
	want "refused" 'the session is over' row 9
	keys Enter PageUp C-l
	want "still" 'the session is over' row 9
	stop
}

test_redraw() {
	start 60 9
	keys '/peer stays' Enter
	shows "line" stays
	t send-keys -R -t demo		# the terminal forgets everything
	hides "reset" stays
	keys C-l
	shows "redrawn" stays
	stop
}

test_ends() {
	local pid

	start 60 9
	keys '/quit' Enter
	shows "freed in its own callback" "status 0"
	pid=$("$demo" </dev/null 2>&1 >/dev/null)
	case $pid in
	*"not a tty"*|*"Inappropriate ioctl"*) ;;
	*) bad "without a terminal: $pid" ;;
	esac
	launch 60 9 TERM=dumb
	shows "no cursor motion" "status 1"
	t kill-session -t demo
	t new-session -d -s demo -x 60 -y 9 \
	    "trap '' HUP; echo \$\$ >$tmp/pid; exec $demo"
	shows "start" "[DEMO] top row"
	pid=$(cat "$tmp/pid")
	t kill-session -t demo
	until_true 5 dead "$pid" || { bad "outlives its terminal"; kill "$pid"; }
}

dead() {
	! kill -0 "$1" 2>/dev/null
}

[ -x "$demo" ] || { bad "no $demo (make build/unit/chatui_demo)"; exit 1; }
for f in editing unicode long_line paste scrollback resize terminals rows \
    redraw ends; do
	"test_$f"
done
exit $failed
