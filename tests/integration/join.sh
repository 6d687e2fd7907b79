#!/bin/bash
# The engineer's window: its keys and menus, coming back to it, its place beside
# the engineer's other tmux sessions, healing, and nothing left of it.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# Eva's own tmux server, which has a session of hers.
etmux() {
	env -u TMUX "TMUX_TMPDIR=$TUNL_LAB/tmux/eva" tmux "$@"
}

clients_are() {
	[ "$(etmux list-clients -t "=tunl-join-$sid" 2>/dev/null |
	    wc -l)" -eq "$1" ]
}

window_is() {
	[ "$(etmux display-message -p -t "=tunl-join-$sid:" \
	    '#{window_name}')" = "$1" ]
}

# What else there is on the server must stay as it is.
mine() {
	etmux list-keys | grep -v "tunl-$sid" | tr -s ' '
	etmux show-options -g
	etmux show-options -gw
	etmux show-hooks -g
	etmux show-options -t =own:
}

window_gone() {
	! etmux has-session -t "=tunl-join-$sid" 2>/dev/null
}

pane_is_dead() {
	[ "$(etmux display-message -p -t "=tunl-join-$sid:0" \
	    '#{pane_dead}')" = 1 ]
}

chat_is_marked() {
	[ "$(etmux display-message -p -t "=tunl-join-$sid:1" \
	    '#{window_activity_flag}')" = "$1" ]
}

nothing_of_it() {
	! etmux list-keys | grep -q "tunl-$sid" &&
	    [ ! -e "$TUNL_LAB/run-user/eva/tunl-$sid" ]
}

master() {
	ssh -S "$(echo "$TUNL_LAB"/run-user/eva/*.ctl)" -O check x 2>&1 |
	    grep -oE '[0-9]+'
}

export TUNL_PING=500ms TUNL_BACKOFF=200ms	# what starts later inherits it
lab_up
mkdir -p "$TUNL_LAB/tmux/eva"
printf 'set -g base-index 1\nset -g mouse on\nset -g history-limit 500\n' \
    >"$HOME/.tmux.conf"
etmux -f "$HOME/.tmux.conf" new-session -d -s own -x 90 -y 30
new_session
mine >"$tmp/mine"
customer
type_line customer 'for i in $(seq 90); do echo line-$i-before; done'
wait_screen customer '^line-90-before'

# ---- windows, keys, menus ---------------------------------------------------

engineer eva
shell_echoes eva
[ "$(etmux list-windows -t "=tunl-join-$sid" -F '#I:#W' |
    paste -sd' ')" = "0:main 1:chat" ] || fail "not windows 0 and 1"
etmux capture-pane -p -S - -t "=tunl-join-$sid:0" | grep -q 'line-40-before' ||
    fail "what was printed before is not in the scrollback"
within 5 "nothing new in the chat" chat_is_marked 0
press customer C-b c
type_line customer "Guten Tag"
within 5 "a line of the customer's marks the chat" chat_is_marked 1
press customer C-b c
press eva C-b C-c
within 5 "C-b C-c shows the chat" window_is chat
wait_screen eva 'Guten Tag'
wait_screen eva 'watching: eva'
press eva C-b 0
within 5 "C-b 0 shows the shell" window_is main
press eva C-b Enter
wait_screen eva 'Zoom the customer'
shows eva 'Close my window' || fail "the menu lacks an entry"
press eva c
within 5 "the menu's chat" window_is chat
press eva F1
wait_screen eva 'Force my dimensions'
press eva q
press eva C-b '?'
wait_screen eva 'C-c +Shell or chat'
press eva 0
within 5 "a key of the sheet" window_is main
shell_echoes eva
etmux list-keys -T prefix | grep -q "tunl-$sid" && fail "the prefix table"
mine | diff "$tmp/mine" - >"$tmp/diff" || fail "changed: $(cat "$tmp/diff")"

# ---- coming back ------------------------------------------------------------

press eva C-b d
within 5 "C-b d leaves" term_ended eva
[ "$(term_status eva)" = 0 ] || fail "detaching is no success"
term_close eva
engineer eva
shell_echoes eva
term_start again 100x30 env "TMUX_TMPDIR=$TUNL_LAB/tmux/eva" \
    "XDG_RUNTIME_DIR=$TUNL_LAB/run-user/eva" tunl join "${sid%-*}"
within 10 "a second terminal shows the same window" clients_are 2
press again C-b d
within 5 "C-b d leaves" term_ended again
shell_echoes eva
term_close again
term_start again 100x30 sh -c 'echo; exec "$@"' sh env \
    "TMUX_TMPDIR=$TUNL_LAB/tmux/eva" \
    "XDG_RUNTIME_DIR=$TUNL_LAB/run-user/eva" tunl join --ro "$sid"
within 10 "another access is refused" term_ended again
shows again '^tunl: .*joined here already' || fail "and not said so"
term_close again

# ---- healing ----------------------------------------------------------------

kill_hard "$(etmux display-message -p -t "=tunl-join-$sid:0" '#{pane_pid}')"
within 10 "tmux notices" pane_is_dead
press eva Enter
shell_echoes eva
kill_hard "$(master)"
shell_echoes eva
stopped=$(master)
kill -STOP "$stopped"
within 15 "a lost link is noticed" shows eva 'no link for|nothing heard'
shell_echoes eva 20
kill_hard "$stopped"

# ---- the end ----------------------------------------------------------------

press eva C-b Q
within 5 "C-b Q closes" window_gone
within 5 "tunl join ends" term_ended eva
within 5 "key tables and files go" nothing_of_it
term_close eva
shell_echoes customer

# Another prefix; inside of tmux, and back from there.
term_start eva 110x36 env TMUX_TMPDIR="$TUNL_LAB/tmux/eva" \
    tmux attach -t =own
type_line eva ". $TUNL_LAB/env"
type_line eva "export TUNL_PREFIX=C-a XDG_RUNTIME_DIR=$TUNL_LAB/run-user/eva"
type_line eva "export TUNL_DISPLAY_NAME=eva; clear; echo in-own"
wait_screen eva '^in-own'
type_line eva "tunl join $sid"
shell_echoes eva
press eva C-a 1
within 5 "the other prefix" window_is chat
press eva C-a Q
within 5 "C-a Q closes" window_gone
wait_screen eva '^in-own'
type_line eva "TUNL_PREFIX=Foo-x tunl join $sid; clear; echo in-own"
shell_echoes eva
press eva C-b Q
within 5 "the prefix it fell back to" window_gone
within 5 "key tables and files go" nothing_of_it
mine | diff "$tmp/mine" - >"$tmp/diff" || fail "changed: $(cat "$tmp/diff")"

type_line customer exit
within 15 "linbit-tunl ends" term_ended customer
nothing_left
