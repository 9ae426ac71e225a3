# Configurations that are wrong: one line that names the property, exit status 1, nothing left.

load helpers

raw() { printf '%s' "$1" >"$BUNDLE/config.json"; }

@test "no config.json" {
	rm "$BUNDLE/config.json"
	refused "open $BUNDLE/config.json: No such file.*agentd spec"
}

@test "config.json that is no file is not waited for" {
	rm "$BUNDLE/config.json"
	mkfifo "$BUNDLE/config.json"
	refused "$BUNDLE/config.json is not a regular file"
	rm "$BUNDLE/config.json"
	ln -s /dev/zero "$BUNDLE/config.json"
	refused "$BUNDLE/config.json is not a regular file"
	rm "$BUNDLE/config.json"
	mkdir "$BUNDLE/config.json"
	refused "$BUNDLE/config.json is a directory"
}

@test "no bundle" {
	run agentd run --bundle "$WORK/missing" "$ID"
	status_is 1
	like 'missing.*No such file'
	run agentd run "$BUNDLE/config.json" # a file
	status_is 1
	like "$BUNDLE/config.json/config.json: Not a directory"
}

@test "what is no JSON" {
	for text in '' ' ' '{' '[]' 'null' '"x"' '{ "a": 1, }' '{} {}' '{ "a": /* c */ 1 }' $'{ "a": "\x01" }' '{ a: 1 }'; do
		raw "$text"
		refused config.json
	done
}

@test "a key twice" {
	raw '{ "ociVersion": "1.0.0", "ociVersion": "1.0.0" }'
	refused 'ociVersion'
}

@test "a NUL in a string" {
	raw '{ "ociVersion": "1.0.0\u0000evil" }'
	refused 'config.json.*NUL|config.json.*zero'
}

@test "deep nesting, and a file that is too large" {
	raw "$(printf '{"a":%.0s' {1..2000})"
	refused config.json
	head -c 5000000 /dev/zero | tr '\0' ' ' >"$BUNDLE/config.json"
	refused config.json
}

@test "versions" {
	for version in 1.0.0 1.0.2-dev 1.2.1 1.1.0-rc.1 1.99.0; do
		config '.ociVersion = $v' --arg v "$version"
		inside true
	done
	for version in 2.0.0 0.9.0 '' nonsense 1; do
		config '.ociVersion = $v' --arg v "$version"
		refused ociVersion
	done
	config 'del(.ociVersion)'
	refused ociVersion
}

# Each row: a filter that spoils the configuration, and what the message must name.
@test "values of the wrong type or missing are named with their path" {
	cp "$BUNDLE/config.json" "$WORK/good.json"
	local filter name count=0
	while IFS='|' read -r filter name; do
		[ -n "$filter" ] || continue
		cp "$WORK/good.json" "$BUNDLE/config.json"
		config "$filter"
		refused "$name" || { echo "for: $filter"; return 1; }
		count=$((count + 1))
	done <<-'ROWS'
		.process = 1|process
		.process.args = "x"|process\.args
		.process.args[0] = 1|process\.args\[0\]
		.process.env = [1]|process\.env\[0\]
		.process.cwd = 1|process\.cwd
		.process.terminal = "yes"|process\.terminal
		.process.user = []|process\.user
		.process.noNewPrivileges = 1|process\.noNewPrivileges
		.process.rlimits = [{ "type": "RLIMIT_CORE", "soft": 1 }]|process\.rlimits\[0\]\.hard
		.process.rlimits = [{ "type": "RLIMIT_CORE", "soft": -1, "hard": 1 }]|process\.rlimits\[0\]\.soft
		.process.oomScoreAdj = "x"|process\.oomScoreAdj
		.process.scheduler = {}|process\.scheduler\.policy
		.process.ioPriority = {}|process\.ioPriority\.class
		.root = "x"|root
		.root = {}|root\.path
		.root.readonly = 1|root\.readonly
		.mounts = {}|mounts
		.mounts = [{}]|mounts\[0\]\.destination
		.mounts[0].options = "ro"|mounts\[0\]\.options
		.mounts[0].destination = 1|mounts\[0\]\.destination
		.hostname = 1|hostname
		.annotations = { "a": 1 }|annotations
		.annotations = { "": "x" }|annotations
		.hooks.prestart = [{}]|hooks\.prestart\[0\]\.path
		.hooks.poststop = "x"|hooks\.poststop
		.hooks.prestart = [{ "path": "/bin/true" }, { "path": "/bin/true", "env": ["A=1", "B"] }]|hooks\.prestart\[1\]\.env\[1\].*'B' is not of the form NAME=VALUE
		.linux = []|linux
		.linux.namespaces = [{}]|linux\.namespaces\[0\]\.type
		.linux.uidMappings = [{ "containerID": 0 }]|linux\.uidMappings\[0\]
		.linux.devices = [{ "path": "/dev/x" }]|linux\.devices\[0\]\.type
		.linux.maskedPaths = ["relative"]|linux\.maskedPaths\[0\]
		.linux.readonlyPaths = ["relative"]|linux\.readonlyPaths\[0\]
		.linux.sysctl = []|linux\.sysctl
		.linux.seccomp = {}|linux\.seccomp\.defaultAction
		.linux.seccomp = { "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{}] }|linux\.seccomp\.syscalls\[0\]
		.linux.resources.pids = { "limit": "x" }|linux\.resources\.pids\.limit
		.linux.resources.memory = { "limit": 1.5 }|linux\.resources\.memory\.limit
		.linux.resources.memory = { "limit": 1e30 }|linux\.resources\.memory\.limit
		.linux.personality = { "domain": "X" }|linux\.personality\.domain
		.linux.timeOffsets = { "nonsense": { "secs": 1, "nanosecs": 0 } }|timeOffsets
		.linux.intelRdt = { "closID": "x" }|intelRdt
	ROWS
	[ "$count" -gt 35 ]
}

@test "null is the same as absent" {
	config '.hooks = null | .process.oomScoreAdj = null | .linux.seccomp = null | .mounts[0].options = null | .process.rlimits = null'
	launch
	status_is 0
}

@test "the text of the kernel is kept" {
	needs_user
	[ ! -x /root ] || skip "/root is not closed to this user"
	config '.mounts += [{ destination: "/mnt", source: "/root/x", type: "bind", options: ["bind"] }]'
	refused 'mounts\[[0-9]+\].*Permission denied'
}

@test "no procfs: what to do" {
	needs_root
	run unshare --mount sh -c 'mount -t tmpfs none /proc && exec "$@"' - "$AGENTD" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	status_is 1
	like 'open /proc/self/exe: No such file.*procfs mounted on /proc'
}

@test "the procfs of another pid namespace: nobody there is touched, and no container taken for ended" {
	local command
	needs_root
	start_resting
	for command in "run --bundle $BUNDLE $ID-2" "exec $ID /bin/canary true" "state $ID" "kill $ID KILL" "delete --force $ID" list; do
		# shellcheck disable=SC2086 # several words are wanted
		run unshare --pid --fork "$AGENTD" --root "$ROOT" $command
		status_is 1
		like '^agentd: /proc does not show the processes of this pid namespace; mount a procfs'
		[ "${#lines[@]}" -eq 1 ]
	done
	for command in "state $ID" "delete $ID"; do
		# shellcheck disable=SC2086
		run unshare --mount sh -c 'mount -t tmpfs none /proc && exec "$@"' - "$AGENTD" --root "$ROOT" $command
		status_is 1
		like 'mount a procfs'
	done
	[ "$(container_status)" = running ]
}

@test "no file may grow: the error says so, and nothing is left" {
	run bash -c 'ulimit -f 0; "$@" 2>&1 | cat' - "$AGENTD" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	like '^agentd: .*File too large' # an ordinary user's is the copy of the executable
	run agentd list -q
	[ -z "$output" ]
}

@test "too few descriptors: the error says so, and nothing is left" {
	local limit
	needs prlimit
	for limit in {5..20}; do
		run prlimit --nofile="$limit:" "$AGENTD" --root "$ROOT" run --bundle "$BUNDLE" "$ID" 3>&-
		[ "$status" -ne 0 ] || break
		like 'Too many open files'
		nothing_left || { echo "limit $limit: $output"; false; }
	done
	[ "$status" -eq 0 ]
	[ "$limit" -gt 9 ]
}

@test "a root below a directory that is closed to the mapped user: the caller opens it" {
	needs_root
	mkdir -m 700 "$WORK/shut"
	mv "$BUNDLE" "$WORK/shut/bundle"
	BUNDLE=$WORK/shut/bundle
	user_namespace
	inside true
}

@test "a program that is closed to its user: the text of the kernel, and what to do" {
	needs_root
	chmod 700 "$BUNDLE/rootfs/bin"
	config '.process.user.uid = 1000 | del(.process.rlimits)'
	refused '/bin/canary.*permission denied'
}
