#!/bin/bash
# What stops a record: a full disk and its limit are told to both sides and cost
# the session nothing, unless recording is required; and what becomes of the
# customer's own copy: on another file system, where it cannot be put, after a
# power cut.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

castplay=$repo/tests/integration/castplay.py
records=$tmp/records		# the relay's, on a small file system for root
other=				# on another file system than /tmp

end_test() {
	local rv=$?

	umount "$records" 2>/dev/null
	[ -z "$other" ] || rm -rf "$other"
	(exit "$rv")
	cleanup
}
trap end_test EXIT

record_file() {
	printf '%s\n' "$records/$sid.cast"
}

# has FILE REGEX: an event other than output
has() {
	"$castplay" events "$1" 2>/dev/null | grep -Eq -- "$2"
}

marked() {
	within 10 "the record says $1" has "$(record_file)" "$1"
}

broker() {
	children "$(awk -v i=":$(stat -c %i "$TUNL_LAB/run/$sid.lock")\$" \
	    '$2 != "->" && $6 ~ i { print $5 }' /proc/locks)"
}

# Root has a file system that is full; who may not mount one is not allowed
# larger files, which is another error at the same place.
if [ "$TUNL_WORLD" = private ] && [ "$(id -u)" -eq 0 ]; then
	mkdir "$records"
	mount -t tmpfs -o size=256k,mode=0755 tmpfs "$records" ||
	    fail "cannot mount"
	full='No space left on device'
	fill() { head -c 1M /dev/zero >"$records/fill" 2>/dev/null; }
	clear_space() { rm -f "$records/fill"; }
else
	mkdir "$records"
	full='File too large'
	fill() { prlimit --pid "$(broker)" --fsize=4000:; }
	clear_space() { prlimit --pid "$(broker)" --fsize=unlimited:; }
fi

# relay_set KEY=VALUE...: for the brokers that start from now on
relay_set() {
	local pair

	for pair in "$@"; do
		sed -i "/^${pair%%=*}=/d" "$TUNL_LAB/relay.conf"
		printf '%s\n' "$pair" >>"$TUNL_LAB/relay.conf"
	done
}

# A session, ended by its customer.
end_session() {
	type_line customer exit
	within 15 "linbit-tunl ends" term_ended customer
	within 15 "the session's directory goes" session_gone
	within 15 "the registry knows" record_is status closed
	term_close customer
}

print_lines() {
	type_line customer "seq -f 'line %05.0f of many of them' $1; clear"
}

# ---- a full disk ------------------------------------------------------------

disk_full() {
	new_session
	customer 100x34
	engineer eva
	shell_echoes eva
	press eva C-b 1
	wait_screen eva ', recorded \|'
	fill
	print_lines 3000
	wait_screen customer 'the relay cannot record this session: '"$full"
	wait_screen customer '\| not recorded \|'
	wait_screen eva ', not recorded \|'
	shell_echoes customer
	clear_space
	wait_screen customer '\| recorded \|'
	wait_screen customer 'the relay records this session again'
	wait_screen eva ', recorded \|'
	marked "m gap: it could not be recorded: $full"
	type_line customer 'echo after-$((6 * 7))'
	within 10 "the record goes on" grep -q after-42 "$(record_file)"
	within 10 "the gap ends with a screen" screen_after_gap
	TMUX_TMPDIR=$TUNL_LAB/tmux/eva tmux kill-server
	term_close eva
	end_session
	"$castplay" check "$(record_file)" >/dev/null ||
	    fail "the record is none any more"
}

# The first output behind the gap paints everything.
screen_after_gap() {
	sed -n '/"m", "gap: it could not/,$p' "$(record_file)" |
	    grep -m 1 '"o", ' | grep -qF '"\u0018\u001b\\'
}

# ---- the limit --------------------------------------------------------------

limit() {
	relay_set TUNL_RECORD_MAX=8000
	new_session
	customer 100x34
	wait_screen customer '\| recorded \|'
	print_lines 400
	wait_screen customer 'record of this session has reached its limit'
	wait_screen customer '\| not recorded \|'
	shell_echoes customer
	end_session
	marked 'm the record has reached its limit and ends here'
	[ "$(stat -c %s "$(record_file)")" -le 8000 ] ||
	    fail "the record is larger than its limit"
	"$castplay" check "$(record_file)" >/dev/null || fail "no record"
}

# ---- required; not wanted ---------------------------------------------------

required() {
	relay_set TUNL_RECORD_MAX=8000 TUNL_RECORDING=required
	new_session
	customer 100x34
	wait_screen customer '\| recorded \|'
	print_lines 400
	wait_screen customer 'this relay has to record every session'
	within 15 "the registry knows" record_is status closed
	end_customer
	within 15 "linbit-tunl ends" term_ended customer
	term_close customer

	relay_set TUNL_LOG_DIR="$records/none" TUNL_BROKER_LINGER=1s
	new_session
	turned_away
	relay_set TUNL_LOG_DIR="$records" TUNL_BROKER_LINGER=2h
}

# A session that cannot be recorded is over before it begins.
turned_away() {
	term_start customer 100x34 linbit-tunl "$sid"
	wait_screen customer 'this relay has to record every session'
	wait_screen customer 'LINBIT SHARE. over'
	tunl cancel "$sid" >"$tmp/out" 2>&1 || fail "cancel: $(cat "$tmp/out")"
	end_customer
	within 15 "linbit-tunl ends" term_ended customer
	term_close customer
}

not_wanted() {
	relay_set TUNL_RECORDING=no
	new_session
	customer 100x34
	wait_screen customer '\| not recorded \|'
	end_session
	[ ! -e "$(record_file)" ] || fail "it is recorded all the same"
	relay_set TUNL_RECORDING=yes
}

# ---- the customer's copy ----------------------------------------------------

copies() {
	find "$1" -name "$sid-*.cast"
}

other_file_system() {
	[ "$(stat -c %d "$other")" != "$(stat -c %d /tmp)" ] ||
	    fail "$other and /tmp are one file system"
	new_copy "$other/new"
	[ "$(find "$other/new" -type f | wc -l)" = 1 ] ||
	    fail "more than a copy: $(ls -lA "$other/new")"
	new_copy none
}

# keeps DIR: the customer, whose copy is to go there
keeps() {
	term_start customer 100x34 env TUNL_CAST_DIR="$1" linbit-tunl "$sid"
	shell_echoes customer
	wait_screen customer '\| recorded \|'
}

# new_copy DIR: a session whose copy goes there
new_copy() {
	new_session
	keeps "$1"
	end_session
	if [ "$1" = none ]; then
		[ -z "$(copies "$tmp")" ] || fail "a copy that nobody wants"
		return
	fi
	"$castplay" check "$(copies "$1")" >/dev/null || fail "no copy in $1"
	[ "$(stat -c %a "$1")" = 700 ] || fail "$1 is for others too"
}

# Where it cannot be moved it stays, alone, and the next start moves it.
no_room() {
	local dir

	: >"$tmp/file"
	new_session
	keeps "$tmp/file/dir"
	dir=$(session_dir)
	type_line customer exit
	within 15 "linbit-tunl ends" term_ended customer
	told customer "your copy of the record cannot be moved to $tmp/file/dir" ||
	    fail "it does not say that the copy was not moved"
	told customer "it is $dir/$sid.cast" ||
	    fail "it does not say where the copy is"
	[ "$(find "$dir" -mindepth 1 ! -name "$sid.cast" -printf '%f\n' |
	    sort | xargs)" = "lock settings sid" ] ||
	    fail "this is left: $(ls -A "$dir")"
	rm "$tmp/file"
	mkdir "$tmp/file"
	term_close customer
	leftover "$dir" "$tmp/file/dir"
}

# A power cut, as far as that can be had.
power_cut() {
	local dir

	new_session
	customer 100x34
	wait_screen customer '\| recorded \|'
	dir=$(session_dir)
	within 5 "something is recorded" grep -q '"o"' "$dir/$sid.cast"
	# shellcheck disable=SC2046
	kill_hard $(below "$(customer_tmux)" linbit-tunl) "$(customer_tmux)"
	term_close customer
	tunl close "$sid" >"$tmp/out" 2>&1 || fail "close: $(cat "$tmp/out")"
	leftover "$dir" "$HOME/linbit-tunl"
}

# leftover DIR WHERE: of $sid, old enough now; its copy is to go there
leftover() {
	touch -d '3 hours ago' "$1"
	leftovers+=("$sid $1 $2")
}

# Another session's start clears them.
swept() {
	local old dir where

	new_session
	keeps none
	for old in "${leftovers[@]}"; do
		read -r old dir where <<<"$old"
		[ ! -e "$dir" ] || fail "$dir is still there"
		"$castplay" check "$(find "$where" -name "$old-*.cast")" \
		    >/dev/null || fail "no copy in $where"
	done
	end_session
}

export TUNL_CAST_FLUSH=50ms TUNL_BACKOFF=200ms
lab_up TUNL_LOG_DIR="$records" TUNL_RECORD_FLUSH=50ms TUNL_RECORD_RETRY=200ms
other=$(mktemp -d /dev/shm/tunl-test-XXXXXX) || exit 1
disk_full
limit
required
not_wanted
other_file_system
leftovers=()
no_room
power_cut
swept
umount "$records" 2>/dev/null
rm -rf "$other"
nothing_left
