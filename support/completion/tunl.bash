# bash completion for tunl(1)                            -*- shell-script -*-

# Session IDs that the relay knows now; nothing if it cannot be reached at once.
_tunl_sessions() {
	timeout 3 tunl list --json 2>/dev/null </dev/null |
	    sed -n 's/^[[:space:]]*"id":[[:space:]]*"\([a-z-]*\)",\{0,1\}$/\1/p'
}

_tunl() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	local command=${COMP_WORDS[1]} words=''
	local commands='list show join create-session close cancel help'

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		words="$commands --help --version"
	else
		case $prev in
		--case | --customer | --expires-in)
			return
			;;
		esac
		case $command in
		list)
			words='--json'
			;;
		show)
			words='--json'
			;;
		join)
			words='--read-only --ro --debug'
			;;
		create-session)
			words='--case --customer --ad-hoc --expires-in --join'
			words+=' --json'
			;;
		help)
			words=$commands
			;;
		esac
		case $cur in
		-*)
			[ "$command" = help ] || words+=' --help'
			;;
		*)
			[ "$command" = help ] || words=''
			case $command in
			show | join | close | cancel)
				words=$(_tunl_sessions)
				;;
			esac
			;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _tunl tunl
