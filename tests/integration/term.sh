# shellcheck shell=bash
# term.sh - terminals that a script can type into and read, and waiting.
#
# A terminal is a session of a tmux server of our own, on $term_socket, set up
# by term_init.  Sourced by the demo and by the tests.

poll=0.1		# seconds between two looks

# until_true SECONDS COMMAND...: poll until it succeeds
until_true() {
	local end=$((SECONDS + $1))

	shift
	until "$@"; do
		[ $SECONDS -le $end ] || return 1
		sleep "$poll"
	done
}

outer() {
	tmux -S "$term_socket" -f /dev/null "$@"
}

# term_init SOCKET: a server that outlives its terminals' ends
term_init() {
	term_socket=$1
	outer new-session -d -s keep -x 80 -y 24 \
	    'exec tail -f /dev/null' \; \
	    set -g remain-on-exit on \; set -g status off \; \
	    set -g prefix None \; set -s escape-time 0 \; \
	    set -g history-limit 5000
}

term_end() {
	[ -S "${term_socket:-}" ] && outer kill-server 2>/dev/null
	rm -f "${term_socket:-}"
}

# term_start NAME WxH COMMAND...: run it in a terminal of its own, which knows
# nothing of the tmux around it
term_start() {
	local name=$1 size=$2

	shift 2
	outer new-session -d -s "$name" -x "${size%x*}" -y "${size#*x}" -- \
	    env -u TMUX -u TMUX_PANE "$@"
}

term_resize() {
	outer resize-window -t "=$1:" -x "${2%x*}" -y "${2#*x}"
}

# term_close NAME: as a person closes the window
term_close() {
	outer kill-session -t "=$1"
}

# What the terminal shows now.
screen() {
	outer capture-pane -p -t "=$1:"
}

# told NAME REGEX: whether a line of all that it ever showed matches, lines that
# were too long for it joined again
told() {
	outer capture-pane -p -J -S - -t "=$1:" | grep -Eq -- "$2"
}

# type_text NAME TEXT, type_line NAME TEXT, press NAME KEY...
type_text() {
	outer send-keys -t "=$1:" -l -- "$2"
}

type_line() {
	type_text "$1" "$2" && press "$1" Enter
}

press() {
	local name=$1

	shift
	outer send-keys -t "=$name:" "$@"
}

# shows NAME REGEX: whether a line of the screen matches
shows() {
	screen "$1" | grep -Eq -- "$2"
}

shows_not() {
	! shows "$1" "$2"
}

# Whether the command has ended.  A tmux built with utempter drops the SIGCHLD
# that arrives while it writes utmp, so that it is told to look again.
term_ended() {
	local dead status pid

	read -r dead pid status < <(outer display-message -p -t "=$1:" \
	    '#{pane_dead} #{pid} #{pane_dead_status}#{pane_dead_signal}')
	[ "$dead" = 1 ] || return
	[ -n "$status" ] || kill -s CHLD "$pid"
	[ -n "$status" ]
}

term_status() {
	outer display-message -p -t "=$1:" '#{pane_dead_status}'
}

# All terminals' screens, for people: without the empty rows at the end.
term_dump() {
	local name

	for name in $(outer list-sessions -F '#{session_name}' 2>/dev/null); do
		[ "$name" != keep ] || continue
		printf -- '---- terminal "%s"\n' "$name"
		printf '%s\n' "$(screen "$name")" | sed 's/^/| /'
	done
}
