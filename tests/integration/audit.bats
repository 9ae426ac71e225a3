# agentd audit: what a running container has, compared with its configuration.

load helpers

# Everything but limits, which not every machine can have.
setup() {
	is_root || needs_user_namespaces
	prepare make_default_bundle
	config 'del(.linux.resources)'
}

audit() { run agentd audit "$@" "$ID"; }

# found FILTER REGEX...: launched with a change, the container is weaker than the configuration without it says, and
# in nothing but what matches.
found() {
	local strict=$WORK/strict.json pattern
	payload sleep
	cp "$BUNDLE/config.json" "$strict"
	config "$1"
	start_resting
	cp "$strict" "$ROOT/$ID/config.json"
	audit
	status_is 1
	output=$(grep ^WEAKER <<<"$output")
	shift
	like "$@"
	for pattern; do
		output=$(grep -vE -- "$pattern" <<<"$output") || true
	done
	[ -z "$output" ] || { echo "besides: $output"; return 1; }
	agentd delete --force "$ID"
	cp "$strict" "$BUNDLE/config.json"
}

@test "a container that is as it should be" {
	start_resting
	audit
	status_is 0
	like '0 of them weaker$' 'seccomp +mode 2' 'no_new_privs set' 'not seen .*Landlock'
	unlike ^WEAKER
	audit --format json
	status_is 0
	[ "$(jq -r '.pid, .weaker, .posture.ownNamespaces.pid' <<<"$output" | tr '\n' ' ')" = "$PID 0 true " ]
}

@test "a paused one; not one that has not started, nor one that has ended" {
	run agentd audit "$ID"
	status_is 2
	agentd create --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&-
	audit
	status_is 2
	like 'is created: only a running one'
	agentd delete --force "$ID"
	audit --format xml
	status_is 2
}

@test "credentials" {
	found '.process.noNewPrivileges = false | del(.process.landlock)' 'process.noNewPrivileges: expected set, found not set'
	found '.process.capabilities[] = ["CAP_SYS_CHROOT"]' 'process.capabilities.[a-z]+: expected none, found CAP_SYS_CHROOT'
	found 'del(.linux.seccomp)' 'linux.seccomp: expected a filter'
	is_root || return 0
	config '.process.user.uid = 1000'
	found '.process.user.uid = 0' 'process.user.uid: expected 1000'
	found '.process.user.additionalGids = [5]' 'process.user.additionalGids: .* found 5$'
}

@test "namespaces" {
	config 'del(.hostname)'
	found 'del(.linux.namespaces[] | select(.type == "uts"))' 'linux.namespaces: uts: expected its own, found the host'
	is_root || return 0
	found 'del(.linux.namespaces[] | select(.type == "network"))' 'linux.namespaces: net:'
	found 'del(.linux.namespaces[] | select(.type == "cgroup"))' 'linux.namespaces: cgroup:'
}

@test "the root, mounts, and what is hidden" {
	local hidden
	found '.root.readonly = false' 'root.readonly: expected ro'
	found '.mounts += [{ destination: "/mnt", type: "tmpfs", source: "tmpfs" }]' 'mounts: .* found tmpfs on /mnt$'
	found 'del(.mounts[] | select(.destination == "/tmp"))' 'mounts\[[0-9]+\] \(/tmp\): expected mounted'
	found '(.mounts[] | select(.destination == "/tmp") | .options) -= ["noexec", "nodev"]' \
		'\(/tmp\): expected (noexec|nodev), found '
	hidden=$(for path in /proc/timer_list /proc/keys /sys/firmware; do [ ! -e $path ] || echo $path; done | head -n 1)
	found ".linux.maskedPaths -= [\"$hidden\"]" "linux.maskedPaths: $hidden: expected hidden, found visible"
	found '.linux.readonlyPaths -= ["/proc/sys"]' 'linux.readonlyPaths: /proc/sys: expected ro'
}

@test "limits" {
	config '.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 200, hard: 200 }]'
	found '.process.rlimits[0].hard = 300' 'process.rlimits: RLIMIT_NOFILE: expected 200, at most 200, found 200, at most 300'
	config '.process.oomScoreAdj = 500'
	found '.process.oomScoreAdj = 400' 'process.oomScoreAdj: expected 500, found 400'
}

@test "a descriptor that leads out" {
	payload sleep
	echo secret >"$WORK/secret"
	agentd run --detach --preserve-fds 1 --bundle "$BUNDLE" "$ID" 3<"$WORK/secret" </dev/null >"$WORK/out" 2>&1
	wait_for grep -qx ready "$WORK/out"
	audit
	status_is 1
	like "^WEAKER +descriptor 3: expected in the container, found $WORK/secret, outside of it"
}
