# cgroup v2: what can be tested on the machine at hand. Limits that bite are tested in tests/vm.

load helpers

v2_root() { awk '$0 ~ / - cgroup2 / { print $5; exit }' /proc/self/mountinfo; }

needs_controller() {
	needs_root
	[ -n "$(v2_root)" ] || skip "no cgroup v2 here"
	grep -qw "$1" "$(v2_root)/cgroup.controllers" || skip "the controller $1 is not in cgroup v2 here"
}

@test "a limit whose controller is missing: controller, limit and remedy are named" {
	needs_root
	! grep -qw pids "$(v2_root)/cgroup.controllers" 2>/dev/null || skip "cgroup v2 has pids here"
	config '.linux.resources.pids.limit = 100'
	refused 'pids.*linux.resources.pids.limit.*(best-effort|cgroup)|linux.resources.pids.limit.*pids'
}

@test "a cgroup that takes no processes: the error says so, and nothing is left" {
	local domain
	needs_root
	[ -n "$(v2_root)" ] || skip "no cgroup v2 here"
	domain=$(v2_root)/agentd-tests-$ID
	mkdir -p "$domain/threads"
	echo threaded >"$domain/threads/cgroup.type"
	config '.linux.cgroupsPath = $path' --arg path "/agentd-tests-$ID/threads/$ID"
	launch
	rmdir "$domain/threads" "$domain"
	status_is 1
	like 'clone: Operation not supported; .*threaded; choose another linux.cgroupsPath'
	[ ! -e "$ROOT/$ID" ]
}

# agentd removes the place of all containers with the last of them.
@test "the cgroup of all containers goes while another launch looks at it: no container is without its own" {
	local turn launched=0
	needs_root
	[ -n "$(v2_root)" ] || skip "no cgroup v2 here"
	payload true
	cat >"$WORK/come_and_go.py" <<-'END'
		import os, sys
		while True:
		    try:
		        os.mkdir(sys.argv[1])
		        os.rmdir(sys.argv[1])
		    except OSError:
		        pass
	END
	start_racer python3 "$WORK/come_and_go.py" "$(v2_root)/agentd"
	for turn in $(seq 30); do
		! agentd --log "$WORK/log" run --best-effort cgroup --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&- ||
			launched=$((launched + 1))
	done
	stop_racer
	rmdir "$(v2_root)/agentd" 2>/dev/null || :
	[ $launched -gt 0 ]
	! grep -F "has no cgroup" "$WORK/log"
}

@test "--best-effort cgroup makes it a warning and a note in the state" {
	needs_root
	! grep -qw pids "$(v2_root)/cgroup.controllers" 2>/dev/null || skip "cgroup v2 has pids here"
	config '.linux.resources.pids.limit = 100'
	payload sleep
	agentd --log "$WORK/log" run --detach --best-effort cgroup --bundle "$BUNDLE" "$ID" </dev/null >"$WORK/out" 2>&1 3>&-
	[ "$(container_status)" = running ]
	grep -q 'pids' "$WORK/log"
	agentd state "$ID" | grep -q 'pids'
}

@test "hugetlb limits" {
	needs_controller hugetlb
	[ -e /sys/kernel/mm/hugepages/hugepages-2048kB ] || skip "no huge pages of 2 MiB here"
	config '.linux.resources.hugepageLimits = [{ pageSize: "2MB", limit: 4194304 }]'
	start_resting
	local dir
	dir=$(find "$(v2_root)" -type d -name "*$ID*" | head -n 1)
	[ "$(cat "$dir/hugetlb.2MB.max")" = 4194304 ]
	[ "$(cat "$dir/hugetlb.2MB.rsvd.max")" = 4194304 ]
	agentd delete --force "$ID"
	config '.linux.resources.hugepageLimits = [{ pageSize: "3MB", limit: 4194304 }]'
	refused '3MB'
}

@test "a cgroup path of the configuration's choice" {
	needs_root
	[ -n "$(v2_root)" ] || skip "no cgroup v2 here"
	config '.linux.cgroupsPath = $path' --arg path "/agentd-tests/$ID"
	start_resting
	grep -q "^0::/agentd-tests/$ID\$" "/proc/$PID/cgroup"
	agentd delete --force "$ID"
	[ ! -e "$(v2_root)/agentd-tests/$ID" ]
	rmdir "$(v2_root)/agentd-tests" 2>/dev/null || true
}

@test "a cgroup path that climbs is refused" {
	needs_root
	config '.linux.cgroupsPath = "/../../outside"'
	refused 'cgroupsPath'
}

@test "unified: a name with a slash is refused" {
	config '.linux.resources.unified = { "../cgroup.procs": "0" }'
	refused 'unified'
}

@test "the processes of the container are in its cgroup, and seen from inside it is the root" {
	needs_root
	[ -n "$(v2_root)" ] || skip "no cgroup v2 here"
	namespace cgroup
	start_resting
	like() { grep -qE "$1"; }
	grep '^0::' "/proc/$PID/cgroup" | like "$ID"
	run agentd exec "$ID" /bin/canary cat /proc/self/cgroup
	has 0::/
}

@test "pause and resume" {
	needs_root
	[ -n "$(v2_root)" ] || skip "no cgroup v2 here"
	start_resting
	agentd pause "$ID"
	[ "$(container_status)" = paused ]
	agentd list -f json | jq -e '.[0].status == "paused"'
	run agentd exec "$ID" /bin/canary true
	[ "$status" -ne 0 ]
	run agentd pause "$ID"
	status_is 1
	agentd resume "$ID"
	[ "$(container_status)" = running ]
	run agentd resume "$ID"
	status_is 1
	agentd pause "$ID"
	agentd delete --force "$ID"
}

@test "pause: without a cgroup there is nothing to freeze" {
	AGENTD_FLAGS='--cgroup-manager disabled'
	start_resting
	run agentd pause "$ID"
	status_is 1
	like "container $ID has no cgroup, which pausing needs; the notes of agentd state say why"
	agentd state "$ID" | jq -e '.notes[] | select(test("cgroup"))'
	agentd delete --force "$ID"
}

@test "--cgroup-manager disabled" {
	config 'del(.linux.resources, .linux.cgroupsPath)'
	payload true
	run agentd --cgroup-manager disabled run --bundle "$BUNDLE" "$ID"
	status_is 0
}

@test "the cgroup filesystem is not writable where the container does not own it (CVE-2023-25809)" {
	config '.mounts |= map(select(.type != "cgroup" and .type != "cgroup2")) +
		[{ destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["nosuid", "nodev", "noexec", "relatime", "ro"] }]'
	namespace cgroup
	inside many mkdir /sys/fs/cgroup/new -- write /sys/fs/cgroup/cgroup.procs 0
	unlike '=ok'
	if ! is_root; then
		no_namespace cgroup
		config '(.mounts[] | select(.type == "cgroup") | .options) -= ["ro"]'
		payload many mkdir /sys/fs/cgroup/new -- mkdir /sys/fs/cgroup/user.slice/new -- mkdir /sys/fs/cgroup/unified/new
		launch
		unlike 'mkdir=ok'
	fi
}

@test "the host's cgroup filesystem is read-only whatever the options (CVE-2023-25809)" {
	needs_root
	local option
	no_namespace cgroup
	for option in rw rrw; do
		config '(.mounts[] | select(.destination == "/sys/fs/cgroup") | .options) = [$option]' --arg option $option
		inside mkdir /sys/fs/cgroup/new
		has mkdir=EROFS
	done
}

@test "update" {
	needs_controller hugetlb
	start_resting
	run agentd update --help
	[ "$status" -eq 0 ] || skip "agentd has no update"
	echo '{ "unified": { "hugetlb.2MB.max": "2097152" } }' | agentd update --resources - "$ID"
	[ "$(cat "$(find "$(v2_root)" -type d -name "*$ID*" | head -n 1)/hugetlb.2MB.max")" = 2097152 ]
}
