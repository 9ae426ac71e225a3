/*
 * What this host offers and lacks: rows of check.h about the machine. Read from procfs and sysfs
 * and asked of the kernel by calls that change nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "isolation/cgroup.h"
#include "isolation/idmap.h"
#include "runtime/base/array.h"
#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "selftest/check.h"
#include "spec/names.h"

#define KERNEL_MAJOR 5 /* the floor: README, "Requirements" */
#define KERNEL_MINOR 15
#define LANDLOCK_ABI_SCOPED 6 /* the first with all that `agentd spec` asks for */

static bool read_line(const char *path, char *text, size_t size)
{
	if (file_read_small(AT_FDCWD, path, text, size) < 0)
		return false;
	text[strcspn(text, "\n")] = '\0';
	return true;
}

static const char *probe_kernel(const struct check_context *context, const char **good)
{
	unsigned major = 0, minor = 0;
	struct utsname name;

	uname(&name);
	*good = arena_format(context->arena, "Linux %s, %s", name.release, name.machine);
	if (sscanf(name.release, "%u.%u", &major, &minor) == 2 &&
	    (major > KERNEL_MAJOR || (major == KERNEL_MAJOR && minor >= KERNEL_MINOR)))
		return NULL;
	return arena_format(context->arena, "Linux %s is older than %d.%d", name.release,
			    KERNEL_MAJOR, KERNEL_MINOR);
}

static const char *probe_namespaces(const struct check_context *context, const char **good)
{
	static const char *const names[] = { "cgroup", "ipc",  "mnt",  "net",
					     "pid",    "time", "user", "uts" };
	const char *lacking = NULL;

	*good = "cgroup, ipc, mount, network, pid, time, user, uts";
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		if (access(path, F_OK) < 0)
			lacking = check_append(lacking, names[i], context->arena);
	}
	return lacking ? arena_format(context->arena, "the kernel has no %s", lacking) : NULL;
}

/* The limits and switches that stand in the way of an ordinary user. */
static const char *probe_user_namespaces(const struct check_context *context, const char **good)
{
	static const struct {
		const char *path, *closed;
	} switches[] = {
		{ "/proc/sys/user/max_user_namespaces", "0" },
		{ "/proc/sys/kernel/unprivileged_userns_clone", "0" },
		{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1" },
	};
	const char *closed = NULL;
	char value[32];

	*good = "open to ordinary users";
	for (size_t i = 0; i < ARRAY_LEN(switches); i++)
		if (read_line(switches[i].path, value, sizeof(value)) &&
		    strcmp(value, switches[i].closed) == 0)
			closed = check_append(
				closed,
				arena_format(context->arena, "%s is %s", switches[i].path, value),
				context->arena);
	return closed;
}

static const char *probe_subordinate_ids(const struct check_context *context, const char **good)
{
	const char *path = getenv("PATH"), *lacking = NULL;
	struct spec_id_mappings uids, gids;

	if (context->host->uid == 0) {
		*good = "not needed by root";
		return NULL;
	}
	*good = "newuidmap, newgidmap, and a range of ids";
	for (size_t i = 0; i < 2; i++) {
		const char *program = i ? "newgidmap" : "newuidmap";
		bool found = false;

		for (const char *at = path; at && *at && !found;) {
			size_t len = strcspn(at, ":");

			found = access(arena_format(context->arena, "%.*s/%s", (int)len, at,
						    program),
				       X_OK) == 0;
			at += len + (at[len] == ':');
		}
		if (!found)
			lacking = check_append(lacking, program, context->arena);
	}
	if (lacking)
		return arena_format(context->arena, "not found: %s", lacking);
	/* the first mapping is the user himself */
	idmap_subordinate(context->host, context->arena, &uids, &gids);
	return uids.len > 1 && gids.len > 1 ? NULL : "no range in /etc/subuid and /etc/subgid";
}

/* Asks the planner, which would say the same of a bundle with these limits. */
static const char *probe_cgroup(const struct check_context *context, const char **good)
{
	const struct spec spec = { .linux.resources = { .memory.limit = { true, 1 << 20 },
							.pids_limit = { true, 1 },
							.cpu.quota = { true, 1000 },
							.block_io.weight = { true, 100 } } };
	const char *lacking = NULL;
	struct cgroup_plan plan;
	struct err err = { 0 };

	*good = arena_format(context->arena, "memory, pids, cpu and io can be limited below %s",
			     context->host->cgroup_root ? context->host->cgroup_root : "");
	/* first for the reason and the remedy, then for all that is concerned */
	if (cgroup_plan(&spec, context->host, CGROUP_MANAGER_CGROUPFS, false, "check",
			context->arena, &plan, &err) == 0)
		return NULL;
	if (cgroup_plan(&spec, context->host, CGROUP_MANAGER_CGROUPFS, true, "check",
			context->arena, &plan, &(struct err){ 0 }) == 0)
		for (size_t i = 0; i < plan.notes_len; i++)
			lacking = check_append(lacking,
					       arena_copy(context->arena, plan.notes[i],
							  strcspn(plan.notes[i], " ")),
					       context->arena);
	return arena_format(context->arena, "cannot be had: %s. %s",
			    lacking ? lacking : "any limit", err.text);
}

static const char *probe_landlock(const struct check_context *context, const char **good)
{
	const struct host *host = context->host;

	*good = arena_format(context->arena, "ABI %d", host->landlock_abi);
	if (host->landlock_abi)
		return NULL;
	return arena_format(context->arena, "none: %s",
			    host->landlock_errno == ENOSYS	 ? "the kernel was built without it"
			    : host->landlock_errno == EOPNOTSUPP ? "it is not enabled at boot"
								 : strerror(host->landlock_errno));
}

static const char *probe_landlock_age(const struct check_context *context, const char **good)
{
	int abi = context->host->landlock_abi;

	*good = "all that agentd spec asks for";
	if (!abi || abi >= LANDLOCK_ABI_SCOPED)
		return NULL;
	return arena_format(context->arena,
			    "ABI %d knows nothing of%s abstract sockets and signals", abi,
			    abi < 4 ? " TCP ports," : "");
}

static const char *probe_seccomp(const struct check_context *context, const char **good)
{
	static const char *const needed[] = { "errno", "kill_process", "allow", "log" };
	const char *lacking = NULL;
	char actions[256];

	if (!read_line("/proc/sys/kernel/seccomp/actions_avail", actions, sizeof(actions)))
		return "the kernel has no filters of system calls";
	*good = arena_copy(context->arena, actions, strlen(actions));
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		if (!strstr(actions, needed[i]))
			lacking = check_append(lacking, needed[i], context->arena);
	return lacking ? arena_format(context->arena, "no action %s", lacking) : NULL;
}

static const char *probe_seccomp_flags(const struct check_context *context, const char **good)
{
	const char *lacking = NULL, *known = NULL;

	for (const struct name *flag = seccomp_flag_names; *flag->name; flag++) {
		const char *word = flag->name + strlen("SECCOMP_FILTER_FLAG_");

		if (seccomp_flag_supported((uint32_t)flag->value))
			known = check_append(known, word, context->arena);
		else
			lacking = check_append(lacking, word, context->arena);
	}
	*good = known;
	return lacking ? arena_format(context->arena, "without %s", lacking) : NULL;
}

static const char *probe_security_module(const struct check_context *context, const char **good)
{
	*good = context->host->apparmor ? "AppArmor" : "SELinux";
	return context->host->apparmor || context->host->selinux ? NULL
								 : "neither AppArmor nor SELinux";
}

static const char *probe_overlay(const struct check_context *context, const char **good)
{
	struct err err;
	char *text;

	*good = "there";
	if (file_read(AT_FDCWD, "/proc/filesystems", 1 << 16, context->arena, &text, NULL, &err) <
	    0)
		return arena_copy(context->arena, err.text, strlen(err.text));
	return strstr(text, "\toverlay\n") ? NULL : "not loaded, or not built";
}

/* What others have pushed into the terminal's input is run by its shell (CVE-2017-5226). */
static const char *probe_tiocsti(const struct check_context *context, const char **good)
{
	char value[8];

	(void)context;
	*good = "refused by the kernel";
	if (read_line("/proc/sys/dev/tty/legacy_tiocsti", value, sizeof(value)) &&
	    strcmp(value, "0") == 0)
		return NULL;
	return "allowed where a filter does not refuse it";
}

/* clang-format off */
const struct check_row check_host_rows[] = {
	{ "host.kernel", SEVERITY_HIGH, probe_kernel, "install a newer kernel" },
	{ "host.namespaces", SEVERITY_HIGH, probe_namespaces, "use a kernel built with all of CONFIG_*_NS" },
	{ "host.user-namespaces", SEVERITY_LOW, probe_user_namespaces,
	  "needed to run without root: set these with sysctl(8), or give agentd an AppArmor profile with userns" },
	{ "host.subordinate-ids", SEVERITY_LOW, probe_subordinate_ids,
	  "needed to map more than one id: install uidmap, and usermod --add-subuids and --add-subgids" },
	{ "host.cgroup", SEVERITY_MEDIUM, probe_cgroup, NULL },
	{ "host.landlock", SEVERITY_MEDIUM, probe_landlock, "build with CONFIG_SECURITY_LANDLOCK, boot with lsm=landlock,..." },
	{ "host.landlock-abi", SEVERITY_LOW, probe_landlock_age, "a newer kernel has them: 6.7 TCP ports, 6.12 scopes" },
	{ "host.seccomp", SEVERITY_HIGH, probe_seccomp, "use a kernel built with CONFIG_SECCOMP_FILTER" },
	{ "host.seccomp-flags", SEVERITY_INFO, probe_seccomp_flags, "only a profile that asks for them needs them" },
	{ "host.security-module", SEVERITY_INFO, probe_security_module, "one of them would be a further layer" },
	{ "host.overlay", SEVERITY_INFO, probe_overlay, "only callers that stack images need it" },
	{ "host.tiocsti", SEVERITY_INFO, probe_tiocsti, "sysctl dev.tty.legacy_tiocsti=0 (Linux 6.2)" },
	{ 0 }
};
/* clang-format on */
