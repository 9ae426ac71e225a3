# What the tests of podman, buildah and containerd load besides helpers.bash: a place of their own for the callers.
#
# The callers run in a mount namespace with an empty /run and /dev/shm and cgroup v2 at /sys/fs/cgroup, and in a pid
# namespace, whose first process ends all the others when it ends: whatever a test does, nothing stays on the machine.

# The directory is short because of the sockets in it.
callers_setup() {
	[ "$EUID" -eq 0 ] || return 0
	WORK=$(mktemp -d /tmp/agentd-callers.XXXXXX)
	export WORK HOME=$WORK/home CONTAINERS_CONF=$WORK/containers.conf
	unset XDG_RUNTIME_DIR XDG_CONFIG_HOME XDG_DATA_HOME DBUS_SESSION_BUS_ADDRESS
	chmod 755 "$WORK"
	mkdir "$HOME"
	callers_rootfs
	callers_configuration
	callers_namespace
}

callers_rootfs() {
	local applet
	ROOTFS=$WORK/rootfs
	mkdir -p "$ROOTFS"/{bin,dev,etc,proc,root,run,sys,tmp}
	cp "$CANARY" "$ROOTFS/bin/canary"
	if command -v busybox >/dev/null; then
		cp "$(command -v busybox)" "$ROOTFS/bin/busybox"
		for applet in cat echo env hostname id ls mount pwd sh sleep tty; do
			ln -s busybox "$ROOTFS/bin/$applet"
		done
	fi
	tar -C "$ROOTFS" -cf "$WORK/image.tar" .
	export ROOTFS
}

# The example with this agentd in it, and limits that a root without CAP_SYS_RESOURCE can set.
callers_configuration() {
	{
		sed "s|\"/usr/local/bin/agentd\"|\"$AGENTD\"|" "$TOP/contrib/examples/containers.conf"
		printf '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\nlog_driver = "k8s-file"\n'
	} >"$CONTAINERS_CONF"
	sed -i 's|^\[engine\]|&\nevents_logger = "file"|' "$CONTAINERS_CONF"
}

# SIGCHLD is ignored so that the kernel reaps the orphans. Ten minutes is for a run that is killed before its end.
callers_namespace() {
	# shellcheck disable=SC2016 # for the shell inside
	unshare --mount --propagation private --pid --fork --kill-child --mount-proc sh -euc '
		mount -t tmpfs run /run
		mount -t tmpfs shm /dev/shm
		[ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ] || mount -t cgroup2 cgroup2 /sys/fs/cgroup
		touch "$1/ready"
		exec env --ignore-signal=CHLD sleep 600' holder "$WORK" </dev/null >"$WORK/holder.log" 2>&1 3>&- &
	wait_for test -e "$WORK/ready"
	tr -d ' ' <"/proc/$!/task/$!/children" >"$WORK/holder.pid"
}

callers_teardown() {
	[ -d "${WORK-}" ] || return 0
	caller find /sys/fs/cgroup -depth -type d \( -path '*/libpod_parent/conmon' -o -name libpod_parent -o -name agentd-test \) \
		-newer "$WORK/ready" -exec rmdir {} + 2>/dev/null || :
	kill -KILL "$(cat "$WORK/holder.pid")"
	wait_for test ! -e "/proc/$(cat "$WORK/holder.pid")"
	rm -rf --one-file-system "$WORK"
}

# caller COMMAND...: in that place
caller() { nsenter -t "$(cat "$WORK/holder.pid")" -m -p -- "$@" 3>&-; }

# Processes other than the holder and the daemon of the file, mounts and cgroups that are left.
callers_left() {
	local left
	left=$(
		caller ps -e -o pid=,args= | grep -vE '^ *1 |containerd -c|ps -e -o'
		caller grep -F "$WORK/" /proc/self/mountinfo | grep -vF " $WORK/containers/root/vfs "
		caller find /sys/fs/cgroup -newer "$WORK/ready" -type d \( -name 'libpod-*' -o -path '*/agentd-test/*' \) 2>/dev/null
	)
	[ -z "$left" ] || echo "left behind: $left"
}
callers_clean() { [ -z "$(callers_left)" ]; }

# The callers clean up in the background.
callers_nothing_left() {
	wait_for callers_clean && return
	callers_left
	return 1
}

# What the machine's cgroup v2 lacks is dropped (--best-effort).
podman() { strict_podman --runtime-flag best-effort=cgroup "$@"; }
strict_podman() {
	caller podman --root "$WORK/containers/root" --runroot "$WORK/containers/run" --storage-driver vfs "$@"
}

buildah() {
	caller buildah --root "$WORK/containers/root" --runroot "$WORK/containers/run" --storage-driver vfs "$@"
}

ctr() { caller ctr --address "$WORK/containerd/socket" --namespace agentd-test "$@"; }

start_containerd() {
	mkdir "$WORK/containerd"
	cat >"$WORK/containerd/config.toml" <<-EOF
		version = 2
		root = "$WORK/containerd/root"
		state = "/run/containerd-test"
		disabled_plugins = ["io.containerd.grpc.v1.cri"]
		[grpc]
		address = "$WORK/containerd/socket"
	EOF
	caller containerd -c "$WORK/containerd/config.toml" </dev/null >"$WORK/containerd/log" 2>&1 &
	wait_for ctr version >/dev/null 2>&1
}
