# contrib/docker/Dockerfile, really built: agentd selftest inside of a builder's sandbox.

load helpers
load callers

setup_file() {
	callers_setup
	is_root && command -v buildah busybox >/dev/null || return 0
	fill_root
	buildah from --name box scratch
	buildah add -q box "$WORK/image.tar" /
	buildah config --env PATH=/usr/local/bin:/bin box
	buildah commit -q box box
}
teardown_file() { callers_teardown; }

setup() {
	needs_root
	needs buildah busybox
	CONTEXT=$BATS_TEST_TMPDIR/context
	mkdir "$CONTEXT"
	cp "$AGENTD" "$CONTEXT/agentd"
	"$AGENTD" spec --bundle "$CONTEXT"
}
teardown() {
	is_root && command -v buildah >/dev/null || return 0
	callers_nothing_left
}

# What a base image of Debian has, as far as it is needed here.
fill_root() {
	local file
	mkdir -p "$ROOTFS/usr/local/bin" "$ROOTFS/var/log"
	ln -s busybox "$ROOTFS/bin/rm"
	for file in $(ldd "$AGENTD" | grep -o '/[^ ]*'); do
		mkdir -p "$ROOTFS${file%/*}"
		cp -L "$file" "$ROOTFS$file"
	done
	tar -C "$ROOTFS" -cf "$WORK/image.tar" .
}

# policy FILTER: changes the policy in the context
policy() { jq "$1" "$CONTEXT/config.json" >"$CONTEXT/new" && mv "$CONTEXT/new" "$CONTEXT/config.json"; }

# build [OPTION...]: the Dockerfile as it stands, but for its base
build() {
	[ $# -gt 0 ] || set -- --isolation oci --runtime "$AGENTD" --network none
	cp "$TOP/contrib/docker/Dockerfile" "$CONTEXT/"
	build_context --build-arg BASE=box --build-arg SETUP=true "$@"
}
build_context() {
	run timeout -s KILL 120 nsenter -t "$(cat "$WORK/holder.pid")" -m -p -- buildah --root "$WORK/containers/root" \
		--runroot "$WORK/containers/run" --storage-driver vfs bud --pull-never --format docker -t built "$@" "$CONTEXT" 3>&-
}

# line COMMAND: what a RUN with this command says, and its status in a line of its own
line() {
	printf 'FROM box\nCOPY agentd /usr/local/bin/agentd\nCOPY config.json /etc/agentd/policy/config.json\nRUN %s; echo "status=$?"\n' \
		"$1" >"$CONTEXT/Dockerfile"
	build_context --isolation oci --runtime "$AGENTD" --network none
	status_is 0
}

@test "the Dockerfile: the policy of agentd spec holds" {
	build
	status_is 0
	like '^RESULT: contained: ' "a builder's kernel is not the production kernel" "inside a sandbox that is not agentd's" \
		'already blocked by the outer sandbox' 'Successfully tagged localhost/built'
	unlike '^FAIL'
	run buildah inspect --type image --format '{{.Docker.Config.Healthcheck.Test}}' built
	like 'agentd selftest --last'
}

@test "the same where the builder launches no containers either" {
	build --isolation chroot --network host
	status_is 0
	like '^RESULT: contained: ' 'Successfully tagged localhost/built'
}

@test "a policy with a hole: the build fails" {
	policy 'del(.linux.seccomp)'
	build
	[ "$status" -ne 0 ]
	like '^FAIL +sys[.]' '^RESULT: NOT contained' 'exit status 1'
	unlike 'Successfully tagged'
	unlike '^FAIL +(fs|proc|cg|ns)[.]'
}

@test "holes in the other layers" {
	policy 'del(.process.landlock)'
	build
	[ "$status" -ne 0 ]
	like '^FAIL +(fs|net)[.]ll-'
	unlike '^FAIL +(sys|cap|ns|cg)[.]'
	policy '.process.noNewPrivileges = false'
	build
	[ "$status" -ne 0 ]
	like '^FAIL +cap[.]nnp|it needs process.noNewPrivileges or CAP_SYS_ADMIN'
}

@test "without --in-place nothing is decided, and the ways are named" {
	line 'agentd --root /tmp/s selftest'
	has status=3
	like 'way 1: agentd selftest --in-place --allow-skip=namespaces,cgroups,mounts' 'way 2: RUN --security=insecure' \
		'way 3: run agentd selftest when the container starts' '^RESULT: undecided'
	line 'agentd --root /tmp/s selftest --in-place --strict'
	has status=3
}

@test "the health check reads the last report" {
	line 'agentd --root /tmp/s selftest --last; echo "before=$?"; agentd --root /tmp/s selftest --in-place \
		--allow-skip=namespaces,cgroups,mounts --quick /etc/agentd/policy >/dev/null; agentd --root /tmp/s selftest --last >/dev/null'
	has before=2 status=0
}
