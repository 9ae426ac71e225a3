# Hooks: six kinds, their order and place, what they are given, and what their failure does.

load helpers

# A hook program that notes its name, and what it is given, in $WORK/NAME.*
hook_program() {
	cat >"$WORK/hook" <<-SH
		#!/bin/sh
		name=\$1
		cat >"$WORK/\$name.state"
		env >"$WORK/\$name.env"
		pwd >"$WORK/\$name.cwd"
		readlink /proc/self/ns/mnt >"$WORK/\$name.ns"
		ls /proc/self/fd | wc -l >"$WORK/\$name.fds"
		echo "\$name" >>"$WORK/order"
	SH
	chmod 755 "$WORK/hook"
}

# hook KIND NAME: appended to the kind's list
hook() {
	config '.hooks[$kind] += [{ path: $path, args: ["hook", $name], env: ["HOOK=1", "PATH=/usr/bin:/bin"] }]' \
		--arg kind "$1" --arg name "$2" --arg path "$WORK/hook"
}

@test "order: as the specification says, and within a kind as in the list" {
	hook_program
	hook poststop e
	hook poststart d
	hook createContainer c
	hook createRuntime b1
	hook createRuntime b2
	hook prestart a
	inside true
	[ "$(tr '\n' ' ' <"$WORK/order")" = 'a b1 b2 c d e ' ]
}

@test "create runs the first three kinds, start and delete the others" {
	hook_program
	hook prestart a
	hook createRuntime b
	hook createContainer c
	hook poststart d
	hook poststop e
	payload sleep
	agentd create --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&-
	[ "$(tr '\n' ' ' <"$WORK/order")" = 'a b c ' ]
	agentd start "$ID"
	[ "$(tr '\n' ' ' <"$WORK/order")" = 'a b c d ' ]
	agentd kill "$ID" KILL
	wait_for status_becomes stopped
	[ "$(tr '\n' ' ' <"$WORK/order")" = 'a b c d ' ]
	agentd delete "$ID"
	[ "$(tr '\n' ' ' <"$WORK/order")" = 'a b c d e ' ]
}

@test "startContainer hooks run inside, with the container's program" {
	config '.hooks.startContainer = [{ path: "/bin/canary", args: ["canary", "write", "/tmp/hooked", "yes"] }] |
		.mounts += [{ destination: "/tmp", type: "tmpfs", source: "tmpfs" }]'
	inside cat /tmp/hooked
	like 'yes'
}

@test "createContainer hooks run in the container's mount namespace, the others in ours" {
	hook_program
	for kind in prestart createRuntime createContainer poststart poststop; do
		hook $kind $kind
	done
	inside true
	local ours
	ours=$(readlink /proc/self/ns/mnt)
	for kind in prestart createRuntime poststart poststop; do
		[ "$(cat "$WORK/$kind.ns")" = "$ours" ]
	done
	[ "$(cat "$WORK/createContainer.ns")" != "$ours" ]
}

@test "each gets the state on standard input" {
	hook_program
	for kind in prestart createRuntime createContainer poststart poststop; do
		hook $kind $kind
	done
	config '.annotations = { key: "value" }'
	inside true
	for kind in prestart createRuntime createContainer poststart poststop; do
		jq -e --arg id "$ID" --arg bundle "$BUNDLE" '.id == $id and .bundle == $bundle and .ociVersion and
			.annotations.key == "value"' "$WORK/$kind.state" || { echo "state of $kind"; cat "$WORK/$kind.state"; false; }
	done
	jq -e '.pid > 0 and (.status == "creating" or .status == "created")' "$WORK/createRuntime.state"
	jq -e '.pid > 0 and .status == "running"' "$WORK/poststart.state"
	jq -e '.status == "stopped"' "$WORK/poststop.state"
}

@test "the status is creating while create's hooks run, and created after" {
	cat >"$WORK/hook" <<-SH
		#!/bin/sh
		"$AGENTD" --root "$ROOT" state "$ID" >"$WORK/seen"
	SH
	chmod 755 "$WORK/hook"
	hook createRuntime a
	payload sleep
	agentd create --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&-
	[ "$(jq -r .status "$WORK/seen")" = creating ]
	[ "$(agentd state "$ID" | jq -r .status)" = created ]
	agentd delete --force "$ID"
}

@test "the environment is the hook's own alone (CVE-2025-23266)" {
	hook_program
	config '.process.env += ["LD_PRELOAD=/evil.so", "CONTAINER=1"]'
	for kind in prestart createRuntime createContainer poststart poststop; do
		hook $kind $kind
	done
	inside true
	for kind in prestart createRuntime createContainer poststart poststop; do
		output=$(cat "$WORK/$kind.env")
		has HOOK=1
		unlike '^(LD_PRELOAD|CONTAINER|HOME|USER|BATS)'
	done
}

@test "no descriptor of agentd leaks into a hook" {
	hook_program
	hook createRuntime a
	hook createContainer b
	hook poststop c
	inside true
	# 0, 1, 2 and the one that ls itself opens
	[ "$(cat "$WORK/a.fds")" -eq 4 ]
	[ "$(cat "$WORK/b.fds")" -eq 4 ]
	[ "$(cat "$WORK/c.fds")" -eq 4 ]
}

@test "a hook need not read the state, however long it is" {
	config '.annotations = { long: ("x" * 200000) } | .hooks.createRuntime = [{ path: "/bin/true" }]'
	inside true
}

@test "a failing hook before the start ends the launch, and poststop runs" {
	hook_program
	for kind in prestart createRuntime createContainer startContainer; do
		config 'del(.hooks)'
		rm -f "$WORK/order"
		if [ $kind = startContainer ]; then
			config '.hooks.startContainer = [{ path: "/bin/canary", args: ["canary", "exit", "3"] }]'
		else
			config '.hooks[$kind] = [{ path: "/bin/false" }]' --arg kind $kind
		fi
		hook poststop after
		refused "$kind.*(exit|status)"
		[ "$(cat "$WORK/order")" = after ]
	done
}

@test "a failing poststart hook ends the container" {
	config '.hooks.poststart = [{ path: "/bin/false" }]'
	payload sleep
	launch
	status_is 1
	like '^agentd: .*poststart'
	nothing_left
}

@test "a failing poststop hook is a warning, and the next one runs" {
	hook_program
	config '.hooks.poststop = [{ path: "/bin/false" }]'
	hook poststop after
	payload true
	run agentd --log "$WORK/log" run --bundle "$BUNDLE" "$ID"
	status_is 0
	[ "$(cat "$WORK/order")" = after ]
	grep -q poststop "$WORK/log"
}

@test "a hook that takes too long is ended" {
	config '.hooks.createRuntime = [{ path: "/bin/sleep", args: ["sleep", "30"], timeout: 1 }]'
	local start=$SECONDS
	refused 'createRuntime.*(timeout|1 s|seconds)'
	[ $((SECONDS - start)) -lt 10 ]
}

@test "a hook that is missing is named" {
	config '.hooks.prestart = [{ path: "/nope" }]'
	refused 'prestart.*/nope.*No such file'
	config '.hooks.prestart = [{ path: "relative" }]'
	refused 'prestart\[0\].path'
	config '.hooks.prestart = [{ path: "/bin/true", timeout: 0 }]'
	refused 'prestart\[0\].timeout'
}

@test "what a hook says reaches standard error" {
	printf '#!/bin/sh\necho complaint >&2\nexit 1\n' >"$WORK/hook"
	chmod 755 "$WORK/hook"
	config '.hooks.createRuntime = [{ path: $path }]' --arg path "$WORK/hook"
	run agentd run --bundle "$BUNDLE" "$ID"
	status_is 1
	like complaint
}
