# The root filesystem: read-only, hidden and protected paths, pivoting, propagation.

load helpers

@test "readonly" {
	config '.root.readonly = true'
	inside many write /file x -- mkdir /dir -- remount-rw /
	has write=EROFS mkdir=EROFS
	unlike 'remount-rw=ok'
	config '.root.readonly = false'
	inside write /file x
	has write=ok
	[ -e "$BUNDLE/rootfs/file" ]
}

@test "readonly leaves mounts on it writable" {
	config '.root.readonly = true | .mounts += [{ destination: "/tmp", type: "tmpfs", source: "tmpfs" }]'
	inside write /tmp/file x
	has write=ok
}

@test "masked paths cannot be read" {
	mkdir "$BUNDLE/rootfs/secret"
	echo key >"$BUNDLE/rootfs/secret/key"
	echo key >"$BUNDLE/rootfs/etc/key"
	config '.linux.maskedPaths = ["/secret", "/etc/key", "/missing", "/proc/kcore"] | .root.readonly = false'
	inside many ls /secret -- cat /etc/key -- write /secret/x y -- stat /etc/key /missing -- read /proc/kcore
	unlike '^key$'
	has write=EROFS /missing=ENOENT
	like '^/etc/key=char .* device=1:3'
}

@test "read-only paths" {
	mkdir "$BUNDLE/rootfs/data"
	config '.linux.readonlyPaths = ["/data", "/proc/sys", "/missing"] | .root.readonly = false'
	inside many write /data/file x -- write /proc/sys/kernel/domainname x -- write /file x
	output=$(tr '\n' ' ' <<<"$output")
	like '^write=EROFS write=EROFS write=ok'
}

@test "masked and read-only paths are what their clean names are" {
	echo key | tee "$BUNDLE/rootfs/etc/"{key,other,data} >/dev/null
	config '.linux.maskedPaths = ["/etc/key/", "/etc/./other/."] | .linux.readonlyPaths = ["/etc/data/"] | .root.readonly = false'
	inside many cat /etc/key -- cat /etc/other -- write /etc/data x
	unlike '^key$'
	has write=EROFS
}

@test "the root filesystem itself is no masked or read-only path" {
	config '.linux.maskedPaths = ["/etc/.."]'
	refused 'linux.maskedPaths\[0\].*root filesystem'
	config '.linux.maskedPaths = [] | .linux.readonlyPaths = ["/proc/sys", "/"]'
	refused 'linux.readonlyPaths\[1\].*root.readonly'
}

@test "masks and read-only paths cannot be taken off" {
	config '.linux.maskedPaths = ["/proc/kcore"] | .linux.readonlyPaths = ["/proc/sys"]'
	inside many umount /proc/kcore -- umount /proc/sys -- remount-rw /proc/sys
	unlike '=ok$'
}

@test "the old root is gone" {
	inside many ls / -- mounts -- ls "$WORK"
	has bin proc ls=ENOENT
	[ "$(awk '$5 == "/"' <<<"$output" | wc -l)" -eq 1 ]
}

@test "--no-pivot" {
	payload ls /
	launch --no-pivot
	status_is 0
	has bin proc
}

@test "a root that is missing, or no directory" {
	config '.root.path = "missing"'
	refused 'root.path|missing'
	touch "$BUNDLE/file"
	config '.root.path = "file"'
	refused 'file.*Not a directory'
}

@test "an absolute root path" {
	mv "$BUNDLE/rootfs" "$WORK/elsewhere"
	mkdir -p "$BUNDLE/rootfs/bin" # nothing_left looks for the canary there
	config '.root.path = $path' --arg path "$WORK/elsewhere"
	inside true
}

@test "rootfsPropagation" {
	config '.linux.rootfsPropagation = "rshared"'
	inside mounts
	like ' / / .* shared:[0-9]+|^[0-9]+ [0-9]+ [^ ]+ [^ ]+ / .* shared:[0-9]+'
	config '.linux.rootfsPropagation = "private"'
	inside mounts
	[ "$(awk '$5 == "/" && /shared:/' <<<"$output")" = '' ]
	config '.linux.rootfsPropagation = "nonsense"'
	refused 'rootfsPropagation.*nonsense'
}

@test "the root filesystem is left as it was" {
	config '.root.readonly = true'
	(cd "$BUNDLE/rootfs" && find . | sort) >"$WORK/before"
	inside true
	(cd "$BUNDLE/rootfs" && find . | sort) | diff "$WORK/before" -
}

# A root that is no mount: its propagation cannot be set, and pivot_root(2) does not leave it.
@test "a caller in a chroot" {
	needs_root
	local root=$WORK/root library
	mkdir -p "$root"/{proc,sys,dev,run,tmp,bundle}
	for library in "$AGENTD" $(ldd "$AGENTD" | grep -o '/[^ ]*'); do
		mkdir -p "$root$(dirname "$library")"
		cp "$library" "$root$library"
	done
	payload many hostname -- write /file x
	config '.root.readonly = true'
	cp -r "$BUNDLE/." "$root/bundle"
	run unshare -m sh -c '
		mount --make-rprivate / && mount --bind /proc "$1/proc" && mount --rbind /sys "$1/sys" &&
			mount --rbind /dev "$1/dev" && mount -t tmpfs run "$1/run" && exec chroot "$1" "$2" run /bundle/' \
		sh "$root" "$AGENTD"
	status_is 0
	has hostname=agentd write=EROFS
}
