/*
 * The outside list, see launch.h and step.h: what agentd does from the host's namespaces to make a
 * container or to enter one.
 *
 * Each row is a short adapter to a mechanism. A row that can be done from outside is done from
 * outside: init then needs fewer privileges and shorter code. Nothing here decides anything: that
 * was done by plan_make().
 */
#include "runtime/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "isolation/path.h"
#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "runtime/base/log.h"
#include "runtime/base/sys.h"
#include "runtime/console.h"
#include "runtime/hooks.h"
#include "runtime/init.h"

#define REAP_TIMEOUT_MS 10000
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
	size_t size;
	char *text;

	if (!launch->hooked || !launch->hooks || !launch->hooks->poststop.len)
		return 0;
	text = state_oci(&launch->record, STATUS_STOPPED, 0, launch->arena, &size);
	return hooks_run(&launch->hooks->poststop, "poststop", text, size, false, err);
}

static int save_record(struct launch *launch, struct err *err)
{
	return state_save(launch->state, &launch->record, launch->arena, err);
}

static int run_state_directory(struct launch *launch, struct err *err)
{
	if (state_create(launch->root, launch->plan->id, launch->config, launch->config_size,
			 &launch->state, err) < 0)
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

/* The address of a socket is 108 bytes; through /proc/self/fd every directory is near enough. */
static void start_address(int state, struct sockaddr_un *address)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	snprintf(address->sun_path, sizeof(address->sun_path),
		 "/proc/self/fd/%d/" STATE_START_SOCKET, state);
}

static int run_start_socket(struct launch *launch, struct err *err)
{
	struct sockaddr_un address;

	start_address(launch->state, &address);
	launch->start = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (launch->start < 0)
		return err_sys(err, "socket");
	if (bind(launch->start, (struct sockaddr *)&address, sizeof(address)) < 0)
		return err_sys(err, "bind " STATE_START_SOCKET);
	if (listen(launch->start, 1) < 0)
		return err_sys(err, "listen on " STATE_START_SOCKET);
	return 0;
}

static int run_filter_file(struct launch *launch, struct err *err)
{
	launch->seccomp = memfd_create("agentd-filter", MFD_CLOEXEC);
	if (launch->seccomp < 0)
		return err_sys(err, "memfd_create");
	return 0;
}

static int run_console_socket(struct launch *launch, struct err *err)
{
	if (!launch->request->console_socket)
		return 0;
	return console_connect(launch->request->console_socket, &launch->console, err);
}

static int run_hook_state(struct launch *launch, struct err *err)
{
	size_t size;

	state_oci(&launch->record, STATUS_CREATED, 0, launch->arena, &size);
	launch->hook_state_max = size + HOOK_STATE_ROOM;
	launch->hook_state = mmap(NULL, launch->hook_state_max, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (launch->hook_state == MAP_FAILED) {
		launch->hook_state = NULL;
		return err_sys(err, "map memory for the state");
	}
	return 0;
}

static int run_namespaces(struct launch *launch, struct err *err)
{
	return namespaces_open(&launch->plan->namespaces, launch->joins, err);
}

/* exec: alive with the recorded start time, so all that was read and opened by its number was its
 * own, not of a process that came after it. */
static int run_check_init(struct launch *launch, struct err *err)
{
	autoclose int pidfd = state_open_pid(&launch->record);

	if (pidfd < 0)
		return err_set(err, ESRCH, "container not running: %s", launch->record.id);
	return 0;
}

/* --- clone ----------------------------------------------------------------------------------- */

/* One process more, in the container's cgroup from birth. The pid in the parent, 0 in the child. */
static pid_t clone_process(const struct launch *launch, uint64_t flags, int exit_signal, int *pidfd)
{
	struct clone_args args = {
		.flags = flags | CLONE_PIDFD,
		.pidfd = (uintptr_t)pidfd,
		.exit_signal = (uint64_t)exit_signal,
	};

	if (launch->cgroup >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)launch->cgroup;
	}
	return sys_clone3(&args);
}

static int clone_error(struct err *err)
{
	err_sys(err, "clone");
	if (errno == ENOSPC || errno == EUSERS)
		err_hint(err,
			 "the limit of namespaces is reached; see /proc/sys/user/max_*_namespaces");
	if (errno == EAGAIN)
		err_hint(err, "the limit of processes is reached: pids.max of the cgroup or "
			      "RLIMIT_NPROC");
	return -1;
}

/*
 * Closes what is the parent's alone, such as the lock on the state directory, and what our caller
 * left open. Of a directory of the host nothing may be left: the container's program may be a link
 * to /proc/self/fd/N/program (CVE-2024-21626), and a container with CAP_SYS_PTRACE can take the
 * descriptors of a process that enters it (CVE-2016-9962).
 */
static int close_parents(struct launch *launch, struct err *err)
{
	const struct plan *plan = launch->plan;
	int *parents[] = { &launch->wire,   &launch->state,   &launch->root,
			   &launch->cgroup, &launch->console, &launch->pidfd };
	int keep[NAMESPACES_MAX + 4] = { launch->init_wire, launch->start, launch->seccomp };

	for (size_t i = 0; i < sizeof(parents) / sizeof(parents[0]); i++)
		fd_close(parents[i]);
	if (plan->exec && !plan->label.apparmor && !plan->label.selinux)
		fd_close(&launch->proc); /* written to for labels alone */
	keep[3] = launch->proc;
	memcpy(keep + 4, launch->joins, sizeof(launch->joins));
	return process_close_others(3 + plan->process.keep_fds, keep,
				    sizeof(keep) / sizeof(keep[0]), err);
}

static void __attribute__((noreturn)) fail_child(struct launch *launch, const struct err *err)
{
	wire_send_error(launch->init_wire, err);
	_exit(1);
}

static void become_init(struct launch *launch)
{
	launch->wire = fd_take(&launch->init_wire);
	init_main(launch);
}

/*
 * The joiner: joins what is to be joined, clones init as a child of our parent, tells its pid, and
 * ends. Undumpable before there is anything in the container to trace it or init (runc
 * CVE-2016-9962); not where maps must be written from outside by a caller without privileges, who
 * could not open our files then: such an init starts in a namespace of its own.
 */
static void __attribute__((noreturn)) joiner_main(struct launch *launch)
{
	int pidfd = -1, exit_signal = 0;
	struct err err;
	pid_t pid;

	/* Inherited by init, whose own is not an ordinary user's to write (proc(5), "dumpable"). */
	if (priority_apply_oom(&launch->plan->priority, launch->proc, getpid(), &err) < 0)
		fail_child(launch, &err);
	/* The cgroup too: what we clone is born in ours, which is that. */
	if (close_parents(launch, &err) < 0)
		fail_child(launch, &err);
	if (!launch->plan->idmap.write && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) {
		err_sys(&err, "become undumpable");
		fail_child(launch, &err);
	}
	if (namespaces_join(&launch->plan->namespaces, launch->joins, &err) < 0)
		fail_child(launch, &err);
	pid = clone_process(launch, launch->plan->namespaces.clone | CLONE_PARENT, exit_signal,
			    &pidfd);
	if (pid < 0) {
		clone_error(&err);
		fail_child(launch, &err);
	}
	if (pid == 0)
		become_init(launch);
	if (wire_send_pid(launch->init_wire, pid, &err) < 0)
		_exit(1);
	_exit(0);
}

static int clone_through_joiner(struct launch *launch, struct err *err)
{
	autoclose int pidfd = -1;
	pid_t joiner = clone_process(launch, 0, SIGCHLD, &pidfd);
	int result, status;

	if (joiner < 0)
		return clone_error(err);
	if (joiner == 0)
		joiner_main(launch);
	fd_close(&launch->init_wire);
	result = wire_expect(launch->wire, WIRE_PID, NULL, NULL, &launch->pid, err);
	while (waitpid(joiner, &status, 0) < 0 && errno == EINTR)
		;
	if (result < 0)
		return -1;
	/* Our child, not yet waited for: the pid cannot have become somebody else's. */
	launch->pidfd = sys_pidfd_open(launch->pid, 0);
	if (launch->pidfd < 0)
		return err_sys(err, "pidfd_open %d", (int)launch->pid);
	return 0;
}

static int run_clone(struct launch *launch, struct err *err)
{
	const struct namespaces_plan *plan = &launch->plan->namespaces;
	int ends[2];

	if (wire_pair(ends, err) < 0)
		return -1;
	launch->wire = ends[0];
	launch->init_wire = ends[1];
	if (plan->join_len)
		return clone_through_joiner(launch, err);
	launch->pid = clone_process(launch, plan->clone, SIGCHLD, &launch->pidfd);
	if (launch->pid < 0)
		return clone_error(err);
	if (launch->pid == 0) {
		if (close_parents(launch, err) < 0)
			fail_child(launch, err);
		become_init(launch);
	}
	fd_close(&launch->init_wire);
	return 0;
}

/* Kills by pidfd, never by number, and waits: a child of ours is reaped, another's pidfd becomes
 * readable. */
static int undo_clone(struct launch *launch, struct err *err)
{
	struct pollfd ended = { .fd = launch->pidfd, .events = POLLIN };
	int status, ready;

	if (launch->pidfd < 0)
		return 0;
	if (sys_pidfd_send_signal(launch->pidfd, SIGKILL) < 0 && errno != ESRCH)
		return err_sys(err, "kill process %d", (int)launch->pid);
	do
		ready = poll(&ended, 1, REAP_TIMEOUT_MS);
	while (ready < 0 && errno == EINTR);
	if (ready == 0)
		return err_set(err, ETIMEDOUT, "process %d did not end", (int)launch->pid);
	/* ECHILD: not ours to reap. */
	while (waitpid(launch->pid, &status, 0) < 0 && errno == EINTR)
		;
	fd_close(&launch->pidfd);
	return 0;
}

static int run_record(struct launch *launch, struct err *err)
{
	launch->record.pid = launch->pid;
	launch->record.start_time = state_start_time(launch->pid);
	if (launch->hook_state) {
		bool own = launch->plan->namespaces.clone & CLONE_NEWPID;
		size_t size;
		char *text = state_oci(&launch->record, STATUS_CREATED, own ? 1 : launch->pid,
				       launch->arena, &size);

		snprintf(launch->hook_state, launch->hook_state_max, "%s", text);
	}
	return save_record(launch, err);
}

/* --- adapters: from outside, by pid ---------------------------------------------------------- */

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

static int run_compile_filter(struct launch *launch, struct err *err)
{
	autoclose int cache = launch->root < 0 ? -1 : state_cache_open(launch->root);

	return seccomp_compile_cached(&launch->plan->seccomp, cache, launch->seccomp, err);
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
	size_t size;
	char *text;

	launch->hooked = true;
	if (!hooks->prestart.len && !hooks->create_runtime.len)
		return 0;
	text = state_oci(&launch->record, STATUS_CREATED, launch->pid, launch->arena, &size);
	if (hooks_run(&hooks->prestart, "prestart", text, size, true, err) < 0)
		return -1;
	return hooks_run(&hooks->create_runtime, "createRuntime", text, size, true, err);
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

/* What init had to leave out becomes a part of the state. */
static int run_keep_notes(struct launch *launch, struct err *err)
{
	struct spec_strings *notes = &launch->record.notes;
	const char **item;

	if (!launch->notes.len)
		return 0;
	item = arena_new_array(launch->arena, const char *, notes->len + launch->notes.len + 1);
	for (size_t i = 0; i < notes->len; i++)
		item[i] = notes->item[i];
	for (size_t i = 0; i < launch->notes.len; i++)
		item[notes->len + i] = launch->notes.text[i];
	notes->item = item;
	notes->len += launch->notes.len;
	return save_record(launch, err);
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
	if (unlinkat(launch->state, STATE_CREATING, 0) < 0)
		return err_sys(err, "remove " STATE_CREATING);
	return 0;
}

/* --- the list -------------------------------------------------------------------------------- */

static bool wants_cgroup(const struct plan *plan)
{
	return plan->cgroup.wanted;
}

static bool wants_device_program(const struct plan *plan)
{
	return plan->cgroup.wanted && plan->devices_bpf.wanted;
}

static bool wants_start_socket(const struct plan *plan)
{
	return !plan->run;
}

static bool wants_seccomp(const struct plan *plan)
{
	return plan->seccomp.wanted;
}

static bool wants_terminal(const struct plan *plan)
{
	return plan->process.terminal;
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

static bool wants_more_descriptors(const struct plan *plan)
{
	return plan->limits.raise_files;
}

#define BOTH (FOR_CREATE | FOR_EXEC)

/* clang-format off */
const struct step outside_steps[] = {
	{ "poststop hooks", FOR_CREATE, NULL, run_nothing, undo_poststop_hooks,
	  "its undo is the last of all: the specification wants these hooks after the container is destroyed" },
	{ "procfs", BOTH, NULL, run_procfs, NULL,
	  "everything written to /proc goes through this verified descriptor" },
	{ "state directory", FOR_CREATE, NULL, run_state_directory, undo_state_directory,
	  "the id is taken atomically before anything else exists, and what must be undone is on record before it is done" },
	{ "cgroup", FOR_CREATE, wants_cgroup, run_cgroup, undo_cgroup,
	  "limits hold before the first process is born in it" },
	{ "device program", FOR_CREATE, wants_device_program, run_device_program, NULL,
	  "as the limits; it goes with the cgroup" },
	{ "cgroup of init", FOR_EXEC, wants_cgroup, run_cgroup_of_init, NULL,
	  "the process must be born in it" },
	{ "console socket", BOTH, wants_terminal, run_console_socket, NULL,
	  "a caller who does not listen is an error before anything is cloned" },
	{ "start socket", FOR_CREATE, wants_start_socket, run_start_socket, NULL,
	  "init must inherit it; it goes with the state directory" },
	{ "filter file", BOTH, wants_seccomp, run_filter_file, NULL,
	  "init must inherit it; filled while init is busy" },
	{ "hook state", FOR_CREATE, wants_init_hooks, run_hook_state, NULL,
	  "init must inherit the memory; filled when the pid is known" },
	{ "namespaces", BOTH, wants_joins, run_namespaces, NULL,
	  "opened and checked with our privileges and from our mount namespace" },
	{ "check init", FOR_EXEC, NULL, run_check_init, NULL,
	  "after the last look at /proc/PID: the container may end at any time, and its pid be reused" },
	{ "descriptors", BOTH, wants_more_descriptors, run_descriptors, NULL,
	  "init inherits the limit and holds one descriptor for each bind mount" },
	{ "clone", BOTH, NULL, run_clone, undo_clone,
	  "everything that init inherits is there" },
	{ "record", FOR_CREATE, NULL, run_record, NULL,
	  "from now on delete --force finds init, whatever happens to us" },
	{ "id maps", FOR_CREATE, wants_id_maps, run_id_maps, NULL,
	  "needs our privileges; init has none that count until it is done" },
	{ "oom score", BOTH, wants_oom_score, run_oom_score, NULL,
	  "lowering it needs our privileges" },
	{ "scheduler", BOTH, wants_scheduler, run_scheduler, NULL,
	  "as the OOM score" },
	{ "hard limits", BOTH, wants_limits, run_hard_limits, NULL,
	  "raising needs our privileges, and init's uid to be ours still; low limits would hinder the building, so init sets them itself" },
	{ "go", BOTH, NULL, run_go, NULL,
	  "everything that init relies on is true" },
	{ "compile filter", BOTH, wants_seccomp, run_compile_filter, NULL,
	  "the slowest thing we do; init is busy mounting meanwhile" },
	{ "await mounted", FOR_CREATE, NULL, run_await_mounted, NULL,
	  "the hooks that follow may look at the mounts" },
	{ "runtime hooks", FOR_CREATE, NULL, run_runtime_hooks, NULL,
	  "after the namespaces and mounts, before pivot_root: the specification" },
	{ "hooked", FOR_CREATE, NULL, run_hooked, NULL,
	  "init waits for it, and for the filter to be complete" },
	{ "await terminal", BOTH, wants_terminal, run_await_terminal, NULL,
	  "init makes it from the container's own /dev/pts after the pivot" },
	{ "await ready", BOTH, NULL, run_await_ready, NULL,
	  "everything that the configuration can make fail has been tried" },
	{ "notes", FOR_CREATE, NULL, run_keep_notes, NULL,
	  "what init had to leave out belongs in the state before anybody reads it" },
	{ "created", FOR_CREATE, NULL, run_created, NULL,
	  "the status is creating as long as anything of the above is to be done" },
	{ "pid files", BOTH, NULL, run_pid_files, undo_pid_files,
	  "only a created container is announced" },
};
/* clang-format on */
const size_t outside_steps_len = sizeof(outside_steps) / sizeof(outside_steps[0]);

/* --- the launch ------------------------------------------------------------------------------ */

static void launch_clear(struct launch *launch, int root, struct arena *arena)
{
	memset(launch, 0, sizeof(*launch));
	launch->arena = arena;
	launch->root = root;
	launch->state = launch->cgroup = launch->start = launch->seccomp = launch->console = -1;
	launch->proc = launch->wire = launch->init_wire = launch->pidfd = -1;
	launch->rootfs = launch->landlock = launch->terminal = -1;
	for (size_t i = 0; i < NAMESPACES_MAX; i++)
		launch->joins[i] = -1;
}

static const char *now_text(struct arena *arena)
{
	struct timespec now;
	char text[32];
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	return arena_format(arena, "%s.%09ldZ", text, now.tv_nsec);
}

void launch_init(struct launch *launch, const struct plan *plan, const struct request *request,
		 int root, struct arena *arena)
{
	launch_clear(launch, root, arena);
	launch->plan = plan;
	launch->request = request;
	launch->hooks = &plan->hooks;
	launch->sources = arena_new_array(arena, int, plan->mounts.len + 1);
	for (size_t i = 0; i < plan->mounts.len; i++)
		launch->sources[i] = -1;
	launch->record = (struct state){
		.id = plan->id,
		.bundle = plan->bundle,
		.rootfs = plan->rootfs.path,
		.created = now_text(arena),
		.owner = geteuid() == 0 ? "root" : arena_format(arena, "%u", (unsigned)geteuid()),
		.cgroup_root = plan->cgroup.wanted ? plan->cgroup.root : NULL,
		.cgroup_path = plan->cgroup.wanted ? plan->cgroup.path : NULL,
		.run = plan->run,
		.annotations = plan->annotations,
		.notes = { plan->notes, plan->notes_len },
	};
}

void launch_init_existing(struct launch *launch, const struct state *record, int state, int root,
			  const struct spec_hooks *hooks, struct arena *arena)
{
	launch_clear(launch, root, arena);
	launch->record = *record;
	launch->state = state;
	launch->hooks = hooks;
	launch->hooked = true;
	launch->pid = record->pid;
	launch->pidfd = state_open_pid(record);
}

int launch_run(struct launch *launch, struct err *err)
{
	return steps_run(outside_steps, outside_steps_len, launch, err);
}

int launch_undo(struct launch *launch, struct err *err)
{
	return steps_undo(outside_steps, outside_steps_len, launch, err);
}

int launch_start(struct launch *launch, struct err *err)
{
	if (wire_send(launch->wire, WIRE_START, -1, err) < 0)
		return -1;
	return wire_expect_end(launch->wire, &launch->notes, err);
}

int launch_start_socket(int state, struct wire_notes *notes, struct err *err)
{
	autoclose int end = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;

	if (end < 0)
		return err_sys(err, "socket");
	start_address(state, &address);
	if (connect(end, (struct sockaddr *)&address, sizeof(address)) < 0) {
		if (errno == ECONNREFUSED)
			return err_set(err, ESRCH, "init ended before it was started");
		return err_sys(err, "connect to " STATE_START_SOCKET);
	}
	/* Begun, and not to be begun again, whatever comes of it. */
	unlinkat(state, STATE_START_SOCKET, 0);
	return wire_expect_end(end, notes, err);
}

void launch_close(struct launch *launch)
{
	int *own[] = { &launch->state,	   &launch->cgroup, &launch->start,
		       &launch->seccomp,   &launch->proc,   &launch->wire,
		       &launch->init_wire, &launch->pidfd,  &launch->console };

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		fd_close(own[i]);
	for (size_t i = 0; i < NAMESPACES_MAX; i++)
		fd_close(&launch->joins[i]);
	if (launch->hook_state)
		munmap(launch->hook_state, launch->hook_state_max);
	launch->hook_state = NULL;
}
