#!/bin/bash
# The demo without a terminal: it shows an engineer's command run at the
# customer, leaves nothing, and does so for an ordinary user as well.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

shown() {
	grep -Eq 'here is [0-9]+, twice [0-9]+' "$1" &&
	    grep -q '^nothing left behind$' "$1"
}

world_snapshot "$tmp/before"
"$repo/tests/demo" </dev/null >"$tmp/out" 2>&1 ||
    fail "the demo failed: $(cat "$tmp/out")"
shown "$tmp/out" || fail "the demo shows nothing: $(cat "$tmp/out")"
world_restored "$tmp/before" || fail "something is left behind"

ordinary_user || exit 0
as_ordinary "$ordinary/src/tests/demo" </dev/null >"$tmp/out" 2>&1 ||
    fail "an ordinary user's demo failed: $(cat "$tmp/out")"
shown "$tmp/out" ||
    fail "an ordinary user's demo shows nothing: $(cat "$tmp/out")"
