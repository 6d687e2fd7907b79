#!/bin/bash
# What else can die: the customer's window, daemon and chat pane, the broker and
# its keeper, the engineer's ssh.  The shell is there afterwards, typed into by
# the engineer, and the end of the session still leaves nothing.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# The same shell, for the engineer, within the time that healing may take.
all_there() {
	shell_echoes eva 40
	type_line eva 'echo kept=$kept='
	wait_screen eva "^kept=$kept="
}

# The process that holds the lock of the session, and its child.
keeper() {
	awk -v i=":$(stat -c %i "$TUNL_LAB/run/$sid.lock")\$" \
	    '$2 != "->" && $6 ~ i { print $5 }' /proc/locks
}

another_ssh() {
	[ -n "$(customer_ssh)" ] && [ "$(customer_ssh)" != "$1" ]
}

# panes FORMAT: of all panes at the customer
panes() {
	tmux -S "$(session_dir)/tmux.sock" list-panes -a -F "$1"
}

lab_up TUNL_PING=2s
export TUNL_PING=2s TUNL_BACKOFF=200ms
kept=$((RANDOM + 100000))
new_session
customer
type_line customer "kept=$kept; clear"
engineer eva
all_there

term_close customer
all_there
term_start customer 100x34 linbit-tunl "$sid"
wait_screen customer "^kept=$kept="

ssh=$(customer_ssh)
kill_hard "$(ps -o ppid= -p "$ssh" | tr -d ' ')"
within 20 "the daemon is there again" another_ssh "$ssh"
all_there

chat=$(panes '#{pane_pid} #{pane_at_bottom}#{pane_at_top}' |
    sed -n 's/ 10$//p')
kill_hard "$chat"
within 20 "the chat pane is there again" shows customer 'LINBIT SHARE'
all_there

kill_hard "$(children "$(keeper)")"
all_there
kill_hard "$(keeper)"
all_there

master=$(ssh -S "$TUNL_LAB"/run-user/eva/tunl-*.ctl -O check any 2>&1 |
    sed -n 's/.*pid=\([0-9]*\).*/\1/p')
kill_hard "$master"
all_there

type_line customer exit
within 15 "linbit-tunl ends" term_ended customer
within 15 "the session's directory goes" session_gone
within 15 "the registry knows" record_is status closed
nothing_left
