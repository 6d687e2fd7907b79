#!/bin/bash
# One-time tokens over HTTP: made, looked at, revoked, used once, alone or for
# a session; and what happens to those who guess.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=apilib.sh
. "$repo/tests/integration/apilib.sh"

# token [FIELDS]: make one; leaves $token
token() {
	call POST /api/v1/expected "{${1-}}"
	expect 201
	token=$(field token)
}

# another N: six digits that are not $token
another() {
	printf '%06d\n' $(((10#$token + $1) % 1000000))
}

# from ADDRESS METHOD PATH BODY: as a proxy would ask for ADDRESS
from() {
	call_by "http://$addr$3" "$2" "${4-}" -H "X-Forwarded-For: $1"
}

# sign_from ADDRESS NAME FIELDS
sign_from() {
	from "$1" POST /api/v1/sign \
	    "{\"public_key\": \"$(cat "$d/$2.pub")\", $3}"
}

for key in one two three; do
	new_key "$key"
done
api_start

# ---- made, looked at, revoked ------------------------------------------------

token
grep -qxE '[0-9]{6}' <<<"$token" || fail "token $token"
is session_id null
is case null
is customer null
is ad_hoc false
[ $(($(field expires_at) - $(field created_at))) -eq 3600 ] ||
    fail "not an hour: $body"
[ "$(python3 -c 'import json,sys; print(*json.loads(sys.argv[1]))' "$body")" = \
    "token session_id case customer ad_hoc created_at expires_at" ] ||
    fail "fields: $body"
record=$body
call GET "/api/v1/expected/$token"
expect 200
[ "$body" = "$record" ] || fail "GET differs: $body"
call DELETE "/api/v1/expected/$token"
expect 200
[ "$body" = "$record" ] || fail "DELETE differs: $body"
call DELETE "/api/v1/expected/$token"
expect 404
gone=$body
call GET "/api/v1/expected/$token"
expect 404
[ "$body" = "$gone" ] || fail "revoked differs: $body"
for bad in 12345 1234567 abcdef 48%32917 ''; do
	call GET "/api/v1/expected/$bad"
	expect 404 'no such endpoint'
done
call POST "/api/v1/expected/$token"
expect 405 'GET, HEAD, DELETE'
call POST /api/v1/expected '{"expires_in": 0}'
expect 422 expires_in
call POST /api/v1/expected '{"expires_in": 86401}'
expect 422 expires_in
call POST /api/v1/expected '{"case": "x"}'
expect 422 case
call POST /api/v1/expected '{"token": "123456"}'
expect 422 token
call POST /api/v1/expected '{"session_id": "no-such-session-here"}'
expect 404 session_id

# ---- used once, alone --------------------------------------------------------

token '"case": "CASE-4711", "customer": "Example", "expires_in": 60'
[ $(($(field expires_at) - $(field created_at))) -eq 60 ] || fail "$body"
for bad in 12345 1234567 '48 2917' abcdef; do
	sign one "\"token\": \"$bad\""
	expect 422 token
done
sign one "\"token\": \"$(another 1)\""
expect 401 '"code":"unauthorized"'
wrong=$body
sign one "\"token\": \"$token\""
expect 200
first=$body
sid=$(field session_id)
field certificate >"$d/one-cert.pub"
ssh-keygen -L -f "$d/one-cert.pub" | grep -q "Key ID: \"$sid\"" ||
    fail "not the session's certificate"
serial=$(ssh-keygen -L -f "$d/one-cert.pub" | awk '$1 == "Serial:" { print $2 }')
sign two "\"token\": \"$token\""
[ "$status $body" = "401 $wrong" ] || fail "used differs from wrong: $body"
call GET "/api/v1/expected/$token"
[ "$status $body" = "404 $gone" ] || fail "used differs from revoked: $body"
# An answer that was lost.
sign one "\"token\": \"$token\""
[ "$status $body" = "200 $first" ] || fail "not the same again: $body"
sign one "\"token\": \"$token\", \"session_id\": \"$sid\""
[ "$status $body" = "200 $first" ] || fail "not the same with its ID: $body"
sign one "\"token\": \"$token\", \"session_id\": \"aa-bb-cc-dd\""
[ "$status $body" = "401 $wrong" ] || fail "another ID: $body"
# It is a session like any other.
call GET "/api/v1/sessions/$sid"
is case CASE-4711
is customer Example
register
expect 201
is case CASE-4711
new_key renewed
sign renewed "\"resume\": \"$(field resume "$first")\", \"token\": \"000000\""
expect 200
is session_id "$sid"
token '"expires_in": 1'
expired() {
	call GET "/api/v1/expected/$token"
	[ "$status" = 404 ]
}
within 5 "it expires" expired
sign one "\"token\": \"$token\""
[ "$status $body" = "401 $wrong" ] || fail "expired differs from wrong: $body"

# ---- for a session -----------------------------------------------------------

pending
bound=$sid
call POST /api/v1/expected "{\"session_id\": \"$bound\", \"case\": \"CASE-1\"}"
expect 422 session_id
token "\"session_id\": \"$bound\""
is session_id "$bound"
is customer Example
pending
free=$sid
for claim in "\"token\": \"$token\"" "\"session_id\": \"$bound\"" \
    "\"token\": \"$token\", \"session_id\": \"$free\"" \
    "\"token\": \"$token\", \"session_id\": \"aa-bb-cc-dd\"" \
    "\"token\": \"$(another 1)\", \"session_id\": \"$bound\""; do
	sign two "$claim"
	[ "$status $body" = "401 $wrong" ] || fail "$claim: $status $body"
done
sign two "\"token\": \"$token\", \"session_id\": \"$bound\""
expect 200
is session_id "$bound"
call POST /api/v1/expected "{\"session_id\": \"$bound\"}"
expect 404
# A token of no session goes with any that waits, and both are used up.
token
sign three "\"token\": \"$token\", \"session_id\": \"$free\""
expect 200
is session_id "$free"
sign one "\"session_id\": \"$free\""
expect 401
sign one "\"token\": \"$token\""
expect 401
# Wrong ones burn it, and the ID alone stays worth nothing.
pending
token "\"session_id\": \"$sid\""
for n in 1 2 3 4 5; do
	sign one "\"token\": \"$(another $n)\", \"session_id\": \"$sid\""
	expect 401
done
sign one "\"token\": \"$token\", \"session_id\": \"$sid\""
[ "$status $body" = "401 $wrong" ] || fail "burnt differs from wrong: $body"
sign one "\"session_id\": \"$sid\""
expect 401
api_stop

# ---- many --------------------------------------------------------------------

api_start TUNL_TOKENS_MAX=3
token
token
token
call POST /api/v1/expected '{}'
expect 409 '3 tokens'
call DELETE "/api/v1/expected/$token"
expect 200
token
api_stop -KILL
api_start
call GET "/api/v1/expected/$token"
expect 200
strings=$(cat "$d"/tunl.db* | tr -c '0-9' '\n')
grep -qx "$token" <<<"$strings" && fail "the database has a token"
grep -qw "$token" "$d/log" && fail "the log has a token"

# ---- guessing ----------------------------------------------------------------

api_stop
rm -f "$d/tunl.db"*
api_start
token
resume=
pending
waiting=$sid
pending
claim one
# One address has five tries; its neighbours in the /64 share them.
for n in 1 2 3 4 5; do
	sign_from "2001:db8:1:2::$n" two "\"token\": \"$(another $n)\""
	expect 401
done
sign_from 2001:db8:1:2:ffff::9 two "\"token\": \"$token\""
expect 429 '"code":"too_many_requests"'
after=$(curl -s -o /dev/null -D - -H 'X-Forwarded-For: 2001:db8:1:2::1' \
    -H 'Content-Type: application/json' --data-binary \
    "{\"public_key\": \"$(cat "$d/two.pub")\", \"token\": \"$token\"}" \
    "http://$addr/api/v1/sign" | tr -d '\r' | sed -n 's/^Retry-After: //p')
[ "$after" -gt 550 ] && [ "$after" -le 600 ] || fail "Retry-After: $after"
sign_from 2001:db8:1:3::1 two "\"token\": \"$(another 9)\""
expect 401
# What stands before the last address is anybody's word.
sign_from '192.0.2.1, 2001:db8:1:2::1' two "\"token\": \"$token\""
expect 429
sign_from 'nonsense' two "\"token\": \"$token\""
expect 400 X-Forwarded-For
# It is remembered, by an IPv4 address' own name as well.
for n in 1 2 3 4 5; do
	sign_from "192.0.2.9" two "\"token\": \"$(another $n)\""
	expect 401
done
api_stop -KILL
api_start
sign_from 2001:db8:1:2::1 two "\"token\": \"$token\""
expect 429
sign_from ::ffff:192.0.2.9 two "\"token\": \"$token\""
expect 429
call GET /api/v1/sessions
is warnings.0.code address_locked
is warnings.1.code address_locked
[[ $body == *'tokens from 192.0.2.9'* && $body == *2001:db8:1:2::/64* ]] ||
    fail "warnings: $body"
# Session IDs have a count of their own.
sign_from 192.0.2.9 two '"session_id": "aa-bb-cc-dd"'
expect 401

# 60 in all lock tokens alone, and those for everybody; looking counts too.
locked() {
	call GET "/api/v1/expected/$(another $((n += 1)))"
	[ "$status" = 429 ]
}
n=100
for ((i = 0; i < 60; i++)); do
	if locked; then break; fi
	expect 404
done
[ "$i" -eq 49 ] || fail "locked after $((i + 11)) wrong ones"
python3 - "$addr" "$token" "$(cat "$d/two.pub")" <<'PY' || fail "guessing"
import http.client, json, sys

addr, token, key = sys.argv[1:]
c = http.client.HTTPConnection(addr, timeout=20)
for i in range(200):
    guess = '%06d' % ((int(token) + 1000 + i) % 1000000)
    c.request('POST', '/api/v1/sign',
              json.dumps({'public_key': key, 'token': guess}),
              {'Content-Type': 'application/json',
               'X-Forwarded-For': f'198.51.100.{i}'})
    r = c.getresponse()
    r.read()
    if r.status != 429:
        sys.exit(f'guess {i}: {r.status}')
PY
sign_from 203.0.113.1 two "\"token\": \"$token\""
expect 429 'session ID'
call DELETE "/api/v1/expected/$token"
expect 429
api_stop -KILL
api_start
sign_from 203.0.113.1 two "\"token\": \"$token\""
expect 429
call GET /api/v1/sessions
[[ $body == *'"code":"tokens_locked"'* ]] || fail "warnings: $body"
until=$(python3 -c 'import json, sys
print(max(w["until"] for w in json.loads(sys.argv[1])["warnings"]))' "$body")
left=$((until - $(date +%s)))
[ $left -gt 3500 ] && [ $left -le 3600 ] || fail "locked for $left s"
# A session's ID, its own token, and a resume secret go on working meanwhile,
# even where the guesses came from.
sign_from 192.0.2.9 two "\"session_id\": \"$waiting\""
expect 200
pending
token "\"session_id\": \"$sid\""
sign_from 192.0.2.9 three "\"session_id\": \"$sid\", \"token\": \"$token\""
expect 200
sign_from 192.0.2.9 two "\"resume\": \"$resume\""
expect 200
for ((i = 0; i < 8; i++)); do
	sign_from 192.0.2.9 two "\"resume\": \"$(printf '%064d' $i)\""
	expect 401
done
sign_from 192.0.2.9 two "\"resume\": \"$resume\""
expect 200
# Whoever guesses session IDs is stopped too, alone.
for n in a b c d; do
	sign_from 192.0.2.9 two "\"session_id\": \"aa-bb-cc-d$n\""
	expect 401
done
pending
sign_from 192.0.2.9 one "\"session_id\": \"$sid\""
expect 429
sign_from 192.0.2.8 one "\"session_id\": \"$sid\""
expect 200
# Nobody else's word for an address counts.
call_by http://api/api/v1/sign POST '{}' --unix-socket "$d/run/api.sock" \
    -H 'X-Forwarded-For: nonsense'
expect 422
api_stop

# ---- time passes -------------------------------------------------------------

rm -f "$d/tunl.db"*
api_start TUNL_FAIL_WINDOW=2s TUNL_TOKEN_FAIL_WINDOW=2s TUNL_FAIL_LIMIT=1 \
    TUNL_TOKEN_FAIL_LIMIT=2 TUNL_SWEEP=100ms TUNL_API_PROXY=
token
# (nobody's X-Forwarded-For is believed now)
sign_from 192.0.2.1 one "\"token\": \"$(another 1)\""
expect 401
sign_from 192.0.2.1 one "\"token\": \"$(another 2)\""
expect 401
sign one "\"token\": \"$token\""
expect 429
usable() {
	sign one "\"token\": \"$token\""
	[ "$status" = 200 ]
}
within 10 "the lock opens" usable
call GET /api/v1/sessions
is warnings '[]'
api_stop

# ---- a database from before there were tokens --------------------------------

api_start
pending
old=$sid
api_stop
python3 -c 'import sqlite3, sys
c = sqlite3.connect(sys.argv[1])
c.executescript("""DROP TABLE tokens; DROP TABLE failures; DROP TABLE uploads;
    DROP INDEX sessions_stale;
    ALTER TABLE sessions DROP COLUMN token_only; PRAGMA user_version = 1;""")
' "$d/tunl.db"
api_start
sid=$old
claim two
token
sign three "\"token\": \"$token\""
expect 200
exit 0
