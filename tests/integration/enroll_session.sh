#!/bin/bash
# A customer who cannot reach HTTPS has a whole session all the same.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# (in a user namespace sshd does not take relay-principals from us)
[ "$(id -u)" -eq 0 ] && unshare --mount true 2>/dev/null ||
    skip "this takes root and a mount namespace"
LAB_PAM=yes lab_up
none=http://127.0.0.1:1
token=$(new_token '"customer": "Example"')
python3 - "$tmp/argv" "$tmp/stop" "$token" <<'PY' &
import os, sys
# Who shows the token, in argv or environment, but the terminal that types it?
out, stop, token = open(sys.argv[1], 'w'), sys.argv[2], sys.argv[3].encode()
while not os.path.exists(stop):
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{pid}/cmdline', 'rb') as f:
                argv = f.read()
            with open(f'/proc/{pid}/environ', 'rb') as f:
                env = f.read()
        except OSError:
            continue
        if int(pid) != os.getpid() and (token in env or token in argv and
                b'linbit-tunl\0--token' not in argv):
            print(pid, argv, file=out, flush=True)
PY
watcher=$!
term_start customer 100x34 linbit-tunl --token "$token" --api-url "$none"
shell_echoes customer 30
: >"$tmp/stop"
wait "$watcher"
[ ! -s "$tmp/argv" ] || fail "the token is seen: $(cat "$tmp/argv")"
sid=$(cat /tmp/linbit-tunl-*/sid)
within 10 "it is active" record_is status active
engineer eva
shell_echoes eva
# A new certificate comes the same way.
serial() {
	ssh-keygen -L -f "$(session_dir)/key-cert.pub" |
	    awk '$1 == "Serial:" { print $2 }'
}
before=$(serial)
sed -i 's/"expires_at":[0-9]*/"expires_at":1/' "$(session_dir)/signed.json"
"$build/linbit-tunl" @renew "$(session_dir)" || fail "no new certificate"
[ "$(serial)" = $((before + 1)) ] || fail "serial $(serial) after $before"
kill_hard "$(customer_ssh)"
shell_echoes eva 40
type_line customer exit
within 15 "it ends" term_ended customer
term_close customer
term_close eva

# says REGEX ARG...: linbit-tunl cannot start, and says so in one line
says() {
	local want=$1

	shift
	linbit-tunl --no-attach "$@" >"$tmp/out" 2>&1 </dev/null
	[ $? -eq 1 ] && [ "$(wc -l <"$tmp/out")" -eq 1 ] &&
	    grep -Eq "^linbit-tunl: .*$want" "$tmp/out" ||
	    fail "$*: not /$want/ but: $(cat "$tmp/out")"
}
says 'does not accept this token' --token "$token" --api-url "$none"
says "does not accept session ID '$sid'" "$sid" --api-url "$none"
says 'cannot reach the relay at .*, nor by ssh at 127.0.0.1 port 1 ' \
    --token "$token" --api-url "$none" --relay-port 1
# Without curl.
mkdir "$tmp/bin"
ln -s /usr/bin/* /bin/* "$tmp/bin" 2>/dev/null
rm "$tmp/bin/curl"
token=$(new_token)
PATH=$TUNL_LAB/bin:$tmp/bin linbit-tunl --no-attach --token "$token" \
    >"$tmp/out" 2>&1 || fail "without curl: $(cat "$tmp/out")"
sid=$(cat /tmp/linbit-tunl-*/sid)
end_customer
nothing_left
