#!/bin/bash
# The engineer sees what the customer sees: seeded streams of everything that
# draws, with the screens compared cell by cell; see fidelity_lib.sh.
#
# FIDELITY_SEEDS is how many seeds (12, which is every kind once),
# FIDELITY_FIRST the first of them (1).
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=fidelity_lib.sh
. "$(dirname "$0")/fidelity_lib.sh"

lab_up TUNL_SCREEN_INTERVAL=100ms
people_up
run_seeds "${FIDELITY_FIRST:-1}" "${FIDELITY_SEEDS:-12}"
people_down
