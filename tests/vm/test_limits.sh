# Limits that bite: memory, processes, processor, disk, cpus, huge pages.
. ./helpers.sh

memory() {
	config '.linux.resources = { memory: { limit: 33554432, swap: 33554432 } }'
	inside eat-memory 16
	expect has eat-memory=ok
	inside many eat-memory 64 -- echo survived
	expect has eat-memory=signal:9
	expect has survived
}
check "memory.max: more is the OOM killer's" memory

memory_of_init() {
	config '.linux.resources = { memory: { limit: 33554432, swap: 33554432 } }'
	payload eat-memory 64
	agentd --log /tmp/log run --bundle "$BUNDLE" t >/dev/null 2>&1 || status=$?
	output=$(cat /tmp/log)
	expect [ "$status" -eq 137 ]
	expect like 'the program was killed; .*memory.max, 33554432.*linux.resources.memory.limit'
}
check "memory.max: the first process dies of it, run says 137, and its log why" memory_of_init

memory_files() {
	config '.linux.resources = { memory: { limit: 50331648, reservation: 20971520, swap: 67108864 } }'
	start sleep
	expect [ "$(cat "$dir/memory.max")" = 50331648 ]
	expect [ "$(cat "$dir/memory.low")" = 20971520 ]
	[ ! -e "$dir/memory.swap.max" ] || expect [ "$(cat "$dir/memory.swap.max")" = 16777216 ]
}
check "memory: limit, reservation, swap" memory_files

# With all confinement of the default. Of less than 256 KiB no processor keeps what another may need (tests/bench/memory).
small_memory() {
	rm "$BUNDLE/config.json"
	agentd spec --bundle "$BUNDLE"
	config '.process.terminal = false | .linux.resources = { memory: { limit: 245760 } }'
	inside true
	expect [ "$status" -eq 0 ]
}

no_memory() {
	config '.linux.resources = { memory: { limit: 32768 } }'
	inside true
	expect [ "$status" -eq 1 ]
	expect like 'memory.max, 32768.*linux.resources.memory.limit'
}
check "memory.max of 240 KiB is enough to start" small_memory
check "memory.max of 32 KiB is not, and the error says so" no_memory

pids() {
	config '.linux.resources = { pids: { limit: 10 } }'
	inside fork-bomb 100
	expect has fork-bomb=EAGAIN
	expect has forked=9
}
check "pids.max stops a fork bomb" pids

cpu() {
	config '.linux.resources = { cpu: { quota: 20000, period: 100000 } }'
	start sleep
	expect [ "$(cat "$dir/cpu.max")" = '20000 100000' ]
	output=$(agentd exec t /bin/canary burn-cpu 400)
	expect [ "$(value wall)" -ge 1000 ]
	output=$(cat "$dir/cpu.stat")
	expect [ "$(echo "$output" | awk '$1 == "nr_throttled" { print $2 }')" -gt 0 ]
}
check "cpu.max throttles" cpu

weights() {
	config '.linux.resources = { cpu: { shares: 1024 } }'
	start sleep
	expect [ "$(cat "$dir/cpu.weight")" = 100 ]
}
check "cpu.shares 1024 is weight 100" weights

cpuset() {
	config '.linux.resources = { cpu: { cpus: "1", mems: "0" } }'
	inside sched
	expect has cpus=1
}
check "cpuset.cpus" cpuset

cpuset_wrong() {
	config '.linux.resources = { cpu: { cpus: "7000" } }'
	inside true
	expect [ "$status" -eq 1 ]
	expect like 'cpu.cpus|cpuset.cpus'
}
check "cpuset.cpus that do not exist are an error that names them" cpuset_wrong

huge_pages() {
	config '.linux.resources = { hugepageLimits: [{ pageSize: "2MB", limit: 2097152 }] }'
	inside many map-huge 1 -- map-huge 2
	expect has map-huge=ok
	expect has map-huge=ENOMEM
}
echo 4 >/proc/sys/vm/nr_hugepages
if [ "$(cat /proc/sys/vm/nr_hugepages)" -ge 2 ]; then
	check "hugetlb: as many pages as allowed" huge_pages
else
	skip "hugetlb" "no huge pages to be had"
fi

disk() {
	config '.linux.resources = { blockIO: { throttleReadBpsDevice: [{ major: $major, minor: 0, rate: 1048576 }] } } |
		.linux.devices = [{ path: "/dev/disk", type: "b", major: $major, minor: 0 }]' --argjson major "$major"
	config '.linux.resources.devices = [{ allow: true, type: "b", major: $major, minor: 0, access: "r" }]' --argjson major "$major"
	inside read-much /dev/disk 3
	expect has read-much=ok
	expect [ "$(value wall)" -ge 1500 ]
}
major=$(awk '$2 == "virtblk" { print $1 }' /proc/devices)
if [ -b /dev/vda ] && grep -qw io $CGROUP/cgroup.controllers; then
	check "io.max: 3 MiB at 1 MiB/s take their time" disk
else
	skip "io.max" "no disk"
fi

unified() {
	config '.linux.resources = { unified: { "memory.high": "41943040", "pids.max": "77" } }'
	start sleep
	expect [ "$(cat "$dir/memory.high")" = 41943040 ]
	expect [ "$(cat "$dir/pids.max")" = 77 ]
}
check "unified: written as it is" unified

unknown_file() {
	config '.linux.resources = { unified: { "nonsense.max": "1" } }'
	inside true
	expect [ "$status" -eq 1 ]
	expect like 'nonsense'
}
check "unified: a file of no controller is named" unknown_file

update() {
	config '.linux.resources = { pids: { limit: 10 } }'
	start sleep
	echo '{ "pids": { "limit": 20 }, "memory": { "limit": 67108864 } }' | agentd update --resources - t
	expect [ "$(cat "$dir/pids.max")" = 20 ]
	expect [ "$(cat "$dir/memory.max")" = 67108864 ]
}
if agentd update --help >/dev/null 2>&1; then
	check "update changes limits of a running container" update
else
	skip "update" "there is no such command"
fi

exec_is_limited() {
	config '.linux.resources = { pids: { limit: 10 }, memory: { limit: 33554432, swap: 33554432 } }'
	start sleep
	output=$(agentd exec t /bin/canary fork-bomb 100)
	expect has fork-bomb=EAGAIN
	status=0
	agentd exec t /bin/canary eat-memory 64 || status=$?
	expect [ "$status" -eq 137 ]
}
check "exec is under the same limits" exec_is_limited

default_spec() {
	rm "$BUNDLE/config.json"
	agentd spec --bundle "$BUNDLE"
	config '.process.terminal = false'
	inside many fork-bomb 600 -- status
	expect has fork-bomb=EAGAIN
	expect has seccomp=2
}
check "the default configuration, limits and all" default_spec
