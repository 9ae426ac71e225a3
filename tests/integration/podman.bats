# podman, with conmon between it and agentd: what they ask for is done, and what agentd says reaches the user.

load helpers
load callers

setup_file() {
	callers_setup
	command -v podman >/dev/null && is_root || return 0
	podman import -q "$WORK/image.tar" test:1
}
teardown_file() { callers_teardown; }

setup() {
	needs_root
	needs podman conmon busybox
}
teardown() {
	is_root && command -v podman >/dev/null || return 0
	podman rm -fa -t 0 >/dev/null
	podman pod rm -fa -t 0 >/dev/null
	callers_nothing_left
}

# in_podman [OPTION...] IMAGE COMMAND...: `podman run` in the foreground
in_podman() { run podman run --rm --network none "$@"; }

# A container named box that runs until it gets SIGTERM, upon which it leaves with 5.
start_box() {
	podman run -d --name box --network none "$@" test:1 sh -c \
		'trap "echo got TERM; exit 5" TERM; trap "echo got USR1" USR1; echo out; echo err >&2; while :; do sleep 0.1; done'
	wait_for logged out
}
logged() { podman logs box 2>&1 | grep -qx "$1"; }

@test "podman: run" {
	in_podman --hostname here test:1 sh -c 'hostname; cat /proc/1/comm; exit 3'
	status_is 3
	has here sh
}

@test "podman: standard input" {
	run podman run --rm -i --network none test:1 cat <<<"from outside"
	status_is 0
	has "from outside"
}

@test "podman: the runtime is agentd" {
	podman create --name box --network none test:1 echo
	run podman inspect box --format '{{.OCIRuntime}}'
	has agentd
}

@test "podman: a program that is not there is 127, one that cannot be executed 126" {
	run -127 podman run --rm --network none test:1 nosuch
	has 'Error: agentd: program: exec "nosuch": executable file not found in $PATH: No such file or directory: OCI runtime attempted to invoke a command that was not found'
	run -127 podman run --rm --network none test:1 /nosuch
	in_podman test:1 /etc
	status_is 126
	like '^Error: agentd: program: exec "/etc": permission denied'
}

@test "podman: the same for exec" {
	start_box
	run -127 podman exec box nosuch
	run podman exec box /etc
	status_is 126
}

@test "podman: an error is understood from the JSON log, and from the text" {
	run -127 podman run --rm --network none test:1 /nosuch
	unlike 'level=|"level"'
	sed '/^runtime_supports_json/d' "$CONTAINERS_CONF" >"$WORK/text.conf"
	CONTAINERS_CONF=$WORK/text.conf run -127 podman run --rm --network none test:1 /nosuch
	like 'exec "/nosuch": no such file or directory'
}

@test "podman: debug messages do not disturb" {
	run podman --log-level debug --syslog=false run --rm --network none test:1 echo fine
	status_is 0
	has fine
}

@test "podman: exec" {
	start_box --env COLOUR=red
	run podman exec box sh -c 'echo "$COLOUR"; id -u; cat /proc/1/comm; exit 9'
	status_is 9
	has red 0 sh
	run podman exec --user 1000:1000 --env TASTE=sour --workdir /tmp box sh -c 'id -u; id -g; echo "$TASTE"; pwd'
	status_is 0
	has 1000 sour /tmp
	run podman exec -i box cat <<<"to exec"
	has "to exec"
	run podman exec -t box tty
	like '^/dev/pts/[0-9]'
}

@test "podman: exec in the background" {
	start_box
	podman exec -d box sh -c 'echo done >/tmp/file'
	wait_for podman exec box cat /tmp/file
}

@test "podman: exec --privileged has all capabilities" {
	start_box
	run podman exec box canary caps
	local some
	some=$(value effective)
	run podman exec --privileged box canary caps
	[ "$((16#$(value effective)))" -gt "$((16#$some))" ]
}

@test "podman: a terminal" {
	in_podman -t test:1 canary tty
	status_is 0
	[ "$(tr -d '\r' <<<"$output" | grep -c tty)" -gt 0 ]
	in_podman -t test:1 tty
	like '^/dev/pts/0'
}

@test "podman: stop and the exit status" {
	start_box
	podman stop -t 5 box
	run podman inspect box --format '{{.State.ExitCode}} {{.State.Status}}'
	has '5 exited'
	logged 'got TERM'
}

@test "podman: stop kills what does not listen" {
	podman run -d --name box --network none test:1 sh -c 'trap "" TERM; echo out; while :; do sleep 0.1; done'
	wait_for logged out
	podman stop -t 1 box
	run podman inspect box --format '{{.State.ExitCode}}'
	has 137
}

@test "podman: kill" {
	start_box
	podman kill -s USR1 box
	wait_for logged 'got USR1'
	podman kill box
	run podman wait box
	has 137
}

@test "podman: restart, create and start" {
	podman create --name box --network none test:1 sh -c 'echo out; exit 4'
	run podman start --attach box
	status_is 4
	has out
	podman start box
	run podman wait box
	has 4
}

@test "podman: pause and unpause" {
	start_box
	podman pause box
	run podman ps -a --format '{{.Names}} {{.Status}}'
	has 'box Paused'
	podman unpause box
	run podman exec box echo awake
	has awake
}

@test "podman: top, ps, logs" {
	start_box
	run podman top box pid comm
	status_is 0
	like '^1 +sh'
	run podman ps --format '{{.Names}} {{.Status}}'
	like '^box Up'
	run podman logs box
	has out err
}

@test "podman: conmon's log has the stream and the text of each line" {
	start_box --log-driver k8s-file --log-opt "path=$WORK/box.log"
	output=$(cat "$WORK/box.log")
	like '^[0-9T:.+-]+ stdout F out$' '^[0-9T:.+-]+ stderr F err$'
}

@test "podman: cp into and out of a running container" {
	start_box
	echo text >"$WORK/file"
	podman cp "$WORK/file" box:/tmp/file
	run podman exec box cat /tmp/file
	has text
	podman cp box:/tmp/file "$WORK/back"
	cmp "$WORK/file" "$WORK/back"
}

@test "podman: user, directory, environment" {
	in_podman --user 1000:1001 --group-add 1002 --workdir /tmp --env COLOUR=red test:1 sh -c 'canary id; pwd; echo "$COLOUR"'
	status_is 0
	has /tmp red
	like 'uid=1000' 'gid=1001' 'groups=.*1002'
}

@test "podman: read-only root" {
	in_podman --read-only test:1 sh -c 'exec 2>&1; echo x >/file; echo x >/tmp/file && echo written'
	status_is 0
	like 'Read-only file system'
	has written
}

@test "podman: volumes and tmpfs" {
	mkdir -p "$WORK/volume"
	in_podman -v "$WORK/volume:/rw" -v "$WORK/volume:/ro:ro,noexec" --tmpfs /fast:size=64k,mode=1777 test:1 sh -c \
		'exec 2>&1; echo x >/rw/file && cat /ro/file; echo y >/ro/file; cat /proc/mounts'
	status_is 0
	has x
	like 'Read-only file system' ' /ro [^ ]+ ro,.*noexec' ' /fast tmpfs .*size=64k'
	podman volume create named
	in_podman -v named:/named test:1 sh -c 'echo kept >/named/file'
	in_podman -v named:/named test:1 cat /named/file
	has kept
	podman volume rm named
}

@test "podman: limits" {
	in_podman --ulimit nofile=100:200 --ulimit core=0 --ulimit nproc=1024 test:1 canary rlimits
	status_is 0
	like 'NOFILE=100:200' 'CORE=0:0'
}

@test "podman: capabilities" {
	in_podman --cap-drop all --cap-add net_admin --cap-add chown test:1 canary caps
	status_is 0
	has effective=0000000000001001 bounding=0000000000001001
}

@test "podman: no new privileges, system call filter" {
	in_podman --security-opt no-new-privileges test:1 cat /proc/self/status
	like 'NoNewPrivs:.1' 'Seccomp:.2'
	in_podman --security-opt seccomp=unconfined test:1 cat /proc/self/status
	like 'NoNewPrivs:.0' 'Seccomp:.0'
}

@test "podman: what is masked and read-only" {
	in_podman test:1 sh -c 'exec 2>&1; echo x >/proc/sys/kernel/domainname; ls /sys/firmware; echo end'
	like 'domainname: Read-only file system'
	[ "$(wc -l <<<"$output")" -eq 2 ]
	in_podman --security-opt unmask=ALL test:1 sh -c 'exec 2>&1; echo x >/proc/sys/kernel/domainname && echo written'
	has written
}

@test "podman: --privileged" {
	in_podman --privileged test:1 sh -c 'canary caps; canary status; ls /dev'
	status_is 0
	[ "$((16#$(value effective)))" -gt $((16#1000000)) ]
	[ "$(wc -l <<<"$output")" -gt 30 ]
	like 'seccomp=0'
}

@test "podman: a device" {
	in_podman --device /dev/zero:/dev/nought:rw test:1 canary stat /dev/nought
	status_is 0
	like 'nought.*1[:,]5'
}

@test "podman: sysctl" {
	in_podman --sysctl net.ipv4.ip_forward=1 test:1 cat /proc/sys/net/ipv4/ip_forward
	status_is 0
	has 1
}

@test "podman: namespaces of another container" {
	start_box
	run podman exec box sh -c 'for i in net pid ipc; do canary readlink /proc/self/ns/$i; done'
	local theirs=$output
	run podman run --rm --network container:box --pid container:box --ipc container:box test:1 \
		sh -c 'for i in net pid ipc; do canary readlink /proc/self/ns/$i; done'
	status_is 0
	[ "$output" = "$theirs" ]
}

@test "podman: namespaces of the host" {
	run podman run --rm --network host --pid host --ipc host --uts host test:1 sh -c 'for i in net ipc uts; do canary readlink /proc/self/ns/$i; done'
	status_is 0
	has "readlink=$(readlink /proc/self/ns/net)" "readlink=$(readlink /proc/self/ns/ipc)" "readlink=$(readlink /proc/self/ns/uts)"
}

@test "podman: a user namespace" {
	needs_user_namespaces
	in_podman --uidmap 0:100000:2000 --gidmap 0:100000:2000 test:1 sh -c 'cat /proc/self/uid_map; id -u; echo x >/file && canary stat /file'
	status_is 0
	output=$(tr -s ' ' <<<"$output")
	like '^ 0 100000 2000' '^0$' '/file'
}

@test "podman: --init" {
	[ -e /usr/libexec/podman/catatonit ] || needs catatonit
	in_podman --init test:1 cat /proc/1/comm
	status_is 0
	like 'catatonit|podman-init'
}

@test "podman: a pod without an infra container" {
	podman pod create --infra=false pod
	in_podman --pod pod test:1 id -u
	status_is 0
	has 0
	podman pod rm pod
}

@test "podman: a health check" {
	podman run -d --name box --network none --health-cmd 'cat /tmp/healthy' --health-interval disable test:1 sleep 100
	run podman healthcheck run box
	status_is 1
	podman exec box sh -c 'echo >/tmp/healthy'
	run podman healthcheck run box
	status_is 0
}

@test "podman: --memory" {
	if caller grep -qw memory /sys/fs/cgroup/cgroup.controllers; then
		run strict_podman run --rm --network none --memory 64m --cgroupns host test:1 sh -c \
			'cat /sys/fs/cgroup"$(sed s/0::// /proc/self/cgroup)"/memory.max'
		status_is 0
		has 67108864
		return
	fi
	run strict_podman run --rm --network none --memory 64m test:1 id
	status_is 126
	like '^Error: .*agentd: linux.resources.*the [a-z]+ controller is not available.*--best-effort cgroup'
	in_podman --memory 64m test:1 echo went
	status_is 0
	has went
}

@test "podman: without a cgroup" {
	in_podman --cgroups disabled test:1 cat /proc/self/cgroup
	status_is 0
	unlike libpod
}

# --- an ordinary user's podman ---

# rootless [COUNT] <<SCRIPT: podman as a user with so many subordinate ids, best in one go: the namespaces end with it
rootless() {
	local user=54321 dir=$WORK/user
	needs newuidmap
	mkdir -p "$dir/home" "$dir/run"
	needs_user_namespaces
	cp "$TOP/tests/integration/subid.sh" "$AGENTD" "$WORK/"
	sed "s|$AGENTD|$WORK/${AGENTD##*/}|" "$CONTAINERS_CONF" >"$dir/containers.conf"
	cat >"$dir/script" <<-EOF
		export HOME=$dir/home XDG_RUNTIME_DIR=$dir/run CONTAINERS_CONF=$dir/containers.conf
		cd
		podman() {
			command podman --root $dir/root --runroot $dir/runroot --storage-driver vfs --runtime-flag best-effort=cgroup "\$@"
		}
		podman import -q $WORK/image.tar test:1 >/dev/null
	EOF
	cat >>"$dir/script"
	chown -R "$user:$user" "$dir"
	run caller unshare --mount --propagation private "$WORK/subid.sh" "$user" 700000 "${1-65536}" sh -eu "$dir/script"
	end_rootless "$user"
}

# podman leaves a process that holds the user namespace, and what it has mounted.
end_rootless() { # USER
	local pid
	for pid in $(caller ps -u "$1" -o pid=); do
		caller kill -KILL "$pid" || ! caller kill -0 "$pid" # it may have ended by itself
	done
	rm -rf --one-file-system "$WORK/user"
}

@test "rootless podman: run" {
	rootless <<-'EOF'
		podman run --rm --network none --cgroups disabled test:1 sh -c 'id -u; cat /proc/self/uid_map; exit 6' || echo "status $?"
	EOF
	status_is 0
	output=$(tr -s ' ' <<<"$output")
	has 0 'status 6'
	like '^ 0 54321 1' '^ 1 700000 65536'
}

@test "rootless podman: without subordinate ids, so that no groups can be set" {
	rootless 0 <<-'EOF'
		podman run -d --name box --network none --cgroups disabled --group-add 0 test:1 sleep 1000 >/dev/null
		podman exec box sh -c 'cat /proc/self/uid_map /proc/self/setgroups'
		podman rm -f -t 0 box >/dev/null
	EOF
	status_is 0
	output=$(tr -s ' ' <<<"$output")
	like '^ 0 54321 1' '^deny'
}

@test "rootless podman: in the background, exec, stop" {
	rootless <<-'EOF'
		podman run -d --name box --network none test:1 sh -c 'trap "exit 5" TERM; echo out; while :; do sleep 0.1; done' >/dev/null
		podman exec --user 7:8 box sh -c 'id -u; exit 9' || echo "exec $?"
		podman exec box nosuch || echo "missing $?"
		podman stop -t 5 box
		podman logs box
		podman inspect box --format 'left with {{.State.ExitCode}}'
		podman rm box
	EOF
	status_is 0
	has 7 'exec 9' 'missing 127' out 'left with 5'
}

@test "rootless podman: a read-only root, a volume, a terminal, a user" {
	rootless <<-'EOF'
		mkdir ~/volume
		podman run --rm -t --network none --read-only --user 7:8 -v ~/volume:/volume:ro test:1 \
			sh -c 'tty; canary id; echo x >/file; echo x >/volume/file' || echo "status $?"
	EOF
	status_is 0
	like '^/dev/pts/0' 'uid=7' 'gid=8' '/file: Read-only file system' '/volume/file: Read-only file system' '^status 1'
}

@test "rootless podman: the user's own ids with --userns keep-id" {
	rootless <<-'EOF'
		podman run --rm --network none --userns keep-id test:1 id -u
	EOF
	status_is 0
	has 54321
}
