/*
 * agentd with one layer broken: each variant proves that selftest sees that layer missing.
 *
 * Linked in front of libagentd.a with --wrap for every __wrap_ function below, once for each name
 * of `expected` (VARIANT is that name): the program under test stays as it is. Most variants take
 * something out of a plan, the others replace one call of init's. Test builds only: nothing here
 * may be installed, and nothing may harm the machine on which a layer is missing.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "isolation/plan.h"
#include "runtime/base/array.h"
#include "runtime/base/sys.h"
#include "selftest/cases.h"

extern char **environ;

static bool is(const char *name)
{
	return strcmp(VARIANT, name) == 0;
}

/* --- plans without something ----------------------------------------------------------------- */

static void drop_filter(struct plan *plan)
{
	plan->seccomp.wanted = false;
}

static void drop_landlock(struct plan *plan)
{
	plan->landlock.wanted = false;
}

/* What the first rule, that for "/", does not name is not handled: everybody's, everywhere. */
static void handle_named_rights(struct plan *plan)
{
	struct landlock_plan *landlock = &plan->landlock;
	size_t kept = 0;

	if (!landlock->rules_len)
		return;
	landlock->fs = landlock->rules[0].allowed;
	for (size_t i = 0; i < landlock->rules_len; i++) {
		landlock->rules[kept] = landlock->rules[i];
		landlock->rules[kept].allowed &= landlock->fs;
		kept += landlock->rules[kept].allowed != 0;
	}
	landlock->rules_len = kept;
}

static uint64_t all_capabilities(const struct plan *plan)
{
	return (UINT64_C(2) << plan->caps.last_cap) - 1;
}

static void keep_capabilities(struct plan *plan)
{
	plan->caps.bounding = all_capabilities(plan);
	plan->caps.permitted = plan->caps.effective = plan->caps.bounding;
}

static void keep_bounding_set(struct plan *plan)
{
	plan->caps.bounding = all_capabilities(plan);
}

static void drop_no_new_privileges(struct plan *plan)
{
	plan->no_new_privileges = false;
}

static void share_any(struct plan *plan, uint64_t type)
{
	struct namespaces_plan *namespaces = &plan->namespaces;

	namespaces->clone &= ~type;
	namespaces->unshare &= ~type;
	namespaces->all &= ~type;
	namespaces->own &= ~type;
}

/* Not of controls, which have a user namespace: without the others they could not be made. And not
 * where sysctls are set: they would be the machine's. */
static void share(struct plan *plan, uint64_t type)
{
	if (plan->namespaces.clone & CLONE_NEWUSER || plan->sysctl.len)
		return;
	share_any(plan, type);
	if (type == CLONE_NEWUTS)
		plan->process.hostname = plan->process.domainname = NULL;
}

static void share_pids(struct plan *plan)
{
	share(plan, CLONE_NEWPID);
}

static void share_network(struct plan *plan)
{
	share(plan, CLONE_NEWNET);
}

static void share_ipc(struct plan *plan)
{
	share(plan, CLONE_NEWIPC);
}

static void share_names(struct plan *plan)
{
	share(plan, CLONE_NEWUTS);
}

static void share_cgroups(struct plan *plan)
{
	share(plan, CLONE_NEWCGROUP);
}

/* Root inside is root outside. */
static void share_users(struct plan *plan)
{
	if (!plan->landlock.wanted)
		return; /* a control */
	share_any(plan, CLONE_NEWUSER);
	plan->idmap.write = plan->idmap.become_root = false;
}

static void share_mounts(struct plan *plan)
{
	plan->rootfs.host_propagation = 0;
}

static void leave_root_writable(struct plan *plan)
{
	plan->rootfs.read_only = false;
}

static void forget(struct spec_strings *list, const char *word)
{
	for (size_t i = 0; i < list->len; i++)
		if (strcmp(list->item[i], word) == 0)
			list->item[i] = list->item[--list->len];
}

static void forget_mask(struct plan *plan)
{
	forget(&plan->rootfs.masked, "/proc/timer_list");
}

static void forget_read_only_path(struct plan *plan)
{
	forget(&plan->rootfs.read_only_paths, "/proc/sys");
}

static void drop_mount_flag(struct plan *plan, uint64_t flag)
{
	for (size_t i = 0; i < plan->mounts.len; i++) {
		plan->mounts.row[i].flags.attr_set &= ~flag;
		plan->mounts.row[i].flags.rec_set &= ~flag;
	}
}

static void drop_noexec(struct plan *plan)
{
	drop_mount_flag(plan, SYS_MOUNT_ATTR_NOEXEC);
}

static void drop_nosuid(struct plan *plan)
{
	drop_mount_flag(plan, SYS_MOUNT_ATTR_NOSUID);
}

static void drop_nodev(struct plan *plan)
{
	drop_mount_flag(plan, SYS_MOUNT_ATTR_NODEV);
}

static void leave_environment(struct plan *plan)
{
	plan->process.envp = (const char **)environ;
}

static void leave_umask(struct plan *plan)
{
	plan->process.umask = 0;
}

static void leave_groups(struct plan *plan)
{
	static const gid_t groups[] = { 4, 27 };

	plan->identity.groups = groups;
	plan->identity.groups_len = ARRAY_LEN(groups);
	plan->identity.set_groups = true;
}

static void leave_user(struct plan *plan)
{
	plan->identity.uid = plan->identity.gid = 0;
}

static void leave_keyring(struct plan *plan)
{
	plan->label.keyring = false;
}

static void drop_limits(struct plan *plan)
{
	plan->limits.len = 0;
}

static void drop_cgroup_limit(struct plan *plan, const char *file)
{
	struct cgroup_plan *cgroup = &plan->cgroup;
	size_t kept = 0;

	for (size_t i = 0; i < cgroup->limits_len; i++)
		if (strcmp(cgroup->limits[i].file, file) != 0)
			cgroup->limits[kept++] = cgroup->limits[i];
	cgroup->limits_len = kept;
}

static void drop_pids_max(struct plan *plan)
{
	drop_cgroup_limit(plan, "pids.max");
}

static void drop_memory_max(struct plan *plan)
{
	drop_cgroup_limit(plan, "memory.max");
}

static void drop_cpu_max(struct plan *plan)
{
	drop_cgroup_limit(plan, "cpu.max");
}

static void drop_device_program(struct plan *plan)
{
	plan->devices_bpf.wanted = false;
}

/* clang-format off */
static const struct {
	const char *name;
	void (*change)(struct plan *plan);
	bool in_exec; /* of a further process, not of the container */
} changes[] = {
	{ "seccomp-missing", drop_filter, false },
	{ "landlock-missing", drop_landlock, false },
	{ "landlock-handles-named-rights", handle_named_rights, false },
	{ "capabilities-kept", keep_capabilities, false },
	{ "bounding-set-kept", keep_bounding_set, false },
	{ "no-new-privs-missing", drop_no_new_privileges, false },
	{ "pid-namespace-missing", share_pids, false },
	{ "network-namespace-missing", share_network, false },
	{ "ipc-namespace-missing", share_ipc, false },
	{ "uts-namespace-missing", share_names, false },
	{ "cgroup-namespace-missing", share_cgroups, false },
	{ "user-namespace-missing", share_users, false },
	{ "mounts-shared", share_mounts, false },
	{ "root-writable", leave_root_writable, false },
	{ "mask-forgotten", forget_mask, false },
	{ "read-only-path-forgotten", forget_read_only_path, false },
	{ "noexec-dropped", drop_noexec, false },
	{ "nosuid-dropped", drop_nosuid, false },
	{ "nodev-dropped", drop_nodev, false },
	{ "environment-leaked", leave_environment, false },
	{ "umask-kept", leave_umask, false },
	{ "groups-kept", leave_groups, false },
	{ "user-kept", leave_user, false },
	{ "keyring-kept", leave_keyring, false },
	{ "rlimits-missing", drop_limits, false },
	{ "pids-max-missing", drop_pids_max, false },
	{ "memory-max-missing", drop_memory_max, false },
	{ "cpu-max-missing", drop_cpu_max, false },
	{ "device-program-missing", drop_device_program, false },
	{ "exec-without-seccomp", drop_filter, true },
	{ "exec-without-landlock", drop_landlock, true },
	{ "exec-with-capabilities", keep_capabilities, true },
	{ "exec-with-environment", leave_environment, true },
	{ "exec-with-groups", leave_groups, true },
};
/* clang-format on */

static void change_plan(struct plan *plan, bool in_exec)
{
	for (size_t i = 0; i < ARRAY_LEN(changes); i++)
		if (is(changes[i].name) && changes[i].in_exec == in_exec)
			changes[i].change(plan);
}

int __real_plan_make(const struct spec *spec, const struct host *host,
		     const struct request *request, struct arena *arena, struct plan **plan,
		     struct err *err);
int __wrap_plan_make(const struct spec *spec, const struct host *host,
		     const struct request *request, struct arena *arena, struct plan **plan,
		     struct err *err);
int __wrap_plan_make(const struct spec *spec, const struct host *host,
		     const struct request *request, struct arena *arena, struct plan **plan,
		     struct err *err)
{
	int result = __real_plan_make(spec, host, request, arena, plan, err);

	if (result == 0)
		change_plan(*plan, false);
	return result;
}

int __real_plan_make_exec(const struct spec *spec, const struct spec_process *process,
			  const struct host *host, const struct request *request,
			  struct arena *arena, struct plan **plan, struct err *err);
int __wrap_plan_make_exec(const struct spec *spec, const struct spec_process *process,
			  const struct host *host, const struct request *request,
			  struct arena *arena, struct plan **plan, struct err *err);
int __wrap_plan_make_exec(const struct spec *spec, const struct spec_process *process,
			  const struct host *host, const struct request *request,
			  struct arena *arena, struct plan **plan, struct err *err)
{
	int result = __real_plan_make_exec(spec, process, host, request, arena, plan, err);

	if (result == 0)
		change_plan(*plan, true);
	return result;
}

/* --- calls that are not made ----------------------------------------------------------------- */

/* "architecture-unchecked": every architecture counts as the native one. */
static void take_any_architecture(const struct sock_fprog *program, uint32_t native)
{
	for (size_t i = 0; i < program->len; i++) {
		struct sock_filter *at = &program->filter[i];

		if (at->code != (BPF_JMP | BPF_JEQ | BPF_K) || at->k != native)
			continue;
		at->code = BPF_JMP | BPF_JGE | BPF_K;
		at->k = 0;
	}
}

int __real_seccomp_compile(const struct seccomp_plan *plan, struct arena *arena,
			   struct sock_fprog *program, struct err *err);
int __wrap_seccomp_compile(const struct seccomp_plan *plan, struct arena *arena,
			   struct sock_fprog *program, struct err *err);
int __wrap_seccomp_compile(const struct seccomp_plan *plan, struct arena *arena,
			   struct sock_fprog *program, struct err *err)
{
	if (__real_seccomp_compile(plan, arena, program, err) < 0)
		return -1;
	if (is("architecture-unchecked"))
		take_any_architecture(program, plan->architectures[0]);
	return 0;
}

/*
 * Landlock needs no_new_privs where capabilities are gone. "no-new-privs-missing" is to lack
 * nothing else, so that it restricts itself when it loads the filter, which is while it has them.
 */
static int early_ruleset = -1;

int __real_landlock_prepare(const struct landlock_plan *plan, const struct mounts_plan *mounts,
			    const int fds[], int *ruleset, struct err *err);
int __wrap_landlock_prepare(const struct landlock_plan *plan, const struct mounts_plan *mounts,
			    const int fds[], int *ruleset, struct err *err);
int __wrap_landlock_prepare(const struct landlock_plan *plan, const struct mounts_plan *mounts,
			    const int fds[], int *ruleset, struct err *err)
{
	int result = __real_landlock_prepare(plan, mounts, fds, ruleset, err);

	if (is("no-new-privs-missing"))
		early_ruleset = *ruleset;
	return result;
}

int __real_landlock_apply(const struct landlock_plan *plan, int ruleset, struct err *err);
int __wrap_landlock_apply(const struct landlock_plan *plan, int ruleset, struct err *err);
int __wrap_landlock_apply(const struct landlock_plan *plan, int ruleset, struct err *err)
{
	return ruleset == early_ruleset ? 0 : __real_landlock_apply(plan, ruleset, err);
}

int __real_seccomp_apply(const struct seccomp_plan *plan, const struct sock_fprog *program,
			 struct err *err);
int __wrap_seccomp_apply(const struct seccomp_plan *plan, const struct sock_fprog *program,
			 struct err *err);
int __wrap_seccomp_apply(const struct seccomp_plan *plan, const struct sock_fprog *program,
			 struct err *err)
{
	const struct landlock_plan none = { 0 };

	if (early_ruleset >= 0 && __real_landlock_apply(&none, early_ruleset, err) < 0)
		return -1;
	return __real_seccomp_apply(plan, program, err);
}

int __real_rootfs_pivot(const struct rootfs_plan *plan, int rootfs, struct err *err);
int __wrap_rootfs_pivot(const struct rootfs_plan *plan, int rootfs, struct err *err);
static int host_root = -1;
int __wrap_rootfs_pivot(const struct rootfs_plan *plan, int rootfs, struct err *err)
{
	if (is("cwd-leaked"))
		host_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (!is("pivot-missing"))
		return __real_rootfs_pivot(plan, rootfs, err);
	if (fchdir(rootfs) < 0 || chroot(".") < 0)
		return err_sys(err, "chroot");
	return 0;
}

int __real_process_check_cwd(const struct process_plan *plan, struct err *err);
int __wrap_process_check_cwd(const struct process_plan *plan, struct err *err);
int __wrap_process_check_cwd(const struct process_plan *plan, struct err *err)
{
	if (host_root < 0)
		return __real_process_check_cwd(plan, err);
	return fchdir(host_root) < 0 ? err_sys(err, "chdir") : 0;
}

int __real_process_close_others(unsigned first, const int *keep, size_t len, struct err *err);
int __wrap_process_close_others(unsigned first, const int *keep, size_t len, struct err *err);
int __wrap_process_close_others(unsigned first, const int *keep, size_t len, struct err *err)
{
	return is("descriptor-leaked") ? 0 : __real_process_close_others(first, keep, len, err);
}

int __real_process_close_fds(const struct process_plan *plan, struct err *err);
int __wrap_process_close_fds(const struct process_plan *plan, struct err *err);
int __wrap_process_close_fds(const struct process_plan *plan, struct err *err)
{
	return is("descriptor-leaked") ? 0 : __real_process_close_fds(plan, err);
}

/* "signals-kept": init resets all that its caller ignored but this one. */
__sighandler_t __real_signal(int number, __sighandler_t handler);
__sighandler_t __wrap_signal(int number, __sighandler_t handler);
__sighandler_t __wrap_signal(int number, __sighandler_t handler)
{
	if (is("signals-kept") && number == SIGUSR1 && handler == SIG_DFL)
		return SIG_DFL;
	return __real_signal(number, handler);
}

/* "dumpable" */
int __real_prctl(int option, ...);
int __wrap_prctl(int option, ...);
int __wrap_prctl(int option, ...)
{
	unsigned long argument[4];
	va_list args;

	va_start(args, option);
	for (size_t i = 0; i < ARRAY_LEN(argument); i++)
		argument[i] = va_arg(args, unsigned long);
	va_end(args);
	if (is("dumpable") && option == PR_SET_DUMPABLE)
		argument[0] = 1;
	return __real_prctl(option, argument[0], argument[1], argument[2], argument[3]);
}

int __real_seal_executable(char **argv, int *mount, struct err *err);
int __wrap_seal_executable(char **argv, int *mount, struct err *err);
int __wrap_seal_executable(char **argv, int *mount, struct err *err)
{
	return is("seal-missing") ? 0 : __real_seal_executable(argv, mount, err);
}

/* "suite-empty": nothing to try. */
void __real_cases_each(bool (*visit)(const struct selftest_case *row, void *context),
		       void *context);
void __wrap_cases_each(bool (*visit)(const struct selftest_case *row, void *context),
		       void *context);
void __wrap_cases_each(bool (*visit)(const struct selftest_case *row, void *context), void *context)
{
	if (!is("suite-empty"))
		__real_cases_each(visit, context);
}
