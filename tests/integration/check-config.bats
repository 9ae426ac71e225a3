# agentd check-config: what a host lacks, what a bundle asks of it in vain, and what it leaves open.

load helpers

setup() { prepare make_default_bundle; }

# The rows that are not in order.
open_rows() { agentd check-config --format json "$BUNDLE/" | jq -r '.rows[] | select(.ok | not) | .name' | sort -u; }

# hole FILTER NAME...: the change opens these rows and no other
hole() {
	local before found
	before=$(open_rows)
	cp "$BUNDLE/config.json" "$WORK/before.json"
	config "$1"
	shift
	found=$(open_rows | grep -vxF "$before" | tr '\n' ' ')
	cp "$WORK/before.json" "$BUNDLE/config.json"
	[ "$found" = "$(printf '%s\n' "$@" | sort | tr '\n' ' ')" ] && return
	echo "expected $*, found $found"
	return 1
}

@test "a host" {
	run agentd check-config
	[ "$status" -le 1 ]
	like '^ok +host.kernel +Linux' ' host.cgroup ' ' host.landlock ' ' host.seccomp ' ' host.user-namespaces ' \
		'rows to look at. Nothing was launched'
	unlike ready
}

@test "what agentd spec prints leaves nothing open but what is told as low" {
	run agentd check-config --format json "$BUNDLE/"
	[ "$status" -le 1 ]
	[ "$(jq -r '.rows[] | select((.ok | not) and (.name | test("^(host|plan)[.]") | not) and
		(.severity | test("medium|high|critical"))) | .name' <<<"$output")" = "" ]
}

@test "a hole at a time: credentials" {
	hole '.process.capabilities.bounding += ["CAP_SYS_ADMIN"]' capabilities.ruling
	hole '.process.capabilities.ambient += ["CAP_NET_RAW"] | .process.capabilities.inheritable += ["CAP_NET_RAW"] |
		.process.capabilities.permitted += ["CAP_NET_RAW"]' capabilities.strong
	hole '.process.noNewPrivileges = false | del(.process.landlock)' no-new-privileges landlock
	hole 'del(.process.landlock)' landlock
	hole 'del(.linux.seccomp)' seccomp
}

@test "a hole at a time: namespaces, mounts, paths" {
	hole 'del(.linux.namespaces[] | select(.type == "ipc"))' namespaces.lesser
	if is_root; then
		hole 'del(.linux.namespaces[] | select(.type == "network"))' namespaces
		hole '(.linux.namespaces[] | select(.type == "network")).path = "/proc/self/ns/net"' namespaces namespaces.joined
	fi
	hole '.root.readonly = false' root.writable
	hole '.linux.rootfsPropagation = "shared"' mounts.propagation
	hole '.mounts += [{ destination: "/mnt", source: "/etc", options: ["bind"] }]' mounts.system
	hole '.mounts += [{ destination: "/mnt", source: "/run/docker.sock", options: ["bind"] }]' mounts.system
	hole '.mounts += [{ destination: "/mnt", source: "'"$WORK"'", options: ["rbind"] }]' mounts.writable
	hole '.mounts += [{ destination: "/mnt", source: "'"$WORK"'", options: ["rbind", "ro"] }]' mounts.bound
	hole '.linux.readonlyPaths -= ["/proc/sys"]' proc.writable
	hole '.linux.maskedPaths -= ["/proc/kcore"]' proc.visible
	hole '(.mounts[] | select(.type == "sysfs") | .options) -= ["ro"]' sys.writable
}

@test "a hole at a time: devices and limits" {
	hole '.linux.resources.devices = [{ allow: true, access: "rwm" }]' devices
	hole 'del(.linux.resources.pids)' limits.processes
	hole 'del(.linux.resources.memory)' limits.memory
	hole '.process.oomScoreAdj = -500' limits.oom
}

@test "what a profile lets through is asked of the filter" {
	local arch
	allow() { printf '.linux.seccomp.syscalls += [{ names: %s, action: "SCMP_ACT_ALLOW" }]' "$1"; }
	hole "$(allow '["ptrace"]')" seccomp.tracing
	hole "$(allow '["mount", "fsopen"]')" seccomp.mounts
	hole "$(allow '["unshare"]')" seccomp.namespaces
	hole "$(allow '["bpf"]')" seccomp.kernel-code
	hole "$(allow '["io_uring_setup"]')" seccomp.io_uring
	hole "$(allow '["userfaultfd"]')" seccomp.userfaultfd
	hole "$(allow '["keyctl"]')" seccomp.keys
	hole "$(allow '["open_by_handle_at"]')" seccomp.file-handles
	hole "$(allow '["socket"]')" seccomp.raw-sockets seccomp.netlink seccomp.socket-families
	# the usual comparison looks at 64 bits, the kernel at 32
	hole 'del(.linux.seccomp.syscalls[] | select(.names == ["ioctl"])) | .linux.seccomp.syscalls += [{ names: ["ioctl"],
		action: "SCMP_ACT_ALLOW", args: [{ index: 1, value: 21522, op: "SCMP_CMP_NE" }] }]' seccomp.terminal
	arch=$(uname -m)
	[ "$arch" != x86_64 ] || hole '.linux.seccomp.architectures += ["SCMP_ARCH_X86"]' seccomp.other-architectures
}

@test "what cannot be carried out here" {
	hole '.linux.seccomp.architectures = ["SCMP_ARCH_VAX"]' plan
	hole '.linux.seccomp.architectures += ["SCMP_ARCH_PPC"]' plan
	hole '.linux.seccomp.syscalls += [range(1200) | { names: ["ioctl"], action: "SCMP_ACT_ALLOW",
		args: [{ index: 1, value: (. * 5), op: "SCMP_CMP_EQ" }] }]' seccomp.profile
}

@test "wrong usage" {
	run agentd check-config "$WORK/nosuch/"
	status_is 2
	echo '{' >"$BUNDLE/config.json"
	run agentd check-config "$BUNDLE/"
	status_is 2
	run agentd check-config --format xml
	status_is 2
}
