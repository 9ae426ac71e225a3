# The device access program: what may be opened and made.
. ./helpers.sh

default_devices() {
	config '.process.capabilities[] = ["CAP_MKNOD"] | .linux.resources = { devices: [{ allow: false, access: "rwm" }] } |
		.mounts |= map(if .destination == "/tmp" then .options -= ["nodev"] else . end)'
	inside many write /dev/null x -- read /dev/zero -- mknod /tmp/null c 1 3 -- write /tmp/null x -- \
		mknod /tmp/mem c 1 1 -- read /tmp/mem -- mknod /tmp/disk b "$major" 0 -- open /tmp/disk r -- open /tmp/disk w
	expect has write=ok
	expect has mknod=ok # making is allowed to whoever has the capability, using is not
	expect has read=EPERM
	expect [ "$(echo "$output" | grep -c '^open=EPERM')" -eq 2 ]
}
major=$(awk '$2 == "virtblk" { print $1 }' /proc/devices)
major=${major:-8}
check "the default: /dev/null and its like, and nothing else" default_devices

allowed() {
	config '.process.capabilities[] = ["CAP_MKNOD", "CAP_SYS_RAWIO"] |
		.linux.resources = { devices: [{ allow: false }, { allow: true, type: "c", major: 1, minor: 1, access: "r" }] } |
		.linux.devices = [{ path: "/dev/m", type: "c", major: 1, minor: 1 }]'
	inside many open /dev/m r -- open /dev/m w
	expect has open=ok
	expect has open=EPERM
}
check "a rule opens what it names, for what it names" allowed

last_rule() {
	config '.process.capabilities[] = ["CAP_MKNOD", "CAP_SYS_RAWIO", "CAP_SYSLOG"] |
		.linux.resources = { devices: [{ allow: true }, { allow: false, type: "c", major: 1, minor: 1 }] } |
		.linux.devices = [{ path: "/dev/m", type: "c", major: 1, minor: 1 }, { path: "/dev/k", type: "c", major: 1, minor: 11 }]'
	inside many open /dev/m r -- open /dev/k r
	expect has open=EPERM
	expect has open=ok
}
check "the last rule that matches decides" last_rule

exec_too() {
	config '.process.capabilities[] = ["CAP_MKNOD", "CAP_SYS_RAWIO"] | .linux.resources = { devices: [{ allow: false }] } |
		.linux.devices = [{ path: "/dev/m", type: "c", major: 1, minor: 1 }]'
	start sleep
	output=$(agentd exec t /bin/canary open /dev/m r)
	expect has open=EPERM
}
check "exec is under the same program" exec_too
