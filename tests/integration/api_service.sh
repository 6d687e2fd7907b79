#!/bin/bash
# relay-api as a service: readiness, watchdog, reload, drain, as the service
# manager sees them.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=apilib.sh
. "$repo/tests/integration/apilib.sh"

# manager ADDRESS FILE: takes what it tells the manager, a datagram a line
manager_pid=
manager() {
	python3 - "$1" "$2" <<'PY' &
import socket, sys
path, out = sys.argv[1], open(sys.argv[2], 'w')
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind('\0' + path[1:] if path.startswith('@') else path)
print('bound', file=out, flush=True)
while True:
    print(s.recv(4096).decode().replace('\n', ' '), file=out, flush=True)
PY
	manager_pid=$!
	within 10 "a manager" grep -qsx bound "$2"
}
manager_end() {
	[ -z "$manager_pid" ] || kill "$manager_pid"
	manager_pid=
}
trap 'rv=$?; manager_end; (exit $rv); api_cleanup; cleanup' EXIT
told() {
	grep -qE "^$2\$" "$1"
}
setting() {
	sed -i "/^${1%%=*}=/d" "$TUNL_CONF"
	echo "$1" >>"$TUNL_CONF"
}
logged() {
	grep -qF -- "$1" "$d/log"
}

manager "$d/notify" "$d/told"
api_start NOTIFY_SOCKET="$d/notify" WATCHDOG_USEC=200000
within 5 "it is ready" told "$d/told" READY=1
beats() {
	[ "$(grep -cx WATCHDOG=1 "$d/told")" -ge 3 ]
}
within 10 "the watchdog hears of it" beats

# ---- reload ------------------------------------------------------------------

call GET /api/v1/info
is name test-relay
call POST /api/v1/uploads '{"name": "x", "size": 2000}'
expect 201
setting TUNL_RELAY_NAME=renamed
setting TUNL_UPLOAD_MAX=1K
setting "TUNL_DB=$d/other.db"
kill -HUP "$api_pid"
within 10 "it has loaded them" logged "settings are loaded anew"
logged "TUNL_DB takes effect at the next start" || fail "silent about TUNL_DB"
within 5 "it says so" told "$d/told" 'RELOADING=1 MONOTONIC_USEC=[0-9]+'
call GET /api/v1/info
is name renamed
call POST /api/v1/uploads '{"name": "x", "size": 2000}'
expect 413
call GET /api/v1/uploads
is uploads.0.size 2000
[ ! -e "$d/other.db" ] || fail "it opened another database"
# A mistake changes nothing.
setting TUNL_RELAY_NAME=third
setting TUNL_SWEEP=never
kill -HUP "$api_pid"
within 10 "it says what is wrong" logged "TUNL_SWEEP: expected"
call GET /api/v1/info
is name renamed
sed -i '/^TUNL_SWEEP/d' "$TUNL_CONF"
# Nor does a key that others can read; a new one is taken.
pending
claim one
chmod 644 "$d/secret.key"
kill -HUP "$api_pid"
within 10 "it keeps the key" logged "the secret key stays as it was"
sign one "\"resume\": \"$resume\""
expect 200
head -c 32 /dev/urandom >"$d/new.key"
chmod 600 "$d/new.key"
mv "$d/new.key" "$d/secret.key"
kill -HUP "$api_pid"
other_key() {
	sign one "\"resume\": \"$resume\""
	[ "$status" = 401 ]
}
within 10 "the new key is in use" other_key

# ---- drain -------------------------------------------------------------------

# A request under way is finished, new connections are not taken.
call POST /api/v1/uploads '{"name": "x", "size": 1000}'
id=$(field id)
python3 - "$addr" "/api/v1/uploads/$id/data" "$api_pid" <<'PY' || fail "drain"
import os, signal, socket, sys, time
addr, path, pid = sys.argv[1:]
host, port = addr.split(':')
s = socket.create_connection((host, int(port)), 10)
s.sendall(b'PUT %s HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n'
          b'Expect: 100-continue\r\n\r\n' % path.encode())
if b' 100 ' not in s.recv(100):
    sys.exit('no 100')
os.kill(int(pid), signal.SIGTERM)
end = time.monotonic() + 10
while True:
    try:
        socket.create_connection((host, int(port)), 10).close()
    except ConnectionRefusedError:
        break
    except ConnectionResetError:    # closed as we came
        continue
    if time.monotonic() > end:
        sys.exit('it takes connections')
s.sendall(b'x' * 1000)
got = b''
while chunk := s.recv(4096):
    got += chunk
if b' 200 ' not in got.split(b'\r\n')[0] or b'"offset":1000' not in got:
    sys.exit(f'came {got}')
PY
wait "$api_pid"
[ $? -eq 0 ] || fail "SIGTERM: $?"
api_pid=
told "$d/told" STOPPING=1 || fail "it does not say that it stops"
manager_end

# One that never ends is cut off, and what it brought is kept.
sed -i '/^TUNL_DB/d' "$TUNL_CONF"
setting "TUNL_DB=$d/tunl.db"
setting TUNL_UPLOAD_MAX=1M
api_start TUNL_API_DRAIN=300ms
call POST /api/v1/uploads '{"name": "x", "size": 1000}'
id=$(field id)
exec 9<>"/dev/tcp/127.0.0.1/${addr##*:}"
printf 'PUT /api/v1/uploads/%s/data HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n12345' \
    "$id" >&9
come() {
	call GET "/api/v1/uploads/$id"
	[ "$(field offset)" = 5 ]
}
within 10 "what it brought" come
api_stop
[ "$api_status" -eq 0 ] || fail "SIGTERM with an endless request: $api_status"
exec 9<&-
api_start
come || fail "it is not kept: $body"
api_stop

# An abstract socket, and none.
at=@tunl-test-$$
manager "$at" "$d/told2"
api_start NOTIFY_SOCKET="$at"
within 5 "it is ready" told "$d/told2" READY=1
manager_end
api_stop
api_start NOTIFY_SOCKET=nonsense WATCHDOG_USEC=x
call GET /healthz
expect 200
exit 0
