#!/bin/bash
# A customer who was told six digits and nothing else: gets a session, and words
# that help where there is none.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# The sessions on this machine, by ID.
here() {
	cat /tmp/linbit-tunl-*/sid 2>/dev/null
}

# refused REGEX ARG...: linbit-tunl says so in one line, and leaves nothing
refused() {
	local want=$1 rv

	shift
	linbit-tunl --no-attach "$@" >"$tmp/out" 2>&1 </dev/null
	rv=$?
	[ $rv -eq 1 ] || fail "$*: status $rv: $(cat "$tmp/out")"
	[ "$(wc -l <"$tmp/out")" -eq 1 ] &&
	    grep -Eq "^linbit-tunl: .*$want" "$tmp/out" ||
	    fail "$*: not /$want/ but: $(cat "$tmp/out")"
	ls -d /tmp/linbit-tunl-* >"$tmp/out" 2>/dev/null &&
	    fail "$*: leaves $(cat "$tmp/out")"
}

# another N: six digits that are not $token
another() {
	printf '%06d\n' $(((10#$token + $1) % 1000000))
}

lab_up

# ---- what is no token --------------------------------------------------------

for words in 12345 1234567 48291x '' '４８２９１７' '482 91'; do
	refused 'a token is six digits' --token "$words"
done
refused 'a token is six digits' --token 482 91
refused 'a session ID is four words' --token 482917 917
refused 'which session\? .*session ID.*token'
refused 'cannot reach the relay at http://127.0.0.1:1 ' --token 482917 \
    --api-url http://127.0.0.1:1

# ---- a session of its own ----------------------------------------------------

token=$(new_token '"case": "CASE-4711"')
refused 'does not accept this token: .*ask support for a new token' \
    --token "$(another 1)"
# What a start that was killed has left goes with the next one.
mkdir -m 700 /tmp/linbit-tunl-new-abcdef /tmp/linbit-tunl-new-fedcba
echo secret >/tmp/linbit-tunl-new-abcdef/key
touch -d '1 day ago' /tmp/linbit-tunl-new-abcdef
term_start customer 100x34 linbit-tunl --token "${token:0:3}" "${token:3}"
shell_echoes customer
[ ! -e /tmp/linbit-tunl-new-abcdef ] || fail "an old start is left"
rmdir /tmp/linbit-tunl-new-fedcba || fail "a new one is not"
sid=$(here)
within 10 "it is active" record_is status active
record_is case CASE-4711 || fail "the session's case is $(record case)"
shows customer "$sid" || fail "the session ID is nowhere to be seen"
engineer eva
shell_echoes eva
type_line customer 'mark=here'
press customer C-b d
within 10 "it is detached" term_ended customer
told customer "To come back: linbit-tunl $sid" ||
    fail "nobody says how to come back"
term_close customer
# With the same ID it is the same shell, whatever the token is good for now.
term_start customer 100x34 linbit-tunl "$sid" --token "$token"
type_line customer 'echo "=$mark="'
wait_screen customer '^=here='
type_line customer exit
within 15 "it ends" term_ended customer
term_close customer
term_close eva
within 10 "its directory goes" session_gone
refused 'does not accept this token: .*used already' --token "$token"

# ---- with the ID of a session ------------------------------------------------

new_session
other=$sid
new_session
token=$(new_token "\"session_id\": \"$sid\"")
refused 'does not accept this token: .*session ID that must be given too' \
    --token "$token"
refused "does not accept session ID '$sid': .*needs a token" "$sid"
refused "token for session ID '$other': .*do not belong together" \
    --token "$token" "$other"
linbit-tunl --no-attach --token "${token:0:3}-${token:3}" "$sid" 2>"$tmp/err" ||
    fail "token and ID: $(cat "$tmp/err")"
[ "$(here)" = "$sid" ] || fail "not session $sid but $(here)"
end_customer

# ---- many wrong ones ---------------------------------------------------------

tunl list >"$tmp/out" 2>"$tmp/err" || fail "tunl list: $(cat "$tmp/err")"
grep -q warning "$tmp/err" && fail "a warning for little: $(cat "$tmp/err")"
token=$(new_token)
for ((n = 1; n <= 60; n++)); do
	curl -s -o /dev/null -H 'X-Forwarded-For: 192.0.2.'$((n / 4)) \
	    -H 'Content-Type: application/json' -d "{\"token\": \"$(another $n)\",
	    \"public_key\": \"$(cat "$TUNL_LAB/keys/support.pub")\"}" \
	    "$TUNL_API_URL/api/v1/sign"
done
refused 'refuses for now: tokens are not taken for another [0-9]+ minutes.*ask support for a session ID' \
    --token "$token"
tunl list >"$tmp/out" 2>"$tmp/err" || fail "tunl list: $(cat "$tmp/err")"
grep -Eq '^\[tunl\] warning: somebody tries out tokens: .* \(until [0-9:]{5}\)$' \
    "$tmp/err" || fail "no warning: $(cat "$tmp/out" "$tmp/err")"
[ "$(tunl list --json 2>/dev/null | python3 -c 'import json, sys
print(json.load(sys.stdin)["warnings"][0]["code"])')" = tokens_locked ] ||
    fail "tunl list --json: $(tunl list --json)"
# A session ID goes on working.
new_session
linbit-tunl --no-attach "$sid" 2>"$tmp/err" || fail "an ID: $(cat "$tmp/err")"
end_customer
nothing_left
