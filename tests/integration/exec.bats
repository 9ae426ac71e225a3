# exec: a further process is isolated like the first (CVE-2019-10144), and differs only in what is asked for.

load helpers

@test "the exit status and the streams are the process's" {
	start_resting
	in_container exit 9
	status_is 9
	in_container signal 11
	status_is 139
	run bash -c 'echo through | "$@"' - "$AGENTD" --root "$ROOT" exec "$ID" /bin/canary cat
	has through
}

@test "everything that confines the first process confines it" {
	config '.process.noNewPrivileges = true'
	start_resting many caps -- status -- ns -- id -- rlimits -- cat /proc/self/cgroup -- cat /proc/self/oom_score_adj -- \
		hostname -- sched -- fds -- mounts -- sleep
	local what
	for what in caps status ns id rlimits 'cat /proc/self/cgroup' 'cat /proc/self/oom_score_adj' hostname sched mounts; do
		# shellcheck disable=SC2086
		in_container $what
		status_is 0
		has_all_of_init
	done
}

# Each line of the output was said by the first process too.
has_all_of_init() {
	local line
	while read -r line; do
		grep -qxF -- "$line" "$WORK/out" || {
			echo "the first process does not have: $line"
			cat "$WORK/out"
			return 1
		}
	done <<<"$output"
}

@test "no descriptor more than 0, 1, 2" {
	start_resting
	run agentd exec "$ID" /bin/canary fds 7</etc/passwd
	[ "$(wc -l <<<"$output")" -eq 3 ]
}

@test "--cwd, --env" {
	start_resting
	run agentd exec --cwd /bin "$ID" /bin/canary cwd
	has cwd=/bin
	run agentd exec -e A=1 --env B=2 "$ID" /bin/canary env
	has A=1 B=2
	run agentd exec --cwd /missing "$ID" /bin/canary cwd
	[ "$status" -ne 0 ]
	like '/missing'
}

@test "--user: a number, or a number and a group, and nothing else" {
	needs_root
	mkdir -p "$BUNDLE/rootfs/etc"
	printf '1000:x:0:0::/:/bin/sh\nroot:x:0:0::/:/bin/sh\n' >"$BUNDLE/rootfs/etc/passwd"
	start_resting
	run agentd exec -u 1000 "$ID" /bin/canary id
	has uid=1000
	run agentd exec --user 1000:2000 "$ID" /bin/canary many id -- caps
	has uid=1000 gid=2000 effective=0000000000000000
	local user
	for user in 4294967295 4294967296 -1 1x x1 1: :1 1:2:3 '' root '1 ' 0x10; do
		run agentd exec --user="$user" "$ID" /bin/canary id
		[ "$status" -ne 0 ] || { echo "accepted: '$user'"; echo "$output"; false; }
	done
}

@test "HOME is that of the user who executes" {
	needs_root
	config '.process.env = []'
	printf 'root:x:0:0::/root:\nme:x:1000:7::/home/me:\n' >"$BUNDLE/rootfs/etc/passwd"
	start_resting
	run agentd exec --user 1000 "$ID" /bin/canary env
	has HOME=/home/me
}

@test "--cap adds a capability, and never to the inheritable set (CVE-2022-29162)" {
	start_resting
	run agentd exec --cap CAP_SYS_NICE "$ID" /bin/canary caps
	status_is 0
	has inheritable=0000000000000000
	(((0x$(value effective) >> 23) & 1))
	in_container caps
	(((0x$(value effective) >> 23) == 0 || !((0x$(value effective) >> 23) & 1)))
	run agentd exec --cap CAP_NOPE "$ID" /bin/canary caps
	[ "$status" -ne 0 ]
	like CAP_NOPE
}

@test "--process takes all from a file" {
	start_resting
	jq '.process | .args = ["/bin/canary", "many", "env", "--", "cwd", "--", "status"] | .env = ["ONLY=this"] | .cwd = "/etc" |
		.noNewPrivileges = true' "$BUNDLE/config.json" >"$WORK/process.json"
	run agentd exec --process "$WORK/process.json" "$ID"
	status_is 0
	has ONLY=this cwd=/etc no_new_privs=1
	echo '{ "cwd": "x", "args": ["/bin/canary"], "user": { "uid": 0, "gid": 0 } }' >"$WORK/process.json"
	run agentd exec --process "$WORK/process.json" "$ID"
	[ "$status" -ne 0 ]
	like 'cwd'
}

@test "--detach with --pid-file, in every namespace of the container" {
	local type
	start_resting
	agentd exec --detach --pid-file "$WORK/exec.pid" "$ID" /bin/canary sleep </dev/null >"$WORK/exec.out" 2>&1 3>&-
	wait_for grep -qx ready "$WORK/exec.out"
	[ -d "/proc/$(cat "$WORK/exec.pid")" ]
	for type in user pid net ipc uts time cgroup mnt; do
		[ "$(readlink "/proc/$(cat "$WORK/exec.pid")/ns/$type")" = "$(readlink "/proc/$PID/ns/$type")" ]
	done
	agentd delete --force "$ID"
	wait_for bash -c "! [ -d /proc/$(cat "$WORK/exec.pid") ]"
}

@test "--tty" {
	needs script
	start_resting
	run script -qec "$AGENTD --root $ROOT exec --tty $ID /bin/canary tty" /dev/null
	output=${output//$'\r'/}
	status_is 0
	like '0=tty' '1=tty'
	has session=own /dev/tty=ok
}

@test "a program that cannot be found" {
	start_resting
	run agentd exec "$ID" nonsense
	[ "$status" -ne 0 ]
	like 'nonsense.*executable file not found in \$PATH'
	run agentd exec "$ID" /nope
	[ "$status" -ne 0 ]
	like '/nope.*no such file or directory'
}

@test "--preserve-fds" {
	start_resting
	run bash -c 'exec "$@" 3</etc/passwd 4</' - "$AGENTD" --root "$ROOT" exec --preserve-fds 1 "$ID" /bin/canary fds
	status_is 0
	like '^3=file'
	unlike '^4='
}

@test "--cgroup stays below the container's own" {
	needs_root
	grep -q ' - cgroup2 ' /proc/self/mountinfo || skip "no cgroup v2 here"
	start_resting
	for path in .. ../x "../$ID-suffix" /../x a/../../x; do
		run agentd exec --cgroup "$path" "$ID" /bin/canary true
		[ "$status" -ne 0 ] || { echo "accepted: $path"; false; }
	done
}

@test "a signal to agentd reaches the process" {
	start_resting
	"$AGENTD" --root "$ROOT" exec "$ID" /bin/canary trap >"$WORK/trap" 2>&1 </dev/null 3>&- & local agentd=$!
	wait_for grep -qx ready "$WORK/trap"
	kill -TERM $agentd
	status=0
	wait $agentd || status=$?
	status_is 42
}

@test "a hundred in a row leave nothing" {
	start_resting
	local turn
	for turn in $(seq 100); do
		agentd exec "$ID" /bin/canary true 3>&-
	done
	[ "$(agentd ps -f json "$ID" | jq length)" -eq 1 ]
}

@test "many at once" {
	start_resting
	local turn pids=()
	for turn in $(seq 20); do
		agentd exec "$ID" /bin/canary exit "$turn" </dev/null >/dev/null 2>&1 3>&- & pids+=($!)
	done
	for turn in $(seq 20); do
		status=0
		wait "${pids[turn - 1]}" || status=$?
		status_is "$turn"
	done
}

@test "the OOM score is the container's" {
	config '.process.oomScoreAdj = 654'
	start_resting
	in_container cat /proc/self/oom_score_adj
	status_is 0
	has 654
}
