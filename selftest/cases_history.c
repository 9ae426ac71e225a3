/*
 * Rows of group 9: past vulnerabilities as checks. Those of runtimes are whole bundles, tried by
 * history.c; those of kernels ask whether their door is open, not whether what is behind it works.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "selftest/judge.h"
#include "selftest/judges.h"

/* Our own file must be as it was: a value says whether it is. */
bool judge_dirty_pipe(const struct evidence *evidence, struct result *result)
{
	const struct observation *target = evidence->target;

	if (!target->done || target->value < 0)
		return judge_errno(evidence, result);
	snprintf(result->observed, sizeof(result->observed), "the file is %s",
		 target->value ? "changed" : "unchanged");
	return target->value == 0;
}

/* Never run: only the version is looked at. */
bool judge_dirty_cow(const struct evidence *evidence, struct result *result)
{
	unsigned major = 0, minor = 0;
	struct utsname name;

	(void)evidence;
	if (uname(&name) < 0 || sscanf(name.release, "%u.%u", &major, &minor) != 2)
		return judge_undecided(result, VERDICT_INCONCLUSIVE, "unknown kernel version");
	snprintf(result->observed, sizeof(result->observed), "Linux %u.%u; fixed in 4.9", major,
		 minor);
	return major > 4 || (major == 4 && minor >= 9);
}

bool judge_inheritable(const struct evidence *evidence, struct result *result)
{
	const struct posture *posture = evidence->posture;

	if (!posture || posture->threads_len == 0)
		return judge_undecided(result, VERDICT_INCONCLUSIVE,
				       "the capabilities of the process cannot be read");
	for (size_t i = 0; i < posture->threads_len; i++) {
		if (!posture->threads[i].inheritable)
			continue;
		snprintf(result->observed, sizeof(result->observed), "CapInh is %llx",
			 (unsigned long long)posture->threads[i].inheritable);
		return false;
	}
	snprintf(result->observed, sizeof(result->observed), "CapInh is 0");
	return true;
}

/* clang-format off */
#define GROUP .group = "history", .profiles = PROFILE_FROM_STANDARD
#define BUNDLE GROUP, .layers = LAYER_RUNTIME, .control = CONTROL_NONE
#define REPORT "report it: agentd is at fault, whatever the configuration is"
#define REFS(cve) cve " N4.4.1 T1611"

const struct selftest_case cases_history[] = {
	{ BUNDLE, .id = "cve.2019-5736", .severity = SEVERITY_CRITICAL,
	  .attempt = "run #!/proc/self/exe; look whether the waiting runtime could be written to",
	  .remedy = REPORT, .references = REFS("CVE-2019-5736") },
	{ BUNDLE, .id = "cve.2024-21626", .severity = SEVERITY_CRITICAL,
	  .attempt = "bundles whose working directory is /proc/self/fd/3 to 30",
	  .remedy = REPORT, .references = REFS("CVE-2024-21626") },
	{ BUNDLE, .id = "cve.2025-31133", .severity = SEVERITY_CRITICAL,
	  .attempt = "a root filesystem whose /dev/null is a link or a file",
	  .remedy = REPORT, .references = REFS("CVE-2025-31133") },
	{ BUNDLE, .id = "cve.2025-52565", .severity = SEVERITY_CRITICAL,
	  .attempt = "a terminal, and a root filesystem whose /dev/console is a link",
	  .remedy = REPORT, .references = REFS("CVE-2025-52565") },
	{ BUNDLE, .id = "cve.2025-52881", .severity = SEVERITY_CRITICAL,
	  .attempt = "a root filesystem with files that look like /proc",
	  .remedy = REPORT, .references = REFS("CVE-2025-52881") },
	{ BUNDLE, .id = "cve.2021-30465", .severity = SEVERITY_CRITICAL,
	  .attempt = "mounts whose destination is behind a link to the host",
	  .remedy = REPORT, .references = REFS("CVE-2021-30465"),
	  .limitation = "the form without a race; tests/integration has the race" },
	{ BUNDLE, .id = "cve.2019-16884", .severity = SEVERITY_HIGH,
	  .attempt = "a volume mounted in the place of /proc",
	  .remedy = REPORT, .references = REFS("CVE-2019-16884") },
	{ BUNDLE, .id = "cve.2023-28642", .severity = SEVERITY_HIGH,
	  .attempt = "a root filesystem whose /proc is a link",
	  .remedy = REPORT, .references = REFS("CVE-2023-28642") },
	{ BUNDLE, .id = "cve.2024-45310", .severity = SEVERITY_HIGH,
	  .attempt = "a bind mount whose missing destination is behind a link to the host",
	  .remedy = REPORT, .references = REFS("CVE-2024-45310") },
	{ GROUP, .id = "cve.2022-0492", .severity = SEVERITY_HIGH,
	  .attempt = "unshare user and cgroup namespaces, to mount cgroup v1", .contained = { EPERM, ENOSPC, ENOSYS },
	  .layers = LAYER_SECCOMP | LAYER_KERNEL, .control = CONTROL_HOST,
	  .remedy = "allow clone(2) in linux.seccomp without CLONE_NEWUSER, and not unshare(2)",
	  .references = REFS("CVE-2022-0492") },
	{ GROUP, .id = "cve.2022-0185", .severity = SEVERITY_HIGH,
	  .attempt = "fsopen in a new user namespace", .contained = { EPERM, ENOSPC, ENOSYS },
	  .layers = LAYER_SECCOMP | LAYER_KERNEL, .control = CONTROL_HOST,
	  .remedy = "remove unshare(2) and fsopen(2) from what linux.seccomp allows", .references = REFS("CVE-2022-0185") },
	{ GROUP, .id = "cve.2022-0847", .severity = SEVERITY_CRITICAL,
	  .attempt = "splice a byte of its own file into a used pipe, and write one more", .contained = { EPERM, ENOSYS },
	  .layers = LAYER_KERNEL | LAYER_SECCOMP, .control = CONTROL_NONE, .judge = JUDGE_dirty_pipe,
	  .remedy = "update the kernel: Linux 5.16.11, 5.15.25 or 5.10.102", .references = REFS("CVE-2022-0847") },
	{ GROUP, .id = "cve.2016-5195", .severity = SEVERITY_INFO,
	  .attempt = "none: the version of the kernel is looked at",
	  .layers = LAYER_KERNEL, .control = CONTROL_NONE, .judge = JUDGE_dirty_cow,
	  .remedy = "update the kernel", .references = REFS("CVE-2016-5195"),
	  .limitation = "distributions repair older versions" },
	{ GROUP, .id = "cve.2020-15257", .severity = SEVERITY_HIGH,
	  .attempt = "connect to an abstract socket of the host's (ns.abstract)", .contained = { ECONNREFUSED, EPERM, EACCES },
	  .layers = LAYER_NAMESPACES | LAYER_LANDLOCK, .control = CONTROL_DECOY,
	  .remedy = "add a network namespace to linux.namespaces", .references = REFS("CVE-2020-15257") },
	{ GROUP, .id = "cve.2022-29162", .severity = SEVERITY_MEDIUM,
	  .attempt = "the host reads the inheritable capabilities",
	  .layers = LAYER_CAPABILITIES, .control = CONTROL_NONE, .judge = JUDGE_inheritable,
	  .remedy = "leave process.capabilities.inheritable empty", .references = REFS("CVE-2022-29162") },
	{ BUNDLE, .id = "cve.2016-9962", .severity = SEVERITY_HIGH,
	  .attempt = "the host looks whether the waiting process is undumpable",
	  .remedy = REPORT, .references = REFS("CVE-2016-9962"),
	  .limitation = "looks at the first process; that of exec takes the same steps, but does not wait" },
	{ BUNDLE, .id = "cve.2023-25809", .severity = SEVERITY_HIGH,
	  .attempt = "without a cgroup namespace, open a cgroup.procs below /sys/fs/cgroup for writing",
	  .remedy = REPORT, .references = REFS("CVE-2023-25809") },
	{ GROUP, .id = "cve.2026-31431", .severity = SEVERITY_HIGH,
	  .attempt = "socket(AF_ALG), and by socketcall(2) of the 32-bit entry", .contained = { EPERM, EACCES },
	  .layers = LAYER_SECCOMP, .control = CONTROL_HOST,
	  .remedy = "allow socket(2) in linux.seccomp by family, and the native architecture alone",
	  .references = REFS("CVE-2026-31431"), .limitation = "on the host, the control may load the module of the protocol" },
	{ GROUP, .id = "cve.2026-43284", .severity = SEVERITY_HIGH,
	  .attempt = "socket(AF_NETLINK, NETLINK_XFRM) (net.nl-xfrm)", .contained = { EPERM, EACCES },
	  .layers = LAYER_SECCOMP, .control = CONTROL_HOST,
	  .remedy = "allow socket(2) for AF_NETLINK in linux.seccomp by its third argument, 0 alone",
	  .references = REFS("CVE-2026-43284") },
	{ .group = "history", .profiles = PROFILE_COMPREHENSIVE, .id = "cve.2026-43500", .severity = SEVERITY_HIGH,
	  .attempt = "socket(AF_RXRPC) (net.af-rxrpc)", .contained = { EPERM, EACCES },
	  .layers = LAYER_SECCOMP, .control = CONTROL_HOST,
	  .remedy = "allow socket(2) in linux.seccomp by family, and not this one", .references = REFS("CVE-2026-43500"),
	  .limitation = "on the host, the control may load the module of the protocol" },
	{ BUNDLE, .id = "cve.hook-env", .severity = SEVERITY_HIGH,
	  .attempt = "a container's environment with LD_PRELOAD, and hooks", .remedy = REPORT,
	  .references = REFS("CVE-2025-23266") },
	{ .id = "" },
};
/* clang-format on */
