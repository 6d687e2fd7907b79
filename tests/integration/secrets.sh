#!/bin/bash
# What `ps` shows during a session: on the customer's machine and the relay the
# session ID and the token are in no command line but the customer's own, and a
# secret is in none anywhere, nor in an environment or a log.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# Write down every command line there is, over and over, until told to end:
# whose it is (the engineer's processes have a mark in their environment, or an
# ancestor with one), the pid, the parent's, the words.
cat >"$tmp/watch.py" <<'PY'
import os, sys

def read(pid, name):
    with open(f'/proc/{pid}/{name}', 'rb') as f:
        return f.read()

def parent(pid):
    return read(pid, 'stat').rpartition(b') ')[2].split()[1].decode()

evas = set()

def is_evas(pid):
    try:
        return pid in evas or b'TUNL_DISPLAY_NAME=eva' in \
            read(pid, 'environ').split(b'\0')
    except OSError:
        return False

def whose(pid, up):
    chain = [pid]
    try:
        while not is_evas(chain[-1]):
            if up == '0':
                return '-'
            chain.append(up)
            up = parent(up)
    except OSError:
        if not is_evas(chain[-1]):
            return '-'
    evas.update(chain)
    return 'eva'

seen = set()
out = open(sys.argv[1], 'w', buffering=1)
while not os.path.exists(sys.argv[2]):
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            line = read(pid, 'cmdline').rstrip(b'\0').replace(b'\0', b' ')
            if not line or (pid, line) in seen:
                continue
            up = parent(pid)
        except OSError:
            continue
        seen.add((pid, line))
        print(whose(pid, up), pid, up,
              line.decode(errors='replace').replace('\n', ' '), file=out)
PY

# What may show the ID: the customer's command line (and what was forked off it
# and has not become itself yet), all of the engineer's, and this script's own
# way of typing both and of asking the registry.
allowed() {
	grep -vE -e '^eva ' -e "/run-user/eva/|tunl-join-$sid" \
	    -e "^- ($customer_pid [0-9]+|[0-9]+ $customer_pid) linbit-tunl $sid --token [0-9*]{6}\$" \
	    -e "^- [0-9]+ [0-9]+ (tmux -S $tmp/outer|env) .* linbit-tunl $sid --token $token\$" \
	    -e "^- [0-9]+ [0-9]+ (tmux -S $tmp/outer|env) .* tunl join $sid\$" \
	    -e "^- [0-9]+ [0-9]+ curl .* @$tmp/expect " \
	    -e "^- [0-9]+ [0-9]+ curl -s $TUNL_API_URL/api/v1/sessions/$sid\$"
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
token=$(new_token "\"session_id\": \"$sid\"")
customer 100x34 --token "$token"
customer_pid=$(outer display-message -p -t =customer: '#{pane_pid}')
engineer eva
shell_echoes eva
words=$(tr '\0' ' ' <"/proc/$customer_pid/cmdline")
[[ $words != *$token* ]] || fail "the token is in ps for good: $words"
for pid in $(children "$customer_pid"); do
	words=$(tr '\0' ' ' <"/proc/$pid/cmdline")
	[[ $words != *$sid* ]] || fail "the session ID in ps: $words"
done
kill_hard "$(customer_ssh)"
shell_echoes eva 40
resume=$(signed resume)
key=$(sed -n 2p "$(session_dir)/key")
[ ${#resume} -eq 64 ] && [ ${#key} -gt 60 ] || fail "no secrets to look for"
ls -ln "$(session_dir)" >"$tmp/modes"
printf '%s\n' "$token" "$resume" >"$tmp/secrets"
for pid in /proc/[0-9]*; do
	tr '\0' '\n' <"$pid/environ" 2>/dev/null |
	    grep -qwF -f "$tmp/secrets" &&
	    fail "a secret in the environment of $(tr '\0' ' ' <"$pid/cmdline")"
done
type_line customer exit
within 15 "linbit-tunl ends" term_ended customer
: >"$tmp/stop"
wait "$watcher"

[ "$(grep -c . "$tmp/seen")" -gt 20 ] || fail "the watcher saw little"
grep -F -e "$resume" -e "$key" "$tmp/seen" && fail "a secret in ps"
grep -E -e "$sid" -e "\b$token\b" "$tmp/seen" | allowed >"$tmp/shown"
[ ! -s "$tmp/shown" ] || fail "the session ID in ps: $(cat "$tmp/shown")"
grep -rlF -e "$resume" -e "$key" "$TUNL_LAB/log" "$TUNL_LAB/run" &&
    fail "a secret in a log"
grep -aF "$resume" "$TUNL_LAB"/data/tunl.db* >"$tmp/db" &&
    fail "the resume secret in the database"
grep -rlwF "$token" "$TUNL_LAB"/log "$TUNL_LAB"/run &&
    fail "the token in a log"
awk 'NR > 1 && $1 !~ /^[-s]r[w-][x-]------/' "$tmp/modes" >"$tmp/open"
[ ! -s "$tmp/open" ] || fail "others may read: $(cat "$tmp/open")"
nothing_left
