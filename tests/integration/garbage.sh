#!/bin/bash
# The customer's terminal is sent what no program should print, and after a
# reset everybody sees the same and can go on; our programs are the same ones as
# before, and no bigger than they may be.
#
# GARBAGE_MB is how much is printed at most at a time, in million octets (20).
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=fidelity_lib.sh
. "$(dirname "$0")/fidelity_lib.sh"

megabytes=${GARBAGE_MB:-20}
garbage=$tmp/garbage

# Files NAME, and NAME.over: what ends it if it does not end by itself.
mkdir "$garbage"
python3 - "$garbage" "$megabytes" <<'EOP' || fail "no garbage"
import os, random, sys
os.chdir(sys.argv[1])
million = int(sys.argv[2]) * 1000000
rng = random.Random(20)

def make(name, parts, end=b''):
    with open(name, 'wb') as f:
        for part in parts:
            f.write(part)
    if end:
        with open(name + '.over', 'wb') as f:
            f.write(end)

def times(data, octets=million):
    return (data for _ in range(octets // len(data)))

block = bytes(10000)
make('nul', [block * 10, b'a\0b\0\0c\r\n' * 1000, block])
make('every octet', [bytes(range(256)) * 40, bytes(range(255, -1, -1)) * 40])
make('noise', [rng.randbytes(500000)])
make('noise of escapes', [bytes(rng.choices(
    b'\33\33\33[]P_^?;:0123456789hlmrHJKABCDEFGLMSTX@\\\a\n\r\b\t\16\17 xyz'
    b'\x80\x9b\xc3\xe4', k=200000))])
make('utf-8', [b'%s.%s\r\n' % (bad, bad * 3) for bad in (
    b'\x80', b'\xbf', b'\xc0\x80', b'\xc1\xbf', b'\xc3', b'\xe4\xb8', b'\xe4',
    b'\xed\xa0\x80', b'\xed\xbf\xbf', b'\xf0\x9f\x98', b'\xf0\x9f', b'\xf0',
    b'\xf4\x90\x80\x80', b'\xf8\x88\x80\x80\x80', b'\xfe', b'\xff',
    b'\xc2\x80', b'\xc2\x9b31m', b'\xef\xbf\xbf', b'\xef\xbb\xbf',
    b'\xe2\x80\xae', b'\xcc\x81', b'\xe4\xb8\xcc\x81', b'\xc3\33[1m')])
make('half sequences', [part for seq in (
    b'\33[38;2;10;20;30m', b'\33[?1049h', b'\33]0;title\a', b'\33]8;;x://y\33\\',
    b'\33P1$tx\33\\', b'\33(0', b'\33#8', b'\33[4:3m', b'\33[12;40H',
    b'\xf0\x9f\x98\x80', b'\33_apc\33\\', b'\33^pm\33\\', b'\33kname\33\\')
    for cut in range(1, len(seq))
    for part in (seq[:cut], b'x\r\n', seq[:cut], b'\30', seq[cut:], b'\33\\')])
make('parameters', [b'\33[' + b';'.join([b'9'] * 5000) + b'm',
    b'\33[' + b'9' * 5000 + b'H', b'\33[' + b'4:' * 5000 + b'3m',
    b'\33[' + b' ' * 5000 + b'q', b'\33[' + b'?' * 5000 + b'h'])
make('combining', [b'e', b'\xcc\x81' * 100000, b'\r\n'])
make('one line', times(b'There is no end to this. ' * 400))
make('lines', times(b'\n' * 10000, million // 20))
for name, begin in (('osc', b'\33]0;'), ('osc 52', b'\33]52;c;'),
                    ('dcs', b'\33Pq'), ('passthrough', b'\33Ptmux;'),
                    ('apc', b'\33_'), ('csi', b'\33[')):
    more = b'1;2' if name == 'csi' else b'eHh4' * 2500
    make(name, [begin, *times(more, million // 10)], b'\30\33\\')
EOP

# ---- our programs -----------------------------------------------------------

# Who holds the session's lock on the relay, its keeper aside.
broker() {
	local id pid

	id=$(stat -c '%Hd %Ld %i' "$TUNL_LAB"/run/*.lock)
	# shellcheck disable=SC2086
	id=$(printf '%02x:%02x:%s' $id)
	for pid in $(awk -v id="$id" '$2 != "->" && $6 == id { print $5 }' \
	    /proc/locks) $(ps -e -o pid=,comm= | sed -n 's/ tunl-broker$//p'); do
		[ "$(cat "/proc/$pid/comm")" != tunl-broker ] ||
		    printf '%s\n' "$pid"
	done 2>/dev/null | head -n 1
}

# Lines NAME PID of those that the stream passes.
programs() {
	local pid

	for pid in $(below "$(customer_tmux)" linbit-tunl | sort -n); do
		printf 'linbit-tunl %s\n' "$pid"
	done
	printf 'tunl-broker %s\n' "$(broker)"
	printf 'tunl-view %s\n' "$(view_of eva)"
}

declare -A limit=(	# KiB that each may grow
	[linbit-tunl]=16384 [tunl-broker]=8192 [tunl-view]=8192
)

# kib PID FIELD: VmRSS, or VmHWM, the most that it was
kib() {
	sed -n "s/^$2:[^0-9]*\([0-9]*\) kB/\1/p" "/proc/$1/status"
}

# Memory is another matter under a sanitizer, which keeps what was freed.
not_too_big() {
	local name pid grown

	! grep -q __asan_init "$build/relay-share" || return 0
	while read -r name pid; do
		grown=$(($(kib "$pid" VmHWM) - before[$pid]))
		[ $grown -le "${limit[$name]}" ] ||
		    fail "$1: $name has grown by $grown KiB"
	done <<<"$ours"
}

# ---- the test ---------------------------------------------------------------

# end_of WHAT [FILE]: what comes after it, FILE and a reset, has been drawn
end_of() {
	count=$((count + 1))
	{
		[ -z "${2:-}" ] || cat "$2"
		printf '\030\033\\\033c\033[?1049l\033[?1000l\033[?1006l'
		printf 'after %s: \033[1;31mred\033[m\r\n' "$1"
		printf '\033]2;garbage.%s\a' "$count"
	} >"$tmp/end.$count"
	printf '%s\n' "$tmp/end.$count" >&"$go"
	within 60 "$1 has been drawn at the customer's" titled "garbage.$count"
	compare "$1"
	[ "$(programs)" = "$ours" ] || fail "$1: our programs are other ones"
	not_too_big "$1"
}

lab_up TUNL_SCREEN_INTERVAL=100ms
new_session
customer 100x36
find_main
one_more eva
shell_echoes eva
play ''
count=0
ours=$(programs)
[ "$(wc -w <<<"$ours")" -ge 8 ] || fail "not all our programs: $ours"
declare -A before
while read -r _ pid; do
	before[$pid]=$(kib "$pid" VmRSS)
done <<<"$ours"

for file in "$garbage"/*; do
	[ "$file" = "${file%.over}" ] || continue
	printf '%s\n' "$file" >&"$go"
	over=$file.over
	if [ -e "$over" ]; then
		# somebody joins in the middle of it
		[ "${file##*/}" != osc ] || one_more guest
		end_of "${file##*/}" "$over"
	else
		end_of "${file##*/}"
	fi
done
[ "${#engineers[@]}" -eq 2 ] || fail "nobody has joined"
one_less

printf 'end\n' >&"$go"
shell_echoes eva
shell_echoes customer
compare "the end"
compared
type_line customer exit
within 15 "linbit-tunl ends" term_ended customer
nothing_left
