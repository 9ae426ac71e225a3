# /dev: what is always there, and linux.devices.

load helpers

@test "the default devices and links" {
	inside stat /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty
	like '^/dev/null=char mode=0666 .* device=1:3' '^/dev/zero=char .* device=1:5' '^/dev/full=char .* device=1:7' \
		'^/dev/random=char .* device=1:8' '^/dev/urandom=char .* device=1:9' '^/dev/tty=char .* device=5:0'
	inside many readlink /dev/fd -- readlink /dev/stdin -- readlink /dev/stdout -- readlink /dev/stderr
	has readlink=/proc/self/fd readlink=/proc/self/fd/0 readlink=/proc/self/fd/1 readlink=/proc/self/fd/2
}

@test "they work" {
	inside many write /dev/null x -- read /dev/zero -- write /dev/full x -- read /dev/urandom
	has write=ok read=ok write=ENOSPC
	unlike 'read=E'
}

@test "no other device of the host is there" {
	inside ls /dev
	unlike '^(sd|vd|nvme|mem|kmsg|kmem|port|loop|dm-)'
}

@test "a configured device" {
	needs_root
	config '.linux.devices = [{ path: "/dev/mine", type: "c", major: 1, minor: 5, fileMode: 432, uid: 3, gid: 4 },
		{ path: "/dev/deep/down", type: "c", major: 1, minor: 3 }, { path: "/dev/fifo", type: "p" }]'
	inside stat /dev/mine /dev/deep/down /dev/fifo
	like '^/dev/mine=char mode=0660 uid=3 gid=4 device=1:5' '^/dev/deep/down=char mode=0666 .* device=1:3' '^/dev/fifo=pipe'
}

@test "in a user namespace a configured device is the host's" {
	user_namespace
	config '.linux.devices = [{ path: "/dev/zero", type: "c", major: 1, minor: 5 }]'
	inside many stat /dev/zero -- read /dev/zero
	like '^/dev/zero=char .* device=1:5'
	has read=ok
}

@test "a device that is there already: the same is kept, another refused" {
	needs_root
	mkdir -p "$BUNDLE/rootfs/nodes"
	mknod "$BUNDLE/rootfs/nodes/it" c 1 5
	config '.linux.devices = [{ path: "/nodes/it", type: "c", major: 1, minor: 5 }]'
	inside stat /nodes/it
	like 'device=1:5'
	config '.linux.devices[0].minor = 7'
	refused 'devices\[0\].*/nodes/it'
	config '.linux.devices = [{ path: "/etc", type: "c", major: 1, minor: 5 }]'
	refused 'devices\[0\].*/etc'
}

@test "types and paths that cannot be" {
	config '.linux.devices = [{ path: "/dev/x", type: "z", major: 1, minor: 5 }]'
	refused 'devices\[0\].type'
	config '.linux.devices = [{ path: "x", type: "c", major: 1, minor: 5 }]'
	refused 'devices\[0\].path'
	config '.linux.devices = [{ path: "/dev/x", type: "c", major: 1 }]'
	refused 'devices\[0\].minor: is required'
}

@test "a program with CAP_MKNOD may make nodes of what it may use" {
	needs_root
	config '.process.capabilities[] = ["CAP_MKNOD"] | .root.readonly = false'
	inside mknod /tmp/null c 1 3
	has mknod=ok
}

@test "/dev can be read-only and still has its nodes" {
	config '(.mounts[] | select(.destination == "/dev") | .options) += ["ro"]'
	inside many write /dev/null x -- write /dev/file x
	has write=ok write=EROFS
}

@test "a /dev that the caller has mounted in the root filesystem is filled" {
	needs_root
	config '.mounts |= map(select(.destination | startswith("/dev") | not))'
	payload stat /dev/null
	run unshare --mount bash -c 'mount -t tmpfs tmpfs "$1/rootfs/dev" && "$2" --root "$3" run --bundle "$1" "$4"' \
		bash "$BUNDLE" "$AGENTD" "$ROOT" "$ID"
	status_is 0
	like '^/dev/null=char'
}
