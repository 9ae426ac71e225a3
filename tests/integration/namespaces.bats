# Namespaces: created, joined by path, shared with the host.

load helpers

declare -gA file_of=([cgroup]=cgroup [ipc]=ipc [mount]=mnt [network]=net [pid]=pid [time]=time [user]=user [uts]=uts)

own_inode() { stat -Lc %i "/proc/self/ns/${file_of[$1]}"; }

@test "each is created where it is asked for" {
	user_namespace
	for type in cgroup ipc mount network pid time uts; do
		namespace "$type"
	done
	inside ns
	for type in "${!file_of[@]}"; do
		[ "$(value "${file_of[$type]}")" != "$(own_inode "$type")" ] || { echo "the host's: $type"; false; }
	done
}

@test "each is the host's where it is not asked for" {
	needs_root
	no_namespace cgroup ipc network pid time user uts
	config 'del(.hostname, .domainname, .linux.sysctl) | .linux.maskedPaths = [] | .linux.readonlyPaths = []'
	inside ns
	for type in cgroup ipc network pid time user uts; do
		[ "$(value "${file_of[$type]}")" = "$(own_inode "$type")" ] || { echo "not the host's: $type"; false; }
	done
}

@test "each is joined by its path" {
	needs_root
	user_namespace
	config 'del(.hostname, .domainname, .linux.sysctl)'
	for type in cgroup ipc network pid time uts; do
		namespace "$type"
	done
	start_resting
	local first=$ID pid=$PID
	for type in ipc network uts cgroup time pid; do
		cp "$BUNDLE/config.json" "$WORK/config.json"
		# A namespace can only be joined from the user namespace that owns it, or from one above.
		namespace user "/proc/$pid/ns/user"
		config 'del(.linux.uidMappings, .linux.gidMappings)'
		namespace "$type" "/proc/$pid/ns/${file_of[$type]}"
		ID=$first-$type
		inside ns
		[ "$(value "${file_of[$type]}")" = "$(stat -Lc %i "/proc/$pid/ns/${file_of[$type]}")" ] ||
			{ echo "not joined: $type"; false; }
		cp "$WORK/config.json" "$BUNDLE/config.json"
	done
	ID=$first
}

@test "a network namespace made by someone else" {
	needs_root
	unshare -n sleep 60 3>&- & local holder=$!
	wait_for bash -c "[ \$(stat -Lc %i /proc/$holder/ns/net) != \$(stat -Lc %i /proc/self/ns/net) ]"
	namespace network "/proc/$holder/ns/net"
	payload ns
	launch
	local inode
	inode=$(stat -Lc %i "/proc/$holder/ns/net")
	kill $holder
	status_is 0
	has "net=$inode"
}

@test "a mount namespace made by someone else gets no mount from us" {
	needs_root
	needs script
	unshare -m sleep 60 3>&- & local holder=$!
	wait_for bash -c "[ \$(stat -Lc %i /proc/$holder/ns/mnt) != \$(stat -Lc %i /proc/self/ns/mnt) ]"
	namespace mount "/proc/$holder/ns/mnt"
	config '.mounts = [] | del(.linux.maskedPaths, .linux.readonlyPaths, .root.readonly) | .process.terminal = true |
		.process.args = [$c, "tty"]' --arg c "$BUNDLE/rootfs/bin/canary"
	local before
	before=$(cat "/proc/$holder/mountinfo")
	run script -qec "$AGENTD --root $ROOT run --bundle $BUNDLE $ID" /dev/null
	local after
	after=$(cat "/proc/$holder/mountinfo")
	kill $holder
	like '/dev/tty=ok'
	[ "$before" = "$after" ]
}

@test "joining the host's by its path gives no right to change it" {
	needs_root
	config 'del(.hostname, .domainname)'
	namespace network /proc/self/ns/net
	config '.linux.sysctl = { "net.ipv4.ip_forward": $same }' --arg same "$(cat /proc/sys/net/ipv4/ip_forward)"
	refused 'sysctl.*net.ipv4.*shares the network namespace'
	config 'del(.linux.sysctl)'
	namespace uts /proc/self/ns/uts
	namespace cgroup /proc/self/ns/cgroup
	config '(.mounts[] | select(.destination == "/sys/fs/cgroup") | .options) = ["rw"]'
	inside many ns -- mkdir /sys/fs/cgroup/new
	[ "$(value net)" = "$(own_inode network)" ]
	has mkdir=EROFS
	config '.hostname = $name' --arg name "$(hostname)"
	refused 'hostname.*uts'
}

@test "a path of another type, or of no namespace, is refused" {
	namespace ipc /proc/self/ns/uts
	refused 'namespaces.*/proc/self/ns/uts.*uts.*ipc'
	namespace ipc /etc/passwd
	refused 'namespaces.*/etc/passwd'
	namespace ipc /nope
	refused 'namespaces.*/nope.*No such file'
}

@test "a type twice, and an unknown one, are refused" {
	config '.linux.namespaces += [{ type: "mount" }, { type: "mount" }]'
	refused 'namespaces.*mount'
	config '.linux.namespaces = [{ type: "nonsense" }]'
	refused 'namespaces\[0\].type.*nonsense'
}

@test "hostname and domainname" {
	namespace uts
	config '.hostname = "inner" | .domainname = "example.org"'
	inside hostname
	has hostname=inner domainname=example.org
	[ "$(hostname)" != inner ]
}

@test "a hostname without a uts namespace is refused" {
	no_namespace uts
	config '.hostname = "inner" | del(.domainname)'
	refused 'hostname.*uts|uts.*hostname'
	[ "$(hostname)" != inner ]
}

@test "a new network namespace has its loopback up" {
	namespace network
		inside many bind 4321 -- connect 4322
	has bind=ok connect=ECONNREFUSED
}

@test "time offsets" {
	user_namespace
	namespace time
	config '.linux.timeOffsets = { monotonic: { secs: 1000000, nanosecs: 5 }, boottime: { secs: 2000000, nanosecs: 0 } }'
	local before
	before=$("$CANARY" time-offsets | sed -n 's/monotonic=//p')
	inside time-offsets
	[ "$(value monotonic)" -ge $((before + 1000000)) ]
	[ "$(value boottime)" -ge $((before + 2000000)) ]
}

@test "time offsets in a mount namespace that is joined, whose /proc is not ours" {
	needs_root
	config '.mounts |= map(select(.destination != "/proc"))'
	no_namespace pid
	mkdir -p "$BUNDLE/rootfs/proc/self/ns"
	mkfifo "$BUNDLE/rootfs/proc/self/ns/time_for_children"
	config 'del(.linux.maskedPaths, .linux.readonlyPaths, .root.readonly)'
	start_resting
	namespace mount "/proc/$PID/ns/mnt"
	namespace time
	config '.mounts = [] | .linux.timeOffsets = { monotonic: { secs: 1000000, nanosecs: 0 } }'
	payload time-offsets
	run timeout 10 "$AGENTD" --root "$ROOT" run --bundle "$BUNDLE" "$ID-other"
	status_is 0
	[ "$(value monotonic)" -ge 1000000 ]
}

@test "time offsets without a time namespace are refused" {
	no_namespace time
	config '.linux.timeOffsets = { monotonic: { secs: 1, nanosecs: 0 } }'
	refused 'timeOffsets'
}

@test "a pid namespace: the program is number 1" {
	inside readlink /proc/self
	has readlink=1
}

@test "without a pid namespace all of the container's processes end with it" {
	needs_root
	no_namespace pid
	config '.linux.maskedPaths = [] | .linux.readonlyPaths = []'
	start_resting children 2
	agentd delete --force "$ID"
	wait_for nothing_left
}

@test "a network device is moved in, with its address" {
	needs_root
	needs ip
	ip link add dev agentd-t0 type dummy 2>/dev/null || skip "no dummy network devices here"
	ip addr add 192.0.2.7/24 dev agentd-t0
	namespace network
	config '.linux.netDevices = { "agentd-t0": { name: "inner0" } }'
	payload cat /proc/net/dev /proc/net/fib_trie
	launch
	ip link del agentd-t0 2>/dev/null || true
	status_is 0
	like 'inner0:' '192\.0\.2\.7'
}
