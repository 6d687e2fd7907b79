#!/bin/bash
# The record of a session, at the relay and at the customer: exact text, sizes,
# who came and went, over a cut link, a dead daemon and a dead broker; played
# again it ends in the customer's screen, cell by cell.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

castplay=$repo/tests/integration/castplay.py
cells=$repo/tests/integration/vtcells.py
vtgen=$build/unit/vtgen

format='mode='
for f in pane_width pane_height cursor_x cursor_y cursor_flag alternate_on \
    insert_flag wrap_flag origin_flag scroll_region_upper scroll_region_lower; do
	format+=" $f=#{$f}"
done

inner() {
	tmux -S "$(session_dir)/tmux.sock" "$@"
}

record_file() {
	printf '%s\n' "$TUNL_LAB/log/$sid.cast"
}

copy_file() {
	printf '%s\n' "$(session_dir)/$sid.cast"
}

# has FILE REGEX: an event other than output
has() {
	"$castplay" events "$1" 2>/dev/null | grep -Eq -- "$2"
}

# marked WHO REGEX: within the time that writing may take
marked() {
	within 10 "$1's record says $2" has "$("$1_file")" "$2"
}

broker() {
	awk -v i=":$(stat -c %i "$TUNL_LAB/run/$sid.lock")\$" \
	    '$2 != "->" && $6 ~ i { print $5 }' /proc/locks
}

another_ssh() {
	[ -n "$(customer_ssh)" ] && [ "$(customer_ssh)" != "$1" ]
}

# titled TEXT: the customer's tmux has read as far as this title
titled() {
	[ "$(inner display-message -p -t "$main_pane" '#{pane_title}')" = "$1" ]
}

# What is easily broken, in pieces that programs would not make.
mess() {
	cat >"$HOME/mess" <<-'EOT'
		exec 2>/dev/null
		for part in '\342' '\202' '\254 eins ' '\360\237' '\230\200 zwei '; do
			printf "$part"
			read -rt 0.05
		done
		printf '"drei" \\ /vier/ \001\177 \302\205 \342\200\250 '
		printf 'a\377b \355\240\200c \364\220d\n'
		printf 'MESS %s\n' end
	EOT
}

# grab NAME COMMAND...: a screen and its modes, by a tmux, into a file
grab() {
	local name=$1

	shift
	"$@" display-message -p "${target[@]}" "$format" \; \
	    capture-pane -p -e -N "${target[@]}" >"$tmp/$name.screen"
}

played() {
	[ "$(outer display-message -p -t "=$1:" '#{pane_title}')" = played ]
}

same_screen() {
	target=(-t "=$1:")
	grab "$1" outer
	"$cells" "$tmp/customer.screen" "$tmp/$1.screen" >"$tmp/$1.diff" 2>&1
}

# plays FILE NAME: to the customer's screen
plays() {
	outer new-session -d -s "$2" -x 80 -y 24 "$castplay" play "$1" \
	    "$term_socket"
	within 10 "$2 is played" played "$2"
	until_true 3 same_screen "$2" && return
	cat "$tmp/$2.diff"
	fail "$2 does not end in the customer's screen"
}

# replay NAME: have the customer's terminal show ~/NAME, so that there is a last
# screen; what is recorded up to then ends in it
replay() {
	local f who

	printf '\033]2;%s\a' "$1" >>"$HOME/$1"
	type_line customer "cat ~/$1; tail -f /dev/null"
	within 10 "$1 is shown" titled "$1"
	target=(-t "$main_pane")
	grab customer inner
	for who in record copy; do
		f=$("${who}_file")
		within 10 "all of it is in $f" grep -q "]2;$1" "$f"
		cp "$f" "$tmp/$1-$who.cast"
		plays "$tmp/$1-$who.cast" "$1-$who"
	done
	press customer C-c
}

# The same with the program that people use, where it is installed.
asciinema_plays() {
	command -v asciinema >/dev/null || return 0
	outer new-session -d -s asciinema -x "$1" -y "$2" env \
	    HOME="$HOME" sh -c 'asciinema play -s 1000 "$1" &&
	    printf "\033]2;played\a" && exec tail -f /dev/null' - "$3"
	within 20 "asciinema plays it" played asciinema
	until_true 3 same_screen asciinema && return
	cat "$tmp/asciinema.diff"
	fail "asciinema does not end in the customer's screen"
}

# text_has FILE: what `mess` printed, whole and once, with the octets that are
# no UTF-8 replaced as Python replaces them
text_has() {
	"$castplay" check "$1" >"$tmp/text" || fail "$1 is no recording"
	python3 - "$tmp/text" <<-'EOT' || fail "$1 has not the text"
	import sys
	want = (b'\xe2\x82\xac eins \xf0\x9f\x98\x80 zwei "drei" \\ /vier/ '
	        b'\1\x7f \xc2\x85 \xe2\x80\xa8 a\xffb \xed\xa0\x80c \xf4\x90d'
	        b'\r\nMESS end\r\n').decode('utf-8', 'replace')
	text = open(sys.argv[1], newline='', encoding='utf-8').read()
	sys.exit(text.count(want) != 1)
	EOT
}

export TUNL_PING=2s TUNL_BACKOFF=200ms TUNL_CAST_FLUSH=50ms
lab_up TUNL_PING=2s TUNL_RECORD_FLUSH=50ms
new_session
customer 110x40
main_pane=$(inner show-options -v @linbit-main)
wait_screen customer '\| recorded \|'
marked record 'm the customer is connected'
marked copy 'm connected to the relay'

mess
type_line customer 'bash ~/mess'
wait_screen customer '^MESS end'

engineer eva
shell_echoes eva
marked record 'm viewer 1 "eva" \(.*SHA256:.*\) joined'
marked copy 'm "eva" \(key .*SHA256:.*\) watches and may type'
press eva C-b 1
wait_screen eva ', recorded \|'
type_line eva 'Grüß "Gott"'
marked record 'm chat <eva> Grüß "Gott"$'
marked copy 'm chat <eva> Grüß "Gott"$'
press eva C-b 0

term_resize customer 100x36
marked record 'r 100x26$'
marked copy 'r 100x26$'

kill_hard "$(customer_ssh)"
marked record "m the customer's link is lost"
marked copy 'm not connected to the relay'
marked record 'm gap: the customer is connected again'
shell_echoes eva 40

inode=$(stat -c %i "$(record_file)")
kill_hard "$(children "$(broker)")"
marked record "m gap: the relay's broker was started again"
shell_echoes eva 40
[ "$(stat -c %i "$(record_file)")" = "$inode" ] || fail "another file"

ssh=$(customer_ssh)
kill_hard "$(ps -o ppid= -p "$ssh" | tr -d ' ')"
type_line customer 'echo nobody records this; echo nor this'
within 20 "the daemon is there again" another_ssh "$ssh"
marked copy 'm gap: output was lost'
shell_echoes eva 40
TMUX_TMPDIR=$TUNL_LAB/tmux/eva tmux kill-server
term_close eva
marked record 'm viewer [0-9]+ "eva" .* left'
marked copy 'm eva left'

# What is on the screen now was drawn before the breaks, and painted after.
: >"$HOME/still"
replay still
read -r cols rows < <(inner display-message -p -t "$main_pane" \
    '#{pane_width} #{pane_height}')
"$vtgen" -f 5 "$cols" "$rows" 0 100 >"$HOME/drawing" || fail "vtgen"
replay drawing
asciinema_plays "$cols" "$rows" "$tmp/drawing-copy.cast"
text_has "$tmp/drawing-record.cast"
text_has "$tmp/drawing-copy.cast"

type_line customer exit
within 15 "linbit-tunl ends" term_ended customer
within 15 "the session's directory goes" session_gone
kept=$(echo "$HOME/linbit-tunl/$sid"-*Z.cast)
[ -f "$kept" ] || fail "no copy is kept: $kept"
[ "$(stat -c %a "$kept")" = 600 ] || fail "the copy is for others too"
told customer "your copy of the record is $kept" ||
    fail "linbit-tunl does not say where the copy is"
has "$kept" 'm the shell was closed' || fail "no last word in the copy"
within 10 "the record says why it ends" \
    has "$(record_file)" 'm the customer ended the session'
[ "$(echo "$TUNL_LAB/log/$sid"*.cast)" = "$(record_file)" ] ||
    fail "more than one record: $(echo "$TUNL_LAB/log/$sid"*)"
nothing_left
