# User namespaces and their maps, as root and as an ordinary user.

load helpers

map() { # CONTAINER HOST SIZE
	config '.linux.uidMappings = [{ containerID: $c, hostID: $h, size: $n }] | .linux.gidMappings = .linux.uidMappings' \
		--argjson c "$1" --argjson h "$2" --argjson n "$3"
	namespace user
}

@test "the maps are those of the configuration" {
	needs_root
	map 0 200000 1000
	chown -R 200000:200000 "$BUNDLE/rootfs"
	inside cat /proc/self/uid_map /proc/self/gid_map
	[ "$(tr -s ' ' <<<"$output" | grep -c '^ 0 200000 1000')" -eq 2 ]
}

@test "several ranges" {
	needs_root
	map 0 200000 1000
	config '.linux.uidMappings += [{ containerID: 1000, hostID: 300000, size: 5 }]'
	chown -R 200000:200000 "$BUNDLE/rootfs"
	inside cat /proc/self/uid_map
	[ "$(wc -l <<<"$output")" -eq 2 ]
}

@test "files made inside belong to the mapped ids outside" {
	needs_root
	map 0 200000 1000
	chown -R 200000:200000 "$BUNDLE/rootfs"
	config '.root.readonly = false | .process.user = { uid: 7, gid: 8 }'
	chmod 777 "$BUNDLE/rootfs"
	inside write /file x
	[ "$(stat -c %u:%g "$BUNDLE/rootfs/file")" = 200007:200008 ]
}

@test "a user who is not mapped is refused" {
	map 0 "$EUID" 1
	config '.process.user.uid = 12345'
	refused '(user.uid|12345)'
}

@test "mappings without a user namespace, and a namespace without mappings" {
	config '.linux.uidMappings = [{ containerID: 0, hostID: 1000, size: 1 }] | .linux.gidMappings = .linux.uidMappings'
	no_namespace user
	refused 'uidMappings|user namespace'
	namespace user
	config 'del(.linux.uidMappings, .linux.gidMappings)'
	refused 'uidMappings|mapping'
}

@test "a size of nothing, and ranges that overlap, are refused" {
	map 0 "$EUID" 0
	refused 'uidMappings\[0\].size'
	map 0 "$EUID" 2
	config '.linux.uidMappings += [{ containerID: 1, hostID: 500000, size: 2 }]'
	refused 'uidMappings|uid_map'
}

@test "rootless: the user is root inside, and root only over what is his" {
	needs_user
	config '.root.readonly = false'
	inside many id -- write /file x -- setgroups
	has uid=0 gid=0 write=ok
	unlike 'setgroups=ok'
	[ "$(stat -c %u "$BUNDLE/rootfs/file")" -eq "$EUID" ]
}

@test "rootless: setgroups is denied before the gid map is written (CVE-2014-8989)" {
	needs_user
	inside cat /proc/self/setgroups
	has deny
}

@test "rootless: additional groups cannot be had" {
	needs_user
	config '.process.user.additionalGids = [5]'
	refused 'additionalGids'
}

@test "in a user namespace that denies setgroups, with and without one more of the container's own" {
	needs_user_namespaces
	inner() { run unshare --user --map-root-user --mount "$AGENTD" --root "$ROOT" run --bundle "$BUNDLE" "$ID"; }
	payload many cat /proc/self/setgroups -- cat /proc/self/uid_map
	no_namespace user
	config '(.mounts[] | select(.type == "devpts") | .options) -= ["gid=5"]' # which is not mapped
	config 'del(.linux.uidMappings, .linux.gidMappings) | .process.user.additionalGids = [0]'
	inner
	status_is 0
	has deny
	namespace user
	config '.linux.uidMappings = [{ containerID: 0, hostID: 0, size: 1 }] | .linux.gidMappings = .linux.uidMappings'
	inner
	status_is 0
	has deny
	config '.process.user.additionalGids = [7]'
	inner
	status_is 1
	like 'additionalGids'
}

# There is nothing to drop that could be dropped; root's groups would come along, so root is refused.
@test "a user namespace made by someone else, in which setgroups is denied" {
	unshare -Ur sleep 60 3>&- & local holder=$!
	wait_for grep -q deny "/proc/$holder/setgroups"
	namespace user "/proc/$holder/ns/user"
	config 'del(.linux.uidMappings, .linux.gidMappings) | .mounts |= map(select(.destination != "/dev/pts"))'
	if is_root; then
		output=$(agentd run --bundle "$BUNDLE" "$ID" 2>&1 3>&-) || true
	else
		payload id
		launch
	fi
	kill $holder
	if is_root; then
		like 'set 0 supplementary groups: Operation not permitted'
	else
		has uid=0 gid=0
	fi
}

@test "rootless: another user's ids cannot be had without newuidmap's permission" {
	needs_user
	config '.linux.uidMappings = [{ containerID: 0, hostID: 0, size: 1 }]'
	refused '(uid_map|newuidmap|uidMappings)'
}

@test "rootless: a range by newuidmap" {
	needs newuidmap
	needs_root # makes the user and his range, in a mount namespace of their own
	payload cat /proc/self/uid_map
	local user=54321 dir=$WORK/user
	needs_user_namespaces
	cp "$TOP/tests/integration/subid.sh" "$WORK/subid.sh"
	cp "$AGENTD" "$WORK/agentd"
	chmod 755 "$WORK/subid.sh" "$WORK/agentd"
	mkdir "$dir"
	"$AGENTD" spec --bundle "$dir" --rootless
	jq '.process.terminal = false | .process.args = ["/bin/canary", "cat", "/proc/self/uid_map"] |
		.linux.uidMappings = [{ containerID: 0, hostID: 54321, size: 1 }, { containerID: 1, hostID: 700000, size: 100 }] |
		.linux.gidMappings = .linux.uidMappings | del(.linux.resources, .linux.seccomp, .process.landlock)' "$dir/config.json" >"$WORK/config.json"
	mv "$WORK/config.json" "$dir/config.json"
	cp -a "$BUNDLE/rootfs" "$dir/rootfs"
	chown -R $user:$user "$dir"
	run unshare -m --propagation private "$WORK/subid.sh" $user 700000 100 "$WORK/agentd" --root "$dir/state" run --bundle "$dir" sub
	status_is 0
	output=$(tr -s ' ' <<<"$output")
	like '^ 0 54321 1' '^ 1 700000 100'
}
