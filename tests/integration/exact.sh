#!/bin/bash
# The stream through a real broker, octet by octet: viewers who join, stall, are
# skipped ahead and come back at random get a screen and exactly what followed
# it; and one who reads nothing while 100 MB go by costs nobody anything.
exec python3 -B "$(dirname "$0")/exact.py" "$@"
