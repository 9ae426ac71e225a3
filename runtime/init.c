/*
 * The inside list, see init.h and step.h: what init does between clone and exec, in the order that
 * the kernel demands.
 *
 * Three phases. Build: may fail, and is reported to `create`. Wait: nothing is opened any more.
 * Seal: only narrows, and every input was prepared. Nothing here allocates, opens a library or asks
 * NSS; every path below the root filesystem goes through isolation/path.h.
 */
#include "runtime/init.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "isolation/network.h"
#include "isolation/path.h"
#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/sys.h"
#include "runtime/hooks.h"
#include "runtime/start.h"

/* --- build ----------------------------------------------------------------------------------- */

static int run_await_go(struct launch *launch, struct err *err)
{
	return wire_expect(launch->wire, WIRE_GO, NULL, NULL, NULL, err);
}

static int run_sources(struct launch *launch, struct err *err)
{
	if (rootfs_open(&launch->plan->rootfs, &launch->rootfs, err) < 0)
		return -1;
	return mounts_open_sources(&launch->plan->mounts, launch->mounts, err);
}

static int run_become_root(struct launch *launch, struct err *err)
{
	return idmap_become_root(&launch->plan->idmap, err);
}

static int run_undumpable(struct launch *launch, struct err *err)
{
	(void)launch;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(err, "become undumpable");
	return 0;
}

static int run_session(struct launch *launch, struct err *err)
{
	(void)launch;
	return process_apply_session(err);
}

static int run_keyring(struct launch *launch, struct err *err)
{
	return label_apply_keyring(&launch->plan->label, err);
}

static int run_cgroup_namespace(struct launch *launch, struct err *err)
{
	return namespaces_unshare_cgroup(&launch->plan->namespaces, err);
}

static int run_time_namespace(struct launch *launch, struct err *err)
{
	return namespaces_enter_time(&launch->plan->namespaces, launch->proc, err);
}

static int run_loopback(struct launch *launch, struct err *err)
{
	(void)launch;
	return network_loopback_up(err);
}

static int run_names(struct launch *launch, struct err *err)
{
	return process_apply_names(&launch->plan->process, err);
}

static int run_sysctls(struct launch *launch, struct err *err)
{
	return sysctl_apply(&launch->plan->sysctl, launch->proc, err);
}

static int run_rootfs(struct launch *launch, struct err *err)
{
	return rootfs_prepare(&launch->plan->rootfs, &launch->rootfs, err);
}

static int run_mounts(struct launch *launch, struct err *err)
{
	if (!launch->plan->devices.mounted)
		launch->dev = path_open_no_links(launch->rootfs, "/dev", O_PATH | O_DIRECTORY);
	return mounts_apply(&launch->plan->mounts, launch->mounts, launch->rootfs, err);
}

static int run_devices(struct launch *launch, struct err *err)
{
	const struct plan *plan = launch->plan;
	int dev = plan->devices.mounted ? mounts_dev(&plan->mounts, launch->mounts) : launch->dev;
	int result = devices_apply(&plan->devices, launch->rootfs, dev, err);

	fd_close(&launch->dev);
	return result;
}

static int run_mounted(struct launch *launch, struct err *err)
{
	return wire_send(launch->wire, WIRE_MOUNTED, -1, err);
}

static int run_await_hooked(struct launch *launch, struct err *err)
{
	return wire_expect(launch->wire, WIRE_HOOKED, NULL, NULL, NULL, err);
}

static int run_create_container_hooks(struct launch *launch, struct err *err)
{
	return hooks_run(&launch->plan->hooks.create_container, "createContainer",
			 launch->hook_state, strlen(launch->hook_state), true, err);
}

static int run_hide(struct launch *launch, struct err *err)
{
	return rootfs_hide(&launch->plan->rootfs, &launch->plan->mounts, launch->mounts,
			   launch->rootfs, err);
}

static int run_pivot(struct launch *launch, struct err *err)
{
	return rootfs_pivot(&launch->plan->rootfs, launch->rootfs, err);
}

static int run_terminal(struct launch *launch, struct err *err)
{
	const struct plan *plan = launch->plan;
	autoclose int master = -1;

	if (process_open_terminal(&plan->process, plan->identity.uid, plan->rootfs.wanted, &master,
				  err) < 0)
		return -1;
	return wire_send(launch->wire, WIRE_CONSOLE, master, err);
}

static int run_finish_mounts(struct launch *launch, struct err *err)
{
	return mounts_finish(&launch->plan->mounts, launch->mounts, err);
}

static int run_finish_rootfs(struct launch *launch, struct err *err)
{
	int result = rootfs_finish(&launch->plan->rootfs, launch->rootfs, err);

	fd_close(&launch->rootfs);
	return result;
}

static int run_stdio(struct launch *launch, struct err *err)
{
	return process_apply_stdio(launch->plan->identity.uid, err);
}

static int run_cwd(struct launch *launch, struct err *err)
{
	process_apply_home(&launch->plan->process, launch->plan->identity.uid);
	return process_apply_cwd(&launch->plan->process, !launch->plan->exec, err);
}

static int run_label(struct launch *launch, struct err *err)
{
	return label_apply_exec(&launch->plan->label, launch->proc, err);
}

static int run_personality(struct launch *launch, struct err *err)
{
	if (process_apply_personality(&launch->plan->process, err) < 0)
		return -1;
	return priority_apply_memory(&launch->plan->priority, err);
}

static int run_landlock_rules(struct launch *launch, struct err *err)
{
	const struct plan *plan = launch->plan;

	return landlock_prepare(&plan->landlock, &plan->mounts, launch->mounts, &launch->landlock,
				err);
}

static int run_bounding_set(struct launch *launch, struct err *err)
{
	return caps_apply_bounding(&launch->plan->caps, err);
}

static int run_identity(struct launch *launch, struct err *err)
{
	if (identity_apply(&launch->plan->identity, err) < 0)
		return -1;
	return caps_raise_effective(err);
}

static int run_no_new_privileges(struct launch *launch, struct err *err)
{
	(void)launch;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, "set no_new_privs");
	return 0;
}

static int run_capabilities(struct launch *launch, struct err *err)
{
	return caps_apply(&launch->plan->caps, err);
}

static int run_cwd_check(struct launch *launch, struct err *err)
{
	return process_check_cwd(&launch->plan->process, err);
}

static int run_program(struct launch *launch, struct err *err)
{
	return process_find(&launch->plan->process, launch->program, err);
}

static int run_close_descriptors(struct launch *launch, struct err *err)
{
	fd_close(&launch->proc);
	return process_close_fds(&launch->plan->process, err);
}

static int run_ready(struct launch *launch, struct err *err)
{
	return wire_send(launch->wire, WIRE_READY, -1, err);
}

/* --- seal ------------------------------------------------------------------------------------ */

static int run_limits(struct launch *launch, struct err *err)
{
	return limits_apply(&launch->plan->limits, &launch->files_before, err);
}

static int run_landlock(struct launch *launch, struct err *err)
{
	return landlock_apply(&launch->plan->landlock, launch->landlock, err);
}

static int run_seccomp(struct launch *launch, struct err *err)
{
	const struct sock_fprog filter = { launch->filter->len, launch->filter->instructions };

	return seccomp_apply(&launch->plan->seccomp, &filter, err);
}

static int run_exec(struct launch *launch, struct err *err)
{
	return process_exec(&launch->plan->process, launch->program, err);
}

static bool wants_landlock(const struct plan *plan)
{
	return plan->landlock.wanted;
}

static bool wants_seccomp_late(const struct plan *plan)
{
	return plan->seccomp.wanted && plan->no_new_privileges;
}

/* What the last rows will do to us: the filter need not allow what running hooks takes. */
static int confine_hook(struct launch *launch, struct err *err)
{
	const struct plan *plan = launch->plan;

	if (wants_landlock(plan) && run_landlock(launch, err) < 0)
		return -1;
	return wants_seccomp_late(plan) ? run_seccomp(launch, err) : 0;
}

static int run_start_container_hooks(struct launch *launch, struct err *err)
{
	return hooks_run_confined(&launch->plan->hooks.start_container, "startContainer",
				  launch->hook_state, strlen(launch->hook_state), confine_hook,
				  launch, err);
}

/* --- the list -------------------------------------------------------------------------------- */

static bool wants_mount_namespace(const struct plan *plan)
{
	return plan->rootfs.wanted;
}

static bool wants_become_root(const struct plan *plan)
{
	return plan->idmap.become_root;
}

static bool wants_keyring(const struct plan *plan)
{
	return plan->label.keyring;
}

static bool wants_time_namespace(const struct plan *plan)
{
	return plan->namespaces.time_offsets != NULL;
}

static bool wants_loopback(const struct plan *plan)
{
	return plan->namespaces.clone & CLONE_NEWNET;
}

static bool wants_names(const struct plan *plan)
{
	return plan->process.hostname || plan->process.domainname;
}

static bool wants_sysctls(const struct plan *plan)
{
	return plan->sysctl.len > 0;
}

static bool wants_create_container_hooks(const struct plan *plan)
{
	return plan->hooks.create_container.len > 0;
}

static bool wants_no_terminal(const struct plan *plan)
{
	return !plan->process.terminal;
}

static bool wants_label(const struct plan *plan)
{
	return plan->label.apparmor || plan->label.selinux;
}

static bool wants_no_new_privileges(const struct plan *plan)
{
	return plan->no_new_privileges;
}

static bool keeps_privileges(const struct plan *plan)
{
	return !plan->no_new_privileges;
}

static bool wants_limits(const struct plan *plan)
{
	return plan->limits.len || plan->limits.raise_files;
}

static bool wants_start_container_hooks(const struct plan *plan)
{
	return plan->hooks.start_container.len > 0;
}

static bool wants_seccomp_early(const struct plan *plan)
{
	return plan->seccomp.wanted && !plan->no_new_privileges;
}

/* clang-format off */
const struct step inside_steps[] = {
	{ "await go", FOR_BOTH, NULL, run_await_go, NULL,
	  "before the maps exist, no uid or capability of ours means anything" },
	{ "sources", FOR_CREATE, wants_mount_namespace, run_sources, NULL,
	  "still as the caller, whose right it is to reach them; root inside may be nobody outside" },
	{ "time namespace", FOR_CREATE, wants_time_namespace, run_time_namespace, NULL,
	  "offsets can be written only before anybody is in it, and while /proc/self is ours: a change of uid gives it to the host's root (proc(5))" },
	{ "become root", FOR_BOTH, wants_become_root, run_become_root, NULL,
	  "mounts and files must belong to the user namespace's root" },
	{ "undumpable", FOR_BOTH, NULL, run_undumpable, NULL,
	  "others in a shared pid namespace must not trace us or open our descriptors (CVE-2016-9962); not earlier, or a caller without privileges could not write the maps" },
	{ "session", FOR_BOTH, NULL, run_session, NULL,
	  "before a terminal can be ours, and away from the caller's (CVE-2017-5226)" },
	{ "keyring", FOR_BOTH, wants_keyring, run_keyring, NULL,
	  "nothing of the caller's keys may be inherited" },
	{ "cgroup namespace", FOR_CREATE, NULL, run_cgroup_namespace, NULL,
	  "its root is the cgroup that we were born in, so it could not be created with the others" },
	{ "loopback", FOR_CREATE, wants_loopback, run_loopback, NULL,
	  "needs CAP_NET_ADMIN over the new network namespace" },
	{ "names", FOR_CREATE, wants_names, run_names, NULL,
	  "needs CAP_SYS_ADMIN over the UTS namespace; depends on nothing" },
	{ "sysctls", FOR_CREATE, wants_sysctls, run_sysctls, NULL,
	  "through the host's procfs: it is trusted, present and writable now, and reaches the writer's namespaces" },
	{ "root filesystem", FOR_CREATE, wants_mount_namespace, run_rootfs, NULL,
	  "no mount below may reach the host, and pivot_root demands a mount point" },
	{ "mounts", FOR_CREATE, wants_mount_namespace, run_mounts, NULL,
	  "in the order of the file, which is the user's" },
	{ "devices", FOR_CREATE, wants_mount_namespace, run_devices, NULL,
	  "on the /dev just mounted; the host's nodes can still be bound" },
	{ "mounted", FOR_CREATE, step_wants_runtime_hooks, run_mounted, NULL,
	  "runtime hooks may look at the mounts" },
	{ "await hooked", FOR_CREATE, NULL, run_await_hooked, NULL,
	  "runtime hooks belong between mounts and pivot" },
	{ "createContainer hooks", FOR_CREATE, wants_create_container_hooks, run_create_container_hooks, NULL,
	  "the same, in our namespaces" },
	{ "hide", FOR_CREATE, wants_mount_namespace, run_hide, NULL,
	  "after all mounts that could cover or uncover a path; before the pivot, which takes the host's /dev/null away (CVE-2025-31133)" },
	{ "pivot", FOR_CREATE, wants_mount_namespace, run_pivot, NULL,
	  "from here on no host path can be named" },
	{ "terminal", FOR_BOTH, step_wants_terminal, run_terminal, NULL,
	  "the pty must come from the container's /dev/pts, and no path of the host's may be meant (CVE-2025-52565)" },
	{ "cwd", FOR_BOTH, NULL, run_cwd, NULL,
	  "with HOME: while still root, so that what is closed to the user works; made if missing, so before anything is read-only" },
	{ "landlock rules", FOR_BOTH, wants_landlock, run_landlock_rules, NULL,
	  "while every path can be reached and the mounts are open; enforced only at the end" },
	{ "finish mounts", FOR_CREATE, wants_mount_namespace, run_finish_mounts, NULL,
	  "the steps above still filled /dev" },
	{ "finish root", FOR_CREATE, wants_mount_namespace, run_finish_rootfs, NULL,
	  "the steps above still made mount points" },
	{ "standard streams", FOR_BOTH, wants_no_terminal, run_stdio, NULL,
	  "giving them to the user needs CAP_CHOWN" },
	{ "label", FOR_BOTH, wants_label, run_label, NULL,
	  "before no_new_privs, which may forbid the transition (CVE-2019-16884)" },
	{ "personality", FOR_BOTH, NULL, run_personality, NULL,
	  "with umask and memory policy: no privilege needed, and must be the program's" },
	{ "bounding set", FOR_BOTH, NULL, run_bounding_set, NULL,
	  "needs CAP_SETPCAP, which the capabilities take away" },
	{ "identity", FOR_BOTH, NULL, run_identity, NULL,
	  "groups before gid before uid, or the right is gone; then the effective set is raised again" },
	{ "undumpable again", FOR_BOTH, NULL, run_undumpable, NULL,
	  "a change of uid leaves it to the host's fs.suid_dumpable (proc_sys_fs(5))" },
	{ "no_new_privs", FOR_BOTH, wants_no_new_privileges, run_no_new_privileges, NULL,
	  "from here no exec can gain; precedes Landlock and seccomp, which need it when capabilities are gone" },
	{ "capabilities (no_new_privs)", FOR_BOTH, wants_no_new_privileges, run_capabilities, NULL,
	  "least privilege while we wait for start" },
	{ "check cwd", FOR_BOTH, NULL, run_cwd_check, NULL,
	  "as the user: a directory outside of the root would show now (CVE-2024-21626)" },
	{ "program", FOR_BOTH, NULL, run_program, NULL,
	  "as the user it will run as, so that not found is an error of create" },
	{ "close descriptors", FOR_BOTH, NULL, run_close_descriptors, NULL,
	  "last moment before others wait on us; nothing is opened after" },
	{ "ready", FOR_BOTH, NULL, run_ready, NULL,
	  "everything that can fail because of the configuration has been tried" },
	{ "await start", FOR_BOTH, NULL, start_await, NULL,
	  "the specification's state created" },
	{ "limits", FOR_BOTH, wants_limits, run_limits, NULL,
	  "nothing is built any more that low limits could hinder, and the filter need not allow it" },
	{ "seccomp (privileged)", FOR_BOTH, wants_seccomp_early, run_seccomp, NULL,
	  "without no_new_privs it needs CAP_SYS_ADMIN, which the next row drops" },
	{ "capabilities", FOR_BOTH, keeps_privileges, run_capabilities, NULL,
	  "after the filter that needed them" },
	{ "startContainer hooks", FOR_CREATE, wants_start_container_hooks, run_start_container_hooks, NULL,
	  "after start, before the program, and confined like it: what they run is the container's file" },
	{ "landlock", FOR_BOTH, wants_landlock, run_landlock, NULL,
	  "forbids mounting, so after every mount; running hooks needs what the rules need not allow" },
	{ "seccomp", FOR_BOTH, wants_seccomp_late, run_seccomp, NULL,
	  "as late as possible: the profile need allow nothing of ours but execve and an error report" },
	{ "exec", FOR_BOTH, NULL, run_exec, NULL,
	  "the program" },
};
/* clang-format on */
const size_t inside_steps_len = ARRAY_LEN(inside_steps);

/* --- init ------------------------------------------------------------------------------------ */

static void forward_log(int wire, enum log_level level, const char *text)
{
	if (level == LOG_LEVEL_WARNING)
		wire_send_note(wire, text);
	else
		wire_send_log(wire, level, text);
}

/* The program starts with no signal blocked and none ignored, whatever our caller did. */
static void reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		if (signal(number, SIG_DFL) == SIG_ERR)
			sys_signal_default(number);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void init_main(struct launch *launch)
{
	struct err err;

	log_forward(forward_log, &launch->wire);
	reset_signals();
	steps_run(inside_steps, inside_steps_len, launch, NULL, &err);
	wire_send_error(launch->wire, &err);
	_exit(1);
}
