#!/bin/sh -eu
# subid.sh UID FIRST COUNT COMMAND...: runs a command as a user with a range of subordinate ids, or none if COUNT is 0.
# The files that say so are copies, bound over those of the machine; call it in a mount namespace of its own.
user=$1 first=$2 count=$3
shift 3
copies=$(mktemp -d)
mount -t tmpfs copies "$copies"
for file in passwd group subuid subgid; do
	cat "/etc/$file" >"$copies/$file" 2>/dev/null || :
done
echo "agentd-test:x:$user:$user::/:/bin/sh" >>"$copies/passwd"
echo "agentd-test:x:$user:" >>"$copies/group"
if [ "$count" -gt 0 ]; then
	echo "agentd-test:$first:$count" >>"$copies/subuid"
	echo "agentd-test:$first:$count" >>"$copies/subgid"
fi
chmod 755 "$copies"
for file in passwd group subuid subgid; do
	mount --bind "$copies/$file" "/etc/$file"
done
umount -l "$copies"
rmdir "$copies"
exec setpriv --reuid "$user" --regid "$user" --clear-groups "$@"
