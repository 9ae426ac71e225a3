# linux.seccomp: actions, conditions, architectures, and the order of things around it.

load helpers

# filter DEFAULT [NAMES ACTION [MORE-JSON]]...
filter() {
	config '.linux.seccomp = { defaultAction: $action, architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
		syscalls: [] }' --arg action "$1"
	shift
	while [ $# -gt 0 ]; do
		config '.linux.seccomp.syscalls += [{ names: ($names | split(" ")), action: $action } + ($more | fromjson)]' \
			--arg names "$1" --arg action "$2" --arg more "${3-"{}"}"
		shift $(($# < 3 ? $# : 3))
	done
}

@test "an errno, the default one and a chosen one" {
	filter SCMP_ACT_ALLOW mkdir SCMP_ACT_ERRNO '{}' rename SCMP_ACT_ERRNO '{ "errnoRet": 95 }'
	inside many mkdir /tmp/x -- rename /a /b
	has mkdir=EPERM
	like 'rename=(EOPNOTSUPP|ENOTSUP)'
}

@test "killing the process" {
	filter SCMP_ACT_ALLOW mkdir SCMP_ACT_KILL_PROCESS '{}'
	inside many mkdir /tmp/x -- true
	has mkdir=signal:31
}

@test "a trap" {
	filter SCMP_ACT_ALLOW mkdir SCMP_ACT_TRAP '{}'
	inside many mkdir /tmp/x
	has mkdir=signal:31
}

@test "a condition on an argument" {
	filter SCMP_ACT_ALLOW personality SCMP_ACT_ERRNO '{ "args": [{ "index": 0, "value": 8, "op": "SCMP_CMP_EQ" }] }'
	inside many syscall 135 8 -- syscall 135 0xffffffff
	output=$(grep ^syscall= <<<"$output" | tr '\n' ' ')
	like '^syscall=EPERM syscall=ok'
}

@test "conditions see 64 bits" {
	filter SCMP_ACT_ALLOW personality SCMP_ACT_ERRNO \
		'{ "args": [{ "index": 0, "value": 8, "valueTwo": 8, "op": "SCMP_CMP_MASKED_EQ" }] }'
	payload syscall 135 8
	sed -i 's/"value": 8,/"value": 18446744073709551615,/' "$BUNDLE/config.json" # jq would round it
	launch
	has syscall=EPERM
	filter SCMP_ACT_ALLOW personality SCMP_ACT_ERRNO \
		'{ "args": [{ "index": 0, "value": 4294967295, "valueTwo": 8, "op": "SCMP_CMP_MASKED_EQ" }] }'
	inside many syscall 135 8 -- syscall 135 0x100000008
	[ "$(grep -c syscall=EPERM <<<"$output")" -eq 2 ]
}

@test "the 32-bit and the x32 entries are filtered too" {
	[ "$(uname -m)" = x86_64 ] || skip "only on x86-64"
	filter SCMP_ACT_ALLOW getpid SCMP_ACT_ERRNO '{}'
	inside many int80 -- x32
	unlike '=ok'
}

@test "an architecture that is not named cannot be used" {
	[ "$(uname -m)" = x86_64 ] || skip "only on x86-64"
	filter SCMP_ACT_ALLOW mkdir SCMP_ACT_ERRNO '{}'
	config '.linux.seccomp.architectures = ["SCMP_ARCH_X86_64"]'
	inside many int80 -- x32
	unlike '=ok'
}

@test "a filter that allows little but what the program needs" {
	filter SCMP_ACT_ERRNO 'execve brk arch_prctl set_tid_address set_robust_list rseq prlimit64 readlink readlinkat
getrandom mprotect newfstatat fstat lseek write exit_group exit uname' SCMP_ACT_ALLOW '{}'
	config '.linux.seccomp.syscalls[0].names |= (join(" ") | split("[ \n]+"; ""))'
	config '.process.noNewPrivileges = true'
	inside hostname
	like '^hostname='
	inside raw-socket
	has raw-socket=EPERM
}

@test "without noNewPrivileges the filter is there too" {
	filter SCMP_ACT_ALLOW mkdir SCMP_ACT_ERRNO '{}'
	config '.process.noNewPrivileges = false'
	inside many mkdir /tmp/x -- status
	has mkdir=EPERM seccomp=2 no_new_privs=0
}

@test "without noNewPrivileges and for a user who is not root" {
	needs_root
	filter SCMP_ACT_ALLOW mkdir SCMP_ACT_ERRNO '{}'
	config '.process.noNewPrivileges = false | .process.user.uid = 1000'
	inside many mkdir /tmp/x -- status
	has mkdir=EPERM seccomp=2
}

@test "system calls newer than the profile: ENOSYS, so that programs fall back" {
	filter SCMP_ACT_ERRNO 'openat2' SCMP_ACT_ALLOW '{}'
	config '.linux.seccomp.syscalls[0].names += ["execve", "brk", "arch_prctl", "set_tid_address", "set_robust_list", "rseq",
		"prlimit64", "readlink", "readlinkat", "getrandom", "mprotect", "newfstatat", "fstat", "lseek", "write", "exit_group"] |
		.process.noNewPrivileges = true'
	inside syscall 461
	has syscall=ENOSYS
	inside syscall 165
	has syscall=EPERM
}

@test "unknown words are refused, unknown system calls are not" {
	filter SCMP_ACT_NOPE
	refused 'seccomp.defaultAction.*SCMP_ACT_NOPE'
	filter SCMP_ACT_ALLOW mkdir SCMP_ACT_NOPE '{}'
	refused 'seccomp.syscalls\[0\].action.*SCMP_ACT_NOPE'
	filter SCMP_ACT_ALLOW mkdir SCMP_ACT_ERRNO '{ "args": [{ "index": 6, "value": 1, "op": "SCMP_CMP_EQ" }] }'
	refused 'seccomp.syscalls\[0\].args\[0\].index'
	filter SCMP_ACT_ALLOW mkdir SCMP_ACT_ERRNO '{ "args": [{ "index": 0, "value": 1, "op": "SCMP_CMP_NOPE" }] }'
	refused 'SCMP_CMP_NOPE'
	filter SCMP_ACT_ALLOW mkdir SCMP_ACT_ERRNO '{}'
	config '.linux.seccomp.architectures = ["SCMP_ARCH_NOPE"]'
	refused 'architectures\[0\].*SCMP_ARCH_NOPE'
	filter SCMP_ACT_ALLOW mkdir SCMP_ACT_ERRNO '{}'
	config '.linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_NOPE"]'
	refused 'flags\[0\].*SECCOMP_FILTER_FLAG_NOPE'
	filter SCMP_ACT_ALLOW 'no_such_call mkdir' SCMP_ACT_ERRNO '{}'
	inside mkdir /tmp/x
	has mkdir=EPERM
}

@test "errnoRet with an action that has none, and a large one, are refused" {
	filter SCMP_ACT_ALLOW mkdir SCMP_ACT_KILL '{ "errnoRet": 1 }'
	refused 'errnoRet'
	filter SCMP_ACT_ALLOW mkdir SCMP_ACT_ERRNO '{ "errnoRet": 5000 }'
	refused 'errnoRet'
}

@test "flags" {
	filter SCMP_ACT_ALLOW mkdir SCMP_ACT_ERRNO '{}'
	config '.linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"]'
	inside mkdir /tmp/x
	has mkdir=EPERM
	config '.linux.seccomp.flags = []'
	inside mkdir /tmp/x
	has mkdir=EPERM
}

@test "a filter under which nothing can be started is refused, with what is missing" {
	config '.linux.seccomp = { defaultAction: "SCMP_ACT_ERRNO" }'
	run agentd run --bundle "$BUNDLE" "$ID"
	status_is 1
	like '^agentd: linux.seccomp: no rule allows execve, .*SCMP_ACT_ALLOW$'
	[ ! -e "$ROOT/$ID" ]
}
