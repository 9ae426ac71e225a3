/*
 * The outside list, see outside.h and step.h: what agentd does from the host's namespaces to make a
 * container or to enter one.
 *
 * Each row is a short adapter to a mechanism. A row that can be done from outside is done from
 * outside: init then needs fewer privileges and shorter code. Nothing here decides anything: that
 * was done by plan_make().
 */
#include "runtime/outside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "isolation/proc.h"
#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "runtime/clone.h"
#include "runtime/console.h"
#include "runtime/start.h"

#define HOOK_STATE_ROOM 32 /* for the pid, which is not known before the clone */

/* --- adapters: state ------------------------------------------------------------------------- */

/* Runs last when everything is undone, first in the list: runtime-spec, lifecycle, step 13. */
static int run_nothing(struct launch *launch, struct err *err)
{
	(void)launch;
	(void)err;
	return 0;
}

static int undo_poststop_hooks(struct launch *launch, struct err *err)
{
	if (!launch->hooked || !launch->hooks)
		return 0;
	return launch_hooks(&launch->hooks->poststop, "poststop", &launch->record, STATUS_STOPPED,
			    false, launch->arena, err);
}

static int save_record(struct launch *launch, struct err *err)
{
	return state_save(launch->state, &launch->record, launch->arena, err);
}

static int run_state_directory(struct launch *launch, struct err *err)
{
	if (state_create(launch->root, launch->plan->id, &launch->state, err) < 0)
		return -1;
	return save_record(launch, err);
}

static int undo_state_directory(struct launch *launch, struct err *err)
{
	int result;

	/* What is left of a container must stay on record, or nobody could remove it any more. */
	if (launch->state < 0 || launch->stuck)
		return 0;
	result = state_remove(launch->root, launch->record.id, launch->state, err);
	fd_close(&launch->state);
	return result;
}

static int run_cgroup(struct launch *launch, struct err *err)
{
	return cgroup_create(&launch->plan->cgroup, &launch->cgroup, err);
}

/* Never a cgroup that we failed to take: it is somebody else's. */
static int undo_cgroup(struct launch *launch, struct err *err)
{
	bool taken = launch->cgroup >= 0 || !launch->plan;

	fd_close(&launch->cgroup);
	if (!taken || !launch->record.cgroup_path)
		return 0;
	return cgroup_remove(launch->record.cgroup_root, launch->record.cgroup_path, err);
}

/* exec: the cgroup that the container's init is in now, which is the container's or below it. */
static int run_cgroup_of_init(struct launch *launch, struct err *err)
{
	return cgroup_open_of(launch->record.cgroup_root, launch->record.cgroup_path,
			      launch->request->init, launch->request->exec_cgroup, &launch->cgroup,
			      err);
}

static int run_device_program(struct launch *launch, struct err *err)
{
	return devices_bpf_attach(&launch->plan->devices_bpf, launch->cgroup, err);
}

/* --- adapters: what init inherits ------------------------------------------------------------ */

static int run_procfs(struct launch *launch, struct err *err)
{
	launch->proc = proc_open(err);
	return launch->proc < 0 ? -1 : 0;
}

static int run_descriptors(struct launch *launch, struct err *err)
{
	return limits_raise_files(&launch->plan->limits, &launch->files_before, err);
}

static int run_compile_filter(struct launch *launch, struct err *err)
{
	struct sock_fprog compiled;

	if (seccomp_compile(&launch->plan->seccomp, launch->arena, &compiled, err) < 0)
		return -1;
	launch->filter->len = compiled.len;
	memcpy(launch->filter->instructions, compiled.filter,
	       compiled.len * sizeof(*compiled.filter));
	return 0;
}

static int run_console_socket(struct launch *launch, struct err *err)
{
	if (!launch->request->console_socket)
		return 0;
	return console_connect(launch->request->console_socket, &launch->console, err);
}

/* Shared between us and init; NULL with an error. */
static void *map_shared(size_t size, const char *what, struct err *err)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory != MAP_FAILED)
		return memory;
	err_sys(err, "map memory for %s", what);
	return NULL;
}

static int run_filter_memory(struct launch *launch, struct err *err)
{
	launch->filter = map_shared(sizeof(*launch->filter), "the system call filter", err);
	return launch->filter ? 0 : -1;
}

static int run_hook_state(struct launch *launch, struct err *err)
{
	size_t size;

	state_oci(&launch->record, STATUS_CREATED, launch->arena, &size);
	launch->hook_state_max = size + HOOK_STATE_ROOM;
	launch->hook_state = map_shared(launch->hook_state_max, "the state", err);
	return launch->hook_state ? 0 : -1;
}

static int run_namespaces(struct launch *launch, struct err *err)
{
	return namespaces_open(&launch->plan->namespaces, launch->joins, err);
}

/* exec: the recorded process lives, so all that was read by its number was its own, not of a
 * process that came after it. Its namespaces are joined by the descriptor. */
static int run_open_init(struct launch *launch, struct err *err)
{
	launch->joins[0] = state_open_pid(&launch->record);
	if (launch->joins[0] < 0)
		return err_set(err, ESRCH, "container not running: %s", launch->record.id);
	return 0;
}

/* --- adapters: from outside, by pid ---------------------------------------------------------- */

/* The hooks that init runs see the pid that it has in its own namespace. */
static void fill_hook_state(const struct launch *launch)
{
	struct state seen = launch->record;
	size_t size;

	if (launch->plan->namespaces.clone & CLONE_NEWPID)
		seen.pid = 1;
	snprintf(launch->hook_state, launch->hook_state_max, "%s",
		 state_oci(&seen, STATUS_CREATED, launch->arena, &size));
}

static int run_record(struct launch *launch, struct err *err)
{
	state_set_process(&launch->record, launch->state, launch->pid, launch->pidfd);
	if (launch->hook_state)
		fill_hook_state(launch);
	return save_record(launch, err);
}

static int run_configuration(struct launch *launch, struct err *err)
{
	return file_replace(launch->state, SPEC_FILE, launch->config, launch->config_size, 0600,
			    err);
}

static int run_id_maps(struct launch *launch, struct err *err)
{
	return idmap_write(&launch->plan->idmap, launch->proc, launch->pid, err);
}

static int run_oom_score(struct launch *launch, struct err *err)
{
	return priority_apply_oom(&launch->plan->priority, launch->proc, launch->pid, err);
}

static int run_scheduler(struct launch *launch, struct err *err)
{
	return priority_apply_scheduler(&launch->plan->priority, launch->pid, err);
}

static int run_hard_limits(struct launch *launch, struct err *err)
{
	return limits_raise(&launch->plan->limits, launch->pid, err);
}

static int run_seal(struct launch *launch, struct err *err)
{
	(void)err;
	if (launch->seal)
		fd_close(launch->seal);
	return 0;
}

/* --- adapters: the conversation -------------------------------------------------------------- */

static int run_go(struct launch *launch, struct err *err)
{
	return wire_send(launch->wire, WIRE_GO, -1, err);
}

static int run_await_mounted(struct launch *launch, struct err *err)
{
	return wire_expect(launch->wire, WIRE_MOUNTED, &launch->notes, NULL, NULL, err);
}

static int run_runtime_hooks(struct launch *launch, struct err *err)
{
	const struct spec_hooks *hooks = launch->hooks;

	launch->hooked = true;
	if (launch_hooks(&hooks->prestart, "prestart", &launch->record, STATUS_CREATED, true,
			 launch->arena, err) < 0)
		return -1;
	return launch_hooks(&hooks->create_runtime, "createRuntime", &launch->record,
			    STATUS_CREATED, true, launch->arena, err);
}

static int run_hooked(struct launch *launch, struct err *err)
{
	return wire_send(launch->wire, WIRE_HOOKED, -1, err);
}

static int run_await_terminal(struct launch *launch, struct err *err)
{
	autoclose int master = -1;

	if (wire_expect(launch->wire, WIRE_CONSOLE, &launch->notes, &master, NULL, err) < 0)
		return -1;
	if (master < 0)
		return err_set(err, EPROTO, "no terminal came with CONSOLE");
	if (!launch->request->console_socket) {
		launch->console = fd_take(&master);
		return 0;
	}
	if (console_send(launch->console, master, err) < 0)
		return -1;
	fd_close(&launch->console);
	return 0;
}

static int run_await_ready(struct launch *launch, struct err *err)
{
	return wire_expect(launch->wire, WIRE_READY, &launch->notes, NULL, NULL, err);
}

/* --- adapters: the end ----------------------------------------------------------------------- */

static int run_notes(struct launch *launch, struct err *err)
{
	return launch_keep_notes(launch->state, &launch->record, &launch->notes, launch->arena,
				 err);
}

static int run_pid_files(struct launch *launch, struct err *err)
{
	const struct request *request = launch->request;
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", (int)launch->pid);

	if (request->pidfd_socket &&
	    console_send_pidfd(request->pidfd_socket, launch->pidfd, err) < 0)
		return -1;
	if (request->pid_file &&
	    file_replace(AT_FDCWD, request->pid_file, text, (size_t)len, 0644, err) < 0)
		return -1;
	return 0;
}

static int undo_pid_files(struct launch *launch, struct err *err)
{
	(void)err;
	if (launch->request && launch->request->pid_file)
		unlink(launch->request->pid_file);
	return 0;
}

static int run_created(struct launch *launch, struct err *err)
{
	return state_created(launch->state, &launch->record, err);
}

/* --- the list -------------------------------------------------------------------------------- */

static bool wants_cgroup(const struct plan *plan)
{
	return plan->cgroup.wanted;
}

/* Perhaps: what a source means is the filesystem's business. */
static bool mounts_devices(const struct plan *plan)
{
	for (size_t i = 0; i < plan->mounts.len; i++)
		if (plan->mounts.row[i].kind == MOUNT_FILESYSTEM && plan->mounts.row[i].source &&
		    plan->mounts.row[i].source[0] == '/')
			return true;
	return false;
}

static bool wants_device_program_early(const struct plan *plan)
{
	return plan->cgroup.wanted && plan->devices_bpf.wanted && mounts_devices(plan);
}

static bool wants_device_program(const struct plan *plan)
{
	return plan->cgroup.wanted && plan->devices_bpf.wanted && !mounts_devices(plan);
}

static bool wants_start_socket(const struct plan *plan)
{
	return !plan->run;
}

static bool wants_seccomp(const struct plan *plan)
{
	return plan->seccomp.wanted;
}

static bool wants_init_hooks(const struct plan *plan)
{
	return plan->hooks.create_container.len || plan->hooks.start_container.len;
}

static bool wants_joins(const struct plan *plan)
{
	return plan->namespaces.join_len > 0;
}

static bool wants_id_maps(const struct plan *plan)
{
	return plan->idmap.write;
}

/* A joiner does it for init. */
static bool wants_oom_score(const struct plan *plan)
{
	return plan->priority.oom_set && !wants_joins(plan);
}

static bool wants_scheduler(const struct plan *plan)
{
	return plan->priority.scheduler_set || plan->priority.io_set;
}

static bool wants_limits(const struct plan *plan)
{
	return plan->limits.len > 0;
}

static bool owns_pids(const struct plan *plan)
{
	return plan->namespaces.clone & CLONE_NEWPID;
}

static bool shares_pids(const struct plan *plan)
{
	return !owns_pids(plan);
}

static bool wants_more_descriptors(const struct plan *plan)
{
	return plan->limits.raise_files;
}

/* clang-format off */
const struct step outside_steps[] = {
	{ "poststop hooks", FOR_CREATE, NULL, run_nothing, undo_poststop_hooks,
	  "its undo is the last of all: the specification wants these hooks after the container is destroyed" },
	{ "procfs", FOR_BOTH, NULL, run_procfs, NULL,
	  "everything written to /proc goes through this verified descriptor" },
	{ "state directory", FOR_CREATE, NULL, run_state_directory, undo_state_directory,
	  "the id is taken atomically before anything else exists, and what must be undone is on record before it is done" },
	{ "cgroup", FOR_CREATE, wants_cgroup, run_cgroup, undo_cgroup,
	  "limits hold before the first process is born in it" },
	{ "device program (mounts)", FOR_CREATE, wants_device_program_early, run_device_program, NULL,
	  "mounting a block device opens it, which the program forbids or allows: not as it happens to come first" },
	{ "cgroup of init", FOR_EXEC, wants_cgroup, run_cgroup_of_init, NULL,
	  "the process must be born in it" },
	{ "console socket", FOR_BOTH, step_wants_terminal, run_console_socket, NULL,
	  "a caller who does not listen is an error before anything is cloned" },
	{ "start socket", FOR_CREATE, wants_start_socket, start_listen, NULL,
	  "init must inherit it; it goes with the state directory" },
	{ "filter memory", FOR_BOTH, wants_seccomp, run_filter_memory, NULL,
	  "init must inherit it; filled while init is busy" },
	{ "hook state", FOR_CREATE, wants_init_hooks, run_hook_state, NULL,
	  "init must inherit the memory; filled when the pid is known" },
	{ "namespaces", FOR_CREATE, wants_joins, run_namespaces, NULL,
	  "opened and checked with our privileges and from our mount namespace" },
	{ "open init", FOR_EXEC, NULL, run_open_init, NULL,
	  "after the last look at /proc/PID: the container may end at any time, and its pid be reused" },
	{ "descriptors", FOR_BOTH, wants_more_descriptors, run_descriptors, NULL,
	  "init inherits the limit and holds one descriptor for each bind mount" },
	{ "seal (shared pids)", FOR_BOTH, shares_pids, run_seal, NULL,
	  "whoever sees init in /proc could make the mount that it runs from writable until it is dissolved (CVE-2019-5736)" },
	{ "clone", FOR_BOTH, NULL, clone_init, clone_undo,
	  "everything that init inherits is there" },
	{ "id maps", FOR_CREATE, wants_id_maps, run_id_maps, NULL,
	  "needs our privileges; init has none that count until it is done" },
	{ "oom score", FOR_BOTH, wants_oom_score, run_oom_score, NULL,
	  "lowering it needs our privileges" },
	{ "scheduler", FOR_BOTH, wants_scheduler, run_scheduler, NULL,
	  "as the OOM score" },
	{ "hard limits", FOR_BOTH, wants_limits, run_hard_limits, NULL,
	  "raising needs our privileges, and init's uid to be ours still; low limits would hinder the building, so init sets them itself" },
	{ "go", FOR_BOTH, NULL, run_go, NULL,
	  "everything that init relies on is true" },
	{ "joiner", FOR_BOTH, wants_joins, clone_reap_joiner, NULL,
	  "it ends while init is busy" },
	{ "record", FOR_CREATE, NULL, run_record, NULL,
	  "from now on delete --force finds init, whatever happens to us; if it happens sooner, init ends by itself" },
	{ "configuration", FOR_CREATE, NULL, run_configuration, NULL,
	  "a copy for exec and for the hooks of delete, made while init is busy mounting" },
	{ "device program", FOR_CREATE, wants_device_program, run_device_program, NULL,
	  "in force before anything of the container runs, made while init is busy; it goes with the cgroup" },
	{ "compile filter", FOR_BOTH, wants_seccomp, run_compile_filter, NULL,
	  "init needs it only when it was told to start, and is busy meanwhile" },
	{ "seal", FOR_CREATE, owns_pids, run_seal, NULL,
	  "the kernel takes its time to dissolve the mount that we run from; init is busy meanwhile" },
	{ "await mounted", FOR_CREATE, step_wants_runtime_hooks, run_await_mounted, NULL,
	  "the hooks that follow may look at the mounts" },
	{ "runtime hooks", FOR_CREATE, NULL, run_runtime_hooks, NULL,
	  "after the namespaces and mounts, before pivot_root: the specification" },
	{ "hooked", FOR_CREATE, NULL, run_hooked, NULL,
	  "all that we do from outside is done; as a rule init finds it there and need not wait" },
	{ "await terminal", FOR_BOTH, step_wants_terminal, run_await_terminal, NULL,
	  "init makes it from the container's own /dev/pts after the pivot" },
	{ "await ready", FOR_BOTH, NULL, run_await_ready, NULL,
	  "everything that the configuration can make fail has been tried" },
	{ "notes", FOR_CREATE, NULL, run_notes, NULL,
	  "what init had to leave out belongs in the state before anybody reads it" },
	{ "created", FOR_CREATE, NULL, run_created, NULL,
	  "the status is creating as long as anything of the above is to be done" },
	{ "pid files", FOR_BOTH, NULL, run_pid_files, undo_pid_files,
	  "only a created container is announced" },
};
/* clang-format on */
const size_t outside_steps_len = ARRAY_LEN(outside_steps);
