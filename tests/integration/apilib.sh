# shellcheck shell=bash
# shellcheck source=lib.sh
# apilib.sh - a relay-api of its own with a CA in an agent, and calls to it.
# Sourced after lib.sh by the tests of the API alone.
# shellcheck disable=SC2034	# it sets variables for them
tmp=${tmp:?lib.sh first}
build=${build:?}

world=$TUNL_WORLD
unset "${!TUNL_@}"
TUNL_LAB=
d=$tmp/relay
mkdir -p "$d/run"
export TUNL_CONF=$d/relay.conf
cat >"$TUNL_CONF" <<EOC
TUNL_API_LISTEN=127.0.0.1:0 unix:$d/run/api.sock
TUNL_DB=$d/tunl.db
TUNL_DATA_DIR=$d
TUNL_LOG_DIR=$d
TUNL_RUN_DIR=$d/run
TUNL_CA_PUB=$d/ca.pub
TUNL_CA_AGENT=$d/agent.sock
TUNL_HOST_CA_PUB=$d/host-ca.pub
TUNL_HOST_KEY_PUB=$d/host.pub
TUNL_SECRET_KEY_FILE=$d/secret.key
TUNL_RELAY_NAME=test-relay
TUNL_USER=$(id -un)
EOC
for key in ca host-ca host; do
	ssh-keygen -q -t ed25519 -N '' -C "$key" -f "$d/$key"
done

agent_pid=
api_pid=
api_cleanup() {
	local rv=$?

	[ -z "$api_pid" ] || api_stop -KILL
	[ -z "$agent_pid" ] || kill "$agent_pid" 2>/dev/null
	wait 2>/dev/null
	[ $rv -eq 0 ] || tail -n 20 "$d/log"
	return $rv
}
trap 'api_cleanup; cleanup' EXIT

agent_start() {
	ssh-agent -D -a "$d/agent.sock" >/dev/null 2>&1 &
	agent_pid=$!
	within 5 "an agent" [ -S "$d/agent.sock" ]
	SSH_AUTH_SOCK=$d/agent.sock ssh-add -q "$d/ca" 2>/dev/null ||
	    fail "no CA in the agent"
}

# api_start [KEY=VALUE...]
api_start() {
	rm -f "$d/run/api.addr"
	env "$@" "$build/relay-api" -dv >>"$d/log" 2>&1 &
	api_pid=$!
	within 10 "relay-api listens" [ -s "$d/run/api.addr" ]
	read -r addr <"$d/run/api.addr"
}

api_stop() {
	kill "${1:--TERM}" "$api_pid" 2>/dev/null
	wait "$api_pid" 2>/dev/null
	api_status=$?
	api_pid=
}

# call METHOD PATH [BODY]; icall for the unix socket: the answer goes to
# $status and $body
call() {
	call_by "http://$addr$2" "$1" "${3-}"
}

icall() {
	call_by "http://api$2" "$1" "${3-}" --unix-socket "$d/run/api.sock"
}

call_by() {
	local url=$1 method=$2 data=$3
	local out

	shift 3
	[ -z "$data" ] || set -- "$@" -H 'Content-Type: application/json' \
	    --data-binary "$data"
	[ -n "$data" ] || [ "$method" != POST ] ||
	    set -- "$@" -H 'Content-Length: 0'
	[ "$method" != HEAD ] || set -- "$@" --head
	out=$(curl -s -m 20 -X "$method" -w '\n%{http_code}' --path-as-is \
	    "$@" "$url")
	status=${out##*$'\n'}
	body=${out%$'\n'*}
	body=${body%$'\n'}
}

# expect STATUS [TEXT]: of the last call
expect() {
	[ "$status" = "$1" ] ||
	    fail "line ${BASH_LINENO[0]}: expected $1, came $status: $body"
	[ -z "${2-}" ] || [[ $body == *"$2"* ]] ||
	    fail "line ${BASH_LINENO[0]}: expected \"$2\" in $body"
}

# field NAME [JSON]: as text, JSON-encoded unless it is a string
field() {
	python3 -c 'import json, sys
v = json.loads(sys.argv[2])
for k in sys.argv[1].split("."):
    v = v[int(k)] if isinstance(v, list) else v[k]
print(v if isinstance(v, str) else json.dumps(v))' "$1" "${2-$body}"
}

# is NAME VALUE: a field of the last answer
is() {
	local v

	v=$(field "$1") || fail "line ${BASH_LINENO[0]}: no $1 in $body"
	[ "$v" = "$2" ] ||
	    fail "line ${BASH_LINENO[0]}: expected $1 = $2, came $v"
}

# pending [FIELDS]: announce a session; leaves $sid
pending() {
	call POST /api/v1/pending "{\"customer\": \"Example\"${1:+, $1}}"
	expect 201
	sid=$(field id)
}

# new_key NAME [OPTION...]: a key pair $d/NAME
new_key() {
	local name=$1

	shift
	[ -e "$d/$name" ] || ssh-keygen -q -N '' -C "$name" -f "$d/$name" \
	    "${@:--ted25519}"
}

# sign NAME FIELDS: ask for a certificate for the key $d/NAME.pub
sign() {
	call POST /api/v1/sign \
	    "{\"public_key\": \"$(cat "$d/$1.pub")\", $2}"
}

# claim NAME: claim $sid by a new key; leaves $serial and $resume
claim() {
	new_key "$1"
	sign "$1" "\"session_id\": \"$sid\""
	expect 200
	resume=$(field resume)
	field certificate >"$d/$1-cert.pub"
	serial=$(ssh-keygen -L -f "$d/$1-cert.pub" |
	    awk '$1 == "Serial:" { print $2 }')
}

# register [FIELDS]: what the broker does for $sid and $serial
register() {
	icall POST /api/v1/sessions "{\"id\": \"$sid\", \"mode\": \"share\",
	    \"serial\": $serial${1:+, $1}}"
}

# may: what relay-principals says of $serial
may() {
	TUNL_RUN_DIR=$d/run "$build/relay-principals" "$serial"
}

agent_start
