# agentd selftest where every controller is: nothing is skipped for want of one, and the limits are run into.
. ./helpers.sh

# selftest [OPTION...]: $report, $status
selftest() {
	status=0
	timeout -s KILL 150 agentd selftest --format json "$@" >/tmp/report.json 2>/tmp/said || status=$?
	output="$(cat /tmp/said) $(jq -c .summary /tmp/report.json)
$(jq -r '.canaries[] | select(.verdict == "fail" or .verdict == "error" or .verdict == "inconclusive") |
		"\(.id) \(.verdict): \(.reason)"' /tmp/report.json)"
}
holds() { jq -e "$1" /tmp/report.json >/dev/null || { echo "not so: $1; status $status, output: $output"; return 1; }; }

# passes ID...
passes() {
	for id; do
		verdict=$(jq -r --arg id "$id" '.canaries[] | select(.id == $id) | "\(.verdict): \(.reason)"' /tmp/report.json)
		case $verdict in
		pass:*) ;;
		*) echo "$id: ${verdict:-not tried}"; return 1 ;;
		esac
	done
}

nothing_remains() {
	[ "$(ls -d /run/agentd-selftest-* /tmp/agentd-selftest-* $CGROUP/agentd/selftest-* 2>/dev/null)" = '' ]
	[ "$(agentd list -q)" = '' ]
}

standard() {
	selftest
	holds '.summary.fail == 0 and .summary.error == 0'
	expect [ "$status" -eq 0 ]
	passes cg.membership cg.fork-bomb cg.memory
	holds '.summary.layers.cgroup.observed > 0'
	nothing_remains
}
comprehensive() {
	selftest --comprehensive
	holds '.summary.fail == 0 and .summary.error == 0'
	expect [ "$status" -eq 0 ]
	passes cg.membership cg.fork-bomb cg.thread-bomb cg.fork-fast cg.memory cg.kill cg.freeze
	nothing_remains
}
quick() {
	selftest --quick --require seccomp,cgroup,mounts,netns
	expect [ "$status" -eq 0 ]
	passes cg.fork-bomb sys.ptrace-traceme
	nothing_remains
}
# limited FILTER: a bundle as agentd spec makes it, with other limits
limited() {
	rm "$BUNDLE/config.json"
	agentd spec --bundle "$BUNDLE"
	config "$1"
	mkdir "$BUNDLE/rootfs/lib" "$BUNDLE/rootfs/usr"
}
processor() {
	limited '.linux.resources.cpu = { quota: 20000, period: 100000, cpus: "0" }'
	selftest --comprehensive --only 'cg.*' "$BUNDLE/"
	holds '.summary.fail == 0 and .summary.error == 0'
	passes cg.cpu cg.cpuset cg.fork-bomb cg.memory
	nothing_remains
}
# What it may compute is a crumb, and every attempt takes its time.
crawl() {
	limited '.linux.resources.cpu = { quota: 5000, period: 100000 }'
	selftest --only cg.cpu,cg.fork-bomb,cg.memory "$BUNDLE/"
	holds '.summary.fail == 0 and .summary.error == 0'
	passes cg.cpu cg.fork-bomb cg.memory
	nothing_remains
}
no_limits() {
	limited 'del(.linux.resources.pids, .linux.resources.memory)'
	selftest --group limits "$BUNDLE/"
	holds '[.canaries[] | select(.id == "cg.fork-bomb" or .id == "cg.memory") | .verdict] | index("pass") == null'
	nothing_remains
}
check "selftest --quick with every controller" quick
check "selftest with every controller" standard
check "selftest --comprehensive with every controller" comprehensive
check "selftest of a bundle with a processor quota" processor
check "selftest of a bundle with a twentieth of a processor" crawl
check "selftest of a bundle without limits" no_limits
