#!/bin/bash
# What a relay, or a customer through it, may send an engineer's window: words
# that tmux or the terminal would act on do nothing, and a relay that breaks the
# protocol is left and tried again.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

sid=swift-fox-jumps-barrel

# A relay that says what $tmp/ROLE.N says on the Nth connection of that role,
# and keeps what it is told in $tmp/ROLE.N.in.  It takes ssh's place, as no real
# one would say such things.
make_relay() {
	mkdir -p "$tmp/bin" "$tmp/run" "$tmp/tmux"
	chmod 700 "$tmp/run"
	cat >"$tmp/bin/ssh" <<-EOR
		#!/bin/bash
		role=view verb=
		for arg; do
			case \$arg in
			-M) exit 0 ;;
			--chat) role=chat ;;
			consume) verb=yes ;;
			esac
		done
		[ -n "\$verb" ] || exit 255
		n=1
		until mkdir "$tmp/\$role.\$n.taken" 2>/dev/null; do
			n=\$((n + 1))
		done
		cat "$tmp/\$role.\$n" 2>/dev/null
		exec cat 3>&1 >"$tmp/\$role.\$n.in"
	EOR
	chmod 755 "$tmp/bin/ssh"
}

# says ROLE N FRAME...: each frame is a header, or a header and a payload
# separated by "|", with printf's escapes
says() {
	local file=$tmp/$1.$2 frame payload

	shift 2
	printf 'HELLO 1\n' >"$file"
	for frame; do
		if [[ $frame == *'|'* ]]; then
			payload=$(printf '%b.' "${frame#*|}")
			payload=${payload%.}
			printf '%s +%d\n%s\n' "${frame%%|*}" \
			    "$(LC_ALL=C; printf %s "$payload" | wc -c)" \
			    "$payload" >>"$file"
		else
			printf '%s\n' "$frame" >>"$file"
		fi
	done
}

# told ROLE N REGEX: the relay was told so
told() {
	grep -aEq -- "$3" "$tmp/$1.$2.in" 2>/dev/null
}

jtmux() {
	TMUX_TMPDIR=$tmp/tmux tmux "$@"
}

over() {
	! jtmux has-session -t "=tunl-join-$sid" 2>/dev/null
}

run_is_empty() {
	[ -z "$(ls "$tmp/run")" ]
}

# The process that stands for the relay on the view's connection.
view_leg() {
	local pid

	for pid in $(below "$(jtmux display-message -p '#{pid}')" cat); do
		case $(readlink "/proc/$pid/fd/1") in
		*/view.*) printf '%s\n' "$pid" ;;
		esac
	done
}

make_relay
term_init "$tmp/outer"

# One that breaks the protocol, in one way after another; and then does not.
printf 'OUTPUT +1\nx\nHELLO 1\n' >"$tmp/view.1"
says view 2 'no frame at all'
says view 3 'SESSION_INFO|{}'
says view 4 'KEYS main|rm'
says view 5 'SCREEN 0 10 end|x'
says view 6 HELLO 'HELLO 1'
says view 7 'NEWER verb|dropped' 'SCREEN 60 10 end|\033[2J\033[Hall is well'
says chat 1 'SESSION_INFO|not JSON' 'SESSION_INFO|[1,2]' \
    'SESSION_INFO|{"host":"\\u001b[31mdb1\\u202e","viewers":[{"name":7},{}]}' \
    'CUSTOMER_CHAT 0123abcd.1|\033]52;c;Zm9v\a\0302\0233hello' \
    'SUPPORT_CHAT 0123abcd.2 4000000000000000000 1 %1B%5B2J|x'
term_start eva 100x30 env "PATH=$tmp/bin:$build:$PATH" \
    "XDG_RUNTIME_DIR=$tmp/run" "TMUX_TMPDIR=$tmp/tmux" TUNL_BACKOFF=100ms \
    TUNL_BACKOFF_MAX=200ms TUNL_DISPLAY_NAME=eva tunl join "$sid"
wait_screen eva '^all is well'
shows eva 'connecting|no link' && fail "a notice stays: $(screen eva)"
told view 1 '^ERROR ' || fail "a frame before HELLO is not refused"
for n in 2 3 4 5 6; do
	told view $n '^ERROR ' || fail "connection $n is not refused"
done
told view 7 '^ERROR ' && fail "an unknown verb is refused"

# Words that would act.
press eva C-b 1
wait_screen eva 'hello'
shows eva 'db1' || fail "the chat's header: $(screen eva)"
press eva C-b 0
cat >"$tmp/words" <<EOW
STATUS|#(touch $tmp/pwned) #{pid} %H
OUTPUT|\033]2;#(touch $tmp/pwned)#{pid}\a\033]52;c;Zm9v\a\033[c\033[6n\033Z\005
OUTPUT|\033Ptmux;\033\033]52;c;Zm9v\a\033\\\\\0233c\r\nstill here
EOW
mapfile -t words <"$tmp/words"
says view 8 'SCREEN 60 10 end|\033[2J\033[Hnext' "${words[@]}"
says view 9 'SCREEN 60 10 end|\033[2J\033[Hlast' \
    "CLOSED ended|\033]2;x\a#(touch $tmp/pwned) over"
kill_hard "$(view_leg)"
wait_screen eva '^still here'
[ -z "$(jtmux show-buffer 2>/dev/null)" ] || fail "something was copied"
told view 8 '^KEYS' && fail "the terminal answered: $(cat "$tmp/view.8.in")"
kill_hard "$(view_leg)"
wait_screen eva 'Session over '
[ ! -e "$tmp/pwned" ] || fail "a word was run as a command"
press eva Enter
within 10 "Enter closes the window" over
within 10 "tunl join ends" term_ended eva
within 10 "nothing is left" run_is_empty
