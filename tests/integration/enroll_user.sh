#!/bin/bash
# enroll.sh as an ordinary user, with sshd and PAM in a user namespace.  Whoever
# is one already has run it.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" -eq 0 ] || exit 0
ordinary_user || skip "there is no ordinary user here"
as_ordinary CI="${CI:-}" bash "$ordinary/src/tests/integration/enroll.sh"
