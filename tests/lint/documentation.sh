#!/bin/bash
# Compares what `agentd --help` and `agentd COMMAND --help` tell with the manual page, with what each shell completes, and with
# the calls of agentd that are written elsewhere. Prints what differs; exit status 1 if anything does. Shells and tools that are
# not here are named and passed over.
set -u
cd "$(dirname "$0")/../.." || exit 1
agentd=$(realpath "${AGENTD:-build/agentd}") man=contrib/man/agentd.8 completions=$PWD/contrib/completions missing=0
[ -x "$agentd" ] || { echo "no $agentd; 'make' builds it" >&2; exit 1; }

commands() { "$agentd" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'; }
options() { "$agentd" "$@" --help | sed -nE 's/^  (-., |    )(--[a-z-]+).*/\2/p'; }

miss() {
	echo "$*"
	missing=1
}

# What is in the list on standard input and begins no line of the text (a tab or colon and an explanation may follow).
not_in() { # TEXT
	grep -vxFf <(cut -f 1 <<<"$1" | cut -d : -f 1)
}

# --- options: each of --help, with its letter and the name of its value, is in the manual page, and none besides ---

# "-b dir", "--bundle dir": a line for each spelling of an option
told() { # COMMAND...
	"$agentd" "$@" --help | sed -nE 's/^  -(.), --([a-z-]+)( [^ ]+)?( .*)?$/-\1\3\n--\2\3/p; s/^      (--[a-z-]+)( [^ ]+)?( .*)?$/\1\2/p' |
		tr -d '[]' | tr '[:upper:]' '[:lower:]' | sort -u
}

all_told() {
	local command
	{ told; for command in $(commands); do told "$command"; done; } | sort -u
}

# The same from lines of mdoc(7): ".Op Fl b Ar dir | Fl -bundle Ar dir", ".It Fl o Ar file , Fl -output Ar file".
written() {
	sed -nE 's/^\.(Op|It)? ?(Fl .*)/\2/p' | sed -E 's/( ,| \||) Fl /\n/g; s/^Fl //' |
		sed -E 's/ (Ns|Oo|Oc|Op|Ar)\>//g; s/ ([:=,]) ?/\1/g; s/([:=,]) /\1/g; s/^/-/' | grep -v '^-- ' | sort -u
}

synopsis() { sed -n "/^\.Ss $1\$/,/^\.Pp/p" "$man"; }

same() { # WHAT, TOLD, WRITTEN
	local differences
	differences=$(diff <(echo "$2") <(echo "$3") | sed -n "s|^<|$man: $1: lacks|p; s|^>|$man: $1: has, but --help has not:|p")
	[ -z "$differences" ] || miss "$differences"
}

check_options() {
	local command
	same SYNOPSIS "$(told)" "$(sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESCRIPTION/p' "$man" | written)"
	for command in $(commands); do
		same "$command" "$(told "$command")" "$(synopsis "$command" | written)"
	done
	same "what is explained" "$(all_told)" "$(grep '^\.It Fl' "$man" | written)"
}

# Whatever is written elsewhere as a call of agentd, or between backquotes, has options that exist.
# shellcheck disable=SC2016 # backquotes are looked for
check_examples() {
	local file option known
	known=$(all_told | cut -d ' ' -f 1)
	for file in README.md SECURITY.md CONTRIBUTING.md contrib/examples/README.md "$man"; do
		for option in $(grep -oE '((^|[ `])agentd |`-)[^`|;]*' "$file" | sed 's/ -- .*//' | grep -oE -e '--[a-z][a-z-]+' | not_in "$known"); do
			miss "$file: there is no option $option"
		done
	done
}

check_man() {
	local command told
	[ "$(commands)" = "$(sed -n '/^\.Sh COMMANDS/,/^\.Sh CONFIG/s/^\.Ss //p' "$man")" ] || miss "$man: other commands, or in another order"
	for command in $("$agentd" features | sed -n '/"mountOptions"/,/]/p' | grep -o '"[a-z-]*"' | tr -d '"' | grep -v mountOptions); do
		sed -n '/^\.Ss Mount options/,/^\.Sh/p' "$man" | grep -qw -e "$command" || miss "$man: lacks mount option $command"
	done
	command -v mandoc >/dev/null || { echo "# no mandoc: the form of $man is not checked"; return; }
	# whether the pages that it refers to are installed here does not matter
	told=$(mandoc -T lint "$man" 2>/dev/null | grep -v 'referenced manual not found')
	[ -z "$told" ] || miss "$told"
}

# --- completions: the words that each shell would offer for `agentd -`, `agentd COMMAND -`, and so on ---

# shellcheck disable=SC2016,SC2317 # for the inner shell; called by name
complete_bash() {
	bash -c 'source "$0/agentd.bash"; compopt() { :; }
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _agentd; printf "%s\n" "${COMPREPLY[@]}"' "$completions" "$@"
}

# shellcheck disable=SC2317 # called by name
complete_fish() { fish --no-config -c "source $completions/agentd.fish; complete -C '${*/#$agentd/agentd}'"; }

# zsh completes in its line editor alone; here its functions say what they would offer.
# shellcheck disable=SC2016,SC2317 # for the inner shell; called by name
complete_zsh() {
	zsh -f -c '
		_arguments() { print -rl -- "$@"; (( ! $+want )) || { state=$want; words=($command); unset want } }
		_describe() { print -rl -- $commands }
		words=($2) command=$3 want=argument
		[[ -n $command && $command != -* ]] || want=command
		source $1/_agentd | sed -E "s/^(\([^)]*\))?(--[a-z-]+)=?\[.*/\2/"' - "$completions" "$@"
}

check_shell() { # SHELL
	local command word
	command -v "$1" >/dev/null || { echo "# no $1: its completion is not checked"; return; }
	for word in $(commands | not_in "$("complete_$1" "$agentd" '')") $(options | not_in "$("complete_$1" "$agentd" -)"); do
		miss "completion of $1: lacks $word"
	done
	for command in $(commands); do
		for word in $(options "$command" | not_in "$("complete_$1" "$agentd" "$command" -)"); do
			miss "completion of $1: $command: lacks $word"
		done
	done
	# what takes a word of a few
	if [ "$1" != zsh ]; then
		for word in $(printf 'text\njson\n' | not_in "$("complete_$1" "$agentd" --log-format '')"); do
			miss "completion of $1: --log-format: lacks $word"
		done
	fi
}

check_man
check_options
check_examples
PATH=$(dirname "$agentd"):$PATH
for shell in bash zsh fish; do
	check_shell $shell
done
exit $missing
