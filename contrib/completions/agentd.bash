# Completion of agentd(8) for bash; installed as "agentd" where bash-completion looks.
#
# What it offers is read from `agentd --help` and `agentd COMMAND --help`, which are printed from the very tables that
# parse the command line: the option, the name of its value (DIR, FILE, ...) and, behind "Usage:", what the arguments are.

# The name of an option's value in a help text; nothing for a flag.
_agentd_value() { # HELP OPTION
	sed -nE "s/^  (-., |    )$2 ([^ ]+).*/\2/p; s/^  $2, --[a-z-]+ ([^ ]+).*/\1/p" <<<"$1"
}

# The words that an option takes, where its help is of the form "text or json" or "cgroup: ...".
_agentd_words() { # HELP OPTION
	sed -nE "s/^  .*$2(, --[a-z-]+)? [A-Z]+ +//p" <<<"$1" |
		sed -nE 's/ \(.*\)//; s/^([a-z]+):.*/\1/p; /^[a-z]+(, [a-z]+)* or [a-z]+$/s/,| or / /gp'
}

_agentd() {
	local agentd=${COMP_WORDS[0]} current=${COMP_WORDS[COMP_CWORD]} help word kind='' option='' command='' offer i
	local -a arguments=() before=() root=()

	help=$("$agentd" --help 2>/dev/null)
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [ "$word" = = ]; then
			continue # --option=value comes as three words
		elif [ -n "$kind" ]; then
			[ "$option" = --root ] && root=(--root "${word/#\~/$HOME}")
			kind=''
		elif [[ $word = -* ]]; then
			option=$word
			kind=$(_agentd_value "$help" "$word")
		elif [ -z "$command" ]; then
			command=$word
			help=$("$agentd" "$command" --help 2>/dev/null)
		else
			before+=("$word")
		fi
	done
	[ "$current" = = ] && current=''

	if [ -n "$kind" ]; then
		offer=$(_agentd_words "$help" "$option")
	elif [[ $current = -* ]]; then
		offer=$(sed -nE 's/^  (-., |    )(--[a-z-]+).*/\2/p' <<<"$help")
	elif [ -z "$command" ]; then
		offer=$(sed -nE '/^Commands:/,/^$/s/^  ([a-z-]+) .*/\1/p' <<<"$help")
	else
		read -ra arguments < <(sed -nE 's/^Usage: .*\[OPTIONS\]//p' <<<"$help" | tr -d '[]')
		kind=${arguments[${#before[@]}]-}
	fi

	case $kind in
	*BUNDLE/ | DIR) mapfile -t COMPREPLY < <(compgen -d -S / -- "$current") && compopt -o nospace ;;
	FILE | PATH) compopt -o default ;;
	ID) offer=$("$agentd" "${root[@]}" list --quiet 2>/dev/null) ;;
	SIGNAL) offer=$(compgen -A signal SIG) ;;
	CAP) offer=$("$agentd" features 2>/dev/null | grep -o 'CAP_[A-Z_]*') ;;
	esac
	[ -z "$offer" ] || mapfile -t COMPREPLY < <(compgen -W "$offer" -- "$current")
}

complete -F _agentd agentd
