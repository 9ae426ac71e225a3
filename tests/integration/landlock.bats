# process.landlock: rules on paths and ports, what the kernel lacks, and that it comes after everything that mounts.

load helpers

needs_landlock() { # [ABI]
	local abi
	abi=$("$CANARY" landlock)
	[[ $abi == landlock=[0-9]* ]] || skip "the kernel has no Landlock ($abi)"
	[ "${abi#*=}" -ge "${1-1}" ] || skip "Landlock has $abi, this needs ABI $1"
}

landlock() { config ".process.noNewPrivileges = true | .process.landlock = $1"; }

@test "reading and writing where it is allowed" {
	needs_landlock
	mkdir "$BUNDLE/rootfs/open" "$BUNDLE/rootfs/shut"
	echo secret >"$BUNDLE/rootfs/shut/file"
	landlock '{ ruleset: [{ handledAccessFs: ["abi.all"] }], mode: "bestEffort",
		pathBeneath: [{ allowedAccess: ["abi.read_execute"], parent: ["/bin"] },
			{ allowedAccess: ["abi.read_write"], parent: ["/open"] }] }'
	config '.root.readonly = false'
	inside many write /open/file x -- read /open/file -- cat /shut/file -- write /shut/new x -- mkdir /shut/dir -- ls /shut
	has write=ok read=ok cat=EACCES write=EACCES mkdir=EACCES ls=EACCES
	unlike secret
}

@test "a rule is for what was mounted there, whatever is called so meanwhile" {
	needs_landlock
	mkdir "$BUNDLE/rootfs/volume" "$WORK/volume"
	landlock '{ ruleset: [{ handledAccessFs: ["make_reg"] }],
		pathBeneath: [{ allowedAccess: ["make_reg"], parent: ["/volume/../tmp/."] }] }'
	config '.mounts += [{ destination: "/volume", type: "bind", source: $v, options: ["rbind"] }]' --arg v "$WORK/volume"
	launch_exchanged 'mv tmp x; mv volume tmp; mv x volume' many write /volume/new x -- write /tmp/new x
	[ -z "$(ls -A "$WORK/volume")" ]
	[ "$(grep -E '^write=' <<<"$output" | xargs)" = "write=EACCES write=ok" ]
}

@test "executing where it is allowed" {
	needs_landlock
	mkdir "$BUNDLE/rootfs/shut"
	cp "$CANARY" "$BUNDLE/rootfs/shut/canary"
	landlock '{ ruleset: [{ handledAccessFs: ["execute"] }],
		pathBeneath: [{ allowedAccess: ["execute"], parent: ["/bin"] }] }'
	inside many execute /bin/canary true -- execute /shut/canary true
	output=$(tr '\n' ' ' <<<"$output")
	like '^execute=ok execute=EACCES'
}

@test "ports" {
	needs_landlock 4
	namespace network
		landlock '{ ruleset: [{ handledAccessNet: ["bind_tcp", "connect_tcp"] }],
		netPort: [{ allowedAccess: ["bind_tcp"], port: [4000] }] }'
	inside many bind 4000 -- bind 4001 -- connect 4000
	output=$(tr '\n' ' ' <<<"$output")
	like '^bind=ok bind=EACCES connect=EACCES'
}

@test "scopes" {
	needs_landlock 6
	landlock '{ ruleset: [{ scoped: ["abstract_unix_socket", "signal"] }] }'
	inside true
}

@test "numbers stand for rights that have no name yet" {
	needs_landlock
	landlock '{ ruleset: [{ handledAccessFs: [1] }], pathBeneath: [{ allowedAccess: [1], parent: ["/bin"] }] }'
	inside true
}

@test "what the kernel lacks: an error, unless best effort was asked for" {
	needs_landlock
	landlock '{ ruleset: [{ handledAccessFs: [1, 4503599627370496] }],
		pathBeneath: [{ allowedAccess: [1], parent: ["/"] }] }'
	refused 'landlock.*'
	config '.process.landlock.mode = "bestEffort"'
	inside true
}

@test "what best effort left out is in the state, whatever the log is to have" {
	needs_landlock
	landlock '{ ruleset: [{ handledAccessFs: ["execute"] }], mode: "bestEffort",
		pathBeneath: [{ allowedAccess: ["execute"], parent: ["/", "/nowhere"] }] }'
	AGENTD_FLAGS="$AGENTD_FLAGS --log-format json --log $WORK/log"
	start_resting
	run agentd state "$ID"
	like '"process.landlock: /nowhere does not exist: its rule is left out"'
	[ ! -s "$WORK/log" ]
}

@test "minimumAbi" {
	needs_landlock
	landlock '{ minimumAbi: 99, ruleset: [{ handledAccessFs: ["execute"] }],
		pathBeneath: [{ allowedAccess: ["execute"], parent: ["/"] }] }'
	refused 'landlock.*99'
}

@test "it needs noNewPrivileges" {
	landlock '{ ruleset: [{ handledAccessFs: ["execute"] }] }'
	config '.process.noNewPrivileges = false'
	refused 'landlock.*noNewPrivileges'
}

@test "unknown rights and missing paths are named" {
	needs_landlock
	landlock '{ ruleset: [{ handledAccessFs: ["nonsense"] }] }'
	refused 'landlock.*nonsense'
	landlock '{ ruleset: [{ handledAccessFs: ["execute"] }], pathBeneath: [{ allowedAccess: ["execute"], parent: ["/missing"] }] }'
	refused 'landlock.*/missing.*No such file'
}

@test "the shape of the specification's proposal is understood" {
	needs_landlock
	landlock '{ handledAccess: { handledAccessFS: ["execute"] },
		rules: { pathBeneath: [{ allowedAccess: ["execute"], paths: ["/bin"] }] } }'
	inside execute /bin/canary true
	has execute=ok
}

@test "the annotation does the same" {
	needs_landlock
	mkdir "$BUNDLE/rootfs/shut"
	cp "$CANARY" "$BUNDLE/rootfs/shut/canary"
	config '.process.noNewPrivileges = true | .annotations["io.agentd.landlock"] =
		({ ruleset: [{ handledAccessFs: ["execute"] }], pathBeneath: [{ allowedAccess: ["execute"], parent: ["/bin"] }] } | tojson)'
	inside execute /shut/canary true
	has execute=EACCES
}

@test "mounting is over once it is in force" {
	needs_root
	needs_landlock
	config '.process.capabilities[] = ["CAP_SYS_ADMIN"]'
	inside mount-tmpfs /tmp
	has mount-tmpfs=ok
	landlock '{ ruleset: [{ handledAccessFs: ["execute"] }], pathBeneath: [{ allowedAccess: ["execute"], parent: ["/"] }] }'
	inside mount-tmpfs /tmp
	has mount-tmpfs=EPERM
}

@test "rules are on paths of the container, through its links" {
	needs_landlock
	mkdir "$BUNDLE/rootfs/real"
	cp "$CANARY" "$BUNDLE/rootfs/real/canary"
	ln -s /real "$BUNDLE/rootfs/link"
	landlock '{ ruleset: [{ handledAccessFs: ["execute"] }],
		pathBeneath: [{ allowedAccess: ["execute"], parent: ["/bin", "/link"] }] }'
	inside execute /real/canary true
	has execute=ok
}

@test "exec is under the same rules" {
	needs_landlock
	mkdir "$BUNDLE/rootfs/shut"
	landlock '{ ruleset: [{ handledAccessFs: ["abi.all"] }], mode: "bestEffort",
		pathBeneath: [{ allowedAccess: ["abi.read_execute"], parent: ["/bin"] }] }'
	start_resting
	in_container ls /shut
	has ls=EACCES
}

@test "a link in the image does not make another directory writable under Landlock" {
	needs_landlock
	mkdir -p "$WORK/volume" "$BUNDLE/rootfs/data"
	rmdir "$BUNDLE/rootfs/mnt"
	ln -s /data "$BUNDLE/rootfs/mnt"
	config '.mounts += [{ destination: "/data", type: "bind", source: $v, options: ["bind"] }] |
		.process.landlock = { ruleset: [{ handledAccessFs: ["write_file", "make_reg"] }],
			pathBeneath: [{ allowedAccess: ["write_file", "make_reg"], parent: ["/mnt"] }] }' --arg v "$WORK/volume"
	refused '/mnt.*symbolic link'
}
