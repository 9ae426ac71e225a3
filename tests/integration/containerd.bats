# containerd's ctr, with the shim for runc between it and agentd.

load helpers
load callers

setup_file() {
	callers_setup
	command -v containerd >/dev/null && is_root || return 0
	start_containerd
}
teardown_file() { callers_teardown; }

setup() {
	needs_root
	needs containerd containerd-shim-runc-v2 ctr busybox
}
teardown() {
	local id
	is_root && command -v ctr >/dev/null || return 0
	for id in $(ctr task ls -q); do
		ctr task delete --force "$id" >/dev/null 2>&1
	done
	for id in $(ctr container ls -q); do
		ctr container delete "$id"
	done
	callers_nothing_left
}

# ctr_run [OPTION...] ID COMMAND...: on the directory, for there is no image
ctr_run() {
	local options=(run --runc-binary "$AGENTD")
	while [[ $1 = -* ]]; do
		options+=("$1")
		shift
	done
	ctr "${options[@]}" --rootfs "$ROOTFS" "$@"
}

start_box() {
	ctr_run -d box sh -c 'trap "exit 7" TERM; echo >/tmp/up; while :; do sleep 0.1; done'
	wait_for test -e "$ROOTFS/tmp/up"
	rm "$ROOTFS/tmp/up"
}
task_status() { ctr task ls | awk '$1 == "box" { print $3 }'; }
task_becomes() { [ "$(task_status)" = "$1" ]; }

@test "containerd: run" {
	run ctr_run --rm box sh -c 'id -u; cat /proc/1/comm; exit 3'
	status_is 3
	has 0 sh
}

@test "containerd: a program that is not there" {
	run ctr_run --rm box /nosuch
	status_is 1
	like 'OCI runtime create failed: .*exec "/nosuch": no such file or directory'
}

@test "containerd: run in the background, exec" {
	start_box
	[ "$(task_status)" = RUNNING ]
	run ctr task exec --exec-id one box sh -c 'cat /proc/1/comm; exit 9'
	status_is 9
	has sh
	run ctr task exec --exec-id two --user 1000:1000 --cwd /tmp box sh -c 'id -u; pwd'
	status_is 0
	has 1000 /tmp
	run ctr task exec --exec-id three box nosuch
	status_is 1
	like 'exec "nosuch": executable file not found in \$PATH'
}

@test "containerd: ps, metrics" {
	start_box
	run ctr task ps box
	status_is 0
	[ "$(wc -l <<<"$output")" -ge 2 ]
	run ctr task metrics box
	status_is 0
	like '^box '
}

@test "containerd: pause and resume" {
	start_box
	ctr task pause box
	[ "$(task_status)" = PAUSED ]
	ctr task resume box
	[ "$(task_status)" = RUNNING ]
}

@test "containerd: kill and delete" {
	start_box
	ctr task kill -s TERM box
	wait_for task_becomes STOPPED
	run ctr task delete box
	like 'exit code 7'
}

@test "containerd: the same container once more" {
	start_box
	ctr task delete --force box || :
	ctr task start -d box
	wait_for test -e "$ROOTFS/tmp/up"
	rm "$ROOTFS/tmp/up"
	[ "$(task_status)" = RUNNING ]
}

@test "containerd: a terminal" {
	needs script
	run caller script -qec "ctr --address $WORK/containerd/socket --namespace agentd-test run --runc-binary $AGENTD \
		-t --rm --rootfs $ROOTFS box tty" /dev/null </dev/null
	status_is 0
	like '/dev/pts/0'
}

@test "containerd: read-only root, directory, environment" {
	run ctr_run --rm --read-only --env=COLOUR=red --cwd=/tmp box \
		sh -c 'exec 2>&1; echo x >/file; echo "$COLOUR"; pwd'
	status_is 0
	has red /tmp
	like 'Read-only file system'
}

@test "containerd: the host's network" {
	[ -e /etc/hosts ] || skip "ctr binds /etc/hosts, which this machine lacks"
	run ctr_run --rm --net-host box canary readlink /proc/self/ns/net
	status_is 0
	has "readlink=$(readlink /proc/self/ns/net)"
}

@test "containerd: --privileged" {
	run ctr_run --rm --privileged box canary caps
	status_is 0
	[ "$((16#$(value effective)))" -gt $((16#1000000)) ]
}

@test "containerd: a mount" {
	mkdir -p "$WORK/volume"
	echo text >"$WORK/volume/file"
	run ctr_run --rm "--mount=type=bind,src=$WORK/volume,dst=/volume,options=rbind:ro" box \
		sh -c 'exec 2>&1; cat /volume/file; echo x >/volume/file'
	has text
	like 'Read-only file system'
}
