# Within the virtual machine of tests/bench/memory, once for each runtime, whose name is the script's: the smallest memory.max
# with which it starts a container $TRIES times of $TRIES.
. ./helpers.sh

runtime=${0##*/}
TRIES=20 PAGE=4 LEAST=64 MOST=65536 # KiB

rm -rf "$BUNDLE"
mkdir -p "$BUNDLE/rootfs"
for directory in bin proc dev sys tmp run; do
	mkdir "$BUNDLE/rootfs/$directory"
done
cp hello "$BUNDLE/rootfs/bin/hello"
agentd spec --bundle "$BUNDLE" -- /bin/hello

# A peer with libraries of its own comes as an archive, and is run by its own loader.
peer=/peers/$runtime
if [ -e "$runtime.tar" ]; then
	mkdir -p "$peer"
	tar -x -C "$peer" -f "$runtime.tar"
	set -- "$peer/$(cat "$peer/loader")" --library-path "$peer" "$peer/$runtime"
else
	set -- "$runtime"
fi

launch() {
	case $runtime in
	floor) "$@" /tmp/table "$BUNDLE/rootfs" /bin/hello ;;
	*) timeout -s KILL 20 "$@" run --bundle "$BUNDLE" t ;;
	esac
}

# What is left of a container that did not start.
remove() { [ "$runtime" = floor ] || timeout -s KILL 20 "$@" delete --force t; }

# starts KIB COMMAND...: whether a container does, each time; what it said otherwise is in /tmp/said
starts() {
	config ".process.terminal = false | .linux.resources.memory = { limit: ($1 * 1024) }"
	shift
	[ "$runtime" != floor ] || tables "$BUNDLE" >/tmp/table
	try=0
	while [ $try -lt $TRIES ]; do
		try=$((try + 1))
		launch "$@" >/tmp/said 2>&1 </dev/null || :
		[ "$(cat /tmp/said)" = started ] && continue
		remove "$@" >/dev/null 2>&1 || :
		return 1
	done
}

report() { echo "# $runtime, $1 KiB, try $try: $(tail -n 1 /tmp/said)"; }

low=0 high=$LEAST
until starts $high "$@"; do
	report $high
	low=$high high=$((high * 2))
	[ $high -le $MOST ] || exit 1
done
while [ $((high - low)) -gt $PAGE ] && [ $((high - low)) -gt $((high / 128)) ]; do
	middle=$(((low + high) / 2 / PAGE * PAGE))
	if starts $middle "$@"; then
		high=$middle
	else
		low=$middle
		report $low
	fi
done
echo "{\"$runtime\": $high}"
