#!/bin/bash
# The shell pane's pipe: it is what is used where tmux has it; it carries every
# octet that is typed; and whatever happens to it, or to the programs at its
# ends, the engineer's screen is the customer's again.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

demo=$build/unit/snapshot_demo

# ---- the customer's tmux ----------------------------------------------------

tmuxc() {
	tmux -S "$(session_dir)/tmux.sock" "$@"
}

find_main() {
	main=$(tmuxc list-panes -s -F '#{pane_id} #{pane_top} #{window_name}' |
	    sed -n 's/ 0 shell$//p')
	[ -n "$main" ] || fail "no pane of the customer's is the main one"
}

# is FORMAT VALUE: what tmux says of the main pane
is() {
	[ "$(tmuxc display-message -p -t "$main" "$1")" = "$2" ]
}

# The control client, by its pid and flags.
client() {
	tmuxc list-clients -F '#{client_control_mode} #{client_pid} #{client_flags}' |
	    sed -n 's/^1 //p'
}

# client_is REGEX
client_is() {
	client | grep -Eq -- "$1"
}

# By us, through the pipe; or in control mode.
piped() {
	is '#{pane_pipe}' 1 && client_is no-output
}

controlled() {
	client_is . && ! client_is no-output
}

another_daemon() {
	[ -n "$(customer_ssh)" ] && [ "$(customer_ssh)" != "$1" ]
}

restart_daemon() {
	local ssh

	ssh=$(customer_ssh)
	kill_hard "$(ps -o ppid= -p "$ssh" | tr -d ' ')"
	within 20 "the daemon is there again" another_daemon "$ssh"
}

# ---- both sides -------------------------------------------------------------

# grab_customer, grab_viewer NAME: the picture, with the cursor
grab_customer() {
	tmuxc display-message -p -t "$main" '#{cursor_x} #{cursor_y}' \; \
	    capture-pane -p -e -t "$main"
}

grab_viewer() {
	TMUX_TMPDIR=$TUNL_LAB/tmux/$1 tmux \
	    display-message -p -t "=tunl-join-$sid:0" '#{cursor_x} #{cursor_y}' \; \
	    capture-pane -p -e -t "=tunl-join-$sid:0"
}

same() {
	[ "$(grab_customer)" = "$(grab_viewer "$1")" ]
}

# exact WHAT NAME...: these see what the customer sees, and type
exact() {
	local what=$1 name

	shift
	for name in "$@"; do
		shell_echoes "$name" 30
		until_true 10 same "$name" && continue
		diff <(grab_customer) <(grab_viewer "$name") | cat -v | head -30
		fail "after $what $name sees something else"
	done
}

# A program that prints without a rest, colours among it, until ~/enough is
# there, and then a mark.
flood() {
	head -c 60000 /dev/urandom | base64 -w 90 |
	    awk '{ printf "\033[3%dm%s", NR % 8, $0
		if (NR % 3 == 0) printf "\033[m"
		print "" }' >"$HOME/flood"
	type_line customer 'until [ -e ~/enough ]; do cat ~/flood; done; clear;
echo "flood" over'
}

# ---- typing, without a relay ------------------------------------------------

order() {
	echo "$*" >&"${DEMO[1]}"
	read -r -t 60 answer <&"${DEMO[0]}" || answer=none
}

demo_up() {
	dir=$tmp/demo
	mkdir "$dir"
	mkfifo "$dir/go"
	cat >"$dir/conf" <<-END
		set -g status off
		set -g default-command 'stty raw -echo; exec bash $dir/reader'
	END
	cat >"$dir/reader" <<-END
		while read -r n <$dir/go; do
			head -c "\$n" | sha256sum >$dir/sum.new
			mv $dir/sum.new $dir/sum
		done
	END
	tmux -S "$dir/tmux.sock" -f "$dir/conf" new-session -d -s linbit-demo \
	    -x 80 -y 24 'exec cat' || fail "no tmux"
	coproc DEMO { exec "$demo" "$dir" 2>"$dir/err"; }
	read -r -t 10 answer <&"${DEMO[0]}" || answer=none
	[ "$answer" = ready ] || fail "no panes: $answer"
}

# The memory of the demo's tmux, in KiB.
memory() {
	sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$(tmux -S \
	    "$dir/tmux.sock" display-message -p '#{pid}')/status"
}

# typed FILE: every octet of it arrives
typed() {
	local size

	rm -f "$dir/sum"
	size=$(stat -c %s "$1")
	echo "$size" >"$dir/go"
	order type "$1"
	[ "$answer" = "done" ] || fail "typing $1: $answer"
	within 20 "all of $1 is read" test -e "$dir/sum"
	[ "$(cut -d' ' -f1 "$dir/sum")" = "$(sha256sum <"$1" |
	    cut -d' ' -f1)" ] || fail "not what was typed: $1"
}

typing() {
	local before

	demo_up
	for ((i = 0; i < 256; i++)); do
		printf %b "\\0$(printf %o "$i")"
	done >"$tmp/octets"
	head -c 2000000 /dev/urandom >"$tmp/much"
	head -c 30000000 /dev/zero >"$tmp/more"
	typed "$tmp/octets"
	typed "$tmp/much"
	# much was typed before, and little of now is not read
	head -c 16000 "$tmp/much" >"$tmp/some"
	head -c 3000 "$tmp/much" >"$tmp/little"
	for ((i = 0; i < 4; i++)); do
		typed "$tmp/some"
	done
	for ((i = 0; i < 2; i++)); do
		order type "$tmp/little"
		[ "$answer" = "done" ] || fail "a little is typed: $answer"
	done
	rm -f "$dir/sum"
	echo 6000 >"$dir/go"
	within 20 "it is read" test -e "$dir/sum"
	# nobody reads
	before=$(memory)
	order type "$tmp/more"
	[ "$answer" = stuck ] || fail "30 MB are typed and nobody reads: $answer"
	[ $(($(memory) - before)) -lt 4000 ] ||
	    fail "tmux has grown from $before to $(memory) KiB"
	tmux -S "$dir/tmux.sock" kill-server
	wait "$DEMO_PID"
}

# ---- it all -----------------------------------------------------------------

typing
lab_up
export TUNL_BACKOFF=200ms

# Without the pipe it is control mode.
new_session
term_start customer 100x34 env TUNL_TMUX_CAPS=-pipe,-mode-runs \
    linbit-tunl "$sid"
shell_echoes customer
find_main
is '#{pane_pipe}' 0 || fail "there is a pipe that was switched off"
controlled || fail "no control mode"
engineer eva
exact "a start without the pipe" eva
# (before tmux 3.2 the pane stands still meanwhile)
press customer C-b '['
wait_screen eva 'the customer is scrolling'
exact "scrolling" eva
is '#{pane_in_mode}' 0 || fail "typing does not end scrolling"
type_line customer exit
within 15 "linbit-tunl ends" term_ended customer
within 15 "the session's directory goes" session_gone
term_close customer
term_close eva

# The program lies where the test can put another in its place.
mkdir "$tmp/bin"
cp "$build/linbit-tunl" "$tmp/bin/linbit-tunl"
new_session
term_start customer 100x34 "$tmp/bin/linbit-tunl" "$sid"
shell_echoes customer
find_main
within 5 "the pane has a pipe" piped
engineer eva
exact start eva

# Joins, while it prints.
flood
for name in fritz gerda; do
	engineer "$name"
	wait_screen "$name" '[A-Za-z0-9+/]{60}' 20
done
: >"$HOME/enough"
wait_screen customer '^flood over' 60
exact "a flood" eva fritz gerda

# Somebody closes it.
tmuxc pipe-pane -t "$main"
exact "the pipe was closed" eva
within 5 "the pipe is there again" piped

# The next N helpers do not come: killed at any moment, or they hang.
mv "$tmp/bin/linbit-tunl" "$tmp/bin/real"
cat >"$tmp/bin/linbit-tunl" <<END
#!/bin/bash
run=($tmp/bin/real "\$@")
read -r n how <$tmp/helpers
if [ "\$1" = @pipe ] && [ "\$n" -gt 0 ]; then
	echo "\$((n - 1)) \$how" >$tmp/helpers
	case \$how in
	kill) run=(timeout -s KILL 0.00\$((RANDOM % 4 + 1)) "\${run[@]}") ;;
	hang) run=(timeout 7 tail -f /dev/null) ;;
	esac
fi
exec "\${run[@]}"
END
chmod +x "$tmp/bin/linbit-tunl"
for how in '2 kill' '2 kill' '1 hang'; do
	echo "$how" >"$tmp/helpers"
	tmuxc pipe-pane -t "$main"
	exact "helpers: $how" eva
	within 10 "the pipe is there again" piped
	[ "$(cat "$tmp/helpers")" != "$how" ] || fail "no helper was started"
done

# The programs at its ends.
kill_hard "$(client | cut -d' ' -f1)"
within 10 "the control client is there again" client_is .
exact "the control client was killed" eva
restart_daemon
exact "the daemon was killed" eva
within 5 "the pipe is there again" piped
pid=$(tmuxc display-message -p -t "$main" '#{pane_pid}')
tmuxc respawn-pane -k -t "$main" "exec bash --norc -i"
within 5 "the pane is another one" all_gone "$pid"
exact "the pane was respawned" eva
within 5 "the pipe is there again" piped

# A program does not read what is typed: that is said, and costs nothing else.
ssh=$(customer_ssh)
mkfifo "$HOME/never"
cat >"$HOME/deaf" <<'EOP'
stty raw -echo
printf 'now %s\r\n' deaf
until [ -e ~/read ]; do
	read -r -t 0.1 <>~/never
done
timeout 3 cat >/dev/null
stty sane
EOP
type_line customer '. ~/deaf'
wait_screen customer '^now deaf'	# until then its terminal drops keys itself
{
	printf 'HELLO 1\n'
	for ((i = 0; i < 30; i++)); do
		printf 'KEYS main +10000\n%10000s\n' x
	done
	wait_screen eva 'does not read what is typed' 20
	: >"$HOME/read"
	wait_screen eva 'reads again' 20
} | ssh -T 127.0.0.1 consume "$sid" >/dev/null 2>"$tmp/leg.err"
exact "a program did not read" eva
[ "$(customer_ssh)" = "$ssh" ] || fail "it has cost the link"

# The customer uses the pane's only pipe; nobody takes it away.
tmuxc pipe-pane -t "$main" "cat >$tmp/own"
exact "the customer took the pipe" eva
within 5 "control mode takes over" controlled
grep -q '=' "$tmp/own" || fail "the customer's own pipe gets nothing"
restart_daemon
exact "the daemon was killed, with that pipe" eva
controlled || fail "the customer's own pipe was taken away"

# It is free again, and no helper comes at all.
tmuxc pipe-pane -t "$main"
restart_daemon
within 5 "the pipe is there again" piped
mv "$tmp/bin/real" "$tmp/bin/gone"
tmuxc pipe-pane -t "$main"
within 10 "control mode takes over" controlled
exact "no helper came" eva

type_line customer exit
within 15 "linbit-tunl ends" term_ended customer
within 15 "the session's directory goes" session_gone
nothing_left
