#!/bin/bash
# The customer's ssh, the relay's sshd for it, produce and relay-api are killed,
# one after another: the shell, its job and the viewer survive each.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

ticks() {
	cat "$HOME/ticks" 2>/dev/null || echo 0
}

ticking() {
	[ "$(ticks)" -gt "$1" ]
}

# The same shell with the same job, seen and typed into by the same viewer.
all_there() {
	shell_echoes eva 40
	type_line eva 'echo kept=$kept='
	wait_screen eva "^kept=$kept="
	within 5 "the job runs on" ticking "$(ticks)"
	[ "$(below "$viewer_tmux" tunl | sort)" = "$viewer" ] ||
	    fail "the viewer is another one after $1"
}

lab_up
export TUNL_PING=2s TUNL_BACKOFF=200ms
kept=$((RANDOM + 100000))
new_session
customer
mkfifo "$HOME/never"
cat >"$HOME/job" <<'JOB'
while echo $((n += 1)) >~/ticks.new && mv ~/ticks.new ~/ticks; do
	read -r -t 0.1 <>~/never
done
JOB
type_line customer "kept=$kept; . ~/job &"
type_line customer clear
engineer eva
shell_echoes eva
viewer_tmux=$(TMUX_TMPDIR=$TUNL_LAB/tmux/eva tmux display-message -p '#{pid}')
viewer=$(below "$viewer_tmux" tunl | sort)
all_there start

kill_hard "$(customer_ssh)"
all_there "the customer's ssh"

leg=$(produce)
kill_hard "$(ps -o ppid= -p "$leg" | tr -d ' ')"
all_there "the relay's sshd child"

kill_hard "$(produce)"
all_there "produce"

kill_hard "$(service api)"
shell_echoes eva
"$repo/tests/lab" up "$TUNL_LAB" >/dev/null || fail "relay-api does not restart"
within 15 "the session is still active" record_is status active
all_there "relay-api"

type_line customer 'kill %1'
shell_echoes customer
type_line customer exit
within 15 "linbit-tunl ends" term_ended customer
within 15 "the registry knows" record_is status closed
nothing_left
