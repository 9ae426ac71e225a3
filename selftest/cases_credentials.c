/*
 * Credentials and capabilities. What the process has, the host reads; what it can get or do with
 * it, it tries.
 *
 * Of the root filesystem two rows want more than the canary, see there.
 */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isolation/caps.h"
#include "runtime/base/array.h"
#include "selftest/check.h"
#include "selftest/judge_posture.h"
#include "selftest/judges.h"
#include "spec/names.h"

#define PORT_START "net.ipv4.ip_unprivileged_port_start"
#define LOW_PORT 80

/* --- judgements ------------------------------------------------------------------------------ */

/*
 * What each set of the canary, which raises nothing, may hold after execve(2): root without
 * no_new_privs gets all of its bounding set, and root's effective set is all of the permitted one
 * (capabilities(7)). Nothing is inheritable but what has to be to be ambient (CVE-2022-29162).
 */
static struct spec_capabilities expect_sets(const struct spec_process *process)
{
	struct spec_capabilities most = process->capabilities;

	most.inheritable &= most.ambient;
	if (process->user.uid == 0) {
		if (!process->no_new_privileges)
			most.permitted |= most.bounding | process->capabilities.inheritable;
		most.effective = most.permitted;
	}
	return most;
}

static bool has_more(const struct posture_thread *thread, const struct spec_capabilities *most,
		     struct result *result)
{
	const struct {
		const char *name;
		uint64_t found, most;
	} sets[] = {
		{ "inheritable", thread->inheritable, most->inheritable },
		{ "permitted", thread->permitted, most->permitted },
		{ "effective", thread->effective, most->effective },
		{ "bounding", thread->bounding, most->bounding },
		{ "ambient", thread->ambient, most->ambient },
	};

	for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
		if (!(sets[i].found & ~sets[i].most))
			continue;
		judge_say(result, "%s has %#llx besides", sets[i].name,
			  (unsigned long long)(sets[i].found & ~sets[i].most));
		return true;
	}
	return false;
}

bool judge_sets(const struct evidence *evidence, struct result *result)
{
	const struct posture *posture = evidence->posture;
	const struct spec_capabilities most = expect_sets(&evidence->spec->process);

	if (!judge_has_posture(evidence, result))
		return false;
	for (size_t i = 0; i < posture->threads_len; i++)
		if (has_more(&posture->threads[i], &most, result))
			return false;
	return judge_as_configured(evidence, "process.user.uid", result) &&
	       judge_as_configured(evidence, "process.user.gid", result);
}

/* Whatever the configuration says, and the bounding set too: a program with file capabilities would
 * get them. */
bool judge_ruling(const struct evidence *evidence, struct result *result)
{
	const struct posture *posture = evidence->posture;

	if (!judge_has_posture(evidence, result))
		return false;
	judge_say(result, "none");
	for (size_t i = 0; i < posture->threads_len; i++) {
		const struct posture_thread *thread = &posture->threads[i];
		uint64_t all = thread->inheritable | thread->permitted | thread->effective |
			       thread->bounding | thread->ambient;

		for (const struct name *row = capability_names; *row->name; row++) {
			if (!(all & check_ruling_capabilities & 1ULL << row->value))
				continue;
			judge_say(result, "it has %s", row->name);
			return false;
		}
	}
	return posture->threads_len > 0;
}

bool judge_no_new_privs(const struct evidence *evidence, struct result *result)
{
	const struct posture *posture = evidence->posture;

	if (!judge_has_posture(evidence, result))
		return false;
	for (size_t i = 0; i < posture->threads_len; i++) {
		if (posture->threads[i].no_new_privs)
			continue;
		judge_say(result, "not set");
		return false;
	}
	judge_say(result, "set");
	return posture->threads_len > 0;
}

static bool is_port_open(const struct spec *spec)
{
	const struct spec_map *sysctl = &spec->linux.sysctl;

	for (size_t i = 0; i < sysctl->len; i++)
		if (strcmp(sysctl->item[i].key, PORT_START) == 0)
			return strtol(sysctl->item[i].value, NULL, 10) <= LOW_PORT;
	return spec->process.capabilities.effective >> CAP_NET_BIND_SERVICE & 1;
}

/* In a network namespace of its own a port is nobody else's. */
bool judge_low_port(const struct evidence *evidence, struct result *result)
{
	if (!judge_through(result->row, evidence->target) || !is_port_open(evidence->spec) ||
	    !evidence->posture || !judge_own_namespace(evidence->posture, "net"))
		return judge_errno(evidence, result);
	judge_describe(evidence->target, result->observed, sizeof(result->observed));
	return judge_undecided(result, VERDICT_NOT_APPLICABLE,
			       "the configuration opens low ports of its own network namespace");
}

/* The parent of a child of ours is ours: no harm, and it shows that the request works. */
bool judge_parent(const struct evidence *evidence, struct result *result)
{
	char of[16];

	judge_fact(evidence->target, "of", of, sizeof(of));
	if (!judge_through(result->row, evidence->target) || strcmp(of, "child") != 0)
		return judge_errno(evidence, result);
	judge_say(result, "the parent of its own is refused");
	return true;
}

/* --- rows ------------------------------------------------------------------------------------ */

/* clang-format off */
#define GROUP .group = "credentials"
#define DROP(capability) "drop " capability " from process.capabilities"

const struct selftest_case cases_credentials[] = {
	{ GROUP, .id = "cap.sets", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_ALL,
	  .attempt = "the host compares the five sets, the user and the group with the configuration",
	  .layers = LAYER_CAPABILITIES, .control = CONTROL_NONE, .judge = JUDGE_sets,
	  .remedy = "list in process.capabilities what is needed; leave inheritable empty",
	  .references = "CVE-2022-29162 C5.4 N4.4.3 P3.1",
	  .limitation = "a capability that the configuration grants is not missed here" },
	{ GROUP, .id = "cap.ruling", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "the host looks for capabilities that are as good as root on it",
	  .layers = LAYER_CAPABILITIES, .control = CONTROL_NONE, .judge = JUDGE_ruling,
	  .remedy = "take it out of all five sets of process.capabilities", .references = "C5.4 N4.4.3 T1611" },
	{ GROUP, .id = "cap.capset", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "capset of every capability",
	  .contained = { EPERM }, .layers = LAYER_CAPABILITIES, .control = CONTROL_TWIN,
	  .remedy = DROP("what is not needed"), .references = "C5.4" },
	{ GROUP, .id = "cap.ambient", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "make CAP_SYS_ADMIN ambient",
	  .contained = { EPERM }, .layers = LAYER_CAPABILITIES, .control = CONTROL_TWIN,
	  .remedy = DROP("CAP_SYS_ADMIN"), .references = "C5.4" },
	{ GROUP, .id = "cap.setuid0", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "become root; who is root leaves it first",
	  .contained = { EPERM, EINVAL }, .layers = LAYER_CAPABILITIES | LAYER_NAMESPACES | LAYER_SECCOMP,
	  .control = CONTROL_HOST,
	  .remedy = DROP("CAP_SETUID"), .references = "C5.4 T1068" },
	{ GROUP, .id = "cap.setuid-other", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "become another user",
	  .contained = { EPERM, EINVAL }, .layers = LAYER_CAPABILITIES | LAYER_NAMESPACES | LAYER_SECCOMP,
	  .control = CONTROL_HOST,
	  .remedy = DROP("CAP_SETUID"), .references = "C5.4 T1068" },
	{ GROUP, .id = "cap.setgroups", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "join group 0",
	  .contained = { EPERM, EINVAL }, .layers = LAYER_CAPABILITIES | LAYER_NAMESPACES | LAYER_SECCOMP,
	  .control = CONTROL_HOST,
	  .remedy = DROP("CAP_SETGID"), .references = "C5.4 T1068" },
	/* The runner puts a copy of the canary beside it: "suid", mode 4755, on a mount without nosuid.
	 * It must belong to somebody else than the configured user: root, or 65534 if that is root. */
	{ GROUP, .id = "cap.suid-exec", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "execute a set-user-ID program of another user",
	  .contained = { EPERM }, .layers = LAYER_NO_NEW_PRIVS | LAYER_MOUNTS, .control = CONTROL_ABLATION,
	  .without = LAYER_NO_NEW_PRIVS, .needs = LAYER_MOUNTS,
	  .remedy = "set process.noNewPrivileges", .references = "C5.26 T1068" },
	/* And one, in the twin too: "filecap", with cap_net_raw+ep (the attribute security.capability). */
	{ GROUP, .id = "cap.filecap-exec", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "execute a program that has CAP_NET_RAW as a file capability",
	  .contained = { EPERM }, .layers = LAYER_NO_NEW_PRIVS | LAYER_MOUNTS | LAYER_CAPABILITIES,
	  .control = CONTROL_TWIN, .needs = LAYER_MOUNTS,
	  .remedy = "set process.noNewPrivileges, and empty the bounding set", .references = "C5.26" },
	{ GROUP, .id = "cap.nnp", .severity = SEVERITY_HIGH, .profiles = PROFILE_ALL,
	  .attempt = "the host reads NoNewPrivs of every thread",
	  .layers = LAYER_NO_NEW_PRIVS, .control = CONTROL_NONE, .judge = JUDGE_no_new_privs,
	  .remedy = "set process.noNewPrivileges", .references = "C5.26" },
	{ GROUP, .id = "cap.mknod-chr", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "mknod of a character device where it can make files",
	  .contained = { EPERM, EACCES, ENOSYS }, .control = CONTROL_HOST,
	  .layers = LAYER_CAPABILITIES | LAYER_LANDLOCK | LAYER_SECCOMP | LAYER_CGROUP,
	  .remedy = DROP("CAP_MKNOD"), .references = "C5.18 T1611" },
	{ GROUP, .id = "cap.mknod-blk", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "mknod of a block device where it can make files",
	  .contained = { EPERM, EACCES, ENOSYS }, .control = CONTROL_HOST,
	  .layers = LAYER_CAPABILITIES | LAYER_LANDLOCK | LAYER_SECCOMP | LAYER_CGROUP,
	  .remedy = DROP("CAP_MKNOD"), .references = "C5.18 T1611" },
	{ GROUP, .id = "cap.mknod-open", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "mknod of /dev/kmsg, and open it",
	  .contained = { EPERM, EACCES, ENOSYS }, .control = CONTROL_HOST,
	  .layers = LAYER_CAPABILITIES | LAYER_LANDLOCK | LAYER_SECCOMP | LAYER_CGROUP | LAYER_MOUNTS,
	  .remedy = DROP("CAP_MKNOD") "; deny devices in linux.resources.devices; mount with nodev",
	  .references = "C5.18" },
	{ GROUP, .id = "cap.chroot", .severity = SEVERITY_MEDIUM, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "chroot into a directory of its own",
	  .contained = { EPERM, ENOSYS }, .layers = LAYER_CAPABILITIES | LAYER_SECCOMP, .control = CONTROL_TWIN,
	  .remedy = DROP("CAP_SYS_CHROOT"), .references = "T1611" },
	{ GROUP, .id = "cap.chroot-escape", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "go up and out of a chroot, to a file of the host",
	  .contained = { EPERM, ENOENT, ENOSYS }, .control = CONTROL_DECOY, .needs = LAYER_MOUNTS,
	  .layers = LAYER_MOUNTS | LAYER_CAPABILITIES | LAYER_SECCOMP,
	  .remedy = DROP("CAP_SYS_CHROOT") "; do not run with --no-pivot", .references = "T1611" },
	{ GROUP, .id = "cap.dac", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "open a file that its mode opens to nobody",
	  .contained = { EACCES }, .layers = LAYER_CAPABILITIES, .control = CONTROL_TWIN,
	  .remedy = DROP("CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH"), .references = "C5.4" },
	{ GROUP, .id = "cap.nice", .severity = SEVERITY_LOW, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "setpriority to -5",
	  .contained = { EACCES, EPERM }, .layers = LAYER_CAPABILITIES | LAYER_RLIMITS | LAYER_SECCOMP,
	  .control = CONTROL_HOST,
	  .remedy = DROP("CAP_SYS_NICE") "; set no RLIMIT_NICE", .references = "N4.4.3" },
	{ GROUP, .id = "cap.fifo", .severity = SEVERITY_MEDIUM, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "become real-time: SCHED_FIFO",
	  .contained = { EPERM }, .layers = LAYER_CAPABILITIES | LAYER_RLIMITS | LAYER_SECCOMP, .control = CONTROL_HOST,
	  .remedy = DROP("CAP_SYS_NICE") "; set no RLIMIT_RTPRIO", .references = "N4.4.3" },
	{ GROUP, .id = "cap.ioprio-rt", .severity = SEVERITY_LOW, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "ioprio_set to the real-time class",
	  .contained = { EPERM }, .layers = LAYER_CAPABILITIES | LAYER_SECCOMP, .control = CONTROL_HOST,
	  .remedy = DROP("CAP_SYS_NICE and CAP_SYS_ADMIN"), .references = "N4.4.3" },
	{ GROUP, .id = "cap.oom-adj", .severity = SEVERITY_LOW, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "write -1000 to its own oom_score_adj",
	  .contained = { EACCES, EPERM, EROFS }, .layers = LAYER_CAPABILITIES | LAYER_LANDLOCK | LAYER_MOUNTS,
	  .control = CONTROL_HOST,
	  .remedy = DROP("CAP_SYS_RESOURCE"), .references = "C5.11" },
	{ GROUP, .id = "cap.rlimit-raise", .severity = SEVERITY_MEDIUM, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "raise a hard limit",
	  .contained = { EPERM }, .layers = LAYER_CAPABILITIES | LAYER_SECCOMP, .control = CONTROL_HOST,
	  .remedy = DROP("CAP_SYS_RESOURCE"), .references = "C5.19" },
	{ GROUP, .id = "cap.net-admin", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "RTM_SETLINK, SO_MARK and IP_TRANSPARENT",
	  .contained = { EPERM, EACCES }, .layers = LAYER_CAPABILITIES | LAYER_NAMESPACES | LAYER_SECCOMP,
	  .control = CONTROL_TWIN,
	  .remedy = DROP("CAP_NET_ADMIN and CAP_NET_RAW"), .references = "C5.4 N4.4.2" },
	{ GROUP, .id = "cap.bind-low", .severity = SEVERITY_LOW, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "bind TCP port 80",
	  .contained = { EACCES, EPERM }, .control = CONTROL_TWIN, .judge = JUDGE_low_port,
	  .layers = LAYER_CAPABILITIES | LAYER_LANDLOCK | LAYER_KERNEL | LAYER_SECCOMP,
	  .remedy = DROP("CAP_NET_BIND_SERVICE") "; set no " PORT_START, .references = "C5.8" },
	{ GROUP, .id = "cap.userns-ioctl", .severity = SEVERITY_MEDIUM, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "NS_GET_PARENT of its pid namespace: the host's",
	  .contained = { EPERM, ENOENT }, .layers = LAYER_NAMESPACES | LAYER_KERNEL, .control = CONTROL_TWIN,
	  .judge = JUDGE_parent,
	  .remedy = "add {\"type\": \"pid\"} to linux.namespaces" },
	{ .id = "" },
};
/* clang-format on */
