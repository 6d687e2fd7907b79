#!/bin/bash
# Enrolment over ssh: the secret goes in through sshd and a real PAM, the public
# key after it, the certificate comes out.  enroll_user.sh does the same as an
# ordinary user, enroll_session.sh goes on to a whole session.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

unshare=(unshare --mount)
[ "$(id -u)" -eq 0 ] || unshare+=(--user --map-current-user --keep-caps)
"${unshare[@]}" true 2>/dev/null || skip "namespaces are not permitted here"

export LAB_PAM=yes
lab_up TUNL_TOKENS_MAX=100 TUNL_FAIL_LIMIT=12
mkdir -p "$tmp/keys"
cat >"$tmp/askpass" <<EOA
#!/bin/sh
exec cat $tmp/secret
EOA
chmod 700 "$tmp/askpass"
for key in one two three four; do
	ssh-keygen -q -t ed25519 -N '' -C "$key" -f "$tmp/keys/$key"
done

# enroll SECRET KEY [OPTION...]: leaves $status, $tmp/out, $tmp/err
enroll() {
	printf '%s' "$1" >"$tmp/secret"
	timeout 30 env SSH_ASKPASS="$tmp/askpass" SSH_ASKPASS_REQUIRE=force \
	    DISPLAY=x:0 ssh -F none -T -S none -p "$TUNL_RELAY_PORT" \
	    -o PreferredAuthentications=keyboard-interactive \
	    -o NumberOfPasswordPrompts=1 -o PubkeyAuthentication=no \
	    -o StrictHostKeyChecking=yes -o GlobalKnownHostsFile=/dev/null \
	    -o UserKnownHostsFile="$TUNL_KNOWN_HOSTS" -o UpdateHostKeys=no \
	    -o KexAlgorithms=curve25519-sha256 \
	    -o HostKeyAlias="$TUNL_RELAY" -o LogLevel=ERROR -l "${account:-tunl-enroll}" \
	    "${@:3}" -- "$TUNL_RELAY" <"$tmp/keys/$2.pub" \
	    >"$tmp/out" 2>"$tmp/err"
	status=$?
}

# enrolled SECRET KEY: and it is that key's certificate; leaves $sid
enrolled() {
	enroll "$@"
	[ $status -eq 0 ] && [ "$(wc -l <"$tmp/out")" -eq 1 ] ||
	    fail "$1: status $status: $(cat "$tmp/out" "$tmp/err")"
	sid=$(answer session_id)
	answer certificate >"$tmp/keys/$2-cert.pub"
	ssh-keygen -L -f "$tmp/keys/$2-cert.pub" >"$tmp/cert"
	grep -q "Key ID: \"$sid\"" "$tmp/cert" &&
	    grep -q "Public key: .*$(ssh-keygen -lf "$tmp/keys/$2.pub" |
	    cut -d' ' -f2)" "$tmp/cert" || fail "$(cat "$tmp/cert")"
}

answer() {
	python3 -c 'import json, sys
print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$tmp/out" "$1"
}

# denied SECRET KEY: by sshd, with no more words than ever
denied() {
	enroll "$@"
	[ $status -eq 255 ] && [ ! -s "$tmp/out" ] &&
	    grep -q 'Permission denied (keyboard-interactive)' "$tmp/err" ||
	    fail "$1: status $status: $(cat "$tmp/out" "$tmp/err")"
	cmp -s "$tmp/err" "${denied:-$tmp/err}" ||
	    fail "$1 is denied otherwise: $(cat "$tmp/err")"
}

digest() {
	printf 'key=%s' "$(cut -d' ' -f2 "$tmp/keys/$1.pub" | base64 -d |
	    sha256sum | cut -d' ' -f1)"
}

another() {
	printf '%06d\n' $(((10#$token + $1) % 1000000))
}

# ---- tokens ------------------------------------------------------------------

token=$(new_token)
denied "$(another 1)" one
cp "$tmp/err" "$tmp/denied"
denied=$tmp/denied
enrolled "${token:0:3} ${token:3}" one
cp "$tmp/out" "$tmp/first"
denied "$token" two
denied "$token" one	# whose key that will be nobody can know
denied "$token $(digest two)" two
enrolled "$token $(digest one)" one
cmp -s "$tmp/out" "$tmp/first" || fail "a lost answer is not given again"
# A lie about the key helps nobody.
enroll "$token $(digest one)" two
[ $status -eq 1 ] && [ ! -s "$tmp/out" ] || fail "another's token: $status"
for bad in '' 1234567 "\"$token\"" "$(printf 'x%.0s' {1..300})" \
    'no-such-session-here'; do
	denied "$bad" two
done
revoked=$(new_token)
curl -s -X DELETE "$TUNL_API_URL/api/v1/expected/$revoked" >"$tmp/out"
denied "$revoked" two

# Logging in uses up nothing; a key that cannot be signed neither.
token=$(new_token)
echo "nonsense" >"$tmp/keys/bad.pub"
: >"$tmp/keys/none.pub"
enroll "$token" bad
[ $status -eq 1 ] && grep -q '^relay-share: public_key: ' "$tmp/err" ||
    fail "a bad key: status $status: $(cat "$tmp/err")"
enroll "$token" none
[ $status -eq 1 ] && grep -q '^relay-share: expected a public key' "$tmp/err" ||
    fail "no key: status $status: $(cat "$tmp/err")"
enrolled "${token:0:3}-${token:3}" two

# ---- session IDs, resume secrets ---------------------------------------------

new_session
enrolled "$sid" three
resume=$(answer resume)
denied "$sid" two
enrolled "$resume" four
[ "$(answer resume)" = "$resume" ] || fail "another resume secret"
enrolled "$sid $resume" four
denied "${resume%?}x" four
new_session
token=$(new_token "\"session_id\": \"$sid\"")
denied "$sid" one
denied "$token" one
enrolled "$sid $token" one

# ---- this account does nothing else ------------------------------------------

token=$(new_token)
enroll "$token" one -R 127.0.0.1:0:localhost:1 -o ExitOnForwardFailure=yes
[ $status -eq 255 ] || fail "-R: status $status: $(cat "$tmp/err")"
enroll "$token" one -W "127.0.0.1:$TUNL_API_PORT"
[ $status -ne 0 ] && [ ! -s "$tmp/out" ] || fail "-W: $(cat "$tmp/out")"
enroll "$token" one -o RemoteCommand='echo broken'
grep -q broken "$tmp/out" && fail "it runs commands"
[ $status -eq 0 ] || fail "RemoteCommand: status $status"
token=$(new_token)
account=$(id -un) enroll "$token" one
[ $status -eq 255 ] && grep -q 'Permission denied (publickey)' "$tmp/err" ||
    fail "another account: $(cat "$tmp/out" "$tmp/err")"
env -i PAM_TYPE=auth PAM_USER=root SSH_CONNECTION='127.0.0.1 1 127.0.0.1 2' \
    "$build/validate-token" "$TUNL_LAB/relay.conf" <<<"$token" &&
    fail "validate-token lets root in"

# ---- trouble -----------------------------------------------------------------

kill -STOP "$(service api)"
began=$SECONDS
denied "$token" one
[ $((SECONDS - began)) -lt 20 ] || fail "PAM waits for ever"
kill -CONT "$(service api)"
enrolled "$token" one

# ---- guessing ----------------------------------------------------------------

token=$(new_token)
for ((n = 1; n <= 5; n++)); do
	denied "$(another $n)" one
done
denied "$token" one	# this address has had enough
new_session
enrolled "$sid" two	# but not of session IDs
for secret in "$token" "$revoked" "$resume"; do
	grep -rlwF -- "$secret" "$TUNL_LAB/log" && fail "a secret in a log"
done
nothing_left
