# Real input: a Debian root, an image unpacked by umoci, and configurations that podman, Docker, runc and crun write.

load helpers

# A minimal Debian with python3, made once; its path in $DEBIAN.
debian_root() {
	DEBIAN=$CACHE/debian
	[ -x "$DEBIAN/usr/bin/python3" ] && return
	needs_root
	needs mmdebstrap
	mkdir -p "$CACHE"
	mmdebstrap --quiet --variant=essential --include=python3-minimal "$(. /etc/os-release && echo "$VERSION_CODENAME")" \
		"$DEBIAN.new" >"$WORK/mmdebstrap.log" 2>&1 || {
		rm -rf "$DEBIAN.new"
		skip "mmdebstrap could not make a root: $(tail -n 1 "$WORK/mmdebstrap.log")"
	}
	chmod 755 "$CACHE" "$DEBIAN.new"
	mv "$DEBIAN.new" "$DEBIAN"
}

# The bundle's root becomes that Debian, below a fresh layer, so that the cached copy stays as it is.
use_debian() {
	debian_root
	config '.root.path = $path | .root.readonly = true | .process.args = $ARGS.positional' --arg path "$DEBIAN" --args -- "$@"
}

@test "a shell pipeline in a Debian root" {
	use_debian sh -c 'seq 100 | grep 7 | sort -rn | head -n 1; id -u; ls /proc/1/exe; echo $$ >/tmp/x && cat /tmp/x'
	launch
	status_is 0
	has 97 0 1
}

@test "python3 in a Debian root, under the default configuration" {
	use_debian true
	rm "$BUNDLE/config.json"
	make_default_bundle
	config '.root.path = $path | .process.args = $ARGS.positional' --arg path "$DEBIAN" --args -- python3 -c '
import os, socket, subprocess, threading, time
done = []
thread = threading.Thread(target=lambda: done.append(1)); thread.start(); thread.join()
with open("/tmp/file", "wb") as file: file.write(b"x" * 100000)
one, other = socket.socketpair(); one.send(b"hello"); assert other.recv(5) == b"hello"
assert subprocess.run(["sh", "-c", "exit 3"]).returncode == 3
time.sleep(0.01)
print("pid", os.getpid(), "threads", len(done), "host", socket.gethostname())'
	launch --best-effort cgroup
	status_is 0
	has 'pid 1 threads 1 host agentd'
}

@test "apt's own programs run as another user of a Debian root" {
	needs_root
	use_debian sh -c 'id -un; cd /tmp && umask && touch file && stat -c %U file'
	config '.process.user = { uid: 33, gid: 33 } | del(.process.rlimits)'
	launch
	status_is 0
	has www-data
}

@test "an image that umoci has unpacked" {
	needs_root
	needs umoci
	debian_root
	umoci init --layout "$WORK/image"
	umoci new --image "$WORK/image:it"
	umoci insert --image "$WORK/image:it" "$CANARY" /bin/canary >/dev/null
	umoci config --image "$WORK/image:it" --config.entrypoint /bin/canary --config.cmd many --config.cmd env --config.cmd -- \
		--config.cmd cwd --config.env GREETING=hello --config.workingdir /srv
	umoci unpack --image "$WORK/image:it" "$WORK/unpacked" >/dev/null
	mkdir -p "$WORK"/unpacked/rootfs/{proc,dev,sys}
	jq '.process.terminal = false | del(.linux.resources.memory, .linux.resources.pids)' "$WORK/unpacked/config.json" >"$WORK/c"
	mv "$WORK/c" "$WORK/unpacked/config.json"
	run agentd run --bundle "$WORK/unpacked" "$ID"
	status_is 0
	has GREETING=hello cwd=/srv
}

# Each configuration of tests/fixtures, as its author wrote it but for paths of his machine, runs the canary.
@test "configurations that others write" {
	local fixture
	mkdir "$BUNDLE/userdata" "$BUNDLE/userdata/shm" # where podman keeps what it binds, and Docker here
	touch "$BUNDLE"/userdata/{hosts,hostname,resolv.conf,.containerenv}
	for fixture in "$TOP"/tests/fixtures/*.json; do
		case $fixture in
		*rootless*) is_root && continue ;;
		*) is_root || continue ;;
		esac
		cp "$fixture" "$BUNDLE/config.json"
		# no more descriptors than the caller may give
		config '.process.terminal = false | (.process.rlimits[]? | select(.type == "RLIMIT_NOFILE")) |=
			(.hard = ([.hard, $max] | min) | .soft = ([.soft, $max] | min))' --argjson max "$(ulimit -Hn)"
		is_root || config '.linux.uidMappings[].hostID = $id | .linux.gidMappings[].hostID = $id' --argjson id "$EUID"
		[[ $fixture != *userns* ]] || needs_user_namespaces
		[[ $fixture != *userns* ]] || chown -R 100000:100000 "$BUNDLE/rootfs"
		payload many id -- status -- caps -- write /dev/null x
		launch --best-effort cgroup
		[ "$status" -eq 0 ] || { echo "$fixture: $output"; return 1; }
		has uid=0 write=ok
	done
}
