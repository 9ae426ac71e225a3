# What every script in the virtual machine starts with (". ./helpers.sh"): bundles, launches, TAP. busybox sh.

BUNDLE=/tmp/bundle CGROUP=/sys/fs/cgroup
ABI=$(agentd-canary landlock)
ABI=${ABI#landlock=}

# A fresh bundle in $BUNDLE; its configuration without filter and Landlock, which have tests of their own.
bundle() {
	rm -rf "$BUNDLE"
	mkdir -p "$BUNDLE/rootfs"
	for dir in bin dev etc mnt proc run sys tmp; do
		mkdir "$BUNDLE/rootfs/$dir"
	done
	cp /bin/agentd-canary "$BUNDLE/rootfs/bin/canary"
	agentd spec --bundle "$BUNDLE"
	config '.process.terminal = false | del(.linux.seccomp, .process.landlock)'
}

config() { jq "$@" <"$BUNDLE/config.json" >"$BUNDLE/config.new" && mv "$BUNDLE/config.new" "$BUNDLE/config.json"; }

payload() { config '.process.args = ["/bin/canary"] + $ARGS.positional' --args -- "$@"; }

# inside NAME [ARGUMENT...]: the canary in the foreground; $output, $status
inside() {
	payload "$@"
	status=0
	output=$(agentd run --bundle "$BUNDLE" t 2>&1) || status=$?
}

# start NAME [ARGUMENT...]: the canary in the background, until it says "ready"; $pid, its cgroup in $dir
start() {
	payload "$@"
	agentd run --detach --pid-file /tmp/pid --bundle "$BUNDLE" t >/tmp/out 2>&1 </dev/null
	wait_for grep -qx ready /tmp/out
	pid=$(cat /tmp/pid)
	dir=$CGROUP$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
}

wait_for() {
	turn=0
	until "$@"; do
		turn=$((turn + 1))
		[ "$turn" -lt 200 ] || { echo "# waited in vain for: $*"; return 1; }
		sleep 0.05
	done
}

value() { echo "$output" | sed -n "s/^$1=//p" | head -n 1; }
has() { echo "$output" | grep -qxF -- "$1"; }
like() { echo "$output" | grep -qE -- "$1"; }

# test NAME FUNCTION: runs it in a subshell with a fresh bundle; what it leaves behind is a failure as well.
check() {
	name=$1 began=$(cut -d. -f1 /proc/uptime)
	set +e
	( # not in the condition of an if: -e would not work there
		set -eu
		output='' status=0
		bundle
		"$2"
		nothing_left
	) >/tmp/said 2>&1
	result=$?
	set -e
	if [ "$result" -eq 0 ]; then
		echo "ok $name"
	else
		echo "not ok $name"
		sed 's/^/# /' /tmp/said
	fi
	agentd delete --force t 2>/dev/null || :
	echo "# $(($(cut -d. -f1 /proc/uptime) - began)) s"
}

# The subshell's variables are gone when it is needed, so a failing test shows its output itself.
expect() { "$@" || { echo "not: $*; status $status, output: $output"; return 1; }; }

skip() { echo "ok $1 # skip $2"; }

nothing_left() {
	agentd delete --force t
	wait_for sh -c "! ls -d $CGROUP/agentd/t 2>/dev/null"
	[ "$(ls /run/agentd 2>/dev/null)" = '' ]
	! grep -q "$BUNDLE" /proc/self/mountinfo
}
