#!/bin/bash
# Who joins late can scroll back through what was printed before: as many lines
# as the relay passes on, in their order, each once, with their colours, wide
# characters, and long lines as one; also after the link was lost and after the
# view was started anew.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

lines=3000		# printed
kept=2000		# of these above the screen, at most

ctmux() {
	tmux -S "$(session_dir)/tmux.sock" "$@"
}

etmux() {
	env -u TMUX "TMUX_TMPDIR=$TUNL_LAB/tmux/eva" tmux "$@"
}

# all_of customer|eva [OPTION...]: everything above and on the screen
all_of() {
	case $1 in
	customer) ctmux capture-pane -p -S - "${@:2}" -t "$main_pane" ;;
	eva) etmux capture-pane -p -S - "${@:2}" -t "=tunl-join-$sid:0" ;;
	esac
}

# The numbers in the lines of a file.
numbers() {
	sed -n 's/.*line-\([0-9]*\)-.*/\1/p' "$1"
}

# same_end FILE FILE: one is the end of the other, but for where it begins and
# blanks at the ends of lines, and no shorter than it must be
same_end() {
	python3 - "$@" "$kept" <<-'EOP'
		import sys
		def lines(path):
		    with open(path, 'rb') as f:
		        return [l.rstrip() for l in f.read().rstrip().split(b'\n')]
		a, b, kept = lines(sys.argv[1]), lines(sys.argv[2]), int(sys.argv[3])
		n = len(b)
		if not kept // 2 <= n <= len(a):
		    sys.exit(f'{n} lines of {len(a)}')
		for i, (x, y) in enumerate(zip(a[-n:], b)):
		    if x != y and not (i == 0 and x.endswith(y)):
		        sys.exit(f'line {i} of {n}: {x} is {y}')
	EOP
}

# scrolls WHAT: eva has what the customer has
scrolls() {
	local first

	until_true 10 shows eva "^end-of-lines" || fail "$1: no screen"
	# above the screen, with attributes and wrapped lines as one
	all_of customer -e -J -E -1 >"$tmp/customer.all"
	all_of eva -e -J -E -1 >"$tmp/eva.all"
	same_end "$tmp/customer.all" "$tmp/eva.all" 2>"$tmp/why" ||
	    fail "$1: $(cat "$tmp/why")"
	all_of eva >"$tmp/eva.all"
	first=$(numbers "$tmp/eva.all" | head -n 1)
	[ "$first" -le $((lines - kept + 500)) ] ||
	    fail "$1: only from $first on"
	diff <(numbers "$tmp/eva.all") <(seq "$first" $lines) >"$tmp/diff" ||
	    fail "$1: not in order: $(head -n 5 "$tmp/diff")"
}

# once WHAT: nothing that was printed is there twice, and most is there
once() {
	all_of eva >"$tmp/eva.all"
	numbers "$tmp/eva.all" | sort -n | uniq -d >"$tmp/twice"
	[ ! -s "$tmp/twice" ] || fail "$1: twice $(head "$tmp/twice")"
	[ "$(numbers "$tmp/eva.all" | wc -l)" -ge $((kept / 2)) ] ||
	    fail "$1: most of it is gone"
}

master() {
	ssh -S "$(echo "$TUNL_LAB"/run-user/eva/*.ctl)" -O check x 2>&1 |
	    grep -oE '[0-9]+'
}

pane_is_dead() {
	[ "$(etmux display-message -p -t "=tunl-join-$sid:0" \
	    '#{pane_dead}')" = 1 ]
}

export TUNL_PING=500ms TUNL_BACKOFF=200ms TUNL_SCREEN_INTERVAL=100ms
lab_up
new_session
customer 100x34
main_pane=$(ctmux show-options -v @linbit-main)
cat >"$HOME/print" <<'EOP'
for ((i = 1; i <= $1; i++)); do
	case $((i % 10)) in
	3)	printf '\033[1;3%dmline-%d-\033[0;4mcoloured\033[0m\n' \
		    $((i % 8)) "$i" ;;
	5)	printf 'line-%d-%0150d-wrapped\n' "$i" 0 ;;
	7)	printf 'line-%d-世界 grün é\n' "$i" ;;
	*)	printf 'line-%d-plain\n' "$i" ;;
	esac
done
EOP
type_line customer "clear; bash ~/print $lines; echo end-of-lines"
wait_screen customer '^end-of-lines' 30

engineer eva
scrolls "joined late"
kill_hard "$(master)"
shell_echoes eva
once "after a lost link"
kill_hard "$(etmux display-message -p -t "=tunl-join-$sid:0" '#{pane_pid}')"
within 10 "tmux notices" pane_is_dead
press eva Enter
shell_echoes eva
once "started anew"

# A terminal of one's own has it, too.
term_start tom 100x24 env "XDG_RUNTIME_DIR=$TUNL_LAB/run-user/eva" \
    tunl view --client 0123456789abcdef --name tom "$sid"
shell_echoes tom
outer capture-pane -p -J -S - -t "=tom:" >"$tmp/tom.all"
numbers "$tmp/tom.all" >"$tmp/numbers"
sort -n "$tmp/numbers" | diff "$tmp/numbers" - >"$tmp/diff" ||
    fail "tom: not in order: $(head -n 5 "$tmp/diff")"
[ "$(wc -l <"$tmp/numbers")" -ge $((kept / 2)) ] || fail "tom has no scrollback"
