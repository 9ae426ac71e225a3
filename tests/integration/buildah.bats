# buildah run: the runtime is called without conmon.

load helpers
load callers

setup_file() {
	callers_setup
	command -v buildah >/dev/null && is_root || return 0
	buildah from --name box scratch
	buildah add -q box "$WORK/image.tar" /
}
teardown_file() { callers_teardown; }

setup() {
	needs_root
	needs buildah busybox
}
teardown() {
	is_root && command -v buildah >/dev/null || return 0
	callers_nothing_left
}

# buildah_run [OPTION...] COMMAND...
buildah_run() {
	run buildah run --isolation oci --runtime "$AGENTD" --network none "$@"
}

@test "buildah: run" {
	buildah_run box sh -c 'id -u; echo kept >/kept; exit 3'
	status_is 3
	has 0
	buildah_run box cat /kept
	status_is 0
	has kept
}

@test "buildah: a program that is not there" {
	buildah_run box /nosuch
	[ "$status" -ne 0 ]
	like 'exec "/nosuch": no such file or directory'
}

@test "buildah: standard input, a terminal" {
	buildah_run box cat <<<"from outside"
	has "from outside"
	buildah_run --terminal box tty
	like '/dev/pts/0'
}

@test "buildah: user, directory, volume, capabilities" {
	mkdir -p "$WORK/volume"
	echo text >"$WORK/volume/file"
	buildah_run --user 1000:1000 --workingdir /tmp --volume "$WORK/volume:/volume:ro" box \
		sh -c 'exec 2>&1; id -u; pwd; cat /volume/file; echo x >/volume/file'
	has 1000 /tmp text
	like 'Read-only file system|Permission denied'
	buildah_run --cap-drop CAP_CHOWN --cap-add CAP_NET_ADMIN box canary caps
	[ $((16#$(value bounding) & 16#1001)) -eq $((16#1000)) ]
}

@test "buildah: a Dockerfile" {
	printf 'FROM box\nRUN echo built >/built\nRUN cat /built\n' >"$WORK/Dockerfile"
	buildah commit -q box box
	run buildah bud --isolation oci --runtime "$AGENTD" --network none --pull-never -t built -f "$WORK/Dockerfile" "$HOME"
	status_is 0
	has built
}
