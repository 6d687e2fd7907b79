# shellcheck shell=bash
# lib.sh - what every whole-program test begins with.
#
# Sourced first.  As root the test is started again in namespaces of its own
# (processes, /tmp, /run, home), so that it meets nobody, leaves nothing, and
# counts exactly what is left.  Elsewhere it runs in the open.
#
# Terminals are named `customer`, `eva`, ...; see term.sh.  A test that returns
# from its last command with 0 has passed.
set -u
umask 077
repo=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
build=${TUNL_BUILD:-$repo/build}
test_name=${0##*/}

# ---- a world of our own -----------------------------------------------------

# Empty file systems over what everybody shares, with the tree still in place.
private_mounts() {
	local d

	[ -d "$build" ] || build=$repo
	exec 7<"$repo" 8<"$build" || exit 1
	for d in /tmp /var/tmp /run /dev/shm; do
		[ ! -d "$d" ] || mount -t tmpfs -o mode=1777 tmpfs "$d" || exit 1
	done
	chmod 755 /run
	if [ ! -d "$repo" ]; then
		mkdir -p "$repo"
		mount --no-canonicalize --bind /proc/self/fd/7 "$repo" || exit 1
	fi
	if [ ! -d "$build" ]; then
		mkdir -p "$build"
		mount --no-canonicalize --bind /proc/self/fd/8 "$build" || exit 1
	fi
	exec 7<&- 8<&-
}

if [ "${1:-}" = private-mounts ]; then
	shift
	private_mounts
	export TUNL_WORLD=private
	exec bash "$@"
fi
if [ -z "${TUNL_WORLD:-}" ] && [ "$(id -u)" -eq 0 ] &&
    unshare --mount --pid --fork --mount-proc true 2>/dev/null; then
	exec unshare --mount --pid --fork --kill-child --mount-proc \
	    --propagation private -- bash "${BASH_SOURCE[0]}" private-mounts \
	    "$0" "$@"
fi
export TUNL_WORLD=${TUNL_WORLD:-open}
# In the open, one at a time, or each would see what the other does.
exec {world_lock}<"$repo/tests/integration"
[ "$TUNL_WORLD" = private ] || flock "$world_lock"

# shellcheck source=world.sh
. "$repo/tests/integration/world.sh"
# shellcheck source=term.sh
. "$repo/tests/integration/term.sh"

# ---- start, end, verdict ----------------------------------------------------

tmp=$(mktemp -d /tmp/tunl-test-XXXXXX) || exit 1
export HOME=$tmp/home SHELL=/bin/bash LC_ALL=C.UTF-8
unset XDG_CONFIG_HOME XDG_STATE_HOME XDG_DATA_HOME XDG_CACHE_HOME TMUX ENV
mkdir -m 700 "$HOME"
TUNL_LAB=
verdict=

cleanup() {
	local rv=$?

	trap - EXIT
	sanitizers_quiet || rv=1
	[ -n "$verdict" ] || [ $rv -eq 0 ] || show_logs
	term_end
	[ -z "${sid:-}" ] || session_gone || end_customer
	[ -z "$TUNL_LAB" ] || "$repo/tests/lab" down "$TUNL_LAB"
	rm -rf "$tmp"
	flock -u "$world_lock"
	exit $rv
}
trap cleanup EXIT
trap 'exit 1' TERM INT HUP

show_logs() {
	local f

	term_dump
	[ -n "$TUNL_LAB" ] || return 0
	for f in "$TUNL_LAB"/log/*; do
		[ -s "$f" ] && [ "${f##*/}" != tunl-ssh.log ] || continue
		printf -- '---- %s\n' "${f##*/}"
		tail -n 15 "$f" | cat -v
	done
}

# What programs built with sanitizers had to say, wherever they ran.
sanitizers_quiet() {
	local f

	for f in "$TUNL_LAB"/log/sanitizer.*; do
		[ -e "$f" ] || return 0
		printf -- '---- %s\n' "${f##*/}"
		head -n 60 "$f"
	done
	return 1
}

fail() {
	show_logs
	printf '%s: FAILED: %s\n' "$test_name" "$*"
	verdict=failed
	exit 1
}

skip() {
	printf '%s: skipped: %s\n' "$test_name" "$*"
	verdict=skipped
	exit 77
}

# within SECONDS WHAT COMMAND...: it must become true
within() {
	local seconds=$1 what=$2

	shift 2
	until_true "$seconds" "$@" || fail "not within $seconds s: $what"
}

# wait_screen NAME REGEX [SECONDS]
wait_screen() {
	within "${3:-10}" "\"$1\" shows /$2/" shows "$1" "$2"
}

# ---- a lab, its people ------------------------------------------------------

# lab_up [KEY=VALUE...]: bring one up and take its settings
lab_up() {
	local dir

	world_snapshot "$tmp/before"
	dir=$("$repo/tests/lab" up "$tmp/lab" "$@") || fail "no lab"
	# shellcheck disable=SC1091
	. "$dir/env"
	export WORLD_MARK=$TUNL_LAB
	term_init "$tmp/outer"
}

# The end of a test whose session is over: nothing may be left but the lab,
# and with the lab nothing at all.
nothing_left() {
	term_end
	sanitizers_quiet || fail "a sanitizer's report"
	"$repo/tests/lab" down "$TUNL_LAB" || fail "the lab does not go down"
	TUNL_LAB=
	world_restored "$tmp/before" 10 || fail "something is left behind"
}

# new_session [OPTION...]: leave its ID in $sid
new_session() {
	local out

	out=$(tunl create-session --customer "Example Corp" "$@" 2>&1) ||
	    fail "create-session: $out"
	sid=$(grep -oE '\b[a-z]{2,12}(-[a-z]{2,12}){3}\b' <<<"$out" |
	    head -n 1)
	[ -n "$sid" ] || fail "create-session names no session: $out"
}

# new_token [FIELDS]: have the relay make a one-time token, and print it
new_token() {
	printf '{%s}' "${1-}" >"$tmp/expect"
	curl -s -H 'Content-Type: application/json' --data-binary \
	    "@$tmp/expect" "$TUNL_API_URL/api/v1/expected" |
	    python3 -c 'import json, sys; print(json.load(sys.stdin)["token"])'
}

# customer [WxH [OPTION...]]: start linbit-tunl in the terminal `customer`
# and wait until its shell runs what is typed
customer() {
	local size=${1:-100x34}

	shift
	term_start customer "$size" linbit-tunl "$sid" "$@"
	shell_echoes customer
}

# shell_echoes NAME [SECONDS]: what is typed in the terminal is run by the
# customer's shell and shown; the answer is nowhere in what is typed
shell_echoes() {
	local a=$((RANDOM % 9000 + 1000)) b=$((RANDOM % 9000 + 1000))
	local end=$((SECONDS + ${2:-15}))

	while [ $SECONDS -le $end ]; do
		type_line "$1" "echo =\$(($a * $b))="
		until_true 2 shows "$1" "=$((a * b))=" && return
	done
	fail "\"$1\" does not reach the customer's shell"
}

# engineer NAME [OPTION...]: `tunl join` in a terminal of that name, as a
# person of that name, with a tmux of that person's own
engineer() {
	local name=$1

	shift
	mkdir -p "$TUNL_LAB/tmux/$name" "$TUNL_LAB/run-user/$name"
	term_start "$name" 120x40 env "TUNL_DISPLAY_NAME=$name" \
	    "TMUX_TMPDIR=$TUNL_LAB/tmux/$name" \
	    "XDG_RUNTIME_DIR=$TUNL_LAB/run-user/$name" \
	    tunl join "$@" "$sid"
}

# Every process whose parent is PID.
children() {
	ps -o pid= --ppid "$1" | tr -d ' '
}

# kill_hard PID...: and wait until they are gone
kill_hard() {
	kill -KILL "$@" || fail "no process $*"
	within 5 "$* gone" all_gone "$@"
}

all_gone() {
	local p

	for p in "$@"; do
		! grep -qs '^State:	[^Z]' "/proc/$p/status" || return 1
	done
}

# ---- an ordinary user -------------------------------------------------------

# Make one, with a home and a copy of the tree in $ordinary, for this private
# world alone; fails where there is none.
ordinary_user() {
	[ "$TUNL_WORLD" = private ] || return
	ordinary=/tmp/ordinary
	cp /etc/passwd /etc/group "$tmp" || exit 1
	echo "ordinary:x:64999:64999::$ordinary:/bin/bash" >>"$tmp/passwd"
	echo "ordinary:x:64999:" >>"$tmp/group"
	chmod 644 "$tmp/passwd" "$tmp/group"
	mount --bind "$tmp/passwd" /etc/passwd &&
	    mount --bind "$tmp/group" /etc/group || exit 1
	mkdir -p "$ordinary/src/build"
	cp -r "$repo/tests" "$ordinary/src" &&
	    find "$build" -maxdepth 1 -type f -perm -u=x \
	    -exec cp {} "$ordinary/src/build" \; || exit 1
	chown -R ordinary:ordinary "$ordinary"
}

as_ordinary() (
	cd "$ordinary" && exec setpriv --reuid 64999 --regid 64999 \
	    --clear-groups env -i HOME="$ordinary" USER=ordinary \
	    LOGNAME=ordinary SHELL=/bin/bash TERM="${TERM:-dumb}" \
	    LC_ALL=C.UTF-8 TUNL_WORLD=private \
	    PATH=/usr/local/bin:/usr/bin:/bin "$@"
)

# ---- the customer's side, from outside --------------------------------------

# The private directory of session $sid, and one of its files.
session_dir() {
	printf '/tmp/linbit-tunl-%.12s\n' "$(printf %s "$sid" | sha256sum)"
}

session_gone() {
	[ ! -e "$(session_dir)" ]
}

# A customer's shell outlives its terminal and the relay: end it.
end_customer() {
	tmux -S "$(session_dir)/tmux.sock" kill-server 2>/dev/null
	until_true 10 session_gone || rm -rf "$(session_dir)"
}

# below PID NAME: the descendants of a process that run a program
below() {
	ps -e -o pid=,ppid=,comm= | awk -v root="$1" -v name="$2" '
		{ parent[$1] = $2; comm[$1] = $3 }
		END {
			for (p in parent) {
				for (q = parent[p]; q in parent; q = parent[q])
					if (q == root && comm[p] == name) {
						print p
						break
					}
			}
		}'
}

# The customer's tmux server, and the ssh that its daemon runs.
customer_tmux() {
	tmux -S "$(session_dir)/tmux.sock" display-message -p '#{pid}'
}

customer_ssh() {
	below "$(customer_tmux)" ssh
}

# ---- the relay, from outside ------------------------------------------------

service() {
	cut -d' ' -f1 "$TUNL_LAB/pid/$1"
}

# The leg of sshd that serves the customer.
produce() {
	local pid

	for pid in $(below "$(service sshd)" relay-share); do
		tr '\0' '\n' <"/proc/$pid/environ" |
		    grep -q '^SSH_ORIGINAL_COMMAND=linbit-tunl/' &&
		    printf '%s\n' "$pid"
	done 2>/dev/null
}

# What the relay's registry says of session $sid: a field of its record.
record() {
	curl -s "$TUNL_API_URL/api/v1/sessions/$sid" |
	    python3 -c 'import json, sys
print(json.load(sys.stdin).get(sys.argv[1]))' "$1"
}

record_is() {
	[ "$(record "$1")" = "$2" ]
}
