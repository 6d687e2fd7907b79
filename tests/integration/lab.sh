#!/bin/bash
# Labs: two side by side, brought up again after a SIGKILL of their services,
# reached by plain ssh and curl, and gone without a trace; as root and as an
# ordinary user.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

lab() {
	"$repo/tests/lab" "$@"
}

# reached DIR: by the settings in its env alone, in a shell of its own
reached() {
	bash -c '. "$1/env" && [ "$(curl -s "$TUNL_API_URL/healthz")" != "" ] &&
	    ssh 127.0.0.1 no-such-verb 2>&1 | grep -q ^relay-share:' - "$1" ||
	    fail "$1 is not reached"
}

service() {
	cut -d' ' -f1 "$1/pid/$2"
}

# As root of a machine whose root has no password.
if [ "$TUNL_WORLD" = private ]; then
	sed 's/^root:[^:]*:/root:!:/' /etc/shadow >"$tmp/shadow"
	mount --bind "$tmp/shadow" /etc/shadow || fail "no shadow"
fi

world_snapshot "$tmp/before"
one=$(lab up) || fail "the first lab does not come up"
two=$(lab up "$tmp/two" TUNL_PORTS=31000-31999 TUNL_PING=3s) ||
    fail "the second lab does not come up"
[ "$two" = "$tmp/two" ] || fail "up says $two"
grep -q '^TUNL_PING=3s$' "$two/relay.conf" || fail "a setting got lost"
reached "$one"
reached "$two"
lab status "$one" >"$tmp/out" || fail "status: $(cat "$tmp/out")"

kill_hard "$(service "$one" agent)" "$(service "$one" api)" \
    "$(service "$one" sshd)"
lab status "$one" >"$tmp/out" && fail "status sees nothing: $(cat "$tmp/out")"
reached "$two"
[ "$(lab up "$one")" = "$one" ] || fail "the first lab does not come up again"
reached "$one"

kill_hard "$(service "$two" agent)" "$(service "$two" sshd)"
lab down "$two" || fail "a lab in pieces does not go down"
reached "$one"
lab down "$one" && lab down "$one" || fail "the first lab does not go down"
[ ! -e "$one" ] && [ ! -e "$two" ] || fail "a directory is left"

mkdir "$tmp/mine" && : >"$tmp/mine/file"
lab up "$tmp/mine" 2>/dev/null && fail "it takes a directory in use"
lab down "$tmp/mine" 2>/dev/null && fail "it removes what is no lab"
[ -e "$tmp/mine/file" ] || fail "it removed a file of mine"
world_restored "$tmp/before" || fail "something is left behind"

ordinary_user || exit 0
dir=$(as_ordinary "$ordinary/src/tests/lab" up) ||
    fail "no lab for an ordinary user"
as_ordinary bash -c '. "$1/env"; ssh 127.0.0.1 no-such-verb 2>&1 |
    grep -q ^relay-share:' - "$dir" || fail "an ordinary user's is not reached"
as_ordinary "$ordinary/src/tests/lab" down "$dir" ||
    fail "an ordinary user's does not go down"
[ ! -e "$dir" ] || fail "an ordinary user's is left"
[ -z "$(ps -o args= -u ordinary)" ] || fail "left: $(ps -o args= -u ordinary)"
