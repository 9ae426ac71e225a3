# Every property of process, seen from the inside.

load helpers

@test "args are handed over as they are" {
	inside args 'two words' '' $'a\nline' --option '*'
	has 'args[1]=two words' 'args[2]=' 'args[4]=--option' 'args[5]=*'
}

@test "args are looked up in the PATH of env" {
	config '.process.env = ["PATH=/nowhere:/bin"] | .process.args = ["canary", "echo", "found"]'
	launch
	status_is 0
	has found
	config '.process.env = ["PATH=/nowhere"]'
	refused 'executable file not found in \$PATH'
}

@test "a program that cannot be executed: which of the reasons" {
	config '.process.args = ["/bin/missing"]'
	refused '/bin/missing.*no such file or directory'
	config '.process.args = ["/etc"]'
	refused '"/etc": permission denied'
	echo text >"$BUNDLE/rootfs/bin/text"
	config '.process.args = ["/bin/text"]'
	refused '/bin/text.*permission denied'
	chmod 755 "$BUNDLE/rootfs/bin/text"
	refused '/bin/text.*Exec format error'
	printf '#!/bin/missing\n' >"$BUNDLE/rootfs/bin/text"
	refused '/bin/text.*(interpreter|No such file)'
}

@test "a container that lacks args is refused, and one that has none" {
	config 'del(.process.args)'
	refused 'process.args'
	config '.process.args = []'
	refused 'process.args'
}

@test "env is what the configuration says and no more" {
	config '.process.env = ["A=1", "EMPTY=", "PATH=/bin", "B=x=y"]'
	inside env
	has A=1 EMPTY= PATH=/bin B=x=y
	[ "$(grep -cvE '^(A|EMPTY|PATH|B|HOME)=' <<<"$output")" -eq 0 ]
}

@test "env: HOME, where it is not configured, is that of /etc/passwd in the container" {
	local root=$BUNDLE/rootfs uid=0
	! is_root || uid=1000
	config '.process.user.uid = $uid | .process.env = ["A=1"]' --argjson uid "$uid"
	inside env
	like '^HOME=(/|/root)$'
	mkdir "$root/usr"
	printf 'other:x:7:7::/other:\nme:x:%d:7::/home/me:/bin/sh' "$uid" >"$root/usr/passwd"
	ln -s ../usr/passwd "$root/etc/passwd"
	inside env
	has HOME=/home/me
	config '.process.env += ["HOME=/mine"]'
	inside env
	has HOME=/mine
}

@test "env: a name that comes twice has the later value, and has it once" {
	config '.process.env = ["A=1", "PATH=/bin", "A=2", "HOME=/a", "HOME=/b"]'
	inside env
	has A=2 HOME=/b
	unlike '^(A=1|HOME=/a)$'
}

@test "env: a name without a value is refused" {
	config '.process.env = ["NAME"]'
	refused 'process.env\[0\]'
}

@test "cwd" {
	mkdir -p "$BUNDLE/rootfs/some/where"
	config '.process.cwd = "/some/where"'
	inside cwd
	has cwd=/some/where
}

@test "cwd that is missing is made" {
	config '.process.cwd = "/made/for/you" | .root.readonly = false'
	inside cwd
	has cwd=/made/for/you
}

@test "cwd that is missing is made, also where all is read-only afterwards" {
	config '.mounts += [{ destination: "/mnt", type: "tmpfs", source: "tmpfs", options: ["ro"] }]'
	for cwd in /made/for/you /mnt/too; do
		config '.process.cwd = $cwd | .root.readonly = true' --arg cwd "$cwd"
		inside many cwd -- mkdir x
		has "cwd=$cwd" mkdir=EROFS
	done
}

@test "cwd must be absolute" {
	config '.process.cwd = "tmp"'
	refused 'process.cwd'
	config 'del(.process.cwd)'
	refused 'process.cwd'
}

@test "cwd that is no directory" {
	config '.process.cwd = "/bin/canary"'
	refused '/bin/canary.*Not a directory'
}

@test "user: ids, groups, umask" {
	needs_root
	config '.process.user = { uid: 1000, gid: 2000, additionalGids: [5, 10, 65000], umask: 63 }'
	inside id
	has uid=1000 gid=2000 effective=1000:2000 saved=1000:2000 umask=0077
	like '^groups=(5,10,65000)$'
}

@test "user: without additionalGids none of the caller's groups stays" {
	needs_root
	payload id
	run setpriv --groups 4,20,27 "$AGENTD" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	status_is 0
	has groups=
}

@test "user: umask is 0022 where nothing is said" {
	config 'del(.process.user.umask)'
	(umask 0) # the shell's own does not matter
	inside id
	has umask=0022
}

@test "user: -1 and what is larger than 32 bits is refused" {
	local uid
	for uid in 4294967295 4294967296 -1 '"0"' 1.5 '"root"' 18446744073709551616; do
		config ".process.user.uid = $uid"
		refused 'process.user.uid'
	done
	config '.process.user.uid = 0 | .process.user.gid = 4294967295'
	refused 'process.user.gid'
}

@test "capabilities: five sets, each its own" {
	config '.process.capabilities = {
		bounding: ["CAP_CHOWN", "CAP_KILL", "CAP_SYS_CHROOT"], permitted: ["CAP_CHOWN", "CAP_KILL"],
		effective: ["CAP_CHOWN"], inheritable: ["CAP_KILL"], ambient: [] }'
	inside caps
	# Executed as root, the program gets permitted and effective from inheritable and bounding (capabilities(7)).
	has bounding=0000000000040021 inheritable=0000000000000020 ambient=0000000000000000
}

@test "capabilities of an ordinary user inside come by the ambient set" {
	needs_root
	config '.process.user.uid = 1000 | .process.capabilities = ({ bounding: ["CAP_NET_BIND_SERVICE", "CAP_KILL"] } |
		.permitted = ["CAP_NET_BIND_SERVICE"] | .effective = .permitted | .inheritable = .permitted | .ambient = .permitted)'
	inside caps
	has bounding=0000000000000420 permitted=0000000000000400 effective=0000000000000400 \
		inheritable=0000000000000400 ambient=0000000000000400
}

@test "a program that only CAP_DAC_OVERRIDE lets the user execute" {
	needs_root # chmod alone would be the user's own file
	chmod 744 "$BUNDLE/rootfs/bin/canary"
	config '.process.user.uid = 1000 | .process.user.gid = 1000 | .process.args = ["canary", "echo", "found"]'
	refused 'found in \$PATH, but permission denied'
	config '.process.capabilities[] = ["CAP_DAC_OVERRIDE"] | .process.capabilities.ambient = .process.capabilities.bounding'
	launch
	status_is 0
	has found
}

@test "capabilities: absent means none" {
	config 'del(.process.capabilities)'
	inside caps
	has bounding=0000000000000000 permitted=0000000000000000 effective=0000000000000000 \
		inheritable=0000000000000000 ambient=0000000000000000
}

@test "capabilities: a user who is not root has none by default" {
	needs_root
	config '.process.user.uid = 1000 | del(.process.capabilities.ambient)'
	inside caps
	has permitted=0000000000000000 effective=0000000000000000
}

@test "noNewPrivileges" {
	config '.process.noNewPrivileges = true'
	inside status
	has no_new_privs=1
	config '.process.noNewPrivileges = false'
	inside status
	has no_new_privs=0
}

@test "rlimits" {
	config '.process.rlimits = [
		{ type: "RLIMIT_NOFILE", soft: 100, hard: 200 }, { type: "RLIMIT_CORE", soft: 0, hard: 0 },
		{ type: "RLIMIT_STACK", soft: 1048576, hard: 8388608 }]'
	inside rlimits
	has RLIMIT_NOFILE=100:200 RLIMIT_CORE=0:0 RLIMIT_STACK=1048576:8388608
	inside open-many 1000
	has open-many=EMFILE
}

@test "rlimits: RLIM_INFINITY is the largest number" {
	config '.process.rlimits = [{ type: "RLIMIT_CORE", soft: 5, hard: 99 }]'
	sed -i 's/"hard": 99/"hard": 18446744073709551615/' "$BUNDLE/config.json"
	sed -i "s|\"true\"|\"rlimits\"|" "$BUNDLE/config.json"
	launch
	status_is 0
	has RLIMIT_CORE=5:unlimited
}

@test "rlimits: unknown, double, and soft above hard are refused" {
	config '.process.rlimits = [{ type: "RLIMIT_NOPE", soft: 1, hard: 1 }]'
	refused 'process.rlimits\[0\].type.*RLIMIT_NOPE'
	config '.process.rlimits = [{ type: "RLIMIT_CORE", soft: 1, hard: 1 }, { type: "RLIMIT_CORE", soft: 2, hard: 2 }]'
	refused 'process.rlimits.*RLIMIT_CORE'
	config '.process.rlimits = [{ type: "RLIMIT_CORE", soft: 2, hard: 1 }]'
	refused 'process.rlimits|RLIMIT_CORE'
}

@test "rlimits: agentd's own do not change" {
	needs_root
	config '.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 10, hard: 10 }]'
	inside rlimits
	has RLIMIT_NOFILE=10:10
}

@test "oomScoreAdj" {
	config '.process.oomScoreAdj = 321'
	inside cat /proc/self/oom_score_adj
	has 321
	config 'del(.process.oomScoreAdj)'
	local own
	own=$(cat /proc/self/oom_score_adj)
	inside cat /proc/self/oom_score_adj
	has "$own"
	config '.process.oomScoreAdj = 1001'
	refused 'oomScoreAdj'
}

@test "scheduler: batch with a nice value" {
	config '.process.scheduler = { policy: "SCHED_BATCH", nice: 5 }'
	inside sched
	has policy=3 nice=5
}

@test "scheduler: idle" {
	config '.process.scheduler = { policy: "SCHED_IDLE" }'
	inside sched
	has policy=5
}

@test "scheduler: real time" {
	needs_root
	chrt -f 1 true 2>/dev/null || skip "real-time scheduling is not allowed here"
	config '.process.scheduler = { policy: "SCHED_FIFO", priority: 3 }'
	inside sched
	has policy=1 priority=3
}

@test "scheduler: values that do not belong to the policy are refused" {
	config '.process.scheduler = { policy: "SCHED_OTHER", priority: 3 }'
	refused 'scheduler'
	config '.process.scheduler = { policy: "SCHED_FIFO", nice: 3, priority: 1 }'
	refused 'scheduler'
	config '.process.scheduler = { policy: "SCHED_NOPE" }'
	refused 'scheduler.policy.*SCHED_NOPE'
	config '.process.scheduler = { policy: "SCHED_OTHER", nice: 20 }'
	refused 'scheduler'
}

@test "ioPriority" {
	config '.process.ioPriority = { class: "IOPRIO_CLASS_BE", priority: 6 }'
	inside ioprio
	has class=2 level=6
	config '.process.ioPriority = { class: "IOPRIO_CLASS_BE", priority: 8 }'
	refused 'ioPriority'
}

@test "personality" {
	config '.linux.personality = { domain: "LINUX32" }'
	inside personality
	has personality=0x8
	inside hostname
	like '^machine=i[36]86'
	config '.linux.personality = { domain: "LINUX32", flags: ["ADDR_NO_RANDOMIZE"] }'
	refused 'personality.flags'
}

@test "memoryPolicy" {
	config '.linux.memoryPolicy = { mode: "MPOL_INTERLEAVE", nodes: "0" }'
	inside mempolicy
	has mode=3 nodes=1
	config '.linux.memoryPolicy = { mode: "MPOL_NOPE", nodes: "0" }'
	refused 'memoryPolicy.mode.*MPOL_NOPE'
}

@test "the program leads a session of its own, without a terminal" {
	inside tty
	has 0=no 1=no session=own
	like '^/dev/tty=E'
}

@test "the program has its own session keyring" {
		inside keyring
	local first
	first=$(value keyring)
	inside keyring
	[ -n "$first" ]
	[ "$first" != "$(value keyring)" ]
}

@test "unknown properties are ignored, as the specification asks" {
	config '.unknown = 1 | .process.unknown = {} | .linux.unknown = []'
	inside true
}

@test "properties of other systems are ignored" {
	config '.process.commandLine = "x" | .windows = { layerFolders: [] } | .solaris = {}'
	inside true
}
