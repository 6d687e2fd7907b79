#!/bin/bash
# The broker of a session is killed, again and again: the next one knows who was
# put out, who may only look, who has which number, and what is still to be told.
exec python3 -B "$(dirname "$0")/brokerdeath.py" "$@"
