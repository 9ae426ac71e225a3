# linux.sysctl: written in the container's namespaces, and nowhere else (CVE-2022-0811, CVE-2025-52881).

load helpers

sysctl() { # KEY VALUE
	config '.linux.sysctl = { ($key): $value }' --arg key "$1" --arg value "$2"
}

@test "a key of the network namespace" {
	namespace network
	sysctl net.ipv4.ip_unprivileged_port_start 77
	inside cat /proc/sys/net/ipv4/ip_unprivileged_port_start
	has 77
	[ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" != 77 ]
}

@test "keys of the ipc namespace" {
	namespace ipc
	config '.linux.sysctl = { "kernel.msgmax": "4096", "kernel.shm_rmid_forced": "1", "fs.mqueue.msg_max": "7" }'
	inside cat /proc/sys/kernel/msgmax /proc/sys/kernel/shm_rmid_forced /proc/sys/fs/mqueue/msg_max
	has 4096 1 7
	[ "$(cat /proc/sys/fs/mqueue/msg_max)" != 7 ]
}

@test "a key with slashes" {
	namespace network
	sysctl net/ipv4/ip_unprivileged_port_start 78
	inside cat /proc/sys/net/ipv4/ip_unprivileged_port_start
	has 78
}

@test "keys of namespaces that are the host's are refused" {
	no_namespace network ipc
	sysctl net.ipv4.ip_forward 1
	refused 'sysctl.*net.ipv4.ip_forward'
	sysctl kernel.msgmax 1
	refused 'sysctl.*kernel.msgmax'
}

@test "keys of no namespace are refused" {
	local key
	for key in kernel.core_pattern kernel.panic vm.overcommit_memory kernel.hostname fs.file-max; do
		sysctl $key 1
		refused "sysctl.*$key"
	done
}

@test "keys that climb, and values that bring a second one, are refused or stay what they are" {
	namespace network
	local before
	before=$(cat /proc/sys/kernel/core_pattern)
	for key in net/../kernel/core_pattern net..kernel.core_pattern net.ipv4/../../kernel/core_pattern 'net.ipv4.ip_forward+kernel.core_pattern' ''; do
		sysctl "$key" '|/evil'
		refused sysctl
	done
	sysctl net.ipv4.ip_unprivileged_port_start $'80\nkernel.core_pattern=|/evil'
	refused 'sysctl.*line breaks'
	[ "$(cat /proc/sys/kernel/core_pattern)" = "$before" ]
}

@test "a value that the kernel refuses is named" {
	namespace network
	sysctl net.ipv4.ip_unprivileged_port_start nonsense
	refused 'sysctl.*ip_unprivileged_port_start.*Invalid argument'
}

@test "a key that does not exist" {
	namespace network
	sysctl net.ipv4.nonsense 1
	refused 'sysctl.*nonsense.*No such file'
}
