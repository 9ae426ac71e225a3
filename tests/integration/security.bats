# One test for each hole that container runtimes have had and that could be in this one: what was done then must fail now.

load helpers

# Exchanges two names as fast as it can.
exchanger() {
	needs python3
	cat >"$WORK/exchange.py" <<-'PY'
		import ctypes, sys
		libc = ctypes.CDLL(None)
		one, other = (name.encode() for name in sys.argv[1:3])
		while True:
		    libc.renameat2(-100, one, -100, other, 2)
	PY
}

@test "CVE-2016-3697: a user is a number, whatever the container's passwd says" {
	needs_root
	printf '1000:x:0:0::/:/bin/sh\n' >"$BUNDLE/rootfs/etc/passwd"
	config '.process.user.uid = 1000'
	inside id
	has uid=1000
}

@test "CVE-2016-9962: agentd's processes in the container cannot be traced or opened during exec" {
	needs_root
	config '.process.capabilities[] = ["CAP_DAC_OVERRIDE"]'
	start_resting watch-exe 4
	local turn
	for turn in $(seq 60); do
		agentd exec "$ID" /bin/canary true 3>&- || true
	done
	wait_for grep -q ^descriptors= "$WORK/out"
	output=$(cat "$WORK/out")
	has opened=0 descriptors=0
}

@test "CVE-2016-9962: a change of uid does not make agentd's process in the container traceable" {
	needs_root
	needs strace
	config '.process.user = { uid: 1000, gid: 1000 }'
	payload true
	run strace -f -e trace=prctl,setresuid,execve -o "$WORK/trace" "$AGENTD" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	# Whatever /proc/sys/fs/suid_dumpable says.
	output=$(grep -E 'setresuid|PR_SET_DUMPABLE' "$WORK/trace" | tail -n 1)
	like 'PR_SET_DUMPABLE, SUID_DUMP_DISABLE'
}

# The container whose pid namespace it is has no capability, but the uid that owns the new user namespace, and so all of
# them over that (user_namespaces(7)).
@test "CVE-2016-9962: agentd's processes cannot be traced from a pid namespace that a user namespace's container joins" {
	needs_root
	start_resting watch-exe 3
	user_namespace
	namespace pid "/proc/$PID/ns/pid"
	config '.mounts |= map(select(.destination != "/proc"))'
	payload true
	local turn
	for turn in $(seq 40); do
		agentd run --bundle "$BUNDLE" "$ID-other" 3>&-
	done
	wait_for grep -q ^descriptors= "$WORK/out"
	output=$(cat "$WORK/out")
	has seen=0 opened=0 descriptors=0
}

@test "CVE-2019-5736: agentd's program cannot be written through /proc" {
	local before
	before=$(sha256sum <"$AGENTD")
	inside self-exe-write
	unlike '=ok'
	# The program is a script whose interpreter is whatever runs it, that is agentd, in the container.
	printf '#!/proc/self/exe\n' >"$BUNDLE/rootfs/bin/evil"
	chmod 755 "$BUNDLE/rootfs/bin/evil"
	config '.process.args = ["/bin/evil"]'
	launch
	start_resting watch-exe 2
	agentd exec "$ID" /bin/evil 3>&- >/dev/null 2>&1 || true
	wait_for grep -q ^opened= "$WORK/out"
	output=$(cat "$WORK/out")
	has opened=0
	[ "$(sha256sum <"$AGENTD")" = "$before" ]
}

@test "CVE-2019-5736: the mount that exec runs from is dissolved before a container could see who runs from it" {
	local mount
	needs strace
	launch
	start_resting
	run strace -e trace=open_tree,close,clone3 -o "$WORK/trace" "$AGENTD" --root "$ROOT" exec "$ID" /bin/canary true
	mount=$(sed -n 's/^open_tree(.*) = \([0-9]*\)$/\1/p' "$WORK/trace" | head -n 1)
	[ -n "$mount" ] || skip "agentd's program is sealed otherwise here"
	output=$(sed '/^clone3(/,$d' "$WORK/trace")
	like "^close\\($mount\\) "
}

@test "CVE-2019-16884: a directory tree in the place of /proc is not taken for procfs" {
	mkdir -p "$WORK/fake/self/attr" "$WORK/fake/sys/kernel"
	touch "$WORK/fake/self/attr/exec" "$WORK/fake/sys/kernel/domainname"
	config '.mounts |= map(if .destination == "/proc" then { destination: "/proc", type: "bind", source: $s, options: ["rbind"] } else . end)' \
		--arg s "$WORK/fake"
	refused '/proc'
}

@test "CVE-2019-18837: a link on the way to a mount point does not lead out" {
	mkdir "$WORK/outside" "$WORK/data"
	ln -s "../../../../../../../../../..$WORK/outside" "$BUNDLE/rootfs/link"
	config '.mounts += [{ destination: "/link/below", type: "bind", source: $s, options: ["bind"] }] | .root.readonly = false' \
		--arg s "$WORK/data"
	inside mounts
	like "$WORK/outside/below" # in the container
	[ -z "$(ls -A "$WORK/outside")" ]
}

@test "CVE-2019-14271: nothing of the container's libraries is loaded" {
	needs strace
	mkdir -p "$BUNDLE/rootfs/lib/x86_64-linux-gnu"
	echo bad >"$BUNDLE/rootfs/lib/x86_64-linux-gnu/libnss_files.so.2"
	echo bad >"$BUNDLE/rootfs/etc/nsswitch.conf"
	payload true
	run strace -f -o "$WORK/trace" -e trace=open,openat,openat2 "$AGENTD" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	status_is 0
	grep -q 'config.json' "$WORK/trace"
	! grep -E 'nss|locale|gconv|iconv' "$WORK/trace" | grep -vE 'ENOENT.*strace'
}

@test "CVE-2020-15257: agentd has no abstract sockets" {
	start_resting
	run ! grep -iE '@.*(agentd|start)' /proc/net/unix
	agentd delete --force "$ID"
	payload sleep
	agentd create --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&-
	run ! grep -iE '@.*(agentd|start)' /proc/net/unix
	# The start socket is in a directory for its owner alone.
	[ "$(stat -c %a "$ROOT/$ID")" = 700 ]
}

@test "CVE-2021-30465: a mount point that is exchanged with a link while mounting" {
	exchanger
	mkdir -p "$WORK/outside" "$WORK/volume/point" "$WORK/data"
	ln -s "../../../../../../../../../..$WORK/outside" "$WORK/volume/link"
	config '.mounts += [{ destination: "/volume", type: "bind", source: $v, options: ["rbind"] },
		{ destination: "/volume/point", type: "bind", source: $d, options: ["rbind"] }]' \
		--arg v "$WORK/volume" --arg d "$WORK/data"
	mkdir "$BUNDLE/rootfs/volume"
	touch "$WORK/data/mark"
	start_racer python3 "$WORK/exchange.py" "$WORK/volume/point" "$WORK/volume/link"
	payload mounts
	local turn bad=0
	for turn in $(seq 200); do
		launch
		# Where it is mounted must be inside, which is where the program sees it, or the launch refused;
		# never on the host's directory.
		[ "$status" -ne 0 ] || grep -q "/${WORK##*/}/data " <<<"$output" || bad=1
		[ -z "$(ls -A "$WORK/outside")" ] || bad=1
	done
	stop_racer
	[ $bad -eq 0 ]
}

@test "CVE-2024-45310: directories made while a parent is exchanged with a link" {
	exchanger
	mkdir -p "$WORK/outside" "$WORK/volume/dir" "$WORK/data"
	ln -s "../../../../../../../../../..$WORK/outside" "$WORK/volume/link"
	mkdir "$BUNDLE/rootfs/volume"
	config '.mounts += [{ destination: "/volume", type: "bind", source: $v, options: ["rbind"] },
		{ destination: "/volume/dir/new/point", type: "bind", source: $d, options: ["rbind"] }]' \
		--arg v "$WORK/volume" --arg d "$WORK/data"
	start_racer python3 "$WORK/exchange.py" "$WORK/volume/dir" "$WORK/volume/link"
	payload true
	local turn bad=0
	for turn in $(seq 100); do
		launch
		[ -z "$(ls -A "$WORK/outside")" ] || bad=1
	done
	stop_racer
	[ $bad -eq 0 ]
}

@test "CVE-2021-43784: values of 70 KB arrive whole or are refused" {
	config '.process.env += ["LONG=" + ("x" * 70000)]'
	inside env
	[ "$(value LONG | wc -c)" -eq 70001 ]
	config '.process.cwd = ("/" + "x" * 70000)'
	refused 'process.cwd|File name too long'
	config '.process.cwd = "/"'
	namespace ipc "/$(printf 'x%.0s' {1..70000})"
	refused 'File name too long'
}

@test "CVE-2023-27561: /proc or /sys that is a link" {
	local name
	for name in proc sys; do
		rmdir "$BUNDLE/rootfs/$name"
		mkdir -p "$BUNDLE/rootfs/elsewhere"
		ln -s /elsewhere "$BUNDLE/rootfs/$name"
		refused "/$name.*symbolic link"
		config '.mounts |= map(if .destination == $d then { destination: $d, type: "bind", source: $d, options: ["rbind"] } else . end)' \
			--arg d "/$name"
		refused "/$name.*symbolic link"
		rm "$BUNDLE/rootfs/$name"
		mkdir "$BUNDLE/rootfs/$name"
	done
}

@test "paths are hidden in the mounts that were made, whatever is called so meanwhile" {
	mkdir "$BUNDLE/rootfs/proc.other" "$BUNDLE/rootfs/sys.other"
	launch_exchanged 'for name in proc sys; do mv $name x; mv $name.other $name; mv x $name.other; done' mounts
	like ' /sys /proc/sys ro,.* - proc ' ' /proc/timer_list ro,' ' /sys/firmware ro,'
}

@test "paths are hidden in a volume that was mounted, whatever is called so meanwhile" {
	mkdir "$BUNDLE/rootfs/volume" "$BUNDLE/rootfs/other" "$WORK/volume"
	touch "$WORK/volume/secret" "$WORK/volume/fixed" "$WORK/file"
	config '.mounts += [{ destination: "/volume", type: "bind", source: "\($w)/volume", options: ["rbind"] },
			{ destination: "/volume/file", type: "bind", source: "\($w)/file", options: ["rbind"] }] |
		.linux.maskedPaths += ["/volume/secret", "/volume/file"] | .linux.readonlyPaths += ["/volume/fixed"]' --arg w "$WORK"
	launch_exchanged 'mv volume x; mv other volume; mv x other' mounts
	like ' /null /volume/secret ro,' ' /null /volume/file ro,' ' /volume/fixed ro,'
}

@test "what is mounted below a volume is mounted in it, whatever is called so meanwhile" {
	exchanger
	mkdir "$BUNDLE/rootfs/volume" "$BUNDLE/rootfs/other"
	mkdir -p "$WORK/volume/"{0..9}
	config '.mounts += [{ destination: "/volume", type: "bind", source: $v, options: ["rbind"] },
		(range(10) | { destination: "/volume/\(.)", type: "tmpfs", source: "hidden" })]' --arg v "$WORK/volume"
	start_racer python3 "$WORK/exchange.py" "$BUNDLE/rootfs/volume" "$BUNDLE/rootfs/other"
	payload mounts
	local turn bad=0
	for turn in $(seq 50); do
		launch
		# By number: the names are swapped while they are read.
		[ "$(awk '/\/volume \// { print $1 }' <<<"$output")" = \
			"$(awk '/ - tmpfs hidden / { print $2 }' <<<"$output" | sort -u)" ] || bad=1
		[ "$(grep -c ' - tmpfs hidden ' <<<"$output")" -eq 10 ] || bad=1
	done
	stop_racer
	[ $bad -eq 0 ]
}

@test "a read-only path that a link of the image leads to /proc or the root leaves the masks on" {
	ln -s /proc "$BUNDLE/rootfs/link"
	ln -s / "$BUNDLE/rootfs/root"
	config '.linux.readonlyPaths = ["/link"] + .linux.readonlyPaths + ["/root"]'
	start_resting many stat /proc/timer_list -- write /proc/sys/kernel/ostype x -- sleep
	output=$(cat "$WORK/out")
	like '^/proc/timer_list=char .* device=1:3'
	has write=EROFS
	in_container stat /proc/timer_list
	like '^/proc/timer_list=char .* device=1:3'
}

@test "paths are hidden in what a hook has mounted, too" {
	needs_root
	config '.hooks.createContainer = [{ path: "/bin/sh", args: ["sh", "-c", "mount -t proc proc $0/rootfs/proc", $b] }]' --arg b "$BUNDLE"
	config '.hooks.createContainer[0].env = ["PATH=/usr/bin:/bin"]'
	inside write /proc/sys/kernel/ostype x
	has write=EROFS
}

@test "CVE-2024-21626: a working directory that is a descriptor" {
	local fd
	for fd in $(seq 3 20); do
		config '.process.cwd = "/proc/self/fd/" + $fd' --arg fd "$fd"
		payload many cwd -- ls .
		launch
		unlike '^cwd=(/(work|root|home|etc)|\(unreachable\))'
		unlike 'config.json|state.json'
	done
	config '.process.cwd = "/"'
	start_resting
	for fd in $(seq 3 20); do
		run agentd exec --cwd "/proc/self/fd/$fd" "$ID" /bin/canary many cwd -- ls .
		unlike '^cwd=(/(work|root|home)|\(unreachable\))'
		unlike 'config.json|state.json'
	done
}

@test "CVE-2024-21626: a program that is a link into a directory that our caller left open" {
	mkdir "$WORK/outside"
	cp "$CANARY" "$WORK/outside/canary"
	ln -s /proc/self/fd/9/canary "$BUNDLE/rootfs/bin/evil"
	config '.process.args = ["/bin/evil", "true"]'
	exec 9<"$WORK/outside"
	refused '/bin/evil'
	start_resting
	run agentd exec "$ID" /bin/evil true
	exec 9<&-
	[ "$status" -ne 0 ]
}

@test "CVE-2016-9962: what enters a container has no descriptor of the host, whoever can trace it" {
	needs_root
	needs strace
	start_resting
	run strace -f -e trace=clone3,setns,close_range -o "$WORK/trace" "$AGENTD" --root "$ROOT" exec "$ID" /bin/canary true
	# Everything is closed before the first namespace is joined, and nothing is kept but its files, the filter and the wire.
	output=$(cat "$WORK/trace")
	like 'close_range\(3, [0-9]+, 0\)'
	[ "$(grep -nE 'close_range\([0-9]+, [0-9]+, 0\)' "$WORK/trace" | tail -n 1 | cut -d: -f1)" -lt \
		"$(grep -n setns "$WORK/trace" | head -n 1 | cut -d: -f1)" ]
}

@test "CVE-2025-31133: /dev/null of the container is not what hides paths" {
	needs_root
	local before
	before=$(cat /proc/sys/kernel/core_pattern)
	ln -s /proc/sys/kernel/core_pattern "$BUNDLE/rootfs/dev/null"
	touch "$BUNDLE/rootfs/etc/hidden"
	config '.mounts |= map(select(.destination | startswith("/dev") | not)) | .linux.maskedPaths = ["/etc/hidden", "/proc/kcore"]'
	payload many cat /etc/hidden -- write /etc/hidden evil -- write /proc/kcore evil
	launch
	[ "$(cat /proc/sys/kernel/core_pattern)" = "$before" ]
	unlike "^${before:0:5}"
}

@test "CVE-2025-52565: the terminal is the one that was opened, whatever /dev/pts shows" {
	needs script
	config '.process.terminal = true | .mounts |= map(select(.destination | startswith("/dev/pts") | not)) |
		.mounts |= map(select(.destination != "/dev"))'
	mkdir -p "$BUNDLE/rootfs/dev/pts"
	local number
	for number in $(seq 0 20); do
		ln -s /proc/sysrq-trigger "$BUNDLE/rootfs/dev/pts/$number"
	done
	payload many stat /dev/console -- mounts
	run script -qec "$AGENTD --root $ROOT run --bundle $BUNDLE $ID" /dev/null
	unlike '/dev/console .* - proc'
}

@test "CVE-2025-52881: a label is written to procfs alone" {
	mkdir -p "$WORK/fake/self/attr"
	config '.mounts += [{ destination: "/proc/self", type: "bind", source: $s, options: ["bind"] }]' --arg s "$WORK/fake/self"
	refused '/proc/self'
	[ -z "$(find "$WORK/fake" -type f)" ]
}

@test "CVE-2026-41579: /dev that is a link" {
	needs_root
	mkdir "$WORK/outside"
	rmdir "$BUNDLE/rootfs/dev"
	ln -s "../../../../../../../../../..$WORK/outside" "$BUNDLE/rootfs/dev"
	config '.mounts |= map(select(.destination | startswith("/dev") | not))'
	refused 'devices.* symbolic link'
	[ -z "$(ls -A "$WORK/outside")" ]
	rm "$BUNDLE/rootfs/dev"
	ln -s /bin "$BUNDLE/rootfs/dev"
	refused 'devices.* symbolic link'
	[ "$(ls "$BUNDLE/rootfs/bin")" = canary ]
}

@test "CVE-2026-41579: a volume that a link of the image puts on /dev" {
	needs_root
	mkdir "$WORK/volume"
	ln -s /dev "$BUNDLE/rootfs/link"
	config '.mounts += [{ destination: "/link", type: "bind", source: $s, options: ["rbind"] }]' --arg s "$WORK/volume"
	payload true
	launch
	[ -z "$(ls -A "$WORK/volume")" ]
	config '.mounts |= map(select(.destination | startswith("/dev") | not))'
	launch
	[ -z "$(ls -A "$WORK/volume")" ]
	rm -r "$BUNDLE/rootfs/dev"
	refused '/dev .*covered'
	mkdir -p "$BUNDLE/rootfs/dev"
	# A device whose directory is a link into a volume.
	config '.mounts[-1].destination = "/volume" | .linux.devices = [{ path: "/dev/more/fifo", type: "p" }]'
	ln -s /volume "$BUNDLE/rootfs/dev/more"
	refused 'linux.devices.*/dev|more'
	[ -z "$(ls -A "$WORK/volume")" ]
}

# It would be the root of whoever enters the container by setns(2), without /proc, masks or a read-only state.
@test "a volume that a link of the image puts on the root" {
	mkdir -p "$WORK/volume"
	ln -s / "$BUNDLE/rootfs/link"
	config '.mounts += [{ destination: "/link", type: "bind", source: $s, options: ["rbind"] }]' --arg s "$WORK/volume"
	refused 'mounts.* on /link: the destination leads to the root filesystem itself'
}

@test "CVE-2026-87766: files made for mount points stay below the root" {
	mkdir "$WORK/outside"
	echo x >"$WORK/file"
	ln -s / "$BUNDLE/rootfs/oldroot"
	config '.mounts += [{ destination: $d, type: "bind", source: $s, options: ["bind"] }] | .root.readonly = false' \
		--arg d "/oldroot$WORK/outside/new" --arg s "$WORK/file"
	inside mounts
	like "$WORK/outside/new" # in the container
	[ -z "$(ls -A "$WORK/outside")" ]
}

@test "CVE-2024-3154: annotations for systemd that name programs are refused" {
	config '.annotations["org.systemd.property.ExecStartPre"] = "\"/bin/true\""'
	launch
	# The cgroupfs driver does not look at them: then they are text like any other.
	[ "$status" -eq 0 ] || like 'ExecStartPre'
}

@test "CVE-2017-5226: nothing can be pushed into the caller's terminal" {
	needs script
	payload many tty -- ioctl-tiocsti -- ioctl-tiocsti high
	run script -qec "$AGENTD --root $ROOT run --bundle $BUNDLE $ID" /dev/null
	output=${output//$'\r'/}
	unlike 'ioctl-tiocsti=ok'
	like '^/dev/tty=E'
}

@test "CVE-2022-0492: cgroup v1 cannot be mounted" {
	inside many mount cgroup /mnt -- mount cgroup2 /mnt
	unlike '=ok'
}

@test "core_pattern, uevent_helper, sysrq and the like are out of reach" {
	inside many write /proc/sys/kernel/core_pattern x -- write /sys/kernel/uevent_helper x -- write /proc/sysrq-trigger h -- \
		write /proc/sys/fs/binfmt_misc/register x -- write /sys/power/state x -- write /sys/kernel/mm/ksm/run 0
	unlike '=ok'
}

@test "set-user-id programs: agentd refuses to be one" {
	needs_root
	cp "$AGENTD" "$WORK/agentd"
	chown 1234 "$WORK/agentd"
	chmod 4755 "$WORK/agentd"
	run "$WORK/agentd" features
	[ "$status" -ne 0 ]
}

@test "a file in the image that is a fifo or a device does not stop the launch" {
	rm -rf "$BUNDLE/rootfs/etc"
	mkdir "$BUNDLE/rootfs/etc"
	mkfifo "$BUNDLE/rootfs/etc/passwd" "$BUNDLE/rootfs/etc/group"
	inside true
}

@test "CVE-2026-47262: a user database without end costs neither memory nor time" {
	truncate -s 1T "$BUNDLE/rootfs/etc/passwd" "$BUNDLE/rootfs/etc/group"
	payload true
	run timeout 10 "$AGENTD" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	status_is 0
}

@test "a root filesystem full of links that turn in circles" {
	ln -s loop "$BUNDLE/rootfs/loop"
	mkdir "$WORK/data"
	config '.mounts += [{ destination: "/loop/x", type: "bind", source: $s, options: ["bind"] }]' --arg s "$WORK/data"
	refused 'mounts\[[0-9]+\].*(Too many levels|/loop)'
}

# What a process of another container can do, if it knows how this one will be called.
@test "a session keyring that somebody made and opened to all is not joined" {
	needs python3
	payload keyring
	run python3 - "$AGENTD" --root "$ROOT" run --bundle "$BUNDLE" "$ID" <<-'EOF'
		import ctypes, platform, subprocess, sys
		number = {"x86_64": 250}.get(platform.machine(), 219)
		def keyctl(*arguments): return ctypes.CDLL(None).syscall(number, *arguments)
		join, set_permissions = 1, 5
		keyring = keyctl(join, b"_ses." + sys.argv[-1].encode(), 0)
		print("trap=%d" % keyring, flush=True)
		keyctl(set_permissions, keyring, 0x3f3f3f3f)
		sys.exit(subprocess.call(sys.argv[1:], preexec_fn=lambda: keyctl(join, None, 0)))
	EOF
	status_is 0
	[ "$(value trap)" -gt 0 ]
	[ "$(value trap)" != "$(value keyring)" ]
}

@test "exec does not bring the caller's session keyring" {
	start_resting
	in_container keyring
	[ -n "$(value keyring)" ]
	[ "$(value keyring)" != "$("$CANARY" keyring | sed -n 's/^keyring=//p')" ]
}

@test "exec with a process of its own keeps the container's limits" {
	config '.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 99, hard: 99 }]'
	start_resting
	jq '.process | del(.rlimits) | .args = ["/bin/canary", "rlimits"]' "$BUNDLE/config.json" >"$WORK/process.json"
	run agentd exec --process "$WORK/process.json" "$ID"
	like 'NOFILE=99:99'
}

@test "what a file of the image says cannot command the operator's terminal" {
	printf '#!/\033[2J\033]0;x\007\r\n' >"$BUNDLE/rootfs/bin/evil"
	chmod 755 "$BUNDLE/rootfs/bin/evil"
	config '.process.args = ["/bin/evil"]'
	refused 'interpreter or loader is missing: /\?\[2J'
	unlike $'[\001-\037]'
}

@test "startContainer hooks are files of the image, and confined like the program" {
	config '.root.readonly = false | .hooks.startContainer = [{ path: "/bin/canary", args: ["canary", "write", "/mnt/mark", "x"] }]'
	inside true
	[ -e "$BUNDLE/rootfs/mnt/mark" ]
	rm "$BUNDLE/rootfs/mnt/mark"
	config '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["open", "openat", "openat2", "creat"], action: "SCMP_ACT_ERRNO" }] }'
	inside true
	[ ! -e "$BUNDLE/rootfs/mnt/mark" ]
}

@test "createContainer hooks have all privileges, and so are no files of a neighbour's whose mount namespace is joined" {
	needs_root
	start_resting
	namespace mount "/proc/$PID/ns/mnt"
	config '.mounts = [] | del(.linux.maskedPaths, .linux.readonlyPaths, .root.readonly) |
		.hooks.createContainer = [{ path: "/bin/canary", args: ["canary", "true"] }]'
	payload true
	run agentd run --bundle "$BUNDLE" "$ID-other"
	status_is 1
	like 'hooks.createContainer.*mount namespace.*createRuntime'
	config '.hooks = { startContainer: .hooks.createContainer }'
	run agentd run --bundle "$BUNDLE" "$ID-other"
	status_is 0
}

@test "an agentd that is read-only but its user's own is sealed" {
	needs_user
	needs strace
	cp "$AGENTD" "$WORK/agentd"
	chmod 555 "$WORK/agentd"
	payload true
	run strace -f -e trace=memfd_create -o "$WORK/trace" "$WORK/agentd" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	grep -q 'memfd_create("agentd"' "$WORK/trace"
}

# A container that waits for its start: what it runs is our file, but not ours to write. $executions: how many programs
# agentd executed until then.
sealed_by() { # STRACE-OPTION...
	payload true
	strace -e trace=execve,execveat,mremap -o "$WORK/trace" "$@" "$AGENTD" --root "$ROOT" create --bundle "$BUNDLE" "$ID"
	executable=/proc/$(agentd state "$ID" | jq .pid)/exe
	[ "$(stat -L -c %d:%i "$executable")" = "$(stat -L -c %d:%i "$AGENTD")" ]
	[ -w "$AGENTD" ] && [ ! -w "$executable" ]
	agentd start "$ID"
	executions=$(grep -cE 'exec(ve|veat)\(.* = 0' "$WORK/trace")
}

@test "the program that waits for its start cannot be written through, and was executed once" {
	needs_root
	needs strace
	sealed_by
	[ "$executions" -eq 1 ]
}

@test "it cannot either where the kernel does not let a program exchange its own file" {
	needs_root
	needs strace
	sealed_by -e inject=mremap:error=ENOMEM
	[ "$executions" -eq 2 ]
}
