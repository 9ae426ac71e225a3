# Every step of both lists made to fail, for every command that launches: an error that names the step, and nothing left
# behind. Then agentd killed at any moment: `delete --force` cleans up.

load helpers

FAULTY=${AGENTD_FAULTS:-$TOP/build-faults/agentd}
TOOLS=${AGENTD_TOOLS:-$TOP/build/tests/integration}

apparmor() { grep -qs Y /sys/module/apparmor/parameters/enabled; }

# --- bundles: between them, every step is wanted ---

new_bundle() {
	rm -r "$BUNDLE"
	make_default_bundle
	CANARY_INODE=$(stat -c %d:%i "$BUNDLE/rootfs/bin/canary")
}

# Everything that goes together with no_new_privs and a terminal.
rich_bundle() {
	local devices=[]
	new_bundle
	! is_root || devices='[{ "allow": false, "access": "rwm" }]'
	user_namespace
	namespace time
	config '.linux.resources = { devices: $devices } | .process.terminal = true | .process.args = ["/bin/canary", "true"] |
		.linux.timeOffsets = { monotonic: { secs: 1, nanosecs: 0 } } |
		.linux.sysctl = { "net.ipv4.ip_unprivileged_port_start": "1000" } |
		.process.oomScoreAdj = 900 | .process.scheduler = { policy: "SCHED_BATCH" } |
		.hooks = ({ prestart: "/bin/true", createRuntime: "/bin/true", createContainer: "/bin/true", startContainer: "/bin/canary",
			poststart: "/bin/true", poststop: "/bin/true" } | map_values([{ path: ., args: ["hook", "true"] }]))' \
		--argjson devices "$devices"
	! apparmor || config '.process.apparmorProfile = "unconfined"'
}

# A filter without no_new_privs needs privileges over the user namespace; a namespace that is joined; no terminal.
privileged_bundle() {
	local devices=[]
	new_bundle
	! is_root || devices='[{ "allow": false, "access": "rwm" }]'
	user_namespace
	! is_root || namespace ipc "/proc/$$/ns/ipc"
	config 'del(.process.landlock) | .linux.resources = { devices: $devices } | .process.terminal = false | .process.noNewPrivileges = false |
		.process.capabilities[] = ["CAP_SYS_ADMIN"] |
		.mounts |= map(select(.destination != "/dev/mqueue")) + [{ destination: "/mnt", type: "tmpfs", source: "/none" }]' \
		--argjson devices "$devices"
}

# So many mounts that the descriptors of most systems do not suffice; the host's processes are to be seen.
crowded_bundle() {
	new_bundle
	config 'del(.linux.resources, .linux.seccomp, .process.landlock) | .linux.namespaces |= map(select(.type != "pid")) |
		.mounts += [range(970) | { destination: "/mnt", type: "bind", source: "/dev/null", options: ["bind"] }]'
	rmdir "$BUNDLE/rootfs/mnt"
	: >"$BUNDLE/rootfs/mnt"
}

# --- making a step fail ---

# Tells whether a step made a command fail as it should: 0, or 1 if it is no part of the command, which then succeeded. Anything
# else goes into $wrong.
fails() { # STEP COMMAND...
	local code=0
	AGENTD_FAIL_STEP=$1 timeout -k 1 20 "$FAULTY" --root "$ROOT" "${@:2}" </dev/null >"$WORK/out" 2>"$WORK/error" 3>&- || code=$?
	[ "$code" -ne 0 ] || return 1
	[ "$code" -eq 1 ] || wrong+="$1: $2 ends with status $code"$'\n'
	[ "$(wc -l <"$WORK/error")" -eq 1 ] || wrong+="$1: $2 says: $(cat "$WORK/error")"$'\n'
	grep -qE "$(message "$1" "$2")" "$WORK/error" || wrong+="$1: $2 does not name it: $(cat "$WORK/error")"$'\n'
	[ ! -e "$WORK/pid" ] || wrong+="$1: $2 leaves a pid file"$'\n'
}

# Before GO agentd is at work on init by pid, and may be the first to see that it is gone. Between `create` and `start` there is nobody whom init could tell why it ends.
message() { # STEP COMMAND
	case "$2 $1" in
	"start await start") echo "is stopped$|init ended before it was started$" ;;
	*" await go") echo "await go: made to fail|open /proc/[0-9]*/" ;;
	*) sed 's/[()]/\\&/g; s/$/: made to fail/' <<<"$1" ;;
	esac
}

cleaned_up() { # STEP
	local what
	what=$(nothing_left) || wrong+="$1: $what"$'\n'
}

step_in_run() {
	fails "$1" run --pid-file "$WORK/pid" --bundle "$BUNDLE" "$ID" || return 1
	cleaned_up "$1"
}

# Steps after the wait make `start` fail; the container is then to be deleted as one that stopped.
step_in_create() {
	local options=()
	[ ! -S "$WORK/console" ] || options=(--console-socket "$WORK/console")
	if fails "$1" create --pid-file "$WORK/pid" "${options[@]}" --bundle "$BUNDLE" "$ID"; then
		cleaned_up "$1"
		return
	fi
	rm "$WORK/pid"
	if fails "$1" start "$ID"; then
		wait_for status_becomes stopped
		agentd delete "$ID" || wrong+="$1: cannot be deleted"$'\n'
		cleaned_up "$1"
		return
	fi
	agentd delete --force "$ID"
	return 1
}

step_in_exec() {
	fails "$1" exec --pid-file "$WORK/pid" "${exec_options[@]}" "$ID" /bin/canary true || { rm -f "$WORK/pid"; return 1; }
	[ "$(own_processes | wc -l)" -eq 1 ] || wrong+="$1: exec leaves $(own_processes)"$'\n'
}

# Makes each step of a file fail. Those that were not reached are what the file has afterwards.
each_step() { # run|create|exec FILE
	local step
	while read -r step; do
		"step_in_$1" "$step" || echo "$step"
	done <"$2" >"$2.left"
	mv "$2.left" "$2"
}

# Steps that a machine or a command does not have, and why.
reason() { # COMMAND STEP
	case "$1 $2" in
	"run start socket") echo "run starts the program over the wire" ;;
	*" namespaces" | "run joiner" | "create joiner") is_root || echo "an ordinary user has none to join" ;;
	"exec oom score") echo "done before anything is joined" ;;
	"exec descriptors") echo "exec mounts nothing" ;;
	*" label") apparmor || echo "no AppArmor here" ;;
	*" cgroup" | *" device program"* | *" cgroup of init") is_root || echo "no cgroup of an ordinary user" ;;
	esac
}

all_reached() { # COMMAND FILE
	local step why
	while read -r step; do
		why=$(reason "$1" "$step")
		if [ -n "$why" ]; then
			echo "# $1: $step: not reached: $why" >&3
		else
			wrong+="$step: no configuration reaches it"$'\n'
		fi
	done <"$2"
	[ -z "$wrong" ] || { echo "$wrong"; return 1; }
}

# Keeps the terminals that it gets, so that they stay open.
console_server() {
	needs python3
	start_racer python3 -c 'import socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
held = []
while True: held.append(server.accept()[0].recvmsg(1, socket.CMSG_SPACE(4)))' "$WORK/console"
	wait_for test -S "$WORK/console"
}

no_files() { [ -z "$(find /proc/[0-9]*/fd -lname '/memfd:agentd*' 2>/dev/null)" ]; }

go_over() { # run|create|exec
	local bundle
	[ -x "$FAULTY" ] || skip "no build with FAULTS=1"
	wrong=
	"$TOOLS/steps" "$1" >"$WORK/steps"
	[ "$(wc -l <"$WORK/steps")" -gt 25 ]
	for bundle in rich privileged crowded; do
		[ -s "$WORK/steps" ] || break
		"${bundle}_bundle"
		"before_$1" "$bundle"
		each_step "$1" "$WORK/steps"
		"after_$1"
		stop_racer
	done
	no_files
	all_reached "$1" "$WORK/steps"
}

before_run() { :; }
after_run() { :; }

before_create() { [ "$1" != rich ] || console_server; }
after_create() { rm -f "$WORK/console"; }

# The container has no terminal, so that nobody needs to keep it.
before_exec() {
	config '.process.terminal = false'
	exec_options=()
	[ "$1" != rich ] || exec_options=(--tty)
	start_resting
	rm "$WORK/pid"
}
after_exec() {
	agentd delete --force "$ID"
	cleaned_up "the container of exec"
}

@test "every step of run that fails says so and leaves nothing" { go_over run; }

@test "every step of create and start that fails says so and leaves nothing" { go_over create; }

@test "every step of exec that fails says so and leaves the container as it was" { go_over exec; }

# --- agentd killed ---

# Kills agentd at its first system call, then, begun anew, some calls later, and so on until it gets to its end.
# KILL_STEP=1: at every one.
kill_everywhere() { # BEFORE AFTER COMMAND...
	local before=$1 after=$2 at code
	shift 2
	for ((at = 1;; at += ${KILL_STEP:-7})); do
		"$before"
		code=0
		"$TOOLS/kill_at" "$at" "$AGENTD" --root "$ROOT" "$@" </dev/null >"$WORK/out" 2>&1 3>&- || code=$?
		"$after" || { echo "killed at system call $at of $1"; return 1; }
		[ "$code" -eq 137 ] || break
	done
	[ "$code" -eq 0 ] || { echo "status $code: $(cat "$WORK/out")"; return 1; }
	echo "# $1: $at system calls" >&3
	[ "$at" -gt 50 ]
}

nothing_before() { :; }
create_before() { agentd create --bundle "$BUNDLE" "$ID" </dev/null >"$WORK/out" 2>&1 3>&-; }

quietly() { "$@" >"$WORK/quiet" 2>&1; }
delete_after() {
	agentd delete --force "$ID" || return
	wait_for quietly nothing_left || { cat "$WORK/quiet"; return 1; }
}

one_process() { [ "$(own_processes | wc -l)" -eq 1 ]; }
rests_after() { wait_for one_process && status_becomes running; }

killable_bundle() {
	[ -x "$TOOLS/kill_at" ] || skip "not built: kill_at"
	new_bundle
	config 'del(.linux.resources)'
	payload true
}

@test "run, killed anywhere: delete --force leaves nothing" {
	killable_bundle
	kill_everywhere nothing_before delete_after run --bundle "$BUNDLE" "$ID"
}

@test "create, killed anywhere: delete --force leaves nothing" {
	killable_bundle
	kill_everywhere nothing_before delete_after create --bundle "$BUNDLE" "$ID"
}

@test "start, killed anywhere: delete --force leaves nothing" {
	killable_bundle
	kill_everywhere create_before delete_after start "$ID"
}

@test "delete, killed anywhere: delete --force leaves nothing" {
	killable_bundle
	kill_everywhere create_before delete_after delete "$ID"
}

@test "exec, killed anywhere: the container stays as it is" {
	killable_bundle
	start_resting
	kill_everywhere nothing_before rests_after exec "$ID" /bin/canary true
}
