# create, start, state, kill, delete, list: what is allowed when, and what each leaves.

load helpers

create() { agentd create --bundle "$BUNDLE" "$@" "$ID" </dev/null >"$WORK/out" 2>&1 3>&-; }

@test "run gives back the exit status of the program" {
	payload exit 0
	launch
	status_is 0
	payload exit 7
	launch
	status_is 7
	payload exit 255
	launch
	status_is 255
}

@test "run gives 128 + n for a program that dies of signal n" {
	payload signal 11
	launch
	status_is 139
}

@test "run BUNDLE/ makes the id up" {
	payload echo hello
	run agentd run "$BUNDLE/"
	status_is 0
	has hello
}

@test "standard streams go through" {
	payload cat
	run bash -c 'echo through | "$@"' - "$AGENTD" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	status_is 0
	has through
	payload stderr complaint
	agentd run --bundle "$BUNDLE" "$ID" 2>"$WORK/err" >"$WORK/out"
	[ "$(cat "$WORK/err")" = complaint ]
	[ ! -s "$WORK/out" ]
}

@test "the states of a life: created, running, stopped, gone" {
	payload sleep
	create --pid-file "$WORK/pid"
	[ "$(container_status)" = created ]
	[ "$(cat "$WORK/pid")" = "$(agentd state "$ID" | jq .pid)" ]
	[ ! -s "$WORK/out" ]
	agentd start "$ID"
	[ "$(container_status)" = running ]
	wait_for grep -qx ready "$WORK/out"
	agentd kill "$ID" TERM
	wait_for status_becomes stopped
	agentd delete "$ID"
	run agentd state "$ID"
	status_is 1
	like 'does not exist'
}

@test "what init leaves out after it was started is in the log and the state, whoever starts it" {
	payload sleep
	config '.process.noNewPrivileges = false | .process.capabilities.ambient = ["CAP_KILL"]'
	AGENTD_FLAGS="$AGENTD_FLAGS --log $WORK/log"
	left_out() {
		grep -q 'CAP_KILL.* is left out' "$WORK/log"
		run agentd state "$ID"
		like '"process.capabilities.ambient: CAP_KILL .* is left out'
		[ "$(grep -c 'is left out' <<<"$output")" -eq 1 ]
		agentd delete --force "$ID"
		rm "$WORK/log"
	}
	start_resting sleep
	left_out
	create
	agentd start "$ID"
	left_out
}

@test "state tells what the specification asks for" {
	config '.annotations = { "org.example.key": "value" }'
	start_resting
	agentd state "$ID" >"$WORK/state.json" 2>"$WORK/err"
	[ ! -s "$WORK/err" ]
	jq -e --arg id "$ID" --arg bundle "$BUNDLE" --argjson pid "$PID" '
		.id == $id and .bundle == $bundle and .pid == $pid and .status == "running" and
		(.ociVersion | startswith("1.")) and .annotations["org.example.key"] == "value"' "$WORK/state.json"
}

@test "the pid file has the pid and no newline, written at once" {
	start_resting
	[ "$(wc -l <"$WORK/pid")" -eq 0 ]
	[ -d "/proc/$(cat "$WORK/pid")" ]
}

@test "a pid file takes the place of nothing but a file" {
	payload true
	mkfifo "$WORK/pipe"
	ln -s /dev/null "$WORK/link"
	for file in "$WORK/pipe" "$WORK/link" "$WORK"; do
		run agentd run --pid-file "$file" --bundle "$BUNDLE" "$ID"
		status_is 1
		like "--pid-file $file: is there and not a regular file"
		[ -p "$WORK/pipe" ] && [ -L "$WORK/link" ]
	done
	touch "$WORK/pid"
	launch --pid-file "$WORK/pid"
	status_is 0
}

@test "a caller that ignores SIGCHLD gets the exit status all the same" {
	payload exit 7
	run bash -c 'trap "" CHLD; exec "$@"' - "$AGENTD" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	status_is 7
}

@test "ids: good ones" {
	payload true
	for ID in a A-b_c.d+e 0 "$(printf 'x%.0s' {1..100})"; do
		launch
		status_is 0
	done
}

@test "ids: bad ones are refused before anything happens" {
	for id in . .. a/b ../a 'a b' $'a\nb' "$(printf 'x%.0s' {1..300})" ''; do
		run agentd run --bundle "$BUNDLE" -- "$id"
		[ "$status" -ne 0 ] || { echo "accepted: '$id'"; false; }
		nothing_left
	done
}

@test "an id can be had once, and again when it is free" {
	start_resting
	run agentd create --bundle "$BUNDLE" "$ID"
	status_is 1
	like 'exists'
	[ "$(container_status)" = running ]
	agentd delete --force "$ID"
	inside true
}

@test "unknown ids" {
	for command in state start kill delete pause resume ps; do
		run agentd "$command" nobody
		status_is 1
		like 'does not exist.*nobody'
	done
	run agentd exec nobody /bin/canary true
	[ "$status" -ne 0 ]
	like 'does not exist'
	run agentd delete --force nobody
	status_is 0
}

@test "created: what is allowed" {
	payload sleep
	create
	run agentd exec "$ID" /bin/canary true
	[ "$status" -ne 0 ]
	run agentd delete "$ID"
	status_is 0 # callers do this to a container that they could not start
	[ ! -s "$WORK/out" ]
}

@test "created: a kill ends it without the program having run" {
	payload echo ran
	create
	agentd kill "$ID" KILL
	wait_for status_becomes stopped
	run agentd start "$ID"
	status_is 1
	agentd delete "$ID"
	[ ! -s "$WORK/out" ]
}

@test "running: start and delete are refused" {
	start_resting
	run agentd start "$ID"
	status_is 1
	run agentd delete "$ID"
	status_is 1
	[ "$(container_status)" = running ]
}

@test "stopped: start, kill and exec are refused, and --all is not" {
	start_resting
	agentd kill "$ID" KILL
	wait_for status_becomes stopped
	run agentd start "$ID"
	status_is 1
	run agentd kill "$ID" TERM
	status_is 1
	like 'not running'
	run agentd kill --all "$ID" KILL
	status_is 0
	run agentd exec "$ID" /bin/canary true
	[ "$status" -ne 0 ]
	[ "$(agentd state "$ID" | jq '.pid // 0')" = 0 ]
}

@test "start twice at once: one of the two is refused" {
	payload sleep
	create
	agentd start "$ID" 3>&- & local first=$!
	agentd start "$ID" 3>&- & local second=$!
	local failures=0
	wait $first || failures=$((failures + 1))
	wait $second || failures=$((failures + 1))
	[ $failures -eq 1 ]
	[ "$(container_status)" = running ]
}

@test "start says why the program cannot be executed" {
	config '.process.args = ["/nope"]'
	run agentd create --bundle "$BUNDLE" "$ID"
	if [ "$status" -eq 0 ]; then
		run agentd start "$ID"
	fi
	status_is 1
	like 'nope.*[Nn]o such file'
	agentd delete --force "$ID"
}

# The more processes there are in its namespace, the longer init takes to end.
@test "start that failed leaves a container that has ended, which can be deleted" {
	printf '#!/nosuch\n' >"$BUNDLE/rootfs/bin/script"
	chmod 755 "$BUNDLE/rootfs/bin/script"
	config '.process.args = ["/bin/script"] |
		.hooks.startContainer = [range(20) | { path: "/bin/canary", args: ["canary", "leave-child"] }]'
	for round in 1 2 3 4 5; do
		agentd create --bundle "$BUNDLE" "$ID"
		run agentd start "$ID"
		status_is 1
		like 'interpreter.*is missing: /nosuch'
		agentd delete "$ID"
	done
}

@test "signals: names with and without SIG, in any case, and numbers" {
	for signal in TERM SIGTERM sigterm 15 term; do
		start_resting trap
		agentd kill "$ID" "$signal"
		wait_for grep -qx signal=15 "$WORK/out"
		wait_for status_becomes stopped
		agentd delete "$ID"
	done
}

@test "signals: SIGTERM without a name, real-time ones, nonsense" {
	start_resting trap
	agentd kill "$ID"
	wait_for grep -qx signal=15 "$WORK/out"
	agentd delete --force "$ID"
	start_resting trap
	agentd kill "$ID" RTMIN+2
	wait_for grep -qE 'signal=3[46]' "$WORK/out"
	agentd delete --force "$ID"
	start_resting
	for signal in 0x 999 NOPE SIG; do
		run agentd kill "$ID" "$signal"
		[ "$status" -ne 0 ]
	done
	[ "$(container_status)" = running ]
}

@test "run forwards signals to the program" {
	payload trap
	"$AGENTD" --root "$ROOT" run --bundle "$BUNDLE" "$ID" >"$WORK/out" 2>&1 </dev/null 3>&- & local agentd=$!
	wait_for grep -qx ready "$WORK/out"
	kill -USR1 $agentd
	status=0
	wait $agentd || status=$?
	status_is 42
	grep -qx signal=10 "$WORK/out"
}

@test "kill --all reaches every process" {
	start_resting children 3
	agentd kill --all "$ID" KILL
	wait_for status_becomes stopped
	agentd delete "$ID"
}

@test "the end of the first process ends the others" {
	inside leave-child
	has leave-child=ok
	nothing_left
}

@test "delete --force ends what does not want to end" {
	start_resting stubborn
	agentd delete --force "$ID"
	nothing_left
}

@test "delete --force is content with what is gone already" {
	start_resting
	kill -KILL "$PID"
	agentd delete --force "$ID"
	agentd delete --force "$ID"
}

@test "a detached container outlives its agentd" {
	start_resting
	[ "$(awk '/^PPid/ { print $2 }' "/proc/$PID/status")" -ne $$ ]
	[ "$(container_status)" = running ]
}

@test "run --keep leaves a stopped container" {
	payload exit 3
	launch --keep
	status_is 3
	[ "$(container_status)" = stopped ]
	agentd delete "$ID"
}

@test "list: table, quiet, json" {
	start_resting
	run agentd list
	status_is 0
	like 'ID +PID +STATUS +BUNDLE' "$ID +$PID +running +$BUNDLE"
	run agentd list -q
	has "$ID"
	agentd list -f json | jq -e --arg id "$ID" 'map(select(.id == $id and .status == "running")) | length == 1'
	agentd delete --force "$ID"
	agentd list --format json | jq -e 'length == 0'
}

@test "list: the status of each, and none of what cannot be read" {
	start_resting
	create_as() { agentd create --bundle "$BUNDLE" "$1" </dev/null >/dev/null 2>&1 3>&-; }
	create_as "$ID-created"
	agentd run --detach --bundle "$BUNDLE" "$ID-stopped" </dev/null >/dev/null 2>&1 3>&-
	agentd kill "$ID-stopped" KILL
	stopped() { [ "$(agentd state "$ID-stopped" | jq -r .status)" = stopped ]; }
	wait_for stopped
	create_as "$ID-reused"
	jq '.pid = $pid' --argjson pid "$PID" "$ROOT/$ID-reused/state.json" >"$WORK/reused"
	agentd delete --force "$ID-reused"
	mkdir "$ROOT/$ID-reused" "$ROOT/$ID-half-made" "$ROOT/$ID-damaged"
	mv "$WORK/reused" "$ROOT/$ID-reused/state.json"
	echo '{' >"$ROOT/$ID-damaged/state.json"
	mkdir -p "$ROOT/foreign/below"
	: >"$ROOT/$ID-file"
	agentd --log "$WORK/log" list -f json >"$WORK/list"
	seen() { jq -r --arg id "$ID$1" '.[] | select(.id == $id).status' "$WORK/list"; }
	[ "$(seen "")" = running ]
	[ "$(seen -created)" = created ]
	[ "$(seen -stopped)" = stopped ]
	[ "$(seen -reused)" = stopped ]
	[ "$(seen -half-made)" = creating ]
	[ "$(jq length "$WORK/list")" -eq 5 ]
	[ "$(wc -l <"$WORK/log")" -eq 1 ]
	grep -q "the state of container $ID-damaged is damaged" "$WORK/log"
	rm -r "$ROOT/$ID-file" "$ROOT/foreign"
}

@test "a directory of somebody else among the containers is none, and stays" {
	mkdir -p "$ROOT/thesis"
	: >"$ROOT/thesis/chapter-1"
	run agentd state thesis
	status_is 1
	like 'container does not exist: thesis; a directory of that name holds other files'
	agentd delete --force thesis
	[ -e "$ROOT/thesis/chapter-1" ]
	rm -r "$ROOT/thesis"
}

@test "who only looks makes no directory" {
	run agentd list
	status_is 0
	run agentd --log /dev/stderr list -f json
	has '[]'
	run agentd state "$ID"
	status_is 1
	like "container does not exist: $ID: open the directory of containers $ROOT: No such file"
	agentd delete --force "$ID"
	[ ! -e "$ROOT" ]
}

@test "delete --force: not to know where containers are kept is an error" {
	needs_user
	run env -u XDG_RUNTIME_DIR "$AGENTD" delete --force "$ID"
	status_is 1
	like 'XDG_RUNTIME_DIR'
}

@test "ps lists the processes as the host sees them" {
	start_resting children 2
	needs_cgroup
	run agentd ps -f json "$ID"
	status_is 0
	[ "$(jq length <<<"$output")" -eq 3 ]
	jq -e --argjson pid "$PID" 'index($pid) != null' <<<"$output"
	run agentd ps "$ID"
	like canary
}

@test "a terminal: the master arrives at the console socket" {
	needs python3
	config '.process.terminal = true | .process.consoleSize = { height: 30, width: 100 }'
	payload tty
	python3 "$TOP/tests/integration/console.py" "$WORK/console" >"$WORK/seen" 3>&- & local receiver=$!
	wait_for test -S "$WORK/console"
	agentd create --console-socket "$WORK/console" --bundle "$BUNDLE" "$ID" 3>&-
	agentd start "$ID"
	wait $receiver
	output=$(tr -d '\r' <"$WORK/seen")
	like '^0=tty' '^1=tty' '^2=tty'
	has size=30x100 session=own /dev/tty=ok
}

@test "a terminal in the foreground" {
	needs script
	config '.process.terminal = true'
	payload tty
	run script -qec "$AGENTD --root $ROOT run --bundle $BUNDLE $ID" /dev/null
	output=${output//$'\r'/}
	status_is 0
	like '0=tty' '1=tty' '2=tty'
	has session=own /dev/tty=ok
}

@test "a terminal: wrong combinations are refused" {
	config '.process.terminal = true'
	run agentd create --bundle "$BUNDLE" "$ID"
	status_is 1
	like 'console.socket'
	config '.process.terminal = false'
	run agentd create --console-socket "$WORK/none" --bundle "$BUNDLE" "$ID"
	status_is 1
	nothing_left
}

@test "without --preserve-fds nothing but 0, 1 and 2 is open" {
	payload fds
	run agentd run --bundle "$BUNDLE" "$ID" 7</etc/passwd 9</ 15</dev/null
	status_is 0
	[ "$(wc -l <<<"$output")" -eq 3 ]
	like '^0=' '^1=' '^2='
}

@test "--preserve-fds keeps as many as it says" {
	payload fds
	run bash -c 'exec "$@" 3</etc/passwd 4</ 5</dev/null' - "$AGENTD" --root "$ROOT" run --preserve-fds 2 --bundle "$BUNDLE" "$ID"
	status_is 0
	like '^3=file' '^4=directory'
	unlike '^5='
}

@test "a change of config.json after create changes nothing" {
	payload echo first
	create
	payload echo second
	agentd start "$ID"
	wait_for grep -qx first "$WORK/out"
	wait_for status_becomes stopped
}

@test "the bundle may be gone when the container is deleted" {
	start_resting
	mv "$BUNDLE" "$WORK/elsewhere"
	agentd exec "$ID" /bin/canary true
	agentd delete --force "$ID"
	mv "$WORK/elsewhere" "$BUNDLE"
}

@test "a failing launch leaves nothing, whatever it fails at" {
	config '.process.args = ["/nope"]'
	refused 'nope'
	config '.process.args = ["/bin/canary", "true"] | .root.path = "missing"'
	refused 'missing.*No such file'
}

@test "kill -9 of agentd at any moment: delete --force finishes it" {
	payload sleep
	local round
	for round in $(seq 0 40); do
		"$AGENTD" --root "$ROOT" create --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&- & local agentd=$!
		sleep "0.00$((round * 3 / 10))$((round * 3 % 10))"
		kill -KILL $agentd 2>/dev/null || true
		wait $agentd 2>/dev/null || true
		agentd delete --force "$ID"
		nothing_left
	done
}

@test "many creates of one id at once: one wins" {
	payload sleep
	local turn pids=() won=0
	for turn in 1 2 3 4 5; do
		agentd create --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&- & pids+=($!)
	done
	for turn in "${pids[@]}"; do
		wait "$turn" && won=$((won + 1))
	done
	[ $won -eq 1 ]
	[ "$(container_status)" = created ]
}

@test "delete and delete at once" {
	start_resting
	agentd delete --force "$ID" 3>&- & local first=$!
	agentd delete --force "$ID" 3>&- & local second=$!
	wait $first
	wait $second
	nothing_left
}

@test "the log: text, json, and one object for an error" {
	config '.process.args = ["/nope"]'
	run agentd --log "$WORK/log" --log-format json run --bundle "$BUNDLE" "$ID"
	status_is 1
	[ "$(jq -s length "$WORK/log")" -eq 1 ]
	jq -e '.level == "error" and (.msg | test("nope")) and (.time | test("^20"))' "$WORK/log"
	run agentd --log "$WORK/log.txt" run --bundle "$BUNDLE" "$ID"
	grep -q nope "$WORK/log.txt"
}
