#!/bin/bash
# Slow and hostile viewers and customers against a real broker: they harm
# themselves at most.  Everybody else gets the stream to its end and answers to
# their PINGs, and the broker stays small.
exec python3 -B "$(dirname "$0")/badpeers.py" "$@"
