# The command line: spec, features, explain, --version, usage.

load helpers

@test "spec writes a configuration that runs" {
	rm "$BUNDLE/config.json"
	agentd spec --bundle "$BUNDLE" $(is_root || echo --rootless) -- /bin/canary echo hello
	jq -e '.process.args == ["/bin/canary", "echo", "hello"]' "$BUNDLE/config.json"
	launch --best-effort cgroup
	status_is 0
	has hello
}

@test "spec does not overwrite" {
	cp "$BUNDLE/config.json" "$WORK/before"
	run agentd spec --bundle "$BUNDLE"
	status_is 1
	like 'config.json.*exists'
	cmp "$WORK/before" "$BUNDLE/config.json"
}

@test "spec leaves no half of a file on a full disk" {
	needs_root
	mkdir "$WORK/full"
	# shellcheck disable=SC2016 # for the inner shell
	run unshare --mount sh -c 'mount -t tmpfs -o size=4k none "$1/full" && { cat /dev/zero >"$1/full/zero" 2>/dev/null
		"$2" spec --bundle "$1/full"; echo "status=$?"; ls "$1/full"; }' - "$WORK" "$AGENTD"
	like "^agentd: write $WORK/full/config.json: No space left" '^status=1$'
	unlike '^config.json$'
}

@test "the default configuration confines" {
	rm "$BUNDLE/config.json"
	make_default_bundle
	payload many status -- caps -- raw-socket -- mount-tmpfs /tmp -- unshare user -- clone user -- open /proc/kcore -- \
		write /proc/sys/kernel/core_pattern x -- write /proc/sysrq-trigger b -- write /sys/kernel/uevent_helper x -- \
		mount proc /mnt -- mount cgroup2 /mnt -- ptrace -- io-uring -- keyctl -- int80 -- x32 -- open-by-handle -- \
		socket packet raw -- socket alg 5 -- write /bin/new x -- mknod /tmp/sda b 8 0 -- ioctl-tiocsti -- ioctl-tiocsti high
	launch --best-effort cgroup
	status_is 0
	has no_new_privs=1 seccomp=2 bounding=0000000000000000 effective=0000000000000000
	unlike '=ok$'
}

@test "the default configuration suffices for a program that behaves" {
	rm "$BUNDLE/config.json"
	make_default_bundle
	payload many write /tmp/file x -- write /dev/null x -- socket inet stream -- execute /bin/canary true -- read /dev/urandom
	launch --best-effort cgroup
	status_is 0
	[ "$(grep -c '=ok$' <<<"$output")" -eq 5 ] || { echo "$output"; false; }
}

@test "features prints what the program knows, without privileges and quickly" {
	agentd features >"$WORK/features" 2>"$WORK/err"
	[ ! -s "$WORK/err" ]
	jq -e '.ociVersionMin and .ociVersionMax and (.hooks | length == 6) and (.mountOptions | index("rro")) and
		(.linux.namespaces | sort == ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"]) and
		(.linux.capabilities | index("CAP_CHECKPOINT_RESTORE")) and .linux.seccomp.enabled and
		(.linux.seccomp.actions | index("SCMP_ACT_ERRNO")) and .linux.cgroup.v2 == true and .linux.cgroup.v1 == false' "$WORK/features"
}

@test "output that cannot be written is an error" {
	for command in features --version --help 'list --help'; do
		# shellcheck disable=SC2086 # several words are wanted
		run --separate-stderr bash -c 'exec "$@" >/dev/full' - "$AGENTD" $command
		status_is 1
		[[ $stderr == 'agentd: write to standard output: '* ]]
	done
}

@test "every mount option that features names is accepted" {
	local option
	for option in $(agentd features | jq -r '.mountOptions[]'); do
		case $option in
		remount | bind | rbind | idmap | ridmap | mand | nomand | sync | dirsync | copy-symlink | *iversion | *lazytime) continue ;;
		esac
		config '.mounts |= map(select(.destination != "/mnt")) + [{ destination: "/mnt", type: "tmpfs", source: "tmpfs", options: [$o] }]' \
			--arg o "$option"
		launch
		[ "$status" -eq 0 ] || { echo "$option: $output"; false; }
	done
}

@test "explain prints the plan and both lists and does nothing" {
	run agentd explain "$BUNDLE/"
	status_is 0
	like 'clone' 'pivot' 'seccomp' 'exec'
	nothing_left
	run agentd explain "$WORK/"
	status_is 1
	like 'config.json'
}

@test "--version: as callers read it" {
	run agentd --version
	status_is 0
	like '^agentd version [0-9]+\.[0-9]+' '^commit: ' '^spec: 1\.'
}

@test "--help and wrong usage" {
	run agentd --help
	status_is 0
	for command in create start state kill delete list exec run spec features explain ps pause resume; do
		like "^ *$command"
		run agentd $command --help
		status_is 0
		run agentd --help
	done
	run agentd
	status_is 2
	run agentd nonsense
	status_is 2
	like nonsense
	run agentd run --nonsense
	status_is 2
	like -- --nonsense
	run agentd kill
	status_is 2
	run agentd state
	status_is 2
}

@test "warnings: in the log, or on standard error with --debug, never both" {
	config '.process.capabilities.bounding = ["CAP_NONSENSE"]'
	run agentd run --bundle "$BUNDLE" "$ID"
	status_is 0
	unlike CAP_NONSENSE
	run agentd --debug run --bundle "$BUNDLE" "$ID"
	status_is 0
	like '^agentd: warning: .*CAP_NONSENSE'
	run agentd --debug --log "$WORK/log" run --bundle "$BUNDLE" "$ID"
	status_is 0
	[ -z "$output" ]
	grep -q '^agentd: warning: .*CAP_NONSENSE' "$WORK/log"
	run agentd --debug state "$ID"
	status_is 1
	[ "$(grep -c 'does not exist' <<<"$output")" -eq 1 ]
}

@test "wrong usage is told in the log too: callers look there" {
	local words
	for words in nonsense 'run --nonsense x' 'state' '--rootless perhaps list'; do
		# shellcheck disable=SC2086 # several words are wanted
		run agentd --log "$WORK/log" --log-format json $words
		status_is 2
		[ "$(jq -r '"agentd: " + .msg' "$WORK/log")" = "$output" ]
		rm "$WORK/log"
	done
}

@test "options: with = and without, one dash as well, repeated" {
	payload true
	run agentd run --bundle="$BUNDLE" "$ID"
	status_is 0
	run agentd run -b "$BUNDLE" "$ID"
	status_is 0
	run agentd --log=/dev/null --log-format=json run -bundle "$BUNDLE" "$ID"
	status_is 0
}

@test "without --bundle it is the working directory" {
	payload echo here
	cd "$BUNDLE"
	run agentd run "$ID"
	status_is 0
	has here
}

@test "the state directory of a user is his own (CVE-2019-12439)" {
	needs_user
	payload sleep
	XDG_RUNTIME_DIR=$WORK/runtime
	mkdir -m 700 "$XDG_RUNTIME_DIR"
	export XDG_RUNTIME_DIR
	"$AGENTD" run --detach --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&-
	[ -d "$XDG_RUNTIME_DIR/agentd/$ID" ]
	[[ $(stat -c %a "$XDG_RUNTIME_DIR/agentd") == *700 ]]
	"$AGENTD" delete --force "$ID"
}

@test "a state directory that others can write is refused" {
	mkdir -m 777 "$ROOT"
	payload true
	launch
	[ "$status" -ne 0 ]
	like "$ROOT"
	rmdir "$ROOT"
}

@test "a state directory of somebody else is refused" {
	needs_root
	mkdir -m 755 "$ROOT"
	chown 1234 "$ROOT"
	payload true
	launch
	[ "$status" -ne 0 ]
	like "$ROOT"
	rmdir "$ROOT"
}
