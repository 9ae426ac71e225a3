/*
 * Mounts and namespaces: the calls that make them, and the host's things that are not to be seen
 * from inside. Most calls are stopped by several layers at once; where one is alone, the row says
 * so.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "selftest/judge_posture.h"
#include "selftest/judges.h"

#define MOUNTINFO_MAX (8u << 20)

/* --- judgements ------------------------------------------------------------------------------ */

bool judge_namespaces(const struct evidence *evidence, struct result *result)
{
	return judge_as_configured(evidence, "linux.namespaces", result);
}

/* A network namespace that somebody else made has what he put into it. */
bool judge_interfaces(const struct evidence *evidence, struct result *result)
{
	const struct spec_namespace *network = spec_find_namespace(evidence->spec, CLONE_NEWNET);

	if (judge_errno(evidence, result))
		return true;
	if (judge_through(result->row, evidence->target) && network && network->path &&
	    evidence->posture && judge_own_namespace(evidence->posture, "net"))
		return judge_undecided(result, VERDICT_NOT_APPLICABLE,
				       "the network namespace is joined: its interfaces are meant");
	return false;
}

/* Who may set a name may do it in a namespace of his own. */
bool judge_hostname(const struct evidence *evidence, struct result *result)
{
	if (!judge_through(result->row, evidence->target))
		return judge_errno(evidence, result);
	if (!judge_has_posture(evidence, result))
		return false;
	judge_say(result, "set, in the %s namespace",
		  judge_own_namespace(evidence->posture, "uts") ? "container's own" : "host's");
	return judge_own_namespace(evidence->posture, "uts");
}

/* A map that maps everything to itself ("0 0 4294967295") isolates nothing. */
static bool is_identity(const char *map)
{
	char *end;

	return strtoul(map, &end, 10) == 0 && strtoul(end, &end, 10) == 0 &&
	       strtoul(end, NULL, 10) == UINT32_MAX;
}

bool judge_user_map(const struct evidence *evidence, struct result *result)
{
	const struct spec_namespace *user = spec_find_namespace(evidence->spec, CLONE_NEWUSER);

	if (!user)
		return judge_undecided(result, VERDICT_NOT_APPLICABLE,
				       "no user namespace is configured");
	if (!judge_has_posture(evidence, result))
		return false;
	if (!judge_own_namespace(evidence->posture, "user")) {
		judge_say(result, "the user namespace is the host's");
		return false;
	}
	if (is_identity(evidence->posture->uid_map) || is_identity(evidence->posture->gid_map)) {
		judge_say(result, "every id is mapped to itself");
		return false;
	}
	return judge_as_configured(evidence, "idMappings", result);
}

/* Peers (mount_namespaces(7)): what is mounted at one appears at the others. */
bool judge_propagation(const struct evidence *evidence, struct result *result)
{
	struct arena *arena;
	struct err err;
	char *own;
	bool isolated = true;

	if (!judge_has_posture(evidence, result))
		return false;
	arena = arena_new(2 * MOUNTINFO_MAX);
	if (file_read(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, arena, &own, NULL, &err) <
	    0) {
		arena_free(arena);
		return judge_undecided(result, VERDICT_INCONCLUSIVE, "%s", err.text);
	}
	judge_say(result, "no mount is shared with the host");
	for (size_t i = 0; i < evidence->posture->mounts_len && isolated; i++) {
		const struct posture_mount *mount = &evidence->posture->mounts[i];
		const char *shared = strstr(mount->propagation, "shared:");

		if (!shared)
			continue;
		shared = arena_format(arena, " %.*s ", (int)strcspn(shared, " "), shared);
		isolated = strstr(own, shared) == NULL;
		if (!isolated)
			judge_say(result, "%s is shared with the host", mount->destination);
	}
	arena_free(arena);
	return isolated;
}

/* --- rows ------------------------------------------------------------------------------------ */

/* clang-format off */
#define GROUP .group = "mounts"
/* of containers alone: --in-place leaves us where the host's things are */
#define OUTSIDE GROUP, .needs = LAYER_NAMESPACES
#define ANY (LAYER_SECCOMP | LAYER_CAPABILITIES | LAYER_LANDLOCK)
#define FILTER_OR_CAPABILITY (LAYER_SECCOMP | LAYER_CAPABILITIES)
#define DROP_ADMIN(calls) "drop CAP_SYS_ADMIN, and remove " calls " from what linux.seccomp allows"
#define REFUSE(calls) "remove " calls " from what linux.seccomp allows"

const struct selftest_case cases_mounts[] = {
	{ GROUP, .id = "sys.mount-tmpfs", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_ALL,
	  .attempt = "mount a tmpfs on a directory of its own",
	  .contained = { EPERM, ENOSYS }, .layers = ANY, .control = CONTROL_TWIN,
	  .remedy = DROP_ADMIN("mount"), .references = "C5.4 C5.5 N4.4.3 T1611 P3.1" },
	{ GROUP, .id = "sys.mount-proc", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "mount a new /proc, without masks",
	  .contained = { EPERM, ENOSYS }, .layers = ANY, .control = CONTROL_TWIN,
	  .remedy = DROP_ADMIN("mount"), .references = "C5.4 C5.5 N4.4.3 T1611 P3.1" },
	{ GROUP, .id = "sys.mount-bind", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "bind-mount / on another directory",
	  .contained = { EPERM, ENOSYS }, .layers = ANY, .control = CONTROL_TWIN,
	  .remedy = DROP_ADMIN("mount"), .references = "C5.6 T1611" },
	{ GROUP, .id = "sys.remount-rw", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "remount what is read-only to be writable",
	  .contained = { EPERM, ENOSYS }, .layers = ANY, .control = CONTROL_TWIN,
	  .remedy = DROP_ADMIN("mount"), .references = "C5.13" },
	{ GROUP, .id = "sys.umount", .severity = SEVERITY_MEDIUM, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "umount2 of a path that does not exist",
	  .contained = { EPERM, ENOSYS }, .layers = LAYER_SECCOMP, .control = CONTROL_ORACLE, .through = { ENOENT },
	  .remedy = REFUSE("umount2"), .references = "C5.4",
	  .limitation = "the kernel looks the path up before the permission: the filter alone is seen" },
	{ GROUP, .id = "sys.umount-mask", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "unmount a mask under /proc",
	  .contained = { EPERM, ENOSYS }, .layers = ANY, .control = CONTROL_ORACLE, .through = { EINVAL },
	  .remedy = DROP_ADMIN("umount2"), .references = "C5.4 T1611" },
	{ GROUP, .id = "sys.pivot-root", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "pivot_root to a path that does not exist",
	  .contained = { EPERM, ENOSYS }, .layers = ANY, .control = CONTROL_ORACLE, .through = { ENOENT },
	  .remedy = DROP_ADMIN("pivot_root"), .references = "T1611" },
	{ GROUP, .id = "sys.fsopen", .severity = SEVERITY_HIGH, .profiles = PROFILE_ALL,
	  .attempt = "fsopen of a tmpfs",
	  .contained = { EPERM, ENOSYS }, .layers = FILTER_OR_CAPABILITY, .control = CONTROL_TWIN,
	  .remedy = DROP_ADMIN("fsopen"), .references = "CVE-2022-0185 T1611" },
	{ GROUP, .id = "sys.fspick", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "fspick with a wrong descriptor",
	  .contained = { EPERM, ENOSYS }, .layers = FILTER_OR_CAPABILITY, .control = CONTROL_ORACLE, .through = { EBADF },
	  .remedy = DROP_ADMIN("fspick"), .references = "CVE-2022-0185 T1611" },
	{ GROUP, .id = "sys.open-tree", .severity = SEVERITY_HIGH, .profiles = PROFILE_ALL,
	  .attempt = "open_tree(OPEN_TREE_CLONE) of /",
	  .contained = { EPERM, ENOSYS }, .layers = FILTER_OR_CAPABILITY, .control = CONTROL_TWIN,
	  .remedy = DROP_ADMIN("open_tree"), .references = "T1611" },
	{ GROUP, .id = "sys.move-mount", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "move_mount from a path that does not exist",
	  .contained = { EPERM, ENOSYS }, .layers = ANY, .control = CONTROL_ORACLE, .through = { ENOENT },
	  .remedy = DROP_ADMIN("move_mount"), .references = "T1611" },
	{ GROUP, .id = "sys.mount-setattr", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "mount_setattr of a path that does not exist",
	  .contained = { EPERM, ENOSYS }, .layers = FILTER_OR_CAPABILITY, .control = CONTROL_ORACLE, .through = { ENOENT },
	  .remedy = DROP_ADMIN("mount_setattr"), .references = "T1611" },
	{ GROUP, .id = "sys.open-tree-attr", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "open_tree_attr of a path that does not exist",
	  .contained = { EPERM, ENOSYS }, .layers = FILTER_OR_CAPABILITY, .control = CONTROL_ORACLE, .through = { ENOENT },
	  .remedy = DROP_ADMIN("open_tree_attr"), .references = "T1611" },

	{ GROUP, .id = "sys.unshare-user", .severity = SEVERITY_HIGH, .profiles = PROFILE_ALL,
	  .attempt = "unshare(CLONE_NEWUSER), which gives every capability inside",
	  .contained = { EPERM, ENOSPC, ENOSYS }, .layers = LAYER_SECCOMP | LAYER_KERNEL, .control = CONTROL_HOST,
	  .remedy = REFUSE("unshare") "; or linux.sysctl user.max_user_namespaces=0",
	  .references = "C5.22 N4.5.1 T1611 T1068 P9.1" },
	{ GROUP, .id = "sys.clone-user", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "clone(CLONE_NEWUSER)",
	  .contained = { EPERM, ENOSPC, ENOSYS }, .layers = LAYER_SECCOMP | LAYER_KERNEL, .control = CONTROL_HOST,
	  .remedy = "allow clone in linux.seccomp only if no CLONE_NEW flag is set (SCMP_CMP_MASKED_EQ)",
	  .references = "C5.22 N4.5.1 T1611 T1068 P9.1" },
	{ GROUP, .id = "sys.clone3-user", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "clone3(CLONE_NEWUSER), whose flags no filter can read",
	  .contained = { ENOSYS, EPERM, ENOSPC }, .layers = LAYER_SECCOMP | LAYER_KERNEL, .control = CONTROL_HOST,
	  .remedy = "refuse clone3 with ENOSYS in linux.seccomp: C libraries fall back to clone",
	  .references = "CVE-2021-41133 C5.22 N4.5.1 T1611 T1068 P9.1" },
#define UNSHARE(word, flag, name)                                                                     \
	{ GROUP, .id = "sys.unshare-" word, .severity = SEVERITY_MEDIUM, .profiles = PROFILE_FROM_STANDARD, \
	  .attempt = "unshare(" flag "): a new " name " namespace",                                   \
	  .contained = { EPERM, ENOSYS }, .layers = FILTER_OR_CAPABILITY, .control = CONTROL_TWIN,    \
	  .remedy = DROP_ADMIN("unshare"), .references = "T1611" }
	UNSHARE("mnt", "CLONE_NEWNS", "mount"),
	UNSHARE("net", "CLONE_NEWNET", "network"),
	UNSHARE("pid", "CLONE_NEWPID", "pid"),
	UNSHARE("ipc", "CLONE_NEWIPC", "ipc"),
	UNSHARE("uts", "CLONE_NEWUTS", "uts"),
	UNSHARE("cgroup", "CLONE_NEWCGROUP", "cgroup"),
	UNSHARE("time", "CLONE_NEWTIME", "time"),
	{ GROUP, .id = "sys.setns", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "setns with a wrong descriptor",
	  .contained = { EPERM, ENOSYS }, .layers = LAYER_SECCOMP, .control = CONTROL_ORACLE, .through = { EBADF },
	  .remedy = REFUSE("setns"), .references = "T1611 DET0219" },

	{ OUTSIDE, .id = "ns.setns-host", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "open the host's mount namespace under /proc, for setns",
	  .contained = { ENOENT, ESRCH, EACCES, EPERM },
	  .layers = LAYER_NAMESPACES | LAYER_CAPABILITIES | LAYER_LANDLOCK, .control = CONTROL_DECOY,
	  .remedy = "give the container a pid namespace and a /proc of its own", .references = "T1611" },
	{ OUTSIDE, .id = "ns.inode-differ", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_ALL,
	  .attempt = "the host compares /proc/PID/ns with its own, and with linux.namespaces",
	  .layers = LAYER_NAMESPACES, .control = CONTROL_NONE, .judge = JUDGE_namespaces,
	  .remedy = "this is agentd's own fault if linux.namespaces asks for it: report it",
	  .references = "C5.10 C5.16 C5.17 C5.21 C5.31 N4.4.3",
	  .limitation = "a namespace that the configuration does not ask for is not missed here" },
	{ OUTSIDE, .id = "ns.pid-kill", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "signal 0 to a process of the host by its pid",
	  .contained = { ESRCH, EPERM }, .layers = LAYER_NAMESPACES | LAYER_LANDLOCK | LAYER_CAPABILITIES,
	  .control = CONTROL_DECOY,
	  .remedy = "add {\"type\": \"pid\"} to linux.namespaces", .references = "C5.16 T1611" },
	{ OUTSIDE, .id = "ns.pid-list", .severity = SEVERITY_MEDIUM, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "look for a process of the host in /proc",
	  .contained = { ENOENT, EACCES, EPERM }, .layers = LAYER_NAMESPACES | LAYER_MOUNTS, .control = CONTROL_DECOY,
	  .remedy = "add {\"type\": \"pid\"} to linux.namespaces and mount a proc of the container's own",
	  .references = "C5.16 T1613" },
	{ OUTSIDE, .id = "ns.ipc-shm", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "find a System V segment of the host by its key",
	  .contained = { ENOENT, EPERM, ENOSYS }, .layers = LAYER_NAMESPACES | LAYER_SECCOMP, .control = CONTROL_DECOY,
	  .remedy = "add {\"type\": \"ipc\"} to linux.namespaces", .references = "C5.17" },
	{ OUTSIDE, .id = "ns.ipc-shmat", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "attach a System V segment of the host by its number",
	  .contained = { EINVAL, EIDRM, EPERM, ENOSYS }, .layers = LAYER_NAMESPACES | LAYER_SECCOMP,
	  .control = CONTROL_DECOY,
	  .remedy = "add {\"type\": \"ipc\"} to linux.namespaces", .references = "C5.17" },
	{ OUTSIDE, .id = "ns.ipc-mq", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "open a POSIX message queue of the host",
	  .contained = { ENOENT, EPERM, ENOSYS }, .layers = LAYER_NAMESPACES | LAYER_SECCOMP, .control = CONTROL_DECOY,
	  .remedy = "add {\"type\": \"ipc\"} to linux.namespaces", .references = "C5.17" },
	{ OUTSIDE, .id = "ns.abstract", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "connect to an abstract socket of the host",
	  .contained = { ECONNREFUSED, EPERM, EACCES },
	  .layers = LAYER_NAMESPACES | LAYER_LANDLOCK | LAYER_SECCOMP, .control = CONTROL_DECOY,
	  .remedy = "add {\"type\": \"network\"} to linux.namespaces; scope abstract_unix_socket with Landlock",
	  .references = "CVE-2020-15257 C5.10" },
	{ OUTSIDE, .id = "ns.loopback", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "connect to a listener on the host's 127.0.0.1",
	  .contained = { ECONNREFUSED, ENETUNREACH, EACCES, EPERM },
	  .layers = LAYER_NAMESPACES | LAYER_LANDLOCK | LAYER_SECCOMP, .control = CONTROL_DECOY,
	  .remedy = "add {\"type\": \"network\"} to linux.namespaces", .references = "C5.10 N4.4.2 T1046" },
	{ OUTSIDE, .id = "ns.ifaces", .severity = SEVERITY_MEDIUM, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "list interfaces other than lo",
	  .contained = { ENODEV, EPERM, EACCES }, .layers = LAYER_NAMESPACES | LAYER_SECCOMP, .control = CONTROL_DECOY,
	  .judge = JUDGE_interfaces,
	  .remedy = "add {\"type\": \"network\"} to linux.namespaces", .references = "C5.10",
	  .limitation = "proves nothing on a host that has no interface but lo" },
	{ GROUP, .id = "ns.uts", .severity = SEVERITY_MEDIUM, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "set the hostname, to what it is",
	  .contained = { EPERM, ENOSYS }, .layers = FILTER_OR_CAPABILITY | LAYER_NAMESPACES, .control = CONTROL_TWIN,
	  .judge = JUDGE_hostname,
	  .remedy = "add {\"type\": \"uts\"} to linux.namespaces", .references = "C5.21" },
	{ OUTSIDE, .id = "ns.user-map", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "the host compares /proc/PID/uid_map and gid_map with the configuration",
	  .layers = LAYER_NAMESPACES, .control = CONTROL_NONE, .judge = JUDGE_user_map,
	  .remedy = "map a range of ids of which nobody on the host is the owner (/etc/subuid)", .references = "C5.31" },
	/* with its namespace the container's cgroup is "/": on a host whose own is, nothing is shown */
	{ OUTSIDE, .id = "ns.cgroup", .severity = SEVERITY_LOW, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "read a path other than / in /proc/self/cgroup",
	  .contained = { ENODATA, ENOENT, EACCES }, .layers = LAYER_NAMESPACES, .control = CONTROL_ABLATION,
	  .without = LAYER_NAMESPACES,
	  .remedy = "add {\"type\": \"cgroup\"} to linux.namespaces", .references = "C5.25" },
	{ OUTSIDE, .id = "ns.mount-propagation", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "the host looks for mounts that it shares with the container",
	  .layers = LAYER_NAMESPACES | LAYER_MOUNTS, .control = CONTROL_NONE, .judge = JUDGE_propagation,
	  .remedy = "set linux.rootfsPropagation to private or slave, and no rshared on mounts", .references = "C5.20" },
	{ .id = "" },
};
/* clang-format on */
