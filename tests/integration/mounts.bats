# mounts[]: what each option does, and that none of it can be led out of the root filesystem.

load helpers

# mount_row DESTINATION TYPE SOURCE [OPTION...]: appended to mounts
mount_row() {
	local destination=$1 type=$2 source=$3
	shift 3
	config '.mounts += [{ destination: $destination, type: $type, source: $source, options: $ARGS.positional }]' \
		--arg destination "$destination" --arg type "$type" --arg source "$source" --args -- "$@"
}

# The flags of the mount on a path of the container, from its mountinfo.
flags_of() { awk -v on="$1" '$5 == on { flags = $6 } END { print flags }' <<<"$output"; }

@test "bind: a directory, its missing mount point made" {
	mkdir "$WORK/data"
	echo inside >"$WORK/data/file"
	mount_row /new/point bind "$WORK/data" bind rw
	config '.root.readonly = false'
	inside many cat /new/point/file -- write /new/point/back text
	has inside write=ok
	[ "$(cat "$WORK/data/back")" = text ]
}

@test "bind: a file" {
	echo content >"$WORK/file"
	mount_row /etc/file bind "$WORK/file" bind ro
	inside many cat /etc/file -- write /etc/file x
	has content write=EROFS
}

@test "bind: a source relative to the bundle" {
	mkdir "$BUNDLE/data"
	echo relative >"$BUNDLE/data/file"
	mount_row /mnt bind data bind
	inside cat /mnt/file
	has relative
}

@test "bind: flags take effect" {
	mkdir "$WORK/data"
	mount_row /mnt bind "$WORK/data" bind ro nosuid nodev noexec
	inside mounts
	[[ $(flags_of /mnt) == ro,nosuid,nodev,noexec* ]]
}

@test "bind: access times" {
	needs_root # a user namespace may not change them
	mkdir "$WORK/data"
	mount_row /mnt bind "$WORK/data" bind noatime
	inside mounts
	[[ $(flags_of /mnt) == *noatime* ]]
}

@test "bind: type none or absent is the same" {
	mkdir "$WORK/data"
	config '.mounts += [{ destination: "/mnt", source: $source, options: ["rbind", "ro"] }]' --arg source "$WORK/data"
	inside write /mnt/file x
	has write=EROFS
}

@test "bind: a source that is missing is named" {
	mount_row /mnt bind "$WORK/missing" bind
	refused 'mounts\[[0-9]+\].*missing.*No such file'
}

@test "recursive read-only reaches the mounts below, plain read-only does not" {
	needs_root
	mkdir -p "$WORK/data/below"
	mount_row /mnt bind "$WORK/data" rbind ro
	payload many write /mnt/file x -- write /mnt/below/file x
	try() { unshare -m --propagation private bash -c 'mount -t tmpfs below "$1" && shift && "$@"' - "$WORK/data/below" \
		"$AGENTD" --root "$ROOT" run --bundle "$BUNDLE" "$ID"; }
	run try
	output=$(tr '\n' ' ' <<<"$output")
	like '^write=EROFS write=ok'
	config '(.mounts[] | select(.destination == "/mnt") | .options) = ["rbind", "rro"]'
	run try
	output=$(tr '\n' ' ' <<<"$output")
	like '^write=EROFS write=EROFS'
}

@test "read-only and recursive options: the later one wins" {
	mkdir "$WORK/data"
	mount_row /mnt bind "$WORK/data" rbind rrw ro
	inside write /mnt/file x
	has write=EROFS
	config '(.mounts[] | select(.destination == "/mnt") | .options) = ["rbind", "rro", "rw"]'
	inside write /mnt/file x
	has write=ok
}

@test "tmpfs: size and mode" {
	mount_row /mnt tmpfs tmpfs size=64k mode=1755 nosuid
	inside many stat /mnt -- mounts
	like '^/mnt=directory mode=1755' ' /mnt .* - tmpfs tmpfs rw,size=64k,mode=1755'
}

@test "tmpfs: read-only is that mount, not what is there in the end" {
	mkdir -p "$WORK/data"
	mount_row /mnt tmpfs tmpfs ro
	mount_row /mnt bind "$WORK/data" bind
	inside write /mnt/file x
	has write=ok
	mount_row /etc/below tmpfs tmpfs ro
	mount_row /etc bind "$WORK/data" bind
	inside write /etc/file x
	has write=ok
}

@test "tmpfs: read-only, but writable by a later remount" {
	mount_row /mnt tmpfs tmpfs ro
	mount_row /mnt none none remount rw nosuid
	inside write /mnt/file x
	has write=ok
}

@test "tmpfs: with no mode it takes that of the directory below" {
	chmod 1777 "$BUNDLE/rootfs/mnt"
	mount_row /mnt tmpfs tmpfs
	inside stat /mnt
	like '^/mnt=directory mode=1777'
}

@test "tmpfs: tmpcopyup" {
	mkdir "$BUNDLE/rootfs/mnt/dir"
	echo text >"$BUNDLE/rootfs/mnt/dir/file"
	ln -s dir/file "$BUNDLE/rootfs/mnt/link"
	chmod 640 "$BUNDLE/rootfs/mnt/dir/file"
	mount_row /mnt tmpfs tmpfs tmpcopyup
	inside many cat /mnt/link -- stat /mnt/dir/file -- write /mnt/dir/file new
	has text write=ok
	like '^/mnt/dir/file=file mode=0640'
	[ "$(cat "$BUNDLE/rootfs/mnt/dir/file")" = text ]
}

@test "propagation of a mount" {
	mount_row /mnt tmpfs tmpfs rshared
	inside mounts
	like ' /mnt .* shared:[0-9]+ .*- tmpfs'
}

@test "the order of the file is the order of mounting" {
	mount_row /mnt tmpfs tmpfs mode=700
	mount_row /mnt/below tmpfs tmpfs mode=711
	inside stat /mnt /mnt/below
	like '^/mnt=directory mode=0700' '^/mnt/below=directory mode=0711'
}

@test "proc shows the processes of the container only" {
	inside ls /proc
	has 1
	unlike "^$$\$"
}

@test "mqueue, devpts and shm as a program expects them" {
	inside many stat /dev/pts/ptmx /dev/ptmx /dev/shm -- write /dev/shm/x y -- mounts
	like '^/dev/pts/ptmx=char mode=0666' '^/dev/shm=directory mode=1777' '^/dev/ptmx=' ' /dev/mqueue '
	has write=ok
}

@test "an unknown option goes to the filesystem, whose refusal names the mount" {
	mount_row /mnt tmpfs tmpfs nonsense=1
	refused 'mounts\[[0-9]+\].*(/mnt|nonsense)'
}

@test "an unknown filesystem is named" {
	mount_row /mnt nonsense nonsense
	refused 'mounts\[[0-9]+\].*nonsense.*(No such device|Operation not permitted)'
}

@test "a bind mount with data of a filesystem is refused" {
	mkdir "$WORK/data"
	mount_row /mnt bind "$WORK/data" bind size=1k
	refused 'mounts\[[0-9]+\]'
}

@test "the root cannot be mounted on" {
	mount_row / tmpfs tmpfs
	refused 'mounts\[[0-9]+\].*destination'
}

@test "a destination through links stays inside" {
	mkdir "$WORK/data"
	echo safe >"$WORK/data/file"
	ln -s ../../../../../../../../../../etc "$BUNDLE/rootfs/up"
	ln -s /mnt "$BUNDLE/rootfs/absolute"
	mount_row /up/new bind "$WORK/data" bind
	mount_row /absolute bind "$WORK/data" bind
	config '.root.readonly = false'
	inside cat /etc/new/file /mnt/file
	[ "$(grep -c safe <<<"$output")" -eq 2 ]
	[ ! -e /etc/new ]
}

@test "a link in a volume leads out of the volume, to where the program goes by it" {
	mkdir "$WORK/volume" "$BUNDLE/rootfs/volume" "$BUNDLE/rootfs/mnt/real"
	ln -s /mnt "$WORK/volume/link"
	echo x | tee "$WORK/mark" >"$BUNDLE/rootfs/mnt/secret"
	config '.mounts += [{ destination: "/volume", type: "bind", source: "\($w)/volume", options: ["rbind"] },
			{ destination: "/volume/link/real", type: "tmpfs", source: "inner" },
			{ destination: "/volume/link/mark", type: "bind", source: "\($w)/mark", options: ["bind"] }] |
		.linux.maskedPaths += ["/volume/link/secret"]' --arg w "$WORK"
	inside mounts
	like ' / /mnt/real .* - tmpfs inner' '/mark /mnt/mark ' ' /mnt/secret ro,'
	[ "$(ls "$WORK/volume")" = link ]
}

@test "a destination that is a link to nothing: what it leads to is made, inside" {
	echo safe >"$WORK/file"
	ln -s ../run/systemd/resolve/stub-resolv.conf "$BUNDLE/rootfs/etc/resolv.conf"
	ln -s "$WORK/bundle/away" "$BUNDLE/rootfs/absolute"
	mount_row /etc/resolv.conf bind "$WORK/file" bind ro
	mount_row /absolute/file bind "$WORK/file" bind ro
	inside cat /etc/resolv.conf /run/systemd/resolve/stub-resolv.conf /absolute/file
	[ "$(grep -c safe <<<"$output")" -eq 3 ]
	[ ! -e "$BUNDLE/away" ]
}

@test "nothing but what is allowed can be mounted below /proc" {
	mkdir "$WORK/data"
	mount_row /proc/sys bind "$WORK/data" bind
	refused 'mounts\[[0-9]+\].*/proc'
}

@test "a file over /proc/meminfo is allowed" {
	echo fake >"$WORK/meminfo"
	mount_row /proc/meminfo bind "$WORK/meminfo" bind ro
	inside cat /proc/meminfo
	has fake
}

has_idmap() { agentd features | jq -e .linux.mountExtensions.idmap.enabled >/dev/null; }

@test "id mapped mounts, or a refusal by name" {
	needs_root
	mkdir "$WORK/data"
	touch "$WORK/data/file"
	config '.mounts += [{ destination: "/mnt", source: $source, options: ["bind"],
		uidMappings: [{ containerID: 0, hostID: 5000, size: 10 }],
		gidMappings: [{ containerID: 0, hostID: 5000, size: 10 }] }]' --arg source "$WORK/data"
	if ! has_idmap; then
		refused 'mounts\[[0-9]+\].uidMappings'
		return
	fi
	inside stat /mnt/file
	like '^/mnt/file=file .* uid=5000 gid=5000'
	config '.mounts[-1] |= del(.gidMappings)'
	refused 'mounts\[[0-9]+\]'
}

@test "idmap without mappings and without a user namespace is refused" {
	needs_root
	mkdir "$WORK/data"
	mount_row /mnt bind "$WORK/data" bind idmap
	refused 'mounts\[[0-9]+\].*'
}

@test "the host sees none of it" {
	mount_row /mnt tmpfs tmpfs shared
	start_resting
	run ! grep -F "$BUNDLE" /proc/self/mountinfo
}
