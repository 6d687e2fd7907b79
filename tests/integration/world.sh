# shellcheck shell=bash
# world.sh - what runs, listens and lies about, before and after.
#
# world_snapshot FILE	write down the world of this uid
# world_diff A B	print what is in B and was not in A; succeeds if nothing
# world_restored A [S]	wait until nothing is, for S seconds (10) at most
#
# Sourced by the demo and by the tests.  In a private world (TUNL_WORLD=private:
# namespaces of our own) everything counts.  Elsewhere others work too: there a
# process counts if it may descend from us, a socket if such a process holds it
# or its file is ours, and a file if its name is one that our programs or theirs
# use.  WORLD_MARK, a string in the environment of all that we start, and
# WORLD_HASH, the name of our session, tell what we do from what others do.
# A line of a snapshot is KIND, identity, details, separated by tabs.  The
# directory that FILE is in is left out.

world_repo=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd -P)

# Who adopts our orphans: init, or a subreaper above us.
world_adopter() {
	sh -c 'sh -c "while read -r _ _ _ p _ </proc/self/stat; do
		[ \$p = $$ ] || break
	done; echo \$p" &'
}

# pid, start, ppid, state, uid of every process
world_processes() {
	local f stat uid

	for f in /proc/[0-9]*; do
		{ read -r stat <"$f/stat"; } 2>/dev/null || continue
		uid=$(world_uid "$f") || continue
		# shellcheck disable=SC2086
		set -- ${stat##*) }
		printf '%s %s %s %s %s\n' "${f##*/}" "${20}" "$2" "$1" "$uid"
	done
}

world_uid() {
	local key value

	while read -r key value _; do
		[ "$key" != Uid: ] || break
	done 2>/dev/null <"$1/status" && printf '%s\n' "$value"
}

# Lines `proc PID:START PPID COMMAND`: no zombies, no kernel threads, not what
# takes the snapshot (SELF and below).
world_procs() {
	local self=$1 me pid start ppid state uid cmd
	local -A skip=()

	me=$(id -u)
	while read -r pid start ppid state uid; do
		[ "$pid" != "$self" ] && [ -z "${skip[$ppid]:-}" ] || skip[$pid]=1
		[ -z "${skip[$pid]:-}" ] && [ "$uid" = "$me" ] &&
		    [ "$state" != Z ] && [ "$ppid" != 2 ] && [ "$pid" != 2 ] ||
		    continue
		{ cmd=$(tr '\0\n\t' '   ' <"/proc/$pid/cmdline"); } \
		    2>/dev/null || continue
		printf 'proc\t%s:%s\t%s\t%s\n' "$pid" "$start" "$ppid" "$cmd"
	done < <(world_processes | sort -n)
}

# Lines `tcp ADDRESS PIDS` and `unix PATH PIDS` of listening sockets.
world_sockets() {
	find /proc/[0-9]*/fd -maxdepth 1 -lname 'socket:*' \
	    -printf '%h %l\n' 2>/dev/null |
	    awk -v OFS='\t' -v me="$(id -u)" '
		FILENAME == "-" {
			split($1, dir, "/")
			gsub(/[^0-9]/, "", $2)
			held[$2] = held[$2] (held[$2] == "" ? "" : ",") dir[3]
			next
		}
		FILENAME ~ /tcp6?$/ && $4 == "0A" && $8 == me {
			print "tcp", $2, held[$10]
		}
		FILENAME ~ /unix$/ && $4 == "00010000" {
			print "unix", $8, held[$7]
		}' - /proc/net/tcp* /proc/net/unix
}

# Lines `file PATH DETAILS`; of files in ~/.ssh the details tell a change.
world_files() {
	local home=${WORLD_HOME:-$HOME}

	find /tmp /var/tmp /run /dev/shm -xdev -maxdepth 5 \
	    \( -path "$world_repo/build" -o -path "$world_repo/.git" \) -prune \
	    -o -user "$(id -u)" -printf 'file\t%p\t%y\n' 2>/dev/null
	find "$home" -xdev -maxdepth 3 \
	    \( -path "$world_repo/build" -o -path "$world_repo/.git" \) -prune \
	    -o -path "$home/.ssh/*" -printf 'file\t%p\t%y %s %T@\n' \
	    -o -printf 'file\t%p\t%y\n' 2>/dev/null
	find "$world_repo" -maxdepth 1 -printf 'file\t%p\t%y\n' 2>/dev/null
}

world_snapshot() {
	(
		world_procs "$BASHPID"
		world_sockets
		world_files | grep -avF "$(printf 'file\t%s' "${1%/*}")"
	) >"$1"
	LC_ALL=C sort -u -o "$1" "$1"
}

# Print the new processes that may be ours: their topmost new ancestor is a
# child of who adopts our orphans (or of this shell), and their environment, if
# it can be read, names our lab.
world_our_procs() {
	awk -F'\t' -v OFS='\t' -v adopter="$(world_adopter)" -v us=$$ '
		$1 != "proc" { next }
		NR == FNR { old[$2] = 1; next }
		!($2 in old) {
			split($2, id, ":")
			parent[id[1]] = $3
			line[id[1]] = $0
		}
		END {
			for (p in line) {
				for (q = p; q in parent; q = parent[q])
					;
				if (q == adopter || q == us || q == 0)
					print line[p]
			}
		}' "$1" "$2" | while IFS=$'\t' read -r kind id ppid cmd; do
		world_foreign "${id%:*}" ||
		    printf '%s\t%s\t%s\t%s\n' "$kind" "$id" "$ppid" "$cmd"
	done
}

world_foreign() {
	local env

	[ "${TUNL_WORLD:-}" != private ] && [ -n "${WORLD_MARK:-}" ] || return
	env=$(tr '\0' '\n' <"/proc/$1/environ" 2>/dev/null) || return
	[[ $env == *PATH=* && $env != *"$WORLD_MARK"* ]]
}

# Print the new listening sockets that a process of PIDS holds; in a private
# world those of any process; elsewhere also those of nobody knows whom, if
# they may be ours.
world_our_sockets() {
	local kind name holders

	awk -F'\t' -v ours="$3" -v private="${TUNL_WORLD:-}" '
		BEGIN {
			n = split(ours, w, " ")
			for (i = 1; i <= n; i++)
				mine[w[i]] = 1
		}
		$1 != "tcp" && $1 != "unix" { next }
		NR == FNR { old[$1, $2] = 1; next }
		!(($1, $2) in old) {
			n = split($3, pid, ",")
			for (i = 1; i <= n && !(pid[i] in mine); i++)
				;
			if (i <= n || n == 0 && private != "private")
				print
		}' "$1" "$2" | while IFS=$'\t' read -r kind name holders; do
		# whose holder cannot be seen: another container's, or a hidden one's
		[ -n "$holders" ] || { [ "$kind" = unix ] && [ -O "$name" ]; } ||
		    continue
		printf '%s\t%s\t%s\n' "$kind" "$name" "$holders"
	done
}

# Print the new files, and in a private world those that are gone.
world_our_files() {
	LC_ALL=C comm -13 <(grep -a '^file' "$1") <(grep -a '^file' "$2") |
	    world_names
	[ "${TUNL_WORLD:-}" = private ] || return 0
	LC_ALL=C comm -23 <(grep -a '^file' "$1" | cut -f1-2) \
	    <(grep -a '^file' "$2" | cut -f1-2) | sed 's/^/gone /'
}

world_names() {
	if [ "${TUNL_WORLD:-}" = private ]; then
		cat
	else
		grep -aE 'linbit|tunl|sshauth|tmux|/run/sshd|/\.ssh/' |
		    grep -avE '^file	/tmp/tunl-(lab|test|demo)-' |
		    world_session
	fi
}

# Other sessions' directories are others'.
world_session() {
	if [ -n "${WORLD_HASH:-}" ]; then
		awk -v ours="/tmp/linbit-tunl-$WORLD_HASH" \
		    '!/\/tmp\/linbit-tunl-/ || index($0, ours)'
	else
		cat
	fi
}

world_diff() {
	local procs pids

	procs=$(world_our_procs "$1" "$2")
	pids=$(cut -f2 <<<"$procs" | cut -d: -f1 | tr '\n' ' ')
	{
		[ -z "$procs" ] || printf '%s\n' "$procs"
		world_our_sockets "$1" "$2" "$pids"
		world_our_files "$1" "$2"
	} >"$2.diff"
	cat "$2.diff"
	[ ! -s "$2.diff" ]
}

world_restored() {
	local end=$((SECONDS + ${2:-10})) out

	while :; do
		world_snapshot "$1.after"
		out=$(world_diff "$1" "$1.after") && return
		[ $SECONDS -lt $end ] || break
		sleep "${poll:-0.1}"
	done
	printf '%s\n' "$out"
	return 1
}
