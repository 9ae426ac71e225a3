# AppArmor, Landlock of this kernel, seccomp, user namespaces on a kernel of another age.
. ./helpers.sh

profile() {
	cat >/tmp/profile <<-PROFILE
		profile agentd-test flags=(attach_disconnected) {
			/** rmix,
			/tmp/** rwk,
			signal,
			deny /etc/secret r,
		}
	PROFILE
	apparmor_parser --skip-cache --replace /tmp/profile
	echo secret >"$BUNDLE/rootfs/etc/secret"
	config '.linux.resources = {} | .process.apparmorProfile = "agentd-test"'
	inside many cat /proc/self/attr/current -- cat /etc/secret -- write /tmp/x y
	expect has 'agentd-test (enforce)'
	expect has cat=EACCES
	expect has write=ok
	start sleep
	output=$(agentd exec t /bin/canary cat /proc/self/attr/current)
	expect has 'agentd-test (enforce)'
}
unknown_profile() {
	config '.linux.resources = {} | .process.apparmorProfile = "no-such-profile"'
	inside true
	expect [ "$status" -ne 0 ]
	expect like 'no-such-profile'
}
if [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; then
	check "apparmorProfile, for the first process and exec" profile
	check "apparmorProfile that is not loaded is named" unknown_profile
else
	skip "apparmorProfile" "the kernel has no AppArmor"
fi

landlock() {
	echo secret >"$BUNDLE/rootfs/etc/secret"
	config '.linux.resources = {} | .process.landlock = { mode: "bestEffort", ruleset: [{ handledAccessFs: ["abi.all"],
			handledAccessNet: ["bind_tcp", "connect_tcp"], scoped: ["abstract_unix_socket", "signal"] }],
		pathBeneath: [{ allowedAccess: ["abi.read_execute"], parent: ["/bin"] }] }'
	inside many cat /etc/secret -- write /tmp/x y -- bind 4000 -- truncate /etc/secret
	expect has cat=EACCES
	expect has write=EACCES
	if [ "$ABI" -ge 4 ]; then
		expect has bind=EACCES
	else
		expect has bind=ok
	fi
}
enforce() {
	config '.linux.resources = {} | .process.landlock = { ruleset: [{ handledAccessNet: ["bind_tcp"] }] }'
	inside bind 4000
	if [ "$ABI" -ge 4 ]; then
		expect has bind=EACCES
	else
		expect [ "$status" -eq 1 ]
		expect like 'landlock.*(ABI|abi)'
	fi
}
notes() {
	config '.linux.resources = {} | .process.landlock = { mode: "bestEffort", ruleset: [{ handledAccessFs: ["execute"],
			handledAccessNet: ["bind_tcp"] }], pathBeneath: [{ allowedAccess: ["execute"], parent: ["/"] }] }'
	start sleep
	output=$(agentd state t)
	if [ "$ABI" -lt 4 ]; then
		expect like 'bind_tcp'
	fi
}
minimum() {
	config ".linux.resources = {} | .process.landlock = { minimumAbi: $((ABI + 1)), ruleset: [{ handledAccessFs: [\"execute\"] }],
		pathBeneath: [{ allowedAccess: [\"execute\"], parent: [\"/\"] }] }"
	inside true
	expect [ "$status" -eq 1 ]
	expect like "$((ABI + 1))"
}
if [ "$ABI" -ge 1 ] 2>/dev/null; then
	check "Landlock, best effort on ABI $ABI" landlock
	check "Landlock, enforced on ABI $ABI" enforce
	check "Landlock: what was left out is told by state" notes
	check "Landlock: minimumAbi above the kernel's" minimum
else
	skip "Landlock" "the kernel has none ($ABI)"
fi

seccomp() {
	rm "$BUNDLE/config.json"
	agentd spec --bundle "$BUNDLE"
	config '.process.terminal = false'
	inside many status -- unshare user -- mount-tmpfs /tmp -- io-uring -- int80 -- x32 -- ptrace -- keyctl -- syscall 999
	expect has seccomp=2
	expect [ "$(echo "$output" | grep -c '=ok$')" -eq 0 ] || expect has never
}
check "the default filter" seccomp

user_namespace() {
	config '.linux.resources = {} | .linux.namespaces += [{ type: "user" }, { type: "time" }] | .linux.uidMappings =
		[{ containerID: 0, hostID: 100000, size: 1000 }] | .linux.gidMappings = .linux.uidMappings'
	chown -R 100000:100000 "$BUNDLE/rootfs"
	inside many id -- cat /proc/self/uid_map -- ns
	expect [ "$status" -eq 0 ]
	expect has uid=0
	expect like '^ *0 +100000 +1000'
}
check "all eight namespaces" user_namespace
