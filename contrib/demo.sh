#!/bin/sh
# Makes a bundle of a few programs of this machine, runs a script in it, and shows what that meets. Nothing is downloaded.
#
#	sh contrib/demo.sh		show; the bundle is in a temporary directory that is removed
#	sh contrib/demo.sh DIR		only make the bundle DIR, with a shell on a terminal for its program
#
# AGENTD names the program (default: build/agentd). For root and for other users.
set -eu
agentd=${AGENTD:-$(dirname "$0")/../build/agentd}
programs='sh cat cp echo hostname id ls mkdir mount sleep touch uname'

# make_bundle DIR [PROGRAM ARGUMENT...]
make_bundle() {
	bundle=$1 rootless=
	shift
	[ "$(id -u)" -eq 0 ] || rootless=--rootless
	mkdir -p "$bundle/rootfs/bin" "$bundle/rootfs/etc"
	for program in $programs; do
		cp -L "/bin/$program" "$bundle/rootfs/bin"
		ldd "/bin/$program" | grep -o '/[^ ]*' | xargs -r cp -L --parents -t "$bundle/rootfs"
	done
	echo 'root:x:0:0:root:/:/bin/sh' >"$bundle/rootfs/etc/passwd"
	echo 'root:x:0:' >"$bundle/rootfs/etc/group"
	"$agentd" spec $rootless --bundle "$bundle" -- "$@"
}

if [ $# -gt 0 ]; then
	make_bundle "$1"
	exit
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck disable=SC2016 # to be expanded in the container
make_bundle "$work" sh -c '
show() { echo; echo "\$ $1"; sh -c "$1" 2>&1; }

echo; echo "Its own world:"
show "hostname; id"
show "ls /"
show "ls /sys/class/net"
show "cat /proc/[0-9]*/comm"
show "touch /tmp/file && ls -l /tmp"

echo; echo "What it may not do:"
show "touch /etc/file"
show "echo 1 >/proc/sys/kernel/printk"
show "cp /bin/echo /tmp && /tmp/echo hello"
show "mount -t tmpfs tmpfs /tmp"
show "echo hello >/dev/kmsg"

echo; echo "What holds it (capabilities, no_new_privs, seccomp filters):"
while read -r line; do
	case $line in CapBnd* | NoNewPrivs* | Seccomp_filters*) echo "$line" ;; esac
done </proc/self/status
exit 7
'
echo "\$ agentd --log LOG run --best-effort cgroup $work/"
status=0
"$agentd" --log "$work/log" run --best-effort cgroup "$work/" || status=$?

echo
echo "Exit status: $status (the script ends with 'exit 7')"
if [ -s "$work/log" ]; then
	echo
	echo "What this host could not enforce, from LOG:"
	cat "$work/log"
fi
[ "$status" -eq 7 ]
