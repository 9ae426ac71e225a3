# agentd selftest: what it says of the machine and of bundles with a hole each, its options, and that it leaves nothing.

load helpers

setup() {
	is_root || needs_user_namespaces
	prepare make_default_bundle
	REPORT=$WORK/report.json
	mkdir "$BUNDLE"/rootfs/{lib,usr}
}

# selftest [OPTION...]: as a person runs it. Limits cannot be tested everywhere.
selftest() { run timeout -s KILL 100 "$AGENTD" --root "$ROOT" selftest --allow-skip=cgroup "$@" 3>&-; }

# report [OPTION...]: the same as JSON, in $REPORT
report() {
	status=0
	timeout -s KILL 100 "$AGENTD" --root "$ROOT" selftest --allow-skip=cgroup --format json "$@" >"$REPORT" 2>"$WORK/said" 3>&- ||
		status=$?
	output=$(cat "$WORK/said")
}

# ids VERDICT
ids() { jq -r --arg verdict "$1" '.canaries[] | select(.verdict == $verdict) | .id' "$REPORT"; }

landlock_abi() { "$CANARY" landlock | sed -n 's/^landlock=//p'; }

# holds FILTER: jq says true of the report
holds() {
	jq -e "$1" "$REPORT" >/dev/null && return
	echo "not so: $1"
	jq -c .summary "$REPORT"
	jq -r '.canaries[] | select(.verdict == "fail" or .verdict == "error") | "\(.id) \(.verdict): \(.reason)"' "$REPORT"
	return 1
}

# hole LAYER FILTER ID...: the bundle with this change fails in these, and in nothing but what the layer stops
hole() {
	local layer=$1 id
	cp "$BUNDLE/config.json" "$WORK/before.json"
	config "$2"
	shift 2
	report "$BUNDLE/"
	cp "$WORK/before.json" "$BUNDLE/config.json"
	status_is 1
	for id; do
		ids fail | grep -qx -- "$id" || { echo "$id is not among the fails:" && ids fail && return 1; }
	done
	holds '[.canaries[] | select(.verdict == "error")] == []'
	holds "[.canaries[] | select(.verdict == \"fail\") | .layers.expected | index(\"$layer\")] | all"
}

# nothing_but REGEX: of the last hole
nothing_but() {
	local others
	others=$(ids fail | grep -vxE -- "$1") || return 0
	echo "besides: $others"
	return 1
}

# --- what is said ---

@test "the default configuration: nothing gets through, nothing breaks" {
	report
	status_is 0
	holds '.summary.fail == 0 and .summary.error == 0 and .summary.exit_code == 0 and (.canaries | length) >= 120'
	holds '.summary.layers | .seccomp.observed > 0 and .namespaces.observed > 0 and .capabilities.observed > 0'
	report "$BUNDLE/"
	status_is 0
	holds '.summary.fail == 0 and .summary.error == 0'
}

@test "the default configuration, comprehensive: with the matrix" {
	report --comprehensive
	status_is 0
	holds '.summary.fail == 0 and .summary.error == 0'
	holds '[.canaries[].layers.matrix // {} | .[]] | index("alone") != null'
	attributes_rightly
}
# What network, Landlock and so on do by themselves can be measured; the pid and mount namespaces cannot be left out, so that
# nothing shows of what they stop.
attributes_rightly() {
	holds '.canaries[] | select(.id == "net.tcp-decoy") | .layers.matrix | .namespaces == "alone" and
		(.landlock == "alone" or .landlock == "others")'
	holds '[.canaries[] | select(.id == "ns.pid-kill" or .id == "ns.pid-list" or .id == "fs.symlink-abs" or .id == "fs.unix-path") |
		.layers.matrix | .[]] | (length > 0) and (index("alone") == null) and (index("others") == null)'
}

@test "comprehensive, in a user namespace: its containers can do without the others, too" {
	user_namespace
	report --comprehensive "$BUNDLE/"
	status_is 0
	holds '[.notes[] | select(test("^(ablation|alone):"))] == []'
	holds '[.canaries[] | select((.reason // "") | test("control .* was not made"))] == []'
	attributes_rightly
}

@test "as another user inside the container" {
	is_root || return 0
	config '.process.user = { uid: 1000, gid: 1000 }'
	report "$BUNDLE/"
	status_is 0
	holds '.summary.fail == 0 and .summary.error == 0'
	user_namespace
	report "$BUNDLE/"
	holds '.summary.fail == 0 and .summary.error == 0'
}

@test "the words: never more than was shown" {
	local format
	for format in text json junit tap sarif html; do
		selftest --quick --format "$format"
		status_is 0
		unlike '[^e]secure($|[^a-z-])|[Rr]eady for production|unbreakable'
	done
	selftest --quick
	like '^RESULT: contained: [0-9]+ of [0-9]+ attempts were shown to be contained, on Linux [^ ]+ .*; left out: '
}

@test "the exit status is the same in every format" {
	local format expected
	cp "$BUNDLE/config.json" "$WORK/before.json"
	for expected in 0 1 3; do
		cp "$WORK/before.json" "$BUNDLE/config.json"
		[ $expected -ne 1 ] || config 'del(.process.landlock)'
		for format in text json junit tap sarif html; do
			if [ $expected -eq 3 ]; then
				selftest --quick --skip '*' --format $format "$BUNDLE/"
			else
				selftest --quick --format $format "$BUNDLE/"
			fi
			[ "$status" -eq $expected ] || { echo "$format: $status instead of $expected: $output" && return 1; }
		done
	done
	config 'del(.process.landlock)'
	selftest --quick "$BUNDLE/" --output "$WORK/r.json" --output "$WORK/r.xml" --output "$WORK/r.tap" --output "$WORK/r.html" \
		--output "$WORK/r.sarif" --output "$WORK/r.txt"
	status_is 1
	for format in json xml tap html sarif txt; do
		[ -s "$WORK/r.$format" ]
	done
	jq -e '.summary.exit_code == 1' "$WORK/r.json"
}

# --- options ---

@test "--only, --skip, --group" {
	report --only 'sys.ptrace-[ts]*,sys.kcmp'
	status_is 0
	holds '[.canaries[].id] | length == 3 and all(test("^sys.(ptrace-|kcmp$)"))'
	report --group liveness,landlock
	status_is 0
	holds '[.canaries[].group] | unique == ["landlock", "liveness"]'
	report --quick --skip 'sys.ptrace-t*'
	status_is 0
	holds '.canaries | map(select(.id | startswith("sys.ptrace-t"))) | length > 0 and all(.verdict == "skipped")'
	selftest --only sys.nosuch
	status_is 2
	like "--only: no case is 'sys.nosuch'"
	selftest --group nosuch
	status_is 2
}

@test "nothing that runs is never a 0" {
	selftest --only sys.ptrace-traceme --group landlock
	status_is 3
	selftest --quick --skip '*'
	status_is 3
	selftest --group liveness
	status_is 3
	selftest --only cg.fork-bomb --skip 'cg.*'
	status_is 3
	like '^RESULT: undecided'
}

@test "--list and --explain know the same" {
	local id
	run agentd selftest --list
	status_is 0
	[ "$(wc -l <<<"$output")" -ge 120 ]
	[ "$(cut -d' ' -f1 <<<"$output" | sort | uniq -d)" = "" ]
	for id in $(cut -d' ' -f1 <<<"$output"); do
		run agentd selftest --explain "$id"
		status_is 0
		like "^$id " '^attempt ' '^layers ' '^control ' '^profile '
		# what must work needs no remedy
		[[ $output == *'liveness'* ]] || like '^remedy '
	done
	# in words: what is compared, and whose numbers these are
	run agentd selftest --explain sys.mount-setattr
	like '^control +oracle: .* ends with ENOENT$' '^references +MITRE ATT&CK: T1611$'
	run agentd selftest --explain fs.ll-refer
	like '^control +ablation: the same container, without landlock$'
	run agentd selftest --list --quick
	[ "$(wc -l <<<"$output")" -le 60 ]
	run agentd selftest --explain nosuch
	status_is 2
}

@test "--require" {
	selftest --quick --require landlock=99
	status_is 1
	like 'required and not there: landlock=99'
	selftest --quick --require seccomp,nonsense
	status_is 2
	if [ "$(landlock_abi)" -ge 4 ]; then
		selftest --quick --require seccomp,landlock=4
		status_is 0
	fi
	config 'del(.linux.seccomp)'
	selftest --only 'fs.ll-make_dir' --require seccomp "$BUNDLE/"
	status_is 1
	like 'required and not there: seccomp'
}

@test "--baseline" {
	report --group landlock
	cp "$REPORT" "$WORK/old.json"
	selftest --group landlock --baseline "$WORK/old.json"
	status_is 0
	# what passed then is skipped now
	selftest --group landlock --skip fs.ll-make_dir --baseline "$WORK/old.json"
	status_is 1
	like 'worse than the baseline: fs.ll-make_dir'
	# and the other way round
	report --group landlock --skip fs.ll-make_dir
	selftest --group landlock --baseline "$REPORT"
	status_is 0
	selftest --quick --baseline "$WORK/nosuch.json"
	status_is 2
	echo '{}' >"$WORK/wrong.json"
	selftest --quick --baseline "$WORK/wrong.json"
	status_is 2
	like 'is not a report of selftest'
	unlike RESULT
	jq '.canaries[0].verdict = "fine"' "$REPORT" >"$WORK/wrong.json"
	selftest --quick --baseline "$WORK/wrong.json"
	status_is 2
	like 'unknown verdict'
}

@test "--last" {
	selftest --last
	status_is 2
	like 'there was no run yet'
	selftest --quick
	status_is 0
	selftest --last
	status_is 0
	[ "$(jq -r '.run.profile' <<<"$output")" = quick ]
	config 'del(.process.landlock)'
	selftest --quick "$BUNDLE/"
	status_is 1
	selftest --last
	status_is 1
	jq -e '.summary.result == "escaped"' <<<"$output"
}

@test "wrong usage is 2, whatever else" {
	local options
	for options in "--format yaml" "--quick --comprehensive" "--output $WORK/r.doc" "--allow-skip nosuch" "$WORK/nosuch/" "--timeout x"; do
		# shellcheck disable=SC2086 # several words are wanted
		selftest $options
		[ "$status" -eq 2 ] || { echo "$options: $status, $output" && return 1; }
	done
	echo '{' >"$BUNDLE/config.json"
	selftest "$BUNDLE/"
	status_is 2
}

@test "what breaks it is 4, and never 1, which says that something got through" {
	local options
	report --quick
	for options in "--quick" "--list" "--explain cg.cpu" "--last"; do
		# shellcheck disable=SC2086 # several words are wanted
		run bash -c 'exec "$@" >/dev/full' - "$AGENTD" --root "$ROOT" selftest $options
		[ "$status" -eq 4 ] || { echo "$options: $status, $output" && return 1; }
	done
	run "$AGENTD" --root "$ROOT" --log "$WORK/none/log" selftest --quick
	status_is 4
	is_root || return 0
	run unshare -m bash -c 'mount -t tmpfs none /proc && exec "$@"' - "$AGENTD" --root "$ROOT" selftest --quick
	status_is 4
	like 'needs a procfs'
}

@test "a filter that kills: what is killed was contained, and nobody waits for what it leaves" {
	config '.linux.seccomp.defaultAction = "SCMP_ACT_KILL_PROCESS" | del(.linux.seccomp.defaultErrnoRet)'
	report "$BUNDLE/"
	holds '.summary.fail == 0 and .summary.error == 0'
	status_is 0
	holds '[.canaries[] | select(.id == "hyg.after-exec" or .id == "hyg.after-fork" or .id == "cap.userns-ioctl") |
		.verdict] == ["pass", "pass", "pass"]'
}

@test "in place, where the bounding set cannot be dropped: the other layers are tried" {
	needs_root
	needs setpriv
	local without="setpriv --bounding-set=-setpcap" allowed=--allow-skip=namespaces,cgroups,mounts,capabilities
	AGENTD="$without $AGENTD" in_place $allowed "$BUNDLE/"
	status_is 0
	like 'without CAP_SETPCAP the bounding set' '^ok +tracing'
	unlike '^FAIL'
	config 'del(.linux.seccomp)'
	AGENTD="$without $AGENTD" in_place $allowed "$BUNDLE/"
	status_is 1
	like '^FAIL +sys[.]'
	unlike '^FAIL +cap[.]'
}
# in_place [OPTION...]
in_place() {
	# shellcheck disable=SC2086 # a command and its arguments
	run timeout -s KILL 100 $AGENTD --root "$ROOT" selftest --in-place "$@" 3>&-
}

@test "without cgroups: what needs one is skipped, and says so" {
	needs_root
	unshare -m bash -c 'umount -R -l /sys/fs/cgroup && exec "$@"' - \
		"$AGENTD" --root "$ROOT" selftest --only 'hyg.*,cg.kill' --format json >"$REPORT" || [ $? -eq 3 ]
	holds '[.canaries[] | select(.id == "hyg.zombies" or .id == "hyg.parent-death" or .id == "cg.kill") | .verdict] |
		unique == ["skipped"]'
	holds '[.canaries[] | select(.id == "hyg.zombies") | .reason | test("without a cgroup")] == [true]'
}

@test "a run that takes too long says so" {
	selftest --timeout 1 --comprehensive
	[ "$status" -eq 0 ] || [ "$status" -ge 3 ]
}

# --- bundles with one hole each ---

@test "hole: no filter" {
	hole seccomp 'del(.linux.seccomp)' sys.ptrace-traceme sys.unshare-user sys.clone3-user sys.tiocsti-high sys.filter-count
}

@test "hole: the default profile of Docker and podman" {
	local profile=/usr/share/containers/seccomp.json
	[ -e $profile ] || skip "no $profile on this machine"
	[ "$(uname -m)" = x86_64 ] || skip "only for x86-64"
	# as an engine makes it for a container without capabilities
	jq --slurpfile profile $profile '$profile[0] as $profile | .linux.seccomp = {
		defaultAction: $profile.defaultAction, defaultErrnoRet: $profile.defaultErrnoRet,
		architectures: ($profile.archMap[] | select(.architecture == "SCMP_ARCH_X86_64") | [.architecture] + .subArchitectures),
		syscalls: [$profile.syscalls[] | select((.includes.caps // []) == [] and (.includes.arches // ["amd64"] | index("amd64"))) |
			{ names, action } + if .errnoRet then { errnoRet } else {} end +
			if (.args // []) == [] then {} else { args: [.args[] | { index, value, valueTwo, op }] } end] }' \
		"$BUNDLE/config.json" >"$WORK/docker.json"
	hole seccomp "$(jq -c '{ seccomp: .linux.seccomp }' "$WORK/docker.json" | sed 's/^/.linux += /')" \
		sys.ptrace-traceme net.nl-netfilter sys.unshare-user sys.tiocsti-high
	holds '.canaries[] | select(.id == "sys.i386-getpid") | .verdict == "fail" or .verdict == "not_applicable"'
}

@test "hole: no Landlock, no no_new_privs" {
	[ "$(landlock_abi)" -ge 1 ] || skip "the kernel has no Landlock"
	hole landlock 'del(.process.landlock)' fs.ll-write_file fs.ll-handled
	nothing_but '(fs|net)[.]ll-.*'
	# Landlock needs it
	config '.process.noNewPrivileges = false | del(.process.landlock)'
	report "$BUNDLE/"
	status_is 1
	ids fail | grep -qx cap.nnp
	nothing_but '(fs|net)[.]ll-.*|cap[.](nnp|suid-exec|filecap-exec)'
}

@test "hole: CAP_SYS_ADMIN" {
	hole capabilities '.process.capabilities[] += ["CAP_SYS_ADMIN"]' cap.ruling cap.ambient
	nothing_but 'cap.*|cve.2022-29162'
	hole capabilities '.process.capabilities.bounding += ["CAP_SYS_ADMIN"]' cap.ruling
	nothing_but cap.ruling
}

@test "hole: /proc/sys writable" {
	hole mounts '.linux.readonlyPaths -= ["/proc/sys"]' proc.ro-core_pattern
	nothing_but 'proc[.](ro|sys)-.*'
	hole mounts 'del(.linux.readonlyPaths)' proc.ro-core_pattern
	nothing_but 'proc[.](ro|sys)-.*'
}

@test "hole: nothing masked" {
	hole mounts '.linux.maskedPaths = []' proc.masked-timer_list
	nothing_but 'proc[.]masked-.*'
}

@test "hole: a directory of the host" {
	mkdir "$WORK/data"
	hole mounts '.mounts += [{ destination: "/mnt", type: "bind", source: "/etc", options: ["rbind", "ro"] }]' fs.bound
	nothing_but fs.bound
	hole mounts '.mounts += [{ destination: "/mnt", type: "bind", source: "'"$WORK/data"'", options: ["bind"] }]' fs.bound
	nothing_but fs.bound
}

@test "hole: a namespace of the host" {
	hole namespaces 'del(.linux.namespaces[] | select(.type == "ipc")) | del(.mounts[] | select(.type == "mqueue"))' ns.ipc-shm
	nothing_but 'ns[.]ipc-.*'
	is_root || return 0
	hole namespaces 'del(.linux.namespaces[] | select(.type == "network"))' ns.ifaces
	nothing_but 'ns[.](ifaces|abstract|loopback)|net[.].*'
}

# --- leaving nothing ---

# What a run might leave on the machine, a line each.
host_state() {
	sed 's/^[0-9]* [0-9]* /mount /' /proc/self/mountinfo
	find /sys/fs/cgroup -type d \( -name 'selftest-*' -o -name 'agentd*' \) 2>/dev/null || :
	find /proc/sys -type f -perm /222 2>/dev/null | grep -vE '/(random|fs/(inode|dentry|file)|net/netfilter|kernel/(ns_last_pid|pty))' |
		xargs grep -asH '' 2>/dev/null || :
	readlink /proc/[0-9]*/exe 2>/dev/null | grep -F agentd-selftest || :
	awk '/agentd/ { $1 = $2 = $3 = $4 = ""; print "key" $0 }' /proc/keys
	ls -d /sys/class/net/* /dev/shm/* /dev/mqueue/* /run/agentd-selftest-* /tmp/agentd-selftest-* /var/tmp/agentd-selftest-* \
		"${XDG_RUNTIME_DIR:-/run}"/agentd-selftest-* 2>/dev/null || :
	awk 'FNR > 1 { print FILENAME, $1, $2 }' /proc/sysvipc/{shm,msg,sem}
}

# The lines that are new; other runs on the machine come and go.
nothing_new() {
	host_state | sort -u >"$WORK/after"
	comm -13 "$WORK/host" "$WORK/after" >"$WORK/new"
	[ ! -s "$WORK/new" ]
}
others_run() { grep -lazxF selftest /proc/[0-9]*/cmdline 2>/dev/null | grep -q .; }
host_is_as_before() {
	local turn
	for ((turn = 0; turn < 100; turn++)); do
		nothing_new && return
		sleep 0.2
	done
	! others_run || skip "other runs of selftest on this machine, all the time"
	echo "new on the host:"
	cat "$WORK/new"
	return 1
}

@test "a hundred runs leave nothing" {
	local turn
	host_state | sort -u >"$WORK/host"
	for ((turn = 0; turn < 100; turn++)); do
		"$AGENTD" --root "$ROOT" selftest --allow-skip=cgroup --quick >"$WORK/said" 2>&1 3>&- || { cat "$WORK/said" && return 1; }
	done
	host_is_as_before
	nothing_left
	selftest
	selftest --comprehensive
	host_is_as_before
}

# killed_in_the_middle: there are containers of a run, and nobody to remove them
killed_in_the_middle() {
	local pid
	timeout -s KILL 60 "$AGENTD" --root "$ROOT" selftest --comprehensive >/dev/null 2>&1 3>&- &
	pid=$!
	wait_for has_containers
	pkill -KILL -P $pid || kill -KILL $pid
	wait $pid 2>/dev/null || :
	# its children hold the lock until they have noticed
	wait_for flock -n "$ROOT/.selftest" true
}
has_containers() { [ "$(agentd list -q | grep -c '^selftest-')" -gt 1 ]; }

@test "killed in the middle: the next run removes what is left" {
	host_state | sort -u >"$WORK/host"
	killed_in_the_middle
	selftest --quick
	status_is 0
	[ "$(agentd list -q)" = "" ]
	host_is_as_before
	nothing_left
}

@test "killed in the middle: so does delete --force, as for any container" {
	local id
	killed_in_the_middle
	for id in $(agentd list -q); do
		agentd delete --force "$id"
	done
	[ "$(agentd list -q)" = "" ]
	wait_for nothing_left
	selftest --quick
	status_is 0
}

@test "interrupted: it cleans up itself" {
	local pid
	host_state | sort -u >"$WORK/host"
	"$AGENTD" --root "$ROOT" selftest --comprehensive >"$WORK/said" 2>&1 3>&- &
	pid=$!
	wait_for has_containers
	kill -TERM $pid
	status=0
	wait $pid || status=$?
	[ "$status" -ne 0 ] && [ "$status" -ne 1 ]
	host_is_as_before
	nothing_left
}

@test "one at a time" {
	local pid
	timeout -s KILL 60 "$AGENTD" --root "$ROOT" selftest --comprehensive >/dev/null 2>&1 3>&- &
	pid=$!
	wait_for has_containers
	selftest --quick
	[ "$status" -eq 4 ]
	like 'another agentd selftest is running'
	wait $pid || [ $? -eq 3 ]
	selftest --quick
	status_is 0
}
