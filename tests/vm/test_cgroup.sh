# cgroup v2 besides limits: freezing, killing, delegation, what is left.
. ./helpers.sh

freeze() {
	start sleep
	agentd pause t
	expect grep -qx 'frozen 1' "$dir/cgroup.events"
	expect [ "$(agentd state t | jq -r .status)" = paused ]
	agentd resume t
	expect grep -qx 'frozen 0' "$dir/cgroup.events"
}
check "pause freezes, resume thaws" freeze

delete_frozen() {
	start children 3
	agentd pause t
	agentd delete --force t
	expect [ ! -e "$dir" ]
}
check "delete --force of a frozen container" delete_frozen

kill_all() {
	config '.linux.namespaces |= map(select(.type != "pid"))'
	start children 5
	expect [ "$(wc -l <"$dir/cgroup.procs")" -eq 6 ]
	agentd kill --all t KILL
	wait_for grep -qx 'populated 0' "$dir/cgroup.events"
}
check "kill --all without a pid namespace reaches every process" kill_all

nested() {
	start sleep
	mkdir "$dir/below" "$dir/below/deep"
	agentd delete --force t
	expect [ ! -e "$dir" ]
}
check "cgroups below the container's are removed with it" nested

# The container's root may make cgroups of its own and give them limits, but may not change its own.
delegation() {
	config '.linux.namespaces += [{ type: "user" }] |
		.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 1000 }] | .linux.gidMappings = .linux.uidMappings |
		.mounts |= map(if .type == "cgroup" then .options -= ["ro"] else . end) | .linux.resources = { pids: { limit: 50 } }'
	chown -R 100000:100000 "$BUNDLE/rootfs"
	inside many mkdir /sys/fs/cgroup/mine -- write /sys/fs/cgroup/mine/cgroup.procs 0 -- write /sys/fs/cgroup/pids.max max -- \
		stat /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/pids.max
	expect has mkdir=ok
	expect like '^write=ok'
	expect like '^write=E(ACCES|PERM|NOENT)'
	expect like '^/sys/fs/cgroup/cgroup.procs=file mode=0644 uid=0'
}
check "delegation to the root of a user namespace" delegation

# Without a user namespace too: what manages cgroups inside (kubelet, systemd) looks for controllers before it starts.
controllers() {
	config '.mounts |= map(if .type == "cgroup" then .options -= ["ro"] else . end) | .linux.resources = {}'
	inside cat /sys/fs/cgroup/cgroup.controllers
	for controller in $(cat $CGROUP/cgroup.controllers); do
		expect like "(^| )$controller( |\$)"
	done
}
check "a container that may make cgroups has every controller" controllers

read_only() {
	inside many mkdir /sys/fs/cgroup/mine -- write /sys/fs/cgroup/cgroup.procs 0
	expect has mkdir=EROFS
	expect has write=EROFS
}
check "without delegation the cgroup filesystem is read-only" read_only

path() {
	config '.linux.cgroupsPath = "/a/b/c"'
	start sleep
	expect [ "$dir" = $CGROUP/a/b/c ]
	agentd delete --force t
	expect [ ! -e $CGROUP/a/b/c ]
	rmdir $CGROUP/a/b $CGROUP/a 2>/dev/null || :
}
check "cgroupsPath" path

exec_below() {
	start sleep
	mkdir "$dir/sub" "$dir-beside"
	output=$(agentd exec --cgroup sub t /bin/canary cat /proc/self/cgroup)
	expect has 0::/sub
	for path in .. "../t-beside" /../t-beside; do
		! agentd exec --cgroup "$path" t /bin/canary true || expect false
	done
	rmdir "$dir-beside"
}
check "exec --cgroup goes below, never beside" exec_below

exec_here() {
	start sleep
	output=$(agentd exec t /bin/canary cat /proc/self/cgroup)
	expect has 0::/
	expect [ "$(agentd ps -f json t | jq length)" -eq 1 ]
}
check "exec is in the container's cgroup" exec_here
