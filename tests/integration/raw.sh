# shellcheck shell=bash
# shellcheck source=lib.sh
# raw.sh - a customer's leg by hand: a key, a certificate, frames.  Sourced
# after lib.sh by the tests of what hostile customers do.
tmp=${tmp:?lib.sh first}

# claim NAME SID [RESUME]: a key of its own, signed for the session; leaves the
# HTTP status in $status and the answer in $tmp/NAME.json
claim() {
	local body

	[ -e "$tmp/$1" ] || ssh-keygen -q -t ed25519 -N '' -C raw -f "$tmp/$1"
	body="{\"public_key\": \"$(cat "$tmp/$1.pub")\", "
	body+="\"session_id\": \"$2\"${3:+, \"resume\": \"$3\"}}"
	status=$(curl -s -o "$tmp/$1.json" -w '%{http_code}' \
	    -H 'Content-Type: application/json' --data-binary "$body" \
	    "$TUNL_API_URL/api/v1/sign")
	[ "$status" = 200 ] || return 0
	answer "$1" certificate >"$tmp/$1-cert.pub"
}

# answer NAME FIELD: of what claim() got
answer() {
	python3 -c 'import json, sys
print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$tmp/$1.json" "$2"
}

# dial NAME CONTEXT: the leg of a customer; what it is sent goes into
# $tmp/NAME.out, and frame() writes to it
dial() {
	local fd

	[ -z "${to[$1]:-}" ] || eval "exec ${to[$1]}>&-"
	rm -f "$tmp/$1.in" "$tmp/$1.out"
	mkfifo "$tmp/$1.in"
	ssh -F none -T -i "$tmp/$1" -o CertificateFile="$tmp/$1-cert.pub" \
	    -o IdentitiesOnly=yes -o IdentityAgent=none -o BatchMode=yes \
	    -o HostKeyAlias=127.0.0.1 -o StrictHostKeyChecking=yes \
	    -o UserKnownHostsFile="$TUNL_KNOWN_HOSTS" \
	    -o GlobalKnownHostsFile=/dev/null -o LogLevel=ERROR \
	    -p "$TUNL_RELAY_PORT" "$TUNL_RELAY_USER@127.0.0.1" "$2" \
	    <"$tmp/$1.in" >"$tmp/$1.out" 2>"$tmp/$1.err" &
	leg[$1]=$!
	exec {fd}>"$tmp/$1.in"
	to[$1]=$fd
}
declare -A leg to

# send NAME FORMAT [ARG...]: octets to the relay, if it still listens
send() (
	name=$1
	shift
	trap '' PIPE
	# shellcheck disable=SC2059
	printf "$@" >&"${to[$name]}"
) 2>/dev/null

# send_frame NAME HEADER PAYLOAD: PAYLOAD with printf's escapes
send_frame() {
	local data

	printf -v data '%b' "$3"
	send "$1" '%s +%d\n%s\n' "$2" \
	    "$(printf %s "$data" | wc -c)" "$data"
}

# got NAME REGEX: whether the relay sent such a line
got() {
	grep -aEq -- "$2" "$tmp/$1.out"
}

# hung_up NAME: the relay ended the connection
hung_up() {
	! kill -0 "${leg[$1]}" 2>/dev/null
}

hang_up() {
	eval "exec ${to[$1]}>&-"
	to[$1]=
	wait "${leg[$1]}"
}
