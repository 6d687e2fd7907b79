#!/bin/bash
# The forwarder that other tests put into a link: it carries every octet in its
# order, keeps its rate and delay, can be cut, healed and dropped, and counts.
exec python3 -B "$(dirname "$0")/forward.py" "$@"
