#!/bin/bash
# The engineer's view: drawn anew on a key, unnoticed by the customer; joined
# from two tmux servers at once; and on a terminal that reads nothing while the
# customer's prints a lot.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

ctmux() {
	tmux -S "$(session_dir)/tmux.sock" "$@"
}

# on SERVER COMMAND...: one of eva's tmux servers
on() {
	local server=$1

	shift
	env -u TMUX "TMUX_TMPDIR=$TUNL_LAB/tmux/$server" tmux "$@"
}

# join_on SERVER: eva, by that server
join_on() {
	mkdir -p "$TUNL_LAB/tmux/$1" "$TUNL_LAB/run-user/eva"
	term_start "$1" 120x40 env TUNL_DISPLAY_NAME=eva \
	    "TMUX_TMPDIR=$TUNL_LAB/tmux/$1" \
	    "XDG_RUNTIME_DIR=$TUNL_LAB/run-user/eva" tunl join "$sid"
	shell_echoes "$1"
}

# The sizes that were wished for, so far.
wishes() {
	sed -n 's/.*\tsize\t//p' "$TUNL_LAB/log/$sid.log"
}

wished() {
	wishes | grep -qx "$1"
}

is_zoomed() {
	[ "$(ctmux display-message -p -t "$main_pane" \
	    '#{window_zoomed_flag}')" = "$1" ]
}

lab_up TUNL_SCREEN_INTERVAL=100ms
new_session
customer 100x34
main_pane=$(ctmux show-options -v @linbit-main)

# ---- drawn anew -------------------------------------------------------------

join_on one
term_resize one 80x30
within 10 "eva's size holds" wished 80x29
shell_echoes one
tty=$(on one display-message -p -t "=tunl-join-$sid:0" '#{pane_tty}')
printf '\033[Hnot of the customer\r\n' >"$tty"
wait_screen one '^not of the customer'
before=$(wishes | wc -l)
press one C-b r
within 10 "drawn anew" shows_not one 'not of the customer'
type_line one 'echo typed meanwhile $((6 * 7))'
wait_screen one '^typed meanwhile 42'
[ "$(ctmux display-message -p -t "$main_pane" '#{pane_width}')" = 80 ] ||
    fail "the customer's size is another"
wishes | tail -n +$((before + 1)) | grep -vx 80x29 >"$tmp/wishes" &&
    fail "eva left, or had another size, for a moment: $(cat "$tmp/wishes")"
printf '\033[Hnot of the customer\r\n' >"$tty"
wait_screen one '^not of the customer'
press one C-b Enter
wait_screen one 'Draw the screen anew'
press one r
within 10 "drawn anew by the menu" shows_not one 'not of the customer'
shell_echoes one

# ---- two servers ------------------------------------------------------------

dir=$TUNL_LAB/run-user/eva/tunl-$sid
join_on two
[ "$(find "$dir" -type p | wc -l)" -eq 4 ] || fail "not four FIFOs: $(ls "$dir")"
press two C-b Q
within 10 "the second ends" term_ended two
term_close two
within 5 "its files go" eval "[ \$(find $dir -type p | wc -l) -eq 2 ]"
press one C-b z
within 5 "the first still reaches its view" is_zoomed 1
press one C-b z
within 5 "once more" is_zoomed 0

# What a SIGKILL leaves is gone with the next join.
# shellcheck disable=SC2046
kill_hard $(on one list-panes -s -t "=tunl-join-$sid" -F '#{pane_pid}')
on one kill-server
[ "$(find "$dir" -type p | wc -l)" -eq 2 ] || fail "already gone"
term_close one
join_on one
[ "$(find "$dir" -type p | wc -l)" -eq 2 ] || fail "left: $(ls "$dir")"
press one C-b Q
within 10 "it ends" term_ended one
within 5 "the directory goes" eval "[ ! -e $dir ]"

# ---- a terminal that does not read ------------------------------------------

cat >"$tmp/slow.py" <<'EOP'
import fcntl, os, pty, struct, sys, termios
go, out, mark, argv = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
pid, fd = pty.fork()
if pid == 0:
    os.execvp(argv[0], argv)
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 100, 0, 0))

def rss():
    with open(f'/proc/{pid}/status') as f:
        return max(int(l.split()[1]) for l in f if l.startswith('VmHWM'))

seen = b''
while b'first-2' not in seen:           # the first screen
    seen += os.read(fd, 65536)
first = rss()
open(go + '.reads', 'w').close()
open(go).close()                        # nothing is read until it is written
most, seen, n = rss(), b'', 0
with open(out, 'wb') as f:
    while mark.encode() not in seen:
        data = os.read(fd, 65536)
        n += len(data)
        f.write(data)
        seen = seen[-200:] + data
print(most - first, n)
os.kill(pid, 15)
EOP
mkfifo "$tmp/go"
term_resize customer 100x34
type_line customer 'clear; echo first-$((1 + 1))'
wait_screen customer '^first-2'
XDG_RUNTIME_DIR=$TUNL_LAB/run-user/eva python3 "$tmp/slow.py" "$tmp/go" \
    "$tmp/slow.out" =7919= tunl view --client 0123456789abcdef --name tom \
    "$sid" >"$tmp/slow" 2>&1 &
slow=$!
within 15 "a view without a tmux" test -e "$tmp/go.reads"
type_line customer 'head -c 30000000 /dev/zero | tr "\0" x; echo ==$((4000 * 2 - 81))=='
within 60 "30 MB are printed" eval 'shows customer "==7919=="'
: >"$tmp/go"
within 20 "the newest screen" all_gone $slow
read -r grown read <"$tmp/slow" || fail "the slow view: $(cat "$tmp/slow")"
[ "$grown" -lt 4096 ] || fail "it grew by $grown KiB"
[ "$read" -lt 4000000 ] || fail "$read octets of old output were read"
