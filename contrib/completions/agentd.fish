# Completion of agentd(8) for fish.
#
# What it offers is read from `agentd --help` and `agentd COMMAND --help`, which are printed from the very tables that
# parse the command line: the option, the name of its value (DIR, FILE, ...) and, behind "Usage:", what the arguments are.

# The name of an option's value in a help text; nothing for a flag.
function __agentd_value --argument-names option # HELP...
    string replace --regex --filter -- "^  (?:-., |    )?$option(?:, --[a-z-]+)? ([^ ]+).*" '$1' $argv[2..]
end

# The words that an option takes, where its help is of the form "text or json" or "cgroup: ...".
function __agentd_words --argument-names option # HELP...
    set -l text (string replace --regex --filter -- "^  .*$option(?:, --[a-z-]+)? [A-Z]+ +" '' $argv[2..])
    set text (string replace --regex -- ' \(.*\)' '' $text)
    string replace --regex --filter -- '^([a-z]+):.*' '$1' $text
    if string match --regex --quiet -- '^[a-z]+(, [a-z]+)* or [a-z]+$' $text
        string replace --all --regex -- ', | or ' \n $text
    end
end

function __agentd_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l current (commandline --current-token --cut-at-cursor)
    set -l agentd $words[1]
    type --query -- $agentd; or return
    set -l help ($agentd --help 2>/dev/null)
    set -l command
    set -l before
    set -l kind
    set -l option
    set -l root
    for word in $words[2..-1]
        if test -n "$kind"
            test "$option" = --root; and set root --root $word
            set kind
        else if string match --quiet -- '-*' $word
            set option (string replace --regex '=.*' '' -- $word)
            string match --quiet -- '*=*' $word; or set kind (__agentd_value $option $help)
        else if test -z "$command"
            set command $word
            set help ($agentd $command --help 2>/dev/null)
        else
            set --append before $word
        end
    end
    set -l front
    if test -z "$kind"; and string match --quiet -- '--*=*' $current
        set option (string replace --regex '=.*' '' -- $current)
        set kind (__agentd_value $option $help)
        set front $option=
        set current (string replace --regex '^[^=]*=' '' -- $current)
    end

    if test -n "$kind"
        __agentd_words $option $help | string replace --regex -- '^' "$front"
    else if string match --quiet -- '-*' $current
        string replace --regex --filter -- '^  (?:-., |    )(--[a-z-]+)(?: [A-Z][^ ]*)? +(.*)' \$1\t\$2 $help
        return
    else if test -z "$command"
        string replace --regex --filter -- '^  ([a-z]\S*) +(.*)' \$1\t\$2 $help
        return
    else
        set -l arguments (string replace --regex --filter -- '^Usage: .*\[OPTIONS\] *' '' $help | string replace --all --regex '[][]' '' | string split ' ')
        set kind $arguments[(math (count $before) + 1)]
    end

    switch "$kind"
        case '*BUNDLE/' DIR
            __fish_complete_directories "$current" | string replace --regex -- '^' "$front"
        case FILE PATH
            __fish_complete_path "$current" | string replace --regex -- '^' "$front"
        case ID
            $agentd $root list --quiet 2>/dev/null
        case SIGNAL
            kill -l | string split --no-empty ' ' | string replace --regex '^' SIG
        case CAP
            $agentd features 2>/dev/null | string match --all --regex 'CAP_[A-Z_]*'
    end
end

complete --command agentd --no-files --arguments '(__agentd_complete)'
