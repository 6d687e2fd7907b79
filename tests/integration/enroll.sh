#!/bin/bash
# A customer who cannot reach HTTPS: the secret goes in through sshd and a real
# PAM, the public key after it, the certificate comes out.  As root with a whole
# session; as an ordinary user, in a user namespace, up to the certificate.
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

# ---- a whole session, without HTTPS ------------------------------------------

whole_session() {
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
}
[ "$(id -u)" -ne 0 ] || whole_session

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
[ "$(id -u)" -eq 0 ] || exit 0

# ---- as an ordinary user -----------------------------------------------------

ordinary_user || skip "there is no ordinary user here"
as_ordinary CI="${CI:-}" bash "$ordinary/src/tests/integration/enroll.sh"
