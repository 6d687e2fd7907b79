#!/bin/bash
# The broker and its legs, spoken to in the protocol's own words over pipes,
# with what sshd would give them (SSH_*) made here: a real relay-api, real
# certificates, no sshd.
exec python3 -B "$(dirname "$0")/broker.py" "$@"
