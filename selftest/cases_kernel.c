/*
 * The kernel's attack surface. Errnos in `through` belong to arguments that are wrong: the kernel
 * complains of them only after it has let the caller in. Such rows, harmless, are made on the host
 * itself where the twin of a user namespace would be refused.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "selftest/judges.h"

#define REFUSE(calls) "remove " calls " from what linux.seccomp allows"
#define ONE_ARCHITECTURE "leave only the native architecture in linux.seccomp.architectures"

enum { FILTERED = 2 }; /* SECCOMP_MODE_FILTER */

static bool saw(struct result *result, bool contained, const char *what)
{
	snprintf(result->observed, sizeof(result->observed), "%s", what);
	return contained;
}

/* The threads that the process has, and one that it started after the filter was loaded. */
bool judge_threads(const struct evidence *evidence, struct result *result)
{
	const struct posture *posture = evidence->posture;
	const char *later = evidence->target->text;

	for (size_t i = 0; i < posture->threads_len; i++) {
		if (posture->threads[i].seccomp != FILTERED)
			return saw(result, false, "a thread without a filter");
		if (posture->threads[i].no_new_privs != posture->threads[0].no_new_privs)
			return saw(result, false, "threads that differ in no_new_privs");
	}
	if (strstr(later, "thread=") && !strstr(later, "thread=2"))
		return saw(result, false, "a new thread without a filter");
	return saw(result, true, "every thread is filtered");
}

bool judge_filter(const struct evidence *evidence, struct result *result)
{
	const struct posture *posture = evidence->posture;

	/* Kernels before 5.9 do not count. */
	if (posture->threads_len == 0 || posture->threads[0].seccomp != FILTERED)
		return saw(result, false, "no filter");
	snprintf(result->observed, sizeof(result->observed), "filters: %u",
		 posture->threads[0].seccomp_filters);
	return true;
}

/* clang-format off */
const struct selftest_case cases_kernel[] = {
	{ .id = "sys.bpf-map", .group = "kernel", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "bpf(BPF_MAP_CREATE), an array of one",
	  .contained = { EPERM }, .layers = LAYER_SECCOMP | LAYER_CAPABILITIES | LAYER_KERNEL, .control = CONTROL_HOST,
	  .remedy = REFUSE("bpf"), .references = "N4.5.1 T1068" },
	{ .id = "sys.bpf-prog", .group = "kernel", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "bpf(BPF_PROG_LOAD), \"return 0\"",
	  .contained = { EPERM }, .layers = LAYER_SECCOMP | LAYER_CAPABILITIES | LAYER_KERNEL, .control = CONTROL_HOST,
	  .remedy = REFUSE("bpf"), .references = "N4.5.1 T1068" },
	{ .id = "sys.perf-sw", .group = "kernel", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "perf_event_open of a software clock of one's own",
	  .contained = { EPERM, EACCES }, .layers = LAYER_SECCOMP | LAYER_KERNEL, .control = CONTROL_HOST,
	  .remedy = REFUSE("perf_event_open"), .references = "N4.5.1" },
	{ .id = "sys.io-uring", .group = "kernel", .severity = SEVERITY_HIGH, .profiles = PROFILE_ALL,
	  .attempt = "io_uring_setup",
	  .contained = { EPERM, ENOSYS }, .layers = LAYER_SECCOMP | LAYER_KERNEL, .control = CONTROL_HOST,
	  .remedy = REFUSE("io_uring_*") ": what goes through a ring no filter sees", .references = "N4.5.1 T1068" },
	{ .id = "sys.io-uring-openat", .group = "kernel", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "make a file through a ring where Landlock refuses it",
	  .contained = { EPERM, ENOSYS, EACCES }, .layers = LAYER_SECCOMP | LAYER_LANDLOCK | LAYER_KERNEL, .control = CONTROL_TWIN,
	  .remedy = REFUSE("io_uring_*"), .references = "N4.5.1",
	  .limitation = "where rings are refused it shows that alone" },
	{ .id = "sys.io-uring-rawsock", .group = "kernel", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "make a raw socket through a ring",
	  .contained = { EPERM, ENOSYS, EACCES }, .layers = LAYER_SECCOMP | LAYER_CAPABILITIES | LAYER_KERNEL, .control = CONTROL_TWIN,
	  .remedy = REFUSE("io_uring_*") ", and drop CAP_NET_RAW", .references = "N4.5.1 C5.4",
	  .limitation = "where rings are refused it shows that alone" },
	{ .id = "sys.userfaultfd", .group = "kernel", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "userfaultfd(UFFD_USER_MODE_ONLY)",
	  .contained = { EPERM }, .layers = LAYER_SECCOMP, .control = CONTROL_HOST,
	  .remedy = REFUSE("userfaultfd"), .references = "N4.5.1" },
	{ .id = "dev.userfaultfd", .group = "kernel", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "open /dev/userfaultfd",
	  .contained = { ENOENT, EPERM, EACCES }, .layers = LAYER_MOUNTS | LAYER_CAPABILITIES | LAYER_CGROUP | LAYER_LANDLOCK, .needs = LAYER_MOUNTS,
	  .control = CONTROL_HOST,
	  .remedy = "remove /dev/userfaultfd from linux.devices and linux.resources.devices", .references = "N4.5.1 C5.18" },
	{ .id = "sys.keyctl", .group = "kernel", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "keyctl(KEYCTL_GET_KEYRING_ID), the session's",
	  .contained = { EPERM, ENOSYS }, .layers = LAYER_SECCOMP, .control = CONTROL_HOST,
	  .remedy = REFUSE("keyctl"), .references = "T1611" },
	{ .id = "sys.add-key", .group = "kernel", .severity = SEVERITY_MEDIUM, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "add_key to the process keyring",
	  .contained = { EPERM, ENOSYS }, .layers = LAYER_SECCOMP, .control = CONTROL_HOST,
	  .remedy = REFUSE("add_key"), .references = "T1611" },
	{ .id = "sys.request-key", .group = "kernel", .severity = SEVERITY_MEDIUM, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "request_key of a key that does not exist",
	  .contained = { EPERM, ENOSYS }, .layers = LAYER_SECCOMP, .control = CONTROL_HOST, .through = { ENOKEY },
	  .remedy = REFUSE("request_key"), .references = "T1611" },
	{ .id = "key.session", .group = "kernel", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "find a key of the host's session keyring",
	  .contained = { ENOKEY, EPERM, EACCES }, .layers = LAYER_RUNTIME | LAYER_NAMESPACES | LAYER_SECCOMP, .control = CONTROL_DECOY,
	  .remedy = REFUSE("keyctl") },
	{ .id = "key.user", .group = "kernel", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "find a key of the user's keyring of the host",
	  .contained = { ENOKEY, EPERM, EACCES }, .layers = LAYER_NAMESPACES | LAYER_SECCOMP, .control = CONTROL_DECOY,
	  .remedy = REFUSE("keyctl") ", or give the container a user namespace" },
	{ .id = "sys.module-init", .group = "kernel", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "init_module of nothing",
	  .contained = { EPERM }, .layers = LAYER_CAPABILITIES | LAYER_SECCOMP, .control = CONTROL_HOST, .through = { ENOEXEC, EFAULT, EINVAL },
	  .remedy = "drop CAP_SYS_MODULE; " REFUSE("init_module"), .references = "T1547.006 N4.5.2" },
	{ .id = "sys.module-finit", .group = "kernel", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "finit_module of a wrong descriptor",
	  .contained = { EPERM }, .layers = LAYER_CAPABILITIES | LAYER_SECCOMP, .control = CONTROL_HOST, .through = { EBADF, EINVAL },
	  .remedy = "drop CAP_SYS_MODULE; " REFUSE("finit_module"), .references = "T1547.006 N4.5.2" },
	{ .id = "sys.module-delete", .group = "kernel", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "delete_module of a name that does not exist",
	  .contained = { EPERM }, .layers = LAYER_CAPABILITIES | LAYER_SECCOMP, .control = CONTROL_HOST, .through = { ENOENT, EFAULT },
	  .remedy = "drop CAP_SYS_MODULE; " REFUSE("delete_module"), .references = "T1547.006 N4.5.2" },
	{ .id = "sys.kexec-load", .group = "kernel", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "kexec_load with flags that nobody has",
	  .contained = { EPERM }, .layers = LAYER_CAPABILITIES | LAYER_SECCOMP, .control = CONTROL_HOST, .through = { EINVAL },
	  .remedy = "drop CAP_SYS_BOOT; " REFUSE("kexec_load"), .references = "N4.5.2" },
	{ .id = "sys.kexec-file", .group = "kernel", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "kexec_file_load with flags that nobody has",
	  .contained = { EPERM }, .layers = LAYER_CAPABILITIES | LAYER_SECCOMP, .control = CONTROL_HOST, .through = { EINVAL },
	  .remedy = "drop CAP_SYS_BOOT; " REFUSE("kexec_file_load"), .references = "N4.5.2" },
	{ .id = "sys.reboot", .group = "kernel", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "reboot(2) without its magic numbers",
	  .contained = { EPERM }, .layers = LAYER_CAPABILITIES | LAYER_SECCOMP, .control = CONTROL_ORACLE, .through = { EINVAL },
	  .remedy = "drop CAP_SYS_BOOT; " REFUSE("reboot"), .references = "N4.5.2" },
	{ .id = "sys.swapon", .group = "kernel", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "swapon of a path that does not exist",
	  .contained = { EPERM }, .layers = LAYER_CAPABILITIES | LAYER_SECCOMP, .control = CONTROL_HOST, .through = { ENOENT },
	  .remedy = "drop CAP_SYS_ADMIN; " REFUSE("swapon"), .references = "N4.5.2" },
	{ .id = "sys.swapoff", .group = "kernel", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "swapoff of a path that does not exist",
	  .contained = { EPERM }, .layers = LAYER_CAPABILITIES | LAYER_SECCOMP, .control = CONTROL_HOST, .through = { ENOENT },
	  .remedy = "drop CAP_SYS_ADMIN; " REFUSE("swapoff"), .references = "N4.5.2" },
	{ .id = "sys.acct", .group = "kernel", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "acct of a path that does not exist",
	  .contained = { EPERM }, .layers = LAYER_CAPABILITIES | LAYER_SECCOMP, .control = CONTROL_HOST, .through = { ENOENT },
	  .remedy = "drop CAP_SYS_PACCT; " REFUSE("acct"), .references = "N4.5.2" },
	{ .id = "sys.quotactl", .group = "kernel", .severity = SEVERITY_LOW, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "quotactl of a device that does not exist",
	  .contained = { EPERM }, .layers = LAYER_SECCOMP, .control = CONTROL_HOST, .through = { ENOENT, ENOTBLK },
	  .remedy = REFUSE("quotactl") },
	{ .id = "sys.syslog", .group = "kernel", .severity = SEVERITY_MEDIUM, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "syslog(SIZE_BUFFER): the kernel's log",
	  .contained = { EPERM }, .layers = LAYER_CAPABILITIES | LAYER_KERNEL | LAYER_SECCOMP, .control = CONTROL_HOST,
	  .remedy = "drop CAP_SYSLOG and CAP_SYS_ADMIN; " REFUSE("syslog"), .references = "N4.5.2" },
	{ .id = "sys.iopl", .group = "kernel", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "iopl(3)",
	  .contained = { EPERM, ENOSYS }, .layers = LAYER_CAPABILITIES | LAYER_SECCOMP, .control = CONTROL_HOST,
	  .remedy = "drop CAP_SYS_RAWIO; " REFUSE("iopl") },
	{ .id = "sys.ioperm", .group = "kernel", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "ioperm of one port",
	  .contained = { EPERM, ENOSYS }, .layers = LAYER_CAPABILITIES | LAYER_SECCOMP, .control = CONTROL_HOST,
	  .remedy = "drop CAP_SYS_RAWIO; " REFUSE("ioperm") },
	{ .id = "sys.settime", .group = "kernel", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "adjtimex with an impossible tick, clock_settime with a bad pointer",
	  .contained = { EPERM }, .layers = LAYER_CAPABILITIES | LAYER_SECCOMP, .control = CONTROL_HOST, .through = { EINVAL },
	  .remedy = "drop CAP_SYS_TIME; " REFUSE("clock_settime and adjtimex"), .references = "C5.4" },
	{ .id = "sys.handle-bad", .group = "kernel", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "open_by_handle_at with a wrong descriptor",
	  .contained = { EPERM }, .layers = LAYER_SECCOMP, .control = CONTROL_HOST, .through = { EBADF },
	  .remedy = REFUSE("open_by_handle_at"), .references = "CVE-2014-3519 T1611" },
	{ .id = "sys.handle-decoy", .group = "kernel", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "open a file of the host by its handle",
	  .contained = { EPERM }, .layers = LAYER_CAPABILITIES | LAYER_NAMESPACES | LAYER_SECCOMP, .control = CONTROL_DECOY, .through = { ESTALE },
	  .remedy = "drop CAP_DAC_READ_SEARCH; " REFUSE("open_by_handle_at"), .references = "CVE-2014-3519 T1611 C5.4" },
	{ .id = "sys.fanotify", .group = "kernel", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "fanotify_init(FAN_CLASS_CONTENT)",
	  .contained = { EPERM }, .layers = LAYER_CAPABILITIES | LAYER_SECCOMP, .control = CONTROL_HOST,
	  .remedy = "drop CAP_SYS_ADMIN; " REFUSE("fanotify_init") },
	{ .id = "sys.personality", .group = "kernel", .severity = SEVERITY_LOW, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "personality(ADDR_NO_RANDOMIZE)",
	  .contained = { EPERM }, .layers = LAYER_SECCOMP, .control = CONTROL_HOST,
	  .remedy = "let linux.seccomp allow personality for the ordinary values only" },
	{ .id = "sys.numa", .group = "kernel", .severity = SEVERITY_LOW, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "move_pages, mbind, set_mempolicy",
	  .contained = { EPERM, ENOSYS }, .layers = LAYER_SECCOMP, .control = CONTROL_HOST,
	  .remedy = REFUSE("move_pages, mbind and set_mempolicy") },
	{ .id = "sys.legacy", .group = "kernel", .severity = SEVERITY_LOW, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "uselib, ustat, sysfs, _sysctl, modify_ldt, nfsservctl, lookup_dcookie",
	  .contained = { EPERM, ENOSYS }, .layers = LAYER_SECCOMP, .control = CONTROL_HOST,
	  .remedy = REFUSE("the old calls that were observed"), .references = "N4.5.1" },
	{ .id = "sys.prctl-mm", .group = "kernel", .severity = SEVERITY_MEDIUM, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "prctl(PR_SET_MM) to an address that is too low",
	  .contained = { EPERM }, .layers = LAYER_CAPABILITIES | LAYER_SECCOMP, .control = CONTROL_HOST, .through = { EINVAL },
	  .remedy = "drop CAP_SYS_RESOURCE" },
	{ .id = "sys.i386-getpid", .group = "kernel", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "getpid by the 32-bit entry (int 0x80)",
	  .contained = { EPERM, ENOSYS }, .layers = LAYER_SECCOMP | LAYER_KERNEL, .control = CONTROL_HOST,
	  .remedy = ONE_ARCHITECTURE, .references = "N4.5.1" },
	{ .id = "sys.i386-collision", .group = "kernel", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_ALL,
	  .attempt = "raw socket, creat, pivot_root, ptrace by the 32-bit entry, where numbers mean other calls",
	  .contained = { EPERM, ENOSYS }, .layers = LAYER_SECCOMP | LAYER_KERNEL, .control = CONTROL_HOST,
	  .remedy = ONE_ARCHITECTURE, .references = "CVE-2026-31431 N4.5.1" },
	{ .id = "sys.x32", .group = "kernel", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "getpid and ptrace by the numbers of x32",
	  .contained = { EPERM, ENOSYS }, .layers = LAYER_SECCOMP | LAYER_KERNEL, .control = CONTROL_HOST,
	  .remedy = ONE_ARCHITECTURE },
	{ .id = "sys.tiocsti", .group = "kernel", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "ioctl(TIOCSTI): type into a terminal of one's own",
	  .contained = { EPERM, EIO }, .layers = LAYER_SECCOMP | LAYER_KERNEL, .control = CONTROL_HOST, .through = { ENOTTY, EBADF },
	  .remedy = "let linux.seccomp refuse ioctl TIOCSTI; or sysctl dev.tty.legacy_tiocsti=0", .references = "CVE-2017-5226" },
	{ .id = "sys.tiocsti-high", .group = "kernel", .severity = SEVERITY_HIGH, .profiles = PROFILE_ALL,
	  .attempt = "ioctl(TIOCSTI | 1<<32), which the kernel takes for the same",
	  .contained = { EPERM, EIO }, .layers = LAYER_SECCOMP | LAYER_KERNEL, .control = CONTROL_HOST, .through = { ENOTTY, EBADF },
	  .remedy = "compare the second argument of ioctl by SCMP_CMP_MASKED_EQ with the mask 0xffffffff", .references = "CVE-2019-7303 CVE-2019-10063" },
	{ .id = "sys.tioclinux", .group = "kernel", .severity = SEVERITY_MEDIUM, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "ioctl(TIOCLINUX) on a wrong descriptor",
	  .contained = { EPERM }, .layers = LAYER_SECCOMP, .control = CONTROL_HOST, .through = { EBADF },
	  .remedy = "let linux.seccomp refuse ioctl TIOCLINUX", .references = "CVE-2023-28100" },
	{ .id = "sys.newer", .group = "kernel", .severity = SEVERITY_LOW, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "statmount, listmount, open_tree_attr, file_getattr, file_setattr",
	  .contained = { EPERM, ENOSYS }, .layers = LAYER_SECCOMP, .control = CONTROL_HOST,
	  .remedy = "let the default action of linux.seccomp be a refusal, and name what may be called", .references = "N4.5.1",
	  .limitation = "the newest calls that this build knows" },
	{ .id = "sys.threads", .group = "kernel", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "all threads are filtered, those of earlier too",
	  .layers = LAYER_SECCOMP, .control = CONTROL_NONE, .judge = JUDGE_threads,
	  .remedy = "report this: the filter did not reach every thread", .references = "C5.22 C5.26" },
	{ .id = "sys.filter-count", .group = "kernel", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "the kernel counts a filter of the process",
	  .layers = LAYER_SECCOMP, .control = CONTROL_NONE, .judge = JUDGE_filter,
	  .remedy = "give the configuration a linux.seccomp", .references = "C5.22",
	  .limitation = "counts filters; what is in them the other rows show" },
	{ .id = "" },
};
/* clang-format on */
