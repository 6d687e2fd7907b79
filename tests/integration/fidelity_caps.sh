#!/bin/bash
# The same as fidelity.sh where tmux can do less: in control mode, with the
# capabilities of old versions, and on real other versions at both sides.
#
# FIDELITY_CAPS are values of TUNL_TMUX_CAPS (-pipe 2.6 2.9 3.1), TMUX_BINS
# programs called tmux (none), FIDELITY_SEEDS how many seeds for each
# (3), FIDELITY_FIRST the first of them (1).
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=fidelity_lib.sh
. "$(dirname "$0")/fidelity_lib.sh"

run() {
	people_up
	run_seeds "$first" "$count"
	people_down
	first=$((first + more))
}

# Each of them other seeds, unless somebody asks for many or for certain ones.
count=${FIDELITY_SEEDS:-3}
first=${FIDELITY_FIRST:-1}
more=${FIDELITY_SEEDS:+0}
more=${more:-${FIDELITY_FIRST:+0}}
more=${more:-$count}

lab_up TUNL_SCREEN_INTERVAL=100ms
for caps in ${FIDELITY_CAPS--pipe 2.6 2.9 3.1}; do
	where="TUNL_TMUX_CAPS=$caps"
	outer set-environment -g TUNL_TMUX_CAPS "$caps"
	run
done
outer set-environment -g -u TUNL_TMUX_CAPS
for program in ${TMUX_BINS:-}; do
	where=$("$program" -V) || fail "TMUX_BINS: $program is no tmux"
	use_tmux "${program%/*}"
	run
done
