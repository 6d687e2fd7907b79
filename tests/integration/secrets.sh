#!/bin/bash
# What `ps` shows during a session: on the customer's machine and the relay the
# session ID is in no command line but the customer's own, and a secret is in
# none anywhere, nor in a log.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# Write down every command line there is, over and over, until told to end.
cat >"$tmp/watch.py" <<'PY'
import os, sys
seen = set()
out = open(sys.argv[1], 'w', buffering=1)
while not os.path.exists(sys.argv[2]):
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{pid}/cmdline', 'rb') as f:
                words = f.read().rstrip(b'\0').split(b'\0')
        except OSError:
            continue
        line = b' '.join(words).decode(errors='replace').replace('\n', ' ')
        if line and (pid, line) not in seen:
            seen.add((pid, line))
            print(pid, line, file=out)
PY

# What may show the ID: the customer's command line, the engineer's tunl, ssh
# and tmux, and this script's own typing of both.
allowed() {
	grep -vE -e "^$customer_pid linbit-tunl $sid\$" \
	    -e "^$customer_pid env -u TMUX .* linbit-tunl $sid\$" \
	    -e "^[0-9]+ tmux -S $tmp/outer .* linbit-tunl $sid\$" \
	    -e "^[0-9]+ tmux -S $tmp/outer .* tunl join $sid\$" \
	    -e "^[0-9]+ env -u TMUX .* tunl join $sid\$" \
	    -e "^[0-9]+ ([^ ]*/)?tunl (join|view|chat) " \
	    -e "^[0-9]+ tmux .*tunl-join-$sid" \
	    -e "^[0-9]+ ([^ ]*/)?(sh [^ ]*/)?ssh .*consume $sid"
}

signed() {
	python3 -c 'import json, sys
print(json.load(open(sys.argv[1]))[sys.argv[2]])' \
	    "$(session_dir)/signed.json" "$1"
}

lab_up
export TUNL_PING=2s TUNL_BACKOFF=200ms
python3 "$tmp/watch.py" "$tmp/seen" "$tmp/stop" &
watcher=$!
new_session
customer
customer_pid=$(outer display-message -p -t =customer: '#{pane_pid}')
engineer eva
shell_echoes eva
kill_hard "$(customer_ssh)"
shell_echoes eva 40
resume=$(signed resume)
key=$(sed -n 2p "$(session_dir)/key")
[ ${#resume} -eq 64 ] && [ ${#key} -gt 60 ] || fail "no secrets to look for"
ls -ln "$(session_dir)" >"$tmp/modes"
type_line customer exit
within 15 "linbit-tunl ends" term_ended customer
: >"$tmp/stop"
wait "$watcher"

[ "$(grep -c . "$tmp/seen")" -gt 20 ] || fail "the watcher saw little"
grep -F -e "$resume" -e "$key" "$tmp/seen" && fail "a secret in ps"
grep -F "$sid" "$tmp/seen" | allowed >"$tmp/shown"
[ ! -s "$tmp/shown" ] || fail "the session ID in ps: $(cat "$tmp/shown")"
grep -rlF -e "$resume" -e "$key" "$TUNL_LAB/log" "$TUNL_LAB/run" &&
    fail "a secret in a log"
grep -aF "$resume" "$TUNL_LAB"/data/tunl.db* >"$tmp/db" &&
    fail "the resume secret in the database"
awk 'NR > 1 && $1 !~ /^[-s]r[w-][x-]------/' "$tmp/modes" >"$tmp/open"
[ ! -s "$tmp/open" ] || fail "others may read: $(cat "$tmp/open")"
nothing_left
