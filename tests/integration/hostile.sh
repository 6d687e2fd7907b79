#!/bin/bash
# Hostile customers: wrong and used claims, forged sessions, malformed frames,
# a second producer, escape sequences in everything.  Each ends in a clear
# refusal or harmlessly, with nothing left.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=raw.sh
. "$(dirname "$0")/raw.sh"

context() {
	printf 'linbit-tunl/1 id=%s host=%s mode=share perm=CONFIRM\n' \
	    "$1" "${2:-victim}"
}

# refused NAME WHAT: the relay said so, and ended it
refused() {
	within 10 "$2: the relay hangs up" hung_up "$1"
	got "$1" '^(CLOSED refused|ERROR) ' || grep -q . "$tmp/$1.err" ||
	    fail "$2: refused without a word"
}

controls='[\x00-\x08\x0b-\x1f\x7f]'

# printable FILE...: no control octets but line ends
printable() {
	! LC_ALL=C grep -aHnP "$controls" "$@"
}

lab_up TUNL_HELLO_TIMEOUT=3s

# Claims: an ID that nobody made, one that is used, a secret that is wrong.
sid=never-heard-of-this
term_start customer 90x24 linbit-tunl "$sid"
within 15 "linbit-tunl gives up" term_ended customer
[ "$(term_status customer)" = 1 ] || fail "status $(term_status customer)"
told customer '^linbit-tunl: .*does not accept' || fail "it does not say why"
session_gone || fail "a refused claim leaves its directory"
term_close customer
claim bad "$sid"
[ "$status" = 401 ] || fail "an unknown ID gets $status"
unknown=$(cat "$tmp/bad.json")
new_session
claim raw "$sid"
[ "$status" = 200 ] || fail "the claim gets $status"
claim bad "$sid"
[ "$status" = 401 ] && [ "$(cat "$tmp/bad.json")" = "$unknown" ] ||
    fail "a used ID gets $status $(cat "$tmp/bad.json"), not $unknown"
claim bad "$sid" "$(printf '%064d' 0)"
[ "$status" = 401 ] && [ "$(cat "$tmp/bad.json")" = "$unknown" ] ||
    fail "a wrong secret gets $status $(cat "$tmp/bad.json"), not $unknown"

# Another session than the certificate's, and a host that is none.
dial raw "$(context some-body-elses-session)"
refused raw "a forged session"
[ ! -e "$TUNL_LAB/run/some-body-elses-session.sock" ] || fail "it has a broker"
dial raw "$(context "$sid" 'evil%1b]0;pwned%07')"
refused raw "a host name with an escape sequence"
dial raw "no context at all"
refused raw "no context"

# Frames that are none, too early, too long, or not the customer's to send.
for octets in 'hello\n' 'PING 1\n' 'HELLO 1 tmux=3.3a\nTERMINATE\n' \
    'HELLO 1 tmux=3.3a\nOUTPUT +65537\n' 'HELLO 1 tmux=3.3a\nSIZE 0 0\n' \
    'HELLO 1 tmux=3.3a\nOUTPUT +3\nabcd\n' 'HELLO 2\377\n' ''; do
	dial raw "$(context "$sid")"
	send raw "$octets"
	refused raw "frames \"$octets\""
done

# A second producer with the same identity takes over; the first is told.
dial raw "$(context "$sid")"
send raw 'HELLO 1 tmux=3.3a\nSIZE 80 24\nPERM CONFIRM\n'
within 10 "the relay's HELLO" got raw '^HELLO 1'
claim two "$sid" "$(answer raw resume)"
[ "$status" = 200 ] || fail "the resume secret gets $status"
dial two "$(context "$sid")"
send two 'HELLO 1 tmux=3.3a\nSIZE 80 24\nPERM CONFIRM\n'
within 10 "the relay's HELLO" got two '^HELLO 1'
send_frame two 'SCREEN 80 24 end gap' 'for the record'
within 10 "the first is told" got raw '^CLOSED replaced '
within 10 "the first is put out" hung_up raw

# Octets that would act on the engineer's terminal, its clipboard, a log.
evil='\e]0;pwned\a\e]52;c;cHduZWQ=\a\e[21t\e[6n\eP$qm\e\\\\\u009b6n'
engineer eva
join() {
	TMUX_TMPDIR=$TUNL_LAB/tmux/eva tmux "$@" 2>/dev/null
}
within 15 "the engineer's tmux" join has-session -t "tunl-join-$sid"
within 10 "a screen is asked for" got two '^SNAPSHOT'
send_frame two 'SCREEN 80 24 end' 'a quiet screen'
wait_screen eva 'a quiet screen'
for w in 0 1; do
	join pipe-pane -t "tunl-join-$sid:$w" "exec cat >$tmp/window.$w"
done
send_frame two OUTPUT "$evil"'evil output'
send_frame two 'CUSTOMER_CHAT 01234567.1' "$evil"'evil chat'
wait_screen eva 'evil output'
press eva C-b 1
wait_screen eva 'evil chat'
for w in 0 1; do
	[ -s "$tmp/window.$w" ] || fail "window $w wrote nothing"
	# (a title may become the window's: plain text, by its own sequence)
	LC_ALL=C sed 's/\x1b\]2;[ -~]*\x1b\\//g' "$tmp/window.$w" |
	    LC_ALL=C grep -aP '\x1b[]P_X^]|\x1b\[[0-9]*[nt]|\x9b|\x07' \
	    >"$tmp/acts" && fail "window $w: $(cat -v "$tmp/acts")"
done
within 10 "the chat is on file" grep -aq 'evil chat' "$TUNL_LAB/log/$sid.chat"
printable "$TUNL_LAB/log/$sid.chat" "$TUNL_LAB/log/$sid.log" ||
    fail "control octets in a log"
{ tunl list; tunl show "$sid"; } >"$tmp/out" 2>&1
printable "$tmp/out" || fail "control octets in tunl's output"
send two 'BYE\n'
within 10 "its end" got two '^CLOSED ended '
hang_up two
within 10 "the registry knows" record_is status closed
term_close eva
nothing_left
