#!/bin/bash
# What the API remembers, and what it does when things around it fail: races,
# SIGKILL, restarts, an agent that is gone or hangs, time passing.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=apilib.sh
. "$repo/tests/integration/apilib.sh"

# refused TEXT COMMAND...: ends with status 1 and says so
refused() {
	local text=$1 out

	shift
	out=$("$@" 2>&1)
	[ $? -eq 1 ] && [[ $out == *"$text"* ]] || fail "$*: $out"
}
api() {
	timeout 10 "$build/relay-api" -d
}

# ---- start -------------------------------------------------------------------

refused "NONSENSE" env TUNL_API_LISTEN=NONSENSE timeout 10 "$build/relay-api" -d
for where in 0.0.0.0:0 127.0.0.1 127.0.0.1:65536 example.com:80 :80 unix:x \
    '[::]:0' 10.0.0.1:80; do
	refused "cannot listen at $where" env TUNL_API_LISTEN="$where" \
	    timeout 10 "$build/relay-api" -d
done
refused "TUNL_GRACE: expected" env TUNL_GRACE=x timeout 10 "$build/relay-api" -d
echo "TUNL_WHATEVER=1" >"$d/other.conf"
refused "other.conf:1: unknown setting" env TUNL_CONF="$d/other.conf" \
    timeout 10 "$build/relay-api" -d
rm -f "$d/tunl.db"*
chmod 644 "$d/secret.key"
refused "secret key" api
chmod 600 "$d/secret.key"

api_start TUNL_API_LISTEN="127.0.0.1:0 [::1]:0 unix:$d/run/api.sock"
[[ $addr == '[::1]:'* ]] || fail "api.addr has $addr"
call GET /healthz
expect 200
refused "another relay-api is running" api
[ -S "$d/run/api.sock" ] && [ -s "$d/run/api.addr" ] ||
    fail "a second relay-api harms the first"
icall GET /healthz
expect 200
if [ "$(id -u)" -eq 0 ] && chmod 711 "$tmp" "$d" "$d/run" &&
    setpriv --reuid 65534 true 2>/dev/null; then
	out=$(setpriv --reuid 65534 --clear-groups curl -s \
	    --unix-socket "$d/run/api.sock" http://api/healthz)
	[[ $out == *forbidden* ]] || fail "a stranger on the unix socket: $out"
fi
api_stop

# ---- a claim is one claim ----------------------------------------------------

api_start
pending
python3 - "$addr" "$sid" "$d" <<'PY' || fail "the claim race"
import http.client, json, subprocess, sys, threading

addr, sid, d = sys.argv[1:]
keys = []
for i in range(24):
    subprocess.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f',
                    f'{d}/race{i}'], check=True)
    keys.append(open(f'{d}/race{i}.pub').read().strip())
keys += keys[:8]                # some ask twice
answers = [None] * len(keys)
gate = threading.Barrier(len(keys))


def claim(i):
    c = http.client.HTTPConnection(addr, timeout=30)
    c.connect()
    body = json.dumps({'session_id': sid, 'public_key': keys[i]})
    gate.wait()
    c.request('POST', '/api/v1/sign', body,
              {'Content-Type': 'application/json'})
    r = c.getresponse()
    answers[i] = (r.status, r.read())


threads = [threading.Thread(target=claim, args=(i,)) for i in range(len(keys))]
for t in threads:
    t.start()
for t in threads:
    t.join()
won = {keys[i]: a[1] for i, a in enumerate(answers) if a[0] == 200}
lost = {a for a in answers if a[0] != 200}
same = {a[1] for a in answers if a[0] == 200}
if len(won) != 1 or len(same) != 1 or {a[0] for a in lost} != {401} or \
        len(lost) != 1:
    print(len(won), 'keys won;', len(same), 'answers;', lost)
    sys.exit(1)
PY
serial=$(sed -n 's/^serials=\([0-9]*\)-.*/\1/p' "$d/run/grants/$sid")
[ "$(sed -n 's/^serials=.*-//p' "$d/run/grants/$sid")" = "$serial" ] ||
    fail "the race used up serials"

# ---- restart, SIGKILL --------------------------------------------------------

raced=$sid
pending
kept=$sid
claim kept
first=$resume
register '"host": "srv1"'
expect 201
pending
waiting=$sid
api_stop -KILL
# What a crash may leave, and what somebody lost.
echo half >"$d/run/grants/.half.123"
ln -s no-such-session-here "$d/run/grants/999"
rm "$d/run/grants/$raced"
echo junk >"$d/run/grants/$kept"
[ -z "$(may)" ] || fail "a broken grant is good: $(may)"
api_start
[ "$(ls -A "$d/run/grants" | sort)" = "$(printf '%s\n' "$raced" "$kept" \
    "$serial" "$(sed -n 's/^serials=\([0-9]*\)-.*/\1/p' \
    "$d/run/grants/$raced")" | sort -u)" ] ||
    fail "grants are not rebuilt: $(ls -A "$d/run/grants")"
[[ $(may) == *permitlisten* ]] || fail "a login after a restart: $(may)"
call GET "/api/v1/sessions/$kept"
is status active
is host srv1
sign kept "\"resume\": \"$first\""
expect 200
sid=$kept
register
expect 200
sid=$waiting
claim waiting

# Whatever it said that it had done must be there after a SIGKILL.
python3 - "$addr" "$api_pid" "$d/promised" <<'PY' &
import http.client, json, sys, time, os, signal

addr, pid, out = sys.argv[1], int(sys.argv[2]), open(sys.argv[3], 'w')
c = http.client.HTTPConnection(addr, timeout=5)
n = 0
try:
    while True:
        c.request('POST', '/api/v1/pending', '{"ad_hoc": true}',
                  {'Content-Type': 'application/json'})
        r = c.getresponse()
        if r.status == 201:
            print(json.load(r)['id'], file=out, flush=True)
        n += 1
        if n == 40:
            os.kill(pid, signal.SIGKILL)
except (OSError, http.client.HTTPException):
    pass
PY
writer=$!
wait "$writer" 2>/dev/null
wait "$api_pid" 2>/dev/null
api_pid=
[ "$(wc -l <"$d/promised")" -ge 40 ] || fail "the writer wrote little"
api_start
while read -r id; do
	call GET "/api/v1/pending/$id"
	expect 200
done <"$d/promised"
api_stop

# ---- another's database ------------------------------------------------------

cp "$d/tunl.db" "$d/saved.db"
db() {
	python3 -c 'import sqlite3, sys
c = sqlite3.connect(sys.argv[1])
c.executescript(sys.argv[2])' "$d/tunl.db" "$1"
}
db 'PRAGMA user_version = 1000'
refused "newer version" api
db 'PRAGMA application_id = 7'
refused "another program's" api
python3 -c 'import sys
f = open(sys.argv[1], "r+b")
f.seek(0)
f.write(b"x" * 4096)' "$d/tunl.db"
refused "cannot use the database" api
rm -f "$d/tunl.db"*
cp "$d/saved.db" "$d/tunl.db"
api_start
db "INSERT INTO sessions (id, status, ad_hoc, created_at, expires_at)
    VALUES ('aa-bb-cc-dd', 'active', 1, 1, 1)" 2>/dev/null &&
    fail "the database takes an active session that nobody claimed"
api_stop

# ---- the signer --------------------------------------------------------------

# A hanging agent holds up nobody else, and not for ever.
api_start TUNL_SIGN_TIMEOUT=1s
pending
new_key slow
kill -STOP "$agent_pid"
sign slow "\"session_id\": \"$sid\"" &
other=$!
call GET /healthz
expect 200
wait $other
sign slow "\"session_id\": \"$sid\""
expect 503 'same key'
kill -CONT "$agent_pid"
sign slow "\"session_id\": \"$sid\""
expect 200
# One that is stopped meanwhile answers what it can and goes.
pending
kill -STOP "$agent_pid"
sign slow "\"session_id\": \"$sid\"" &
other=$!
within 5 "it is claimed" grep -q "$sid: claimed" "$d/log"
api_stop
[ "$api_status" -eq 0 ] || fail "SIGTERM while signing: $api_status"
kill -CONT "$agent_pid"
wait $other
kill "$agent_pid"
wait "$agent_pid" 2>/dev/null
agent_pid=
rm -f "$d/agent.sock"
api_start
pending
new_key none
sign none "\"session_id\": \"$sid\""
expect 503
agent_start
sign none "\"session_id\": \"$sid\""
expect 200
api_stop

# ---- ports -------------------------------------------------------------------

rm -f "$d/tunl.db"*
api_start TUNL_PORTS=40000-40009 TUNL_PORTS_PER_SESSION=4
pending
a=$sid
claim p1
one=$(field ports)
pending
claim p2
two=$(field ports)
[ "$(printf '%s\n' "$one" "$two" | sort)" = \
    "$(printf '%s\n' '[40000, 40001, 40002, 40003]' \
    '[40004, 40005, 40006, 40007]')" ] || fail "ports $one and $two"
pending
new_key p3
sign p3 "\"session_id\": \"$sid\""
expect 503 ports
call DELETE "/api/v1/sessions/$a"
sign p3 "\"session_id\": \"$sid\""
expect 200
[ "$(field ports)" = "$one" ] || fail "not the free ports: $(field ports)"
api_stop

# ---- time passes -------------------------------------------------------------

api_start TUNL_GRACE=1500ms TUNL_SWEEP=100ms TUNL_GRANT_LINGER=2s \
    TUNL_CERT_TTL=20s
pending
claim t1
register
expect 201
lost() {
	call GET "/api/v1/sessions/$sid"
	[ "$status" = 200 ] && [ "$(field status)" = closed ]
}
end=$((SECONDS + 3))
while [ $SECONDS -lt $end ]; do
	icall POST "/api/v1/sessions/$sid/heartbeat"
	expect 204
done
lost && fail "a session with a heartbeat is lost"
within 10 "a silent session is lost" lost
icall POST "/api/v1/sessions/$sid/heartbeat"
expect 410
forgotten() {
	[ ! -e "$d/run/grants/$sid" ]
}
within 10 "its grant goes" forgotten
[ -z "$(may)" ] || fail "principals: $(may)"
# The count begins anew with every start.
pending
claim t2
api_stop
api_start TUNL_GRACE=1h TUNL_SWEEP=100ms TUNL_CERT_TTL=1s
register
expect 201
pending
claim t3
expired() {
	[ ! -L "$d/run/grants/$serial" ]
}
within 10 "an expired certificate's link goes" expired
[ -f "$d/run/grants/$sid" ] || fail "its session's grant goes too"
pending '"expires_in": 1'
over() {
	call GET /api/v1/pending
	[[ $body != *"$sid"* ]]
}
within 10 "an unclaimed session expires" over
exit 0
