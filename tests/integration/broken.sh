#!/bin/bash
# A customer whose host name is an escape sequence gets a session all the same;
# one whose tmux server is killed leaves nothing on either side.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

lab_up TUNL_PING=2s
export TUNL_PING=2s TUNL_BACKOFF=200ms
new_session
if [ "$(id -u)" -eq 0 ]; then
	cat >"$tmp/evil" <<-'PY'
	import os, socket, sys
	socket.sethostname(b"evil\x1b]0;pwned\x07\n$(id)\xff")
	os.execvp(sys.argv[1], sys.argv[1:])
	PY
	term_start customer 100x34 unshare --uts -- \
	    python3 "$tmp/evil" linbit-tunl "$sid"
	shell_echoes customer
else
	customer
fi
within 10 "the session is active" record_is status active
engineer eva
shell_echoes eva
curl -s "$TUNL_API_URL/api/v1/sessions/$sid" >"$tmp/out"
{ tunl list; tunl show "$sid"; } >>"$tmp/out" 2>&1
LC_ALL=C grep -aHnP '[\x00-\x08\x0b-\x1f\x7f]|\$\(' "$tmp/out" \
    "$TUNL_LAB/log/$sid.log" && fail "a host name is not escaped"

server=$(customer_tmux)
daemon_ssh=$(customer_ssh)
kill_hard "$server"
within 15 "its ssh goes" all_gone $daemon_ssh
within 15 "its directory goes" session_gone
within 15 "linbit-tunl ends" term_ended customer
within 15 "the engineer is told" shows eva '[Ll]ost|[Ee]nded|[Oo]ver|[Cc]losed'
within 15 "the session is over" record_is status closed
nothing_left
