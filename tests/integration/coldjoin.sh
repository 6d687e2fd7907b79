#!/bin/bash
# Joining while there is no connection to the relay yet, where the windows are
# made meanwhile: it works, and where it cannot, it says why and leaves none.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

etmux() {
	env -u TMUX "TMUX_TMPDIR=$TUNL_LAB/tmux/eva" tmux "$@"
}

# Nobody is logged in to the relay.
forget() {
	local ctl

	for ctl in "$TUNL_LAB"/run-user/eva/*.ctl; do
		[ ! -e "$ctl" ] || ssh -S "$ctl" -O exit x 2>/dev/null
	done
	within 5 "no connection is left" no_master
}

no_master() {
	[ -z "$(find "$TUNL_LAB/run-user/eva" -name '*.ctl')" ]
}

# No window, and no file but those of the connection.
no_window() {
	! etmux has-session -t "=tunl-join-$sid" 2>/dev/null &&
	    [ -z "$(find "$TUNL_LAB/run-user/eva" -mindepth 1 -type d)" ]
}

# cannot REGEX [NAME=VALUE...]: a cold join of $sid fails and says this
cannot() {
	forget
	term_start eva 100x24 sh -c 'echo; exec "$@"' sh env \
	    "TMUX_TMPDIR=$TUNL_LAB/tmux/eva" \
	    "XDG_RUNTIME_DIR=$TUNL_LAB/run-user/eva" "${@:2}" tunl join "$sid"
	within 20 "tunl join ends" term_ended eva
	[ "$(term_status eva)" = 1 ] || fail "status $(term_status eva)"
	shows eva "^tunl: .*$1" || fail "it does not say /$1/"
	within 10 "nothing of it is left" no_window
	term_close eva
}

lab_up
mkdir -p "$TUNL_LAB/tmux/eva" "$TUNL_LAB/run-user/eva"
etmux -f /dev/null new-session -d -s own
sid=never-heard-of-this
cannot "no session '$sid'"
new_session
cannot 'cannot reach the relay' TUNL_RELAY_PORT=1
forget
engineer eva
wait_screen eva 'waiting for the customer'
customer
shell_echoes eva
press eva C-b d
within 5 "C-b d leaves" term_ended eva
term_close eva
forget
engineer eva
shell_echoes eva
press eva C-b Q
within 5 "C-b Q closes" term_ended eva
term_close eva
forget
engineer eva
shell_echoes eva
[ "$(etmux list-windows -t "=tunl-join-$sid" -F '#I:#W' |
    paste -sd' ')" = "0:main 1:chat" ] || fail "not windows 0 and 1"
press eva C-b Q
within 5 "C-b Q closes" term_ended eva
term_close eva
type_line customer exit
within 15 "linbit-tunl ends" term_ended customer
within 15 "the registry knows" record_is status closed
cannot 'is over'
etmux kill-server
