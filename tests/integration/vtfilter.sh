#!/bin/bash
# Nothing that the customer's programs print asks or does anything at the
# engineer's: each sequence that terminals answer, and each that acts beyond the
# screen, is printed in the customer's shell, for an engineer in a tmux that
# allows all it can, and for one whose `tunl view` has a terminal of its own.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# What is printed, one a line, in the escapes of a Python string.  The word
# `pwned` is in all that acts, as itself or in base64.
sequences() {
	cat <<-'EOP'
		\x1b[c
		\x1b[0c
		\x1bZ
		\x1b[>c
		\x1b[=c
		\x1b[5n
		\x1b[6n
		\x1b[?6n
		\x1b[?996n
		\x1b[>q
		\x1b[?2004$p
		\x1b[4$p
		\x1b[x
		\x1b[11t
		\x1b[13t
		\x1b[14t
		\x1b[15t
		\x1b[16t
		\x1b[18t
		\x1b[19t
		\x1b[20t
		\x1b[21t
		\x1b]4;1;?\x07
		\x1b]10;?\x07
		\x1b]11;?\x1b\\
		\x1b]12;?\x07
		\x1b]52;c;?\x07
		\x1bP$qm\x1b\\
		\x1bP$q q\x1b\\
		\x1bP+q544e\x1b\\
		\x1b[?u
		\x1b[?4m
		\x05
		\x1b[1;1;1;1;2;2*y
		\x1b[?2;1S
		\x1b]1337;ReportCellSize\x07
		\x1b[?2031h
		\x1b[?1004h
		\x1b]52;c;cHduZWQ=\x07
		\x1b]52;pc;cHduZWQ=\x1b\\
		\x1b]8;;http://pwned/\x1b\\link\x1b]8;;\x1b\\
		\x1bPtmux;\x1b\x1b]52;c;cHduZWQ=\x07\x1b\\
		\x1bPtmux;\x1b\x1b]2;pwned\x07\x1b\\
		\x1bP\x1b]2;pwned\x07\x1b\\
		\x1b]9;pwned\x07
		\x1b]777;notify;pwned;pwned\x07
		\x1bkpwned\x1b\\
		\x1b]7;file://pwned/\x07
		\x1b]4;1;rgb:00/00/00;pwned\x07
		\x1b]11;pwned\x07
		\x1b]12;pwned\x07
		\x1b]104;pwned\x07
		\x1b]112\x07
		\x1bPq"1;1;9;9#0;2;0;0;0#0~~@@pwned$-\x1b\\
		\x1b_Gpwned\x1b\\
		\x1b_pwned\x1b\\
		\x1b^pwned\x1b\\
		\x1bXpwned\x1b\\
		\x1b]133;A;pwned\x07
		\x1b]9;4;1;50;pwned\x07
		\x1b[8;10;20t
		\x1b[22;0t
		\x1b[2t
		\x1b]99;;pwned\x07
		\x1b]1337;File=name=cHduZWQ=:AA==\x07
		\x1b]50;pwned\x07
		\x1b[>4;2m
		\x1b[>1u
		\x1b[?40h\x1b[?3h\x1b[?3l
		\x1b[5i
		\x1b[4i
		\x9b6n
		\x9d52;c;dGV4dA==\x9c
		\xc2\x9b6n
		\xc2\x9d52;c;dGV4dA==\xc2\x9c
		\x1b[6\x00n
		\x1b[1\x0e;6\x0fn
		\x1b]2;half of a title
		\x1bc
	EOP
}

# The program in the customer's shell: all of them, whenever it is told a word,
# which it shows behind them; what is typed goes into a file.
asker() {
	cat <<-'EOP'
		import os, sys, threading, tty

		def typed():
		    with open(home + '/typed', 'ab', buffering=0) as f:
		        while data := os.read(0, 4096):
		            f.write(data)

		home = os.environ['HOME']
		tty.setraw(0)
		threading.Thread(target=typed, daemon=True).start()
		with open(home + '/sequences') as f:
		    lines = [line.rstrip('\n').encode().decode('unicode_escape')
		             .encode('latin-1') for line in f]
		os.write(1, b'\x1b[2J\x1b[Hasker is ready')
		for word in open(home + '/go'):
		    for line in lines:
		        os.write(1, b'\x1b[H' + line + b'\x18\x1b\\.')
		    os.write(1, b'\x1b[7;77H\x1b[6n\x1b[?2031l\x1b[?1004l')
		    os.write(1, b'\x1b[H\x1b[2Jdone-' + word.strip().encode())
	EOP
}

# typed_has TEXT: it was typed, or answered, in the customer's shell
typed_has() {
	grep -aqF -- "$1" "$HOME/typed"
}

# ask WORD NAME...: print all, until these terminals show it, and the customer's
# own has answered what it answers; then each types a word of its own, behind
# which nothing can come any more
ask() {
	local word=$1 name

	shift
	: >"$HOME/typed"
	printf '%s\n' "$word" >&"$go"
	for name; do
		wait_screen "$name" "^done-$word"
	done
	within 10 "the customer's own tmux answers" typed_has $'\033[7;77R'
	for name; do
		type_text "$name" "<$name>"
		within 10 "what $name types arrives" typed_has "<$name>"
	done
}

# What arrived, for people, but for those words and the customer's theme, which
# its tmux may tell at any time.
arrived() {
	cat -v "$HOME/typed" | sed 's/<[a-z]*>//g; s/\^\[\[?997;[12]n//g'
}

record_of() {
	outer pipe-pane -O -t "=$1:" "exec cat >$tmp/$1.record"
}

size_of() {
	outer display-message -p -t "=$1:" '#{pane_width}x#{pane_height}'
}

etmux() {
	env -u TMUX "TMUX_TMPDIR=$TUNL_LAB/tmux/eva" tmux "$@"
}

lab_up
new_session
mkdir -p "$TUNL_LAB/tmux/eva" "$TUNL_LAB/run-user/tom"
etmux -f /dev/null new-session -d -s own -x 90 -y 30
for option in 'set-clipboard on' 'focus-events on' 'allow-passthrough on' \
    'allow-rename on' 'set-titles on' 'extended-keys on'; do
	# shellcheck disable=SC2086
	etmux set-option -gq $option
done
customer
sequences >"$HOME/sequences"
asker >"$HOME/asker.py"
mkfifo "$HOME/go"
type_line customer 'exec python3 ~/asker.py'
wait_screen customer 'asker is ready'
exec {go}<>"$HOME/go"

# What the customer's own terminal answers is the customer's business.
ask alone customer
alone=$(arrived)

engineer eva
wait_screen eva '^done-alone'
term_start tom 120x40 env "XDG_RUNTIME_DIR=$TUNL_LAB/run-user/tom" \
    TUNL_DISPLAY_NAME=tom tunl view --client 0123456789abcdef --name tom "$sid"
wait_screen tom '^done-alone'
record_of eva
record_of tom
sizes=$(size_of eva)$(size_of tom)
ask watched customer eva tom
press eva C-b 1
wait_screen eva 'watching:'
press eva C-b 0
wait_screen eva '^done-watched'
type_text eva '<again>'
within 10 "what eva types arrives" typed_has '<again>'
[ "$(arrived)" = "$alone" ] ||
    fail "answered: $(diff <(echo "$alone") <(arrived))"

# Neither a word of them, nor a sequence that could have done it; titles, which
# are cleaned, may be.
for name in eva tom; do
	[ -s "$tmp/$name.record" ] || fail "$name: nothing was recorded"
	LC_ALL=C sed 's/\x1b\][02];[^\x07\x1b]*\(\x07\|\x1b\\\)//g' \
	    "$tmp/$name.record" >"$tmp/$name.drawn"
	LC_ALL=C grep -aoE 'pwned|cHdu' "$tmp/$name.drawn" >"$tmp/found" &&
	    fail "$name: $(cat "$tmp/found")"
	LC_ALL=C grep -aoP '\x1b[]P_X^kZ]|\x1b\[[^@-~]*[cntxiy]|\x9b|\x9d|\x05' \
	    "$tmp/$name.drawn" >"$tmp/found" &&
	    fail "$name: $(cat -v "$tmp/found")"
done
[ "$(size_of eva)$(size_of tom)" = "$sizes" ] || fail "a terminal was resized"
[ -z "$(etmux list-buffers)" ] || fail "a clipboard is set"
[ "$(etmux list-windows -t "=tunl-join-$sid" -F '#W' | paste -sd' ')" = \
    "main chat" ] || fail "a window has another name"
