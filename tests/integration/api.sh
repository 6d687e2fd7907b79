#!/bin/bash
# The API's endpoints, each as its callers use it, and the life of a session:
# pending, active, closed.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=apilib.sh
. "$repo/tests/integration/apilib.sh"

api_start

# ---- what the relay says of itself ------------------------------------------

call GET /healthz
expect 200
is status ok
call HEAD /healthz
expect 200
call GET /api/v1/info
expect 200
is name test-relay
is api 1
is ssh_host_key "$(cut -d' ' -f1,2 "$d/host.pub")"
call GET /api/v1/ca.pub
expect 200
[ "$body" = "$(cat "$d/ca.pub")" ] || fail "ca.pub is $body"
call GET /api/v1/host-ca.pub
[ "$body" = "$(cat "$d/host-ca.pub")" ] || fail "host-ca.pub is $body"

# ---- pending -----------------------------------------------------------------

call POST /api/v1/pending '{}'
expect 422 'case'
call POST /api/v1/pending '{"ad_hoc": false, "case": null}'
expect 422 'case'
call POST /api/v1/pending '{"case": "CASE-4711", "customer": "Müller & Co"}'
expect 201
is case CASE-4711
is customer 'Müller & Co'
is ad_hoc false
sid=$(field id)
grep -qxE '[a-z]{2,12}(-[a-z]{2,12}){3}' <<<"$sid" || fail "ID $sid"
[ $(($(field expires_at) - $(field created_at))) -eq 3600 ] ||
    fail "not an hour: $body"
record=$body
call GET "/api/v1/pending/$sid"
expect 200
[ "$body" = "$record" ] || fail "pending/ID differs: $body"
call GET /api/v1/pending
is pending.0.id "$sid"
is next null
call POST /api/v1/pending "{\"id\": \"$sid\", \"ad_hoc\": true}"
expect 409 '"code":"conflict"'
call POST /api/v1/pending \
    '{"id": "ab-cd-ef-gh", "ad_hoc": true, "expires_in": 60}'
expect 201
is id ab-cd-ef-gh
is customer null
call GET '/api/v1/pending?limit=1'
is pending.0.id ab-cd-ef-gh
call GET "/api/v1/pending?limit=1&cursor=$(field next)"
is pending.0.id "$sid"
is next null
call DELETE /api/v1/pending/ab-cd-ef-gh
expect 200
is id ab-cd-ef-gh
call DELETE /api/v1/pending/ab-cd-ef-gh
expect 404
call GET /api/v1/pending/ab-cd-ef-gh
expect 404
# Nobody had claimed it, so its ID is free again.
call POST /api/v1/pending '{"id": "ab-cd-ef-gh", "ad_hoc": true}'
expect 201

# ---- sign --------------------------------------------------------------------

new_key dsa -t ecdsa-sk 2>/dev/null ||
    printf 'ssh-dss AAAAB3NzaC1kc3MAAAAA dsa\n' >"$d/dsa.pub"
sign dsa "\"session_id\": \"$sid\""
expect 422 public_key
new_key small -t rsa -b 1024
sign small "\"session_id\": \"$sid\""
expect 422 public_key
new_key first
sign first '"resume": null'
expect 422 session_id
claim first
is session_id "$sid"
read -r -a ports < <(field ports | tr -d '[],')
[ ${#ports[@]} -eq 4 ] || fail "not four ports: $body"
first=$body
ssh-keygen -L -f "$d/first-cert.pub" | sed 's/^ *//; 1d' >"$d/cert"
grep -qx "Key ID: \"$sid\"" "$d/cert" || fail "$(cat "$d/cert")"
grep -q "^Signing CA: .*$(ssh-keygen -lf "$d/ca.pub" | cut -d' ' -f2)" \
    "$d/cert" || fail "$(cat "$d/cert")"
grep -q "^Public key: .*$(ssh-keygen -lf "$d/first.pub" | cut -d' ' -f2)" \
    "$d/cert" || fail "$(cat "$d/cert")"
[ "$(sed -n '/^Principals/,$p' "$d/cert" | tr -d '\n')" = \
    'Principals: tunl-customerCritical Options: (none)Extensions: permit-port-forwarding' ] ||
    fail "$(cat "$d/cert")"
until=$(TZ=UTC0 date -d "@$(field expires_at)" +%Y-%m-%dT%H:%M:%S)
TZ=UTC0 ssh-keygen -L -f "$d/first-cert.pub" | grep -q "Valid: before $until" ||
    fail "expires_at is not the certificate's: $until"
left=$(($(field expires_at) - $(date +%s)))
[ $left -gt 3500 ] && [ $left -le 3600 ] || fail "TTL is $left s"

# The same key may ask again; no other, and no other claim gets more words.
sign first "\"session_id\": \"$sid\""
expect 200
[ "$body" = "$first" ] || fail "a repeated claim gets another certificate"
new_key second
sign second "\"session_id\": \"$sid\""
expect 401 '"code":"unauthorized"'
used=$body
sign second '"session_id": "no-such-session-here"'
[ "$status $body" = "401 $used" ] || fail "unknown differs from used: $body"
sign second "\"resume\": \"$(printf '%064d' 0)\""
[ "$status $body" = "401 $used" ] || fail "a wrong secret differs: $body"
sign second "\"resume\": \"$resume\", \"session_id\": \"ab-cd-ef-gh\""
[ "$status $body" = "401 $used" ] || fail "another session's secret: $body"
call POST /api/v1/pending '{"ad_hoc": true, "expires_in": 1}'
short=$(field id)
gone() {
	call GET "/api/v1/pending/$short"
	[ "$status" = 404 ]
}
within 5 "it expires" gone
sign second "\"session_id\": \"$short\""
[ "$status $body" = "401 $used" ] || fail "expired differs from used: $body"

# A resume secret buys certificates for the same session, by any key.
sign second "\"resume\": \"$resume\""
expect 200
is session_id "$sid"
is resume "$resume"
[ "$(field ports)" = "$(field ports "$first")" ] || fail "other ports: $body"
field certificate >"$d/second-cert.pub"
ssh-keygen -L -f "$d/second-cert.pub" | grep -q "Serial: $((serial + 1))$" ||
    fail "no serial of its own"
for type in "ecdsa -b 256" "ecdsa -b 384" "ecdsa -b 521" "rsa -b 2048"; do
	# shellcheck disable=SC2086
	new_key "${type// /}" -t $type
	sign "${type// /}" "\"session_id\": \"$sid\", \"resume\": \"$resume\""
	expect 200
done

# ---- grants ------------------------------------------------------------------

cat >"$d/expected" <<EOF2
v=1
session=$sid
serials=$serial-$((serial + 5))
ports=${ports[0]},${ports[1]},${ports[2]},${ports[3]}
state=active
EOF2
cmp -s "$d/expected" "$d/run/grants/$sid" ||
    fail "the grant is $(cat "$d/run/grants/$sid")"
[ "$(readlink "$d/run/grants/$serial")" = "$sid" ] || fail "no link $serial"
line=restrict,port-forwarding
for port in "${ports[@]}"; do
	line+=",permitlisten=\"127.0.0.1:$port\""
done
[ "$(may)" = "$line tunl-customer" ] || fail "principals: $(may)"
# shellcheck disable=SC2034
for serial_of_none in 1 0 -1 00 999999999999999999999 ../x "$sid" ''; do
	out=$(serial=$serial_of_none may 2>&1) || fail "principals exits $?"
	[ -z "$out" ] || fail "principals says of \"$serial_of_none\": $out"
done
[ ! -e "$d/run/sign" ] || fail "the signer leaves files behind"

# ---- register, heartbeat -----------------------------------------------------

call GET "/api/v1/sessions/$sid"
is status pending
is registered_at null
icall POST "/api/v1/sessions/$sid/heartbeat"
expect 404
icall POST /api/v1/sessions \
    "{\"id\": \"ab-cd-ef-gh\", \"mode\": \"share\", \"serial\": $serial}"
expect 409 serial
icall POST /api/v1/sessions \
    '{"id": "no-such-session-here", "mode": "share", "serial": 1}'
expect 404
register '"host": "srv1.example.com", "ips": ["10.0.1.5", "fe80::1"],
    "nets": ["10.0.1.0/24"], "dns": [], "user": "alice", "case": "OTHER-1",
    "remote_ip": "192.0.2.7"'
expect 201
is id "$sid"
is status active
is mode share
is host srv1.example.com
is ips '["10.0.1.5", "fe80::1"]'
is nets '["10.0.1.0/24"]'
is dns '[]'
is user alice
is case CASE-4711	# what the engineer said counts
is remote_ip 192.0.2.7
is port null
is tunnel_port null
is closed_at null
[ $(($(date +%s) - $(field registered_at))) -le 60 ] || fail "$body"
[ "$(python3 -c 'import json,sys; print(*json.loads(sys.argv[1]))' "$body")" = \
    "id registered_at mode port tunnel_port host ips nets dns case customer user remote_ip status closed_at" ] ||
    fail "fields: $body"
register '"host": "srv2"'
expect 200
is host srv2
call GET "/api/v1/pending/$sid"
expect 404
icall POST "/api/v1/sessions/$sid/heartbeat"
expect 204
icall POST /api/v1/sessions/no-such-session-here/heartbeat
expect 404

# ---- who may what ------------------------------------------------------------

call POST /api/v1/sessions "{\"id\": \"$sid\", \"mode\": \"share\", \"serial\": 1}"
expect 405 'GET, HEAD'
call POST "/api/v1/sessions/$sid/heartbeat"
expect 404
call PATCH "/api/v1/sessions/$sid" '{"mode": "tunnel"}'
expect 422 mode
call PATCH "/api/v1/sessions/$sid" "{\"tunnel_port\": ${ports[0]}}"
expect 422 tunnel_port
call DELETE "/api/v1/sessions/$sid?reason=ended"
expect 422 reason
call GET "/api/v1/sessions/$sid"
is status active

# ---- patch -------------------------------------------------------------------

icall PATCH "/api/v1/sessions/$sid" \
    "{\"mode\": \"tunnel\", \"tunnel_port\": ${ports[3]}}"
expect 200
is tunnel_port "${ports[3]}"
is mode tunnel
icall PATCH "/api/v1/sessions/$sid" "{\"tunnel_port\": $((ports[3] + 1))}"
expect 409
icall PATCH "/api/v1/sessions/$sid" '{"tunnel_port": null, "mode": "share"}'
is tunnel_port null
call PATCH "/api/v1/sessions/$sid" '{"case": "CASE-1", "customer": null}'
expect 200
is case CASE-1
is customer null
call PATCH /api/v1/sessions/no-such-session-here '{"case": "CASE-1"}'
expect 404

# ---- list --------------------------------------------------------------------

one=$sid
pending
two=$sid
call PATCH "/api/v1/sessions/$two" '{"customer": "Example Ltd"}'
claim two
register
expect 201
call GET /api/v1/sessions
is sessions.0.id "$two"
is sessions.1.id "$one"
is next null
call GET '/api/v1/sessions?limit=1'
is sessions.0.id "$two"
cursor=$(field next)
call GET "/api/v1/sessions?limit=1&cursor=$cursor"
is sessions.0.id "$one"
is next null
call GET '/api/v1/sessions?customer=Example%20Ltd'
is sessions.0.id "$two"
call GET '/api/v1/sessions?case=CASE-1'
is sessions.0.id "$one"
call GET "/api/v1/sessions?since=$(($(date +%s) + 60))"
is sessions '[]'
call GET '/api/v1/sessions?status=closed'
is sessions '[]'
call GET '/api/v1/sessions?status=pending'
is sessions.0.id ab-cd-ef-gh

# ---- the end -----------------------------------------------------------------

serial=$(sed -n \
    's/^serials=\([0-9]*\)-.*/\1/p' "$d/run/grants/$one")
sid=$one
icall DELETE "/api/v1/sessions/$one?reason=ended"
expect 200
is status closed
closed=$body
icall DELETE "/api/v1/sessions/$one?reason=terminated"
expect 200
[ "$body" = "$closed" ] || fail "closed twice: $body"
grep -qx reason=ended "$d/run/grants/$one" || fail "$(cat "$d/run/grants/$one")"
grep -qx state=ended "$d/run/grants/$one" || fail "$(cat "$d/run/grants/$one")"
left=$(($(sed -n 's/^until=//p' "$d/run/grants/$one") - $(date +%s)))
[ $left -gt 86000 ] && [ $left -le 86400 ] || fail "the grant lingers $left s"
[ "$(may)" = "restrict tunl-customer" ] || fail "principals: $(may)"
icall POST "/api/v1/sessions/$one/heartbeat"
expect 410 '"code":"gone"'
register
expect 410
call PATCH "/api/v1/sessions/$one" '{"case": null}'
expect 410
sign second "\"resume\": \"$(field resume "$first")\""
[ "$status $body" = "401 $used" ] || fail "resume of a closed session: $body"
call POST /api/v1/pending "{\"id\": \"$one\", \"ad_hoc\": true}"
expect 409
call DELETE "/api/v1/sessions/$two"
expect 200
grep -qx reason=cancelled "$d/run/grants/$two" ||
    fail "$(cat "$d/run/grants/$two")"
# One that is claimed but was never registered is closed, not forgotten.
pending
claim three
call DELETE "/api/v1/pending/$sid"
expect 200
call GET "/api/v1/sessions/$sid"
is status closed
[ "$(may)" = "restrict tunl-customer" ] || fail "principals: $(may)"

# ---- small things ------------------------------------------------------------

out=$("$build/relay-api" --version) && [[ $out == 'relay-api '* ]] || fail "$out"
"$build/relay-api" --help | grep -q '^usage: relay-api' || fail "no help"
"$build/relay-api" nonsense >/dev/null 2>&1
[ $? -eq 1 ] || fail "an argument is not refused with 1"
kill -HUP "$api_pid"
call GET /healthz
expect 200
api_stop
[ "$api_status" -eq 0 ] || fail "SIGTERM: status $api_status"
[ ! -e "$d/run/api.sock" ] || fail "the socket is left behind"
grep -q "$resume" "$d/log" && fail "the log has a secret"
exit 0
