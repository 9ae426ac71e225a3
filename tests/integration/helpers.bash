# What every test file loads: a bundle of its own for each test, a few words to say what is expected, and a check at the
# end that nothing is left behind. Runs as root and as an ordinary user (whose containers get a user namespace).
#
# AGENTD and CANARY name the binaries (default: those of build/); AGENTD_FLAGS are put before every command.

bats_require_minimum_version 1.5.0

TOP=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
AGENTD=$(realpath "${AGENTD:-$TOP/build/agentd}")
CANARY=$(realpath "${CANARY:-$TOP/build/agentd-canary}")
CACHE=${AGENTD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/agentd-tests}

setup() {
	is_root || needs_user_namespaces
	prepare make_bundle
}

# prepare FUNCTION: a directory of the test's own, and in it the bundle that the function makes
prepare() {
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/agentd-test.XXXXXX")
	ID=test-${WORK##*.}
	ROOT=$WORK/state
	BUNDLE=$WORK/bundle
	chmod 755 "$WORK"
	"$1"
	CANARY_INODE=$(stat -c %d:%i "$BUNDLE/rootfs/bin/canary")
}

teardown() {
	local id left=0
	[ -n "${WORK-}" ] || return 0
	stop_racer
	for id in $("$AGENTD" --root "$ROOT" list -q 2>/dev/null); do
		agentd delete --force "$id" || left=1
	done
	nothing_left || left=1
	rm -rf --one-file-system "$WORK"
	return $left
}

agentd() {
	# shellcheck disable=SC2086 # several words are wanted
	"$AGENTD" --root "$ROOT" ${AGENTD_FLAGS-} "$@"
}

is_root() { [ "$EUID" -eq 0 ]; }
needs_root() { is_root || skip "only root can do this"; }
needs_user() { ! is_root || skip "only for an ordinary user"; }
needs() {
	local tool
	for tool; do
		command -v "$tool" >/dev/null || skip "no $tool on this machine"
	done
}

# In a chroot(2) the kernel makes none, not even for root; elsewhere a sysctl may forbid them.
needs_user_namespaces() { unshare --user true 2>/dev/null || skip "user namespaces cannot be made here"; }

# start_racer COMMAND...: runs until stop_racer or the end of the test
start_racer() {
	"$@" >/dev/null 2>&1 3>&- &
	echo $! >"$WORK/racer"
}
stop_racer() {
	local racer
	[ -e "$WORK/racer" ] || return 0
	racer=$(cat "$WORK/racer")
	kill -KILL "$racer"
	wait "$racer" 2>/dev/null || :
	rm "$WORK/racer"
}

# --- bundles ---

# A root filesystem with nothing but the canary, and the configuration of `agentd spec`, with no terminal.
make_default_bundle() {
	local rootless=
	is_root || rootless=--rootless
	mkdir -p "$BUNDLE"/rootfs/{bin,dev,etc,mnt,proc,run,sys,tmp}
	cp "$CANARY" "$BUNDLE/rootfs/bin/canary"
	"$AGENTD" spec $rootless --bundle "$BUNDLE" -- /bin/canary true
	config '.process.terminal = false'
}

# The same without limits, filter and Landlock, so that a test sees the one thing that it adds.
make_bundle() {
	make_default_bundle
	config 'del(.linux.resources, .linux.seccomp, .process.landlock)'
}

# config FILTER [JQ-ARGUMENT...]: changes config.json
config() { jq "$@" <"$BUNDLE/config.json" >"$BUNDLE/config.new" && mv "$BUNDLE/config.new" "$BUNDLE/config.json"; }

# payload NAME [ARGUMENT...]: what the canary is to do
payload() { config '.process.args = ["/bin/canary"] + $ARGS.positional' --args -- "$@"; }

# no_namespace TYPE..., namespace TYPE [PATH]
no_namespace() {
	local type
	for type; do
		config '.linux.namespaces |= map(select(.type != $type))' --arg type "$type"
	done
}
namespace() {
	no_namespace "$1"
	config '.linux.namespaces += [{ type: $type } + if $path == "" then {} else { path: $path } end]' \
		--arg type "$1" --arg path "${2-}"
}

# A user namespace for root's containers too; an ordinary user's have one.
user_namespace() {
	is_root || return 0
	needs_user_namespaces
	namespace user
	config '.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'
	chown -R 100000:100000 "$BUNDLE/rootfs"
}

# --- running ---

# launch [OPTION...]: `agentd run` in the foreground; the payload's output in $output, its status in $status
launch() { run agentd run --bundle "$BUNDLE" "$@" "$ID"; }

# inside NAME [ARGUMENT...]: the canary does that in a container, which must come to a good end
inside() {
	payload "$@"
	launch
	status_is 0
}

# Leaves a container running in the background, its output in $WORK/out.
start_resting() { # [PAYLOAD...]
	payload "${@:-sleep}"
	agentd run --detach --pid-file "$WORK/pid" --bundle "$BUNDLE" "$ID" </dev/null >"$WORK/out" 2>&1 3>&- || {
		cat "$WORK/out"
		return 1
	}
	wait_for grep -qx ready "$WORK/out"
	PID=$(cat "$WORK/pid")
}

# in_container NAME [ARGUMENT...]: the canary in a container that runs
in_container() { run agentd exec "$ID" /bin/canary "$@"; }

# Without a cgroup of its own a container's processes cannot be told from others.
needs_cgroup() {
	grep -q "^0::.*$ID" "/proc/$PID/cgroup" || skip "the container has no cgroup: none is delegated to this user"
}

container_status() { agentd state "$ID" | jq -r .status; }

# Who shares the root filesystem can rename what is a mount point in another mount namespace. Launches a program, with names
# exchanged by a shell's COMMAND as soon as the mounts are made, and by the same, back, before it starts: $output.
launch_exchanged() { # COMMAND PAYLOAD...
	config '.hooks.createRuntime = [{ path: "/bin/sh", args: ["sh", "-c", "cd $0/rootfs && " + $e, $b],
		env: ["PATH=/usr/bin:/bin"] }]' --arg e "$1" --arg b "$BUNDLE"
	payload "${@:2}"
	agentd create --bundle "$BUNDLE" "$ID" </dev/null >"$WORK/out" 2>&1 3>&-
	(cd "$BUNDLE/rootfs" && eval "$1")
	agentd start "$ID"
	wait_for status_becomes stopped
	output=$(cat "$WORK/out")
}

# Waits for a command to succeed, ten seconds at most.
wait_for() {
	local turn
	for ((turn = 0; turn < 500; turn++)); do
		"$@" && return
		sleep 0.02
	done
	echo "waited in vain for: $*"
	return 1
}

status_becomes() { [ "$(container_status)" = "$1" ]; }

# --- expectations: silent if met, with what there is instead if not ---

status_is() {
	[ "$status" -eq "$1" ] && return
	echo "status $status instead of $1, output:"
	echo "$output"
	return 1
}

# has LINE...: each is a line of the output
has() {
	local line
	for line; do
		grep -qxF -- "$line" <<<"$output" && continue
		echo "no line '$line' in:"
		echo "$output"
		return 1
	done
}

# like REGEX...: each matches a line of the output
like() {
	local pattern
	for pattern; do
		grep -qE -- "$pattern" <<<"$output" && continue
		echo "nothing matches '$pattern' in:"
		echo "$output"
		return 1
	done
}

unlike() {
	! like "$1" >/dev/null && return
	echo "'$1' matches in:"
	echo "$output"
	return 1
}

# The value of KEY=VALUE in the output.
value() { sed -n "s|^$1=||p" <<<"$output" | head -n 1; }

# refused REGEX...: the launch fails with one line from agentd that matches, and with nothing left of the container. Each part
# says itself that it failed: errexit is off where `|| ...` stands behind the call.
refused() {
	status=0
	output=$(agentd run --bundle "$BUNDLE" "$ID" 2>&1 3>&- </dev/null) || status=$?
	status_is 1 || return
	[ "$(wc -l <<<"$output")" -eq 1 ] || { echo "not one line: $output"; return 1; }
	like '^agentd: ' "$@" || return
	run agentd state "$ID"
	status_is 1 && nothing_left
}

# --- nothing left ---

# Processes of this test: the program is its canary (a copy, so an inode of its own), or the state directory is named
# in the command line, as init's is until it becomes the program.
own_processes() {
	local pid
	{
		stat -Lc '%d:%i %n' /proc/[0-9]*/exe 2>/dev/null | sed -n "s|^$CANARY_INODE /proc/\([0-9]*\)/exe|\1|p"
		grep -laF -- "$ROOT" /proc/[0-9]*/cmdline 2>/dev/null | cut -d/ -f3
	} | sort -un | while read -r pid; do
		[ ! -e "/proc/$pid" ] || echo "$pid $(tr '\0' ' ' <"/proc/$pid/cmdline")"
	done
}

nothing_left() {
	local what left=
	what=$(own_processes)
	[ -z "$what" ] || left+="processes: $what"$'\n'
	what=$(grep -F "$WORK" /proc/self/mountinfo) || true
	[ -z "$what" ] || left+="mounts: $what"$'\n'
	what=$(find /sys/fs/cgroup -type d -name "*$ID*" 2>/dev/null) || true
	[ -z "$what" ] || left+="cgroups: $what"$'\n'
	what=$(find "$ROOT" -mindepth 1 -maxdepth 1 ! -name '.*' 2>/dev/null) || true
	[ -z "$what" ] || left+="state: $what"$'\n'
	[ -z "$left" ] && return
	echo "left behind: $left"
	return 1
}
