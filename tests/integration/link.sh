# shellcheck shell=bash
# shellcheck source=lib.sh
# link.sh - a bad link between one person and the relay, as tests/link/forward.c
# makes it.  Sourced after lib.sh.
#
# link_up [COMMAND...]	make it; its port is $link_port
# link_tell COMMAND	change it
# link_octets WAY	how much it has delivered so far, `up` or `down`
# link_down		take it away
tmp=${tmp:?lib.sh first}

link_up() {
	rm -f "$tmp/link.in"
	mkfifo "$tmp/link.in"
	"$build/unit/forward" 127.0.0.1 "$TUNL_RELAY_PORT" "$@" \
	    <"$tmp/link.in" >"$tmp/link.out" &
	link_pid=$!
	exec {link}>"$tmp/link.in"
	within 5 "the bad link is there" [ -s "$tmp/link.out" ]
	link_port=$(head -n 1 "$tmp/link.out")
}

# Leaves the answer in $link_answer.
link_ask() {
	local n

	n=$(wc -l <"$tmp/link.out")
	printf '%s\n' "$1" >&"$link"
	within 5 "the bad link answers" link_answered "$n"
	link_answer=$(tail -n 1 "$tmp/link.out")
}

link_answered() {
	[ "$(wc -l <"$tmp/link.out")" -gt "$1" ]
}

link_tell() {
	link_ask "$1"
	[ "$link_answer" = ok ] || fail "the bad link: $1: $link_answer"
}

link_octets() {
	link_ask stats
	sed "s/.*$1 \([0-9]*\).*/\1/" <<<"$link_answer"
}

link_down() {
	exec {link}>&-
	wait "$link_pid" || fail "the bad link ended badly"
}
