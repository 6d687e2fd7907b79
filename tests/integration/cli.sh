#!/bin/bash
# The command line of tunl: what it prints, which session it takes, and what it
# says when something is wrong.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# refused REGEX COMMAND...: fails with status 1 and one line that says so, on
# stderr, and nothing on stdout
refused() {
	local want=$1 rv

	shift
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	rv=$?
	[ $rv -eq 1 ] || fail "$*: status $rv: $(cat "$tmp/out" "$tmp/err")"
	[ ! -s "$tmp/out" ] || fail "$* prints: $(cat "$tmp/out")"
	grep -Eq "^tunl: .*$want" "$tmp/err" ||
	    fail "$*: not /$want/ but: $(cat "$tmp/err")"
}

# works REGEX COMMAND...: prints something like that, on stdout
works() {
	local want=$1

	shift
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null ||
	    fail "$*: status $?: $(cat "$tmp/err")"
	grep -Eq -- "$want" "$tmp/out" ||
	    fail "$*: not /$want/ but: $(cat "$tmp/out" "$tmp/err")"
}

json() {
	python3 -c 'import json, sys
for key in sys.argv[1:]: print(eval("json.load(sys.stdin)" + key))' "$@"
}

# Every option in the help is in the manual and completed.
options_agree() {
	local cmd option

	for cmd in $(tunl help | sed -n 's/^  \([a-z-]*\) .*/\1/p'); do
		for option in $(tunl help "$cmd" | grep '^  -' |
		    grep -oE -- '--[a-z-]+'); do
			grep -q -- "Fl -${option#--}\b" "$repo/docs/tunl.1" ||
			    fail "the manual lacks $cmd $option"
			grep -qE -- "[' ]${option}[' ]" \
			    "$repo/support/completion/tunl.bash" ||
			    fail "the completion lacks $cmd $option"
		done
	done
}

complete_words() {
	bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
	    _tunl; printf "%s\n" "${COMPREPLY[@]}"' bash \
	    "$repo/support/completion/tunl.bash" "$@" | sort | paste -sd' '
}

# person NAME WxH COMMAND...: a terminal whose first line is empty, as tmux
# scrolls by one when the command ends
person() {
	term_start "$1" "$2" sh -c 'echo; exec "$@"' sh "${@:3}"
}

lab_up

# ---- words ------------------------------------------------------------------

works '^tunl [0-9]' tunl --version
works '^  create-session ' tunl help
works '^  create-session ' tunl --help
works '^usage: tunl join .*--read-only' tunl help join
works '^usage: tunl join .*--read-only' tunl join --help
grep -q view <(tunl help) && fail "an internal command is listed"
tunl >"$tmp/out" 2>"$tmp/err" && fail "no command is no error"
[ ! -s "$tmp/out" ] && grep -q '^usage: ' "$tmp/err" || fail "no usage"
refused "'lsit' is no tunl command; did you mean 'list'" tunl lsit
refused "did you mean 'create-session'" tunl create
refused "'frobnicate' is no tunl command" tunl frobnicate
refused "'lsit' is no tunl command" tunl help lsit
refused "no option '--frob'" tunl list --frob
refused "too many arguments" tunl show a b
refused "--case needs a value" tunl create-session --case
refused "--json takes no value" tunl list --json=1
refused "given twice" tunl list --json --json
refused "show needs a SESSION_ID" tunl show
refused "TUNL_RELAY is not" env TUNL_RELAY=-oProxyCommand=x tunl list
tunl help >/dev/full 2>"$tmp/err" && fail "a full disk is no error"
grep -q '^tunl: cannot write' "$tmp/err" || fail "a full disk is not named"
options_agree

# ---- sessions ---------------------------------------------------------------

tunl list >"$tmp/out" 2>"$tmp/err" || fail "an empty list is an error"
[ ! -s "$tmp/out" ] && grep -q '^\[tunl\] no sessions' "$tmp/err" ||
    fail "an empty list: $(cat "$tmp/out" "$tmp/err")"
refused "there is no active session" tunl close
refused "there is no session" tunl cancel
refused "needs --case, --customer or --ad-hoc" tunl create-session
refused "--ad-hoc excludes" tunl create-session --ad-hoc --case CASE-1
refused "not a number of minutes" tunl create-session --ad-hoc --expires-in 0
refused "not a number of minutes" tunl create-session --ad-hoc --expires-in 1h
refused "'UPPER' is no SESSION_ID" tunl create-session --ad-hoc UPPER
refused "join needs a terminal" tunl create-session --ad-hoc --join
[ -z "$(tunl list 2>"$tmp/err")" ] || fail "a refused create-session created one"

works 'sudo linbit-tunl swift-fox-jumps-barrel$' \
    tunl create-session swift-fox-jumps-barrel --case CASE-4711
refused 'cannot create the session: .*' \
    tunl create-session swift-fox-jumps-barrel --ad-hoc
works '^swift-fox-jumps-barrel +pending +- +CASE-4711 +[0-9]+s$' tunl list
works '^Case +CASE-4711$' tunl show swift
works '^Status +pending$' tunl show swift-fox-jumps-barrel
[ "$(tunl show sw --json 2>"$tmp/err" | json '["case"]')" = CASE-4711 ] || fail "show --json"
[ "$(complete_words tunl sh)" = show ] || fail "commands are not completed"
[ "$(complete_words tunl show sw)" = swift-fox-jumps-barrel ] ||
    fail "sessions are not completed: $(complete_words tunl show sw)"
[ "$(complete_words tunl list --)" = "--help --json" ] ||
    fail "options are not completed"

works 'sudo linbit-tunl swift-fox-climbs-barrel$' tunl create-session \
    --customer="Grün & Söhne" --expires-in=5 -- swift-fox-climbs-barrel
works '^swift-fox-climbs-barrel +pending +Grün & Söhne +- ' tunl list
[ "$(tunl list | sed -n 2p | cut -d' ' -f1)" = swift-fox-climbs-barrel ] ||
    fail "not the newest first"
[ "$(tunl list --json | json '["pending"][1]["id"]')" = \
    swift-fox-jumps-barrel ] || fail "list --json: $(tunl list --json)"
works '^swift-fox-climbs-barrel +pending +Gr\?n' env LC_ALL=C tunl list
refused "'swift-fox' may be any of: .*climbs-barrel.*, .*jumps-barrel" \
    tunl show swift-fox
refused "which session\? Give one of: .*climbs-barrel" tunl cancel
refused "no session 'swift-fox-jumps-over'" tunl show swift-fox-jumps-over
refused "'../etc' is no SESSION_ID" tunl show ../etc
refused "still pending; .tunl cancel swift-fox-jumps-barrel." \
    tunl close swift-fox-jumps-barrel

# On a terminal there is a menu, and a table that fits.
person menu 60x20 tunl cancel
wait_screen menu '^Session \[1-2\]:'
shows menu '^2 +swift-fox-jumps-barrel' || fail "the menu's order"
type_line menu 2
within 10 "the menu's choice is taken" term_ended menu
shows menu 'swift-fox-jumps-barrel is cancelled' || fail "not cancelled"
term_close menu
refused "no session 'swift-fox-jumps-barrel'" tunl show swift-fox-jumps-barrel
person menu 44x20 tunl list
wait_screen menu '^swift-fox-climbs-barrel  pending  '
[ "$(screen menu | grep -c swift)" = 1 ] && shows menu ' [0-9]+[sm]$' ||
    fail "the table does not fit"
term_close menu

# The only one need not be named.
tunl cancel >"$tmp/out" 2>&1 || fail "cancel: $(cat "$tmp/out")"
grep -q '^\[tunl\] session swift-fox-climbs-barrel is cancelled' "$tmp/out" ||
    fail "cancel says: $(cat "$tmp/out")"

# ---- joining what is not there ----------------------------------------------

refused "join needs a terminal" tunl join swift-fox-jumps-barrel
person join 80x24 tunl join no-such-session-here
within 10 "join of nothing ends" term_ended join
[ "$(term_status join)" = 1 ] || fail "join of nothing is no error"
shows join "^tunl: no session 'no-such-session-here'" || fail "nor named"
term_close join
new_session
person join 80x24 tunl join "$sid"
wait_screen join 'waiting for the customer'
press join C-c
within 10 "Ctrl-C ends the wait" term_ended join
[ "$(term_status join)" = 1 ] && shows join "^tunl: no longer waiting" ||
    fail "Ctrl-C is not clean"
term_close join
person join 80x24 tunl join "$sid"
wait_screen join 'waiting for the customer'
tunl cancel "$sid" 2>/dev/null || fail "cancel"
within 15 "the end of the invitation ends the wait" term_ended join
shows join "^tunl: session '$sid' has expired" || fail "nor says so"
term_close join

# ---- the way to the relay ---------------------------------------------------

ctl() {
	find "$XDG_RUNTIME_DIR" -name 'tunl-*.ctl'
}

[ "$(ctl | wc -l)" -eq 1 ] || fail "not one private master"
master=$(ssh -S "$(ctl)" -O check x 2>&1 | grep -oE '[0-9]+')
kill_hard "$master"
[ -S "$(ctl)" ] || fail "no socket is left of a killed master"
tunl list >"$tmp/1" 2>&1 & one=$!
tunl list >"$tmp/2" 2>&1 & two=$!
wait "$one" && wait "$two" || fail "racing: $(cat "$tmp/1" "$tmp/2")"
[ "$(ctl | wc -l)" -eq 1 ] || fail "two masters after a race"
[ "$(ps -eo args | grep -c "^[^ ]*ssh .*-S $(ctl) ")" -eq 1 ] || fail "two processes"
find "$XDG_RUNTIME_DIR" -name '*.lock' | grep . && fail "a lock is left"

refused "cannot reach the relay 127.0.0.1: .*Connection refused" \
    env TUNL_RELAY_PORT=1 tunl list
refused "cannot reach the relay no-such.invalid: .*resolve" \
    env TUNL_RELAY=no-such.invalid tunl list
ssh-keygen -q -t ed25519 -N '' -f "$tmp/stranger"
sed "s,IdentityFile.*,IdentityFile $tmp/stranger," "$TUNL_LAB/ssh_config" \
    >"$tmp/stranger.conf"
refused "cannot log in .*Permission denied.*keys tried: $tmp/stranger " \
    env TUNL_SSH_CONFIG="$tmp/stranger.conf" tunl list
sed "s,UserKnownHostsFile.*,UserKnownHostsFile /dev/null," \
    "$TUNL_LAB/ssh_config" >"$tmp/unknown.conf"
refused "its host key is not known" \
    env TUNL_SSH_CONFIG="$tmp/unknown.conf" tunl list
mkdir "$tmp/nobin"
refused "cannot run ssh" env XDG_RUNTIME_DIR="$tmp" PATH="$tmp/nobin" \
    "$TUNL_LAB/bin/tunl" list
grep -q 'Offering public key' "$TUNL_SSH_LOG" || fail "no ssh log"

# A runtime directory that others can reach is not used; one that is not ours
# in /tmp is refused.
if [ "$TUNL_WORLD" = private ]; then
	chmod 755 "$XDG_RUNTIME_DIR"
	mkdir "$tmp/elsewhere"
	ln -s "$tmp/elsewhere" "/tmp/tunl-$(id -u)"
	refused "cannot use the directory /tmp/tunl-$(id -u)" tunl list
	rm "/tmp/tunl-$(id -u)"
	tunl list 2>"$tmp/err" || fail "$(cat "$tmp/err")"
	[ -S "$(echo "/tmp/tunl-$(id -u)"/*.ctl)" ] || fail "not in /tmp"
	ssh -S "$(echo "/tmp/tunl-$(id -u)"/*.ctl)" -O exit x 2>/dev/null
	rm -r "/tmp/tunl-$(id -u)"
	chmod 700 "$XDG_RUNTIME_DIR"
fi

kill_hard "$(service api)"
refused "is up, but its API does not answer" tunl list
refused "is up, but its API does not answer" tunl create-session --ad-hoc
kill_hard "$(service sshd)" "$(ssh -S "$(ctl)" -O check x 2>&1 |
    grep -oE '[0-9]+')"
refused "cannot reach the relay 127.0.0.1: .*refused" tunl list
nothing_left
