# Two hundred launches in a row leave the machine as it was.

load helpers

count_keys() { grep -c . /proc/keys 2>/dev/null || true; }

@test "200 launches leave no process, mount, cgroup, file, descriptor or key" {
	config '.linux.maskedPaths = ["/proc/kcore"]'
	payload true
	launch # what is made once, is made now
	status_is 0
	local mounts keys files turn
	mounts=$(wc -l </proc/self/mountinfo)
	keys=$(count_keys)
	files=$(find "$ROOT" "$BUNDLE" | wc -l)
	for turn in $(seq 200); do
		agentd run --bundle "$BUNDLE" "$ID" </dev/null 3>&-
	done
	[ "$(find "$ROOT" "$BUNDLE" | wc -l)" -eq "$files" ]
	[ "$(wc -l </proc/self/mountinfo)" -le "$mounts" ]
	nothing_left
	# Keyrings of the containers are garbage that the kernel collects in its own time.
	wait_for test "$(count_keys)" -le $((keys + 50))
}

@test "50 launches that fail leave nothing either" {
	config '.process.args = ["/nope"]'
	local turn files
	launch
	status_is 1
	files=$(find "$ROOT" "$BUNDLE" | wc -l)
	for turn in $(seq 50); do
		run ! agentd run --bundle "$BUNDLE" "$ID" </dev/null 3>&-
	done
	[ "$(find "$ROOT" "$BUNDLE" | wc -l)" -eq "$files" ]
	nothing_left
}

@test "a container that runs has no process of agentd beside it" {
	start_resting
	[ "$(own_processes | wc -l)" -eq 1 ]
}

@test "what a container holds open is its own" {
	start_resting
	local fd target
	for fd in "/proc/$PID/fd/"*; do
		target=$(readlink "$fd")
		case $target in
		/dev/null | "$WORK/out") ;;
		*) echo "open: $fd -> $target"; false ;;
		esac
	done
}
