# agentd print-seccomp: a filter as decisions, as instructions, as JSON, as it is.

load helpers

setup() { prepare make_default_bundle; }

@test "the default's, without a bundle" {
	run agentd print-seccomp
	status_is 0
	like '^SCMP_ARCH_' '^        read write ' '^    101: SCMP_ACT_ERRNO, EPERM$' '-983039: SCMP_ACT_ERRNO, ENOSYS$' \
		'^        else if argument 1 & 0xffffffff == 0x5413: SCMP_ACT_ALLOW$' '^every other architecture: SCMP_ACT_KILL$'
}

@test "instructions, with names" {
	config '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["ptrace"], action: "SCMP_ACT_ERRNO",
		errnoRet: 95 }, { names: ["personality"], action: "SCMP_ACT_KILL_PROCESS", args: [{ index: 0, value: 8,
		op: "SCMP_CMP_EQ" }] }] }'
	run agentd print-seccomp --format bpf "$BUNDLE/"
	status_is 0
	like '^ *0: ld +\[4\]  ; architecture$' 'jeq .* ; ptrace$' 'ret .* ; SCMP_ACT_ERRNO, E(OPNOTSUPP|NOTSUP)$' \
		'argument 0, (lower|upper) half' 'ret .* ; SCMP_ACT_KILL_PROCESS$' 'ret .* ; SCMP_ACT_ALLOW$'
}

@test "JSON says the same as the raw program" {
	local raw json
	raw=$(agentd print-seccomp --format raw "$BUNDLE/" | od -An -v -td8 -w8 | tr -d ' ')
	json=$(agentd print-seccomp --format json "$BUNDLE/" |
		jq -r '.bpf[] | "\(.code) \(.jt) \(.jf) \(.k)"' |
		while read -r code jt jf k; do echo $((code | jt << 16 | jf << 24 | k << 32)); done)
	[ -n "$raw" ]
	diff <(while read -r number; do printf '%d\n' "$number"; done <<<"$raw" 2>/dev/null) <(echo "$json")
	[ "$(agentd print-seccomp -f json "$BUNDLE/" | jq -r .seccomp.defaultAction)" = SCMP_ACT_ERRNO ]
}

@test "no filter, and wrong usage" {
	config 'del(.linux.seccomp)'
	run agentd print-seccomp "$BUNDLE/"
	status_is 2
	like 'linux.seccomp: the configuration has no filter'
	run agentd print-seccomp --format yaml
	status_is 2
	run agentd print-seccomp "$WORK/nosuch/"
	status_is 2
}
