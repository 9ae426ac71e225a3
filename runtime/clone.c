/*
 * The clone, see clone.h: directly where everything is created, through a joiner where something is
 * joined. Joins happen in the joiner alone and creations in one clone3(2), so our own namespaces
 * never change and nothing here does arithmetic on namespaces.
 *
 * What runs in a child here allocates nothing, and tells an error over the wire like init.
 */
#include "runtime/clone.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "runtime/base/sys.h"
#include "runtime/init.h"

#define KILL_TIMEOUT_MS 10000

/*
 * One process more, in the container's cgroup from birth. The pid in the parent, 0 in the child.
 * The kernel tells a number for the descriptor before the last that may fail, such as the cgroup's
 * limit of processes: then there is none behind it.
 */
static pid_t clone_process(const struct launch *launch, uint64_t flags, int exit_signal, int *pidfd)
{
	int made = -1;
	pid_t pid;
	struct clone_args args = {
		.flags = flags | CLONE_PIDFD,
		.pidfd = (uintptr_t)&made,
		.exit_signal = (uint64_t)exit_signal,
	};

	if (launch->cgroup >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)launch->cgroup;
	}
	pid = sys_clone3(&args);
	if (pid > 0)
		*pidfd = made;
	return pid;
}

static int clone_error(struct err *err)
{
	err_sys(err, "clone");
	if (err->code == ENOSPC || err->code == EUSERS)
		err_hint(err,
			 "the limit of namespaces is reached; see /proc/sys/user/max_*_namespaces");
	if (err->code == EAGAIN)
		err_hint(err, "the limit of processes is reached: pids.max of the cgroup or "
			      "RLIMIT_NPROC");
	if (err->code == EOPNOTSUPP)
		err_hint(err, "the cgroup takes no processes, for one above it is threaded; choose "
			      "another linux.cgroupsPath");
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
	int keep[NAMESPACES_MAX + 3] = { launch->init_wire, launch->start };

	for (size_t i = 0; i < ARRAY_LEN(parents); i++)
		fd_close(parents[i]);
	if (plan->exec && !plan->label.apparmor && !plan->label.selinux)
		fd_close(&launch->proc); /* written to for labels alone */
	keep[2] = launch->proc;
	memcpy(keep + 3, launch->joins, sizeof(launch->joins));
	return process_close_others(3 + plan->process.keep_fds, keep, ARRAY_LEN(keep), err);
}

/*
 * Before anybody in the container, or in one whose pid namespace it joins, can trace us, open our
 * descriptors or go through /proc/PID/root to the host's files (runc CVE-2016-9962). Whose uid is
 * the caller's needs no capability for that where init is in a new user namespace: he owns it
 * (user_namespaces(7)).
 */
static int become_undumpable(struct err *err)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(err, "become undumpable");
	return 0;
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
 * ends. An ordinary user's becomes undumpable here; not where the maps must be written from
 * outside, as he could not open our files then: such an init starts in a namespace of its own.
 */
static void __attribute__((noreturn)) joiner_main(struct launch *launch)
{
	int pidfd = -1;
	struct err err;
	pid_t pid;

	/* Inherited by init, whose own is not an ordinary user's to write (proc(5), "dumpable"). */
	if (priority_apply_oom(&launch->plan->priority, launch->proc, getpid(), &err) < 0)
		fail_child(launch, &err);
	/* The cgroup too: what we clone is born in ours, which is that. */
	if (close_parents(launch, &err) < 0)
		fail_child(launch, &err);
	if (!launch->plan->idmap.write && become_undumpable(&err) < 0)
		fail_child(launch, &err);
	if (namespaces_join(&launch->plan->namespaces, launch->joins, &err) < 0)
		fail_child(launch, &err);
	/* With CLONE_PARENT there is no signal at the end to choose (clone(2), EINVAL). */
	pid = clone_process(launch, launch->plan->namespaces.clone | CLONE_PARENT, 0, &pidfd);
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

	launch->joiner = clone_process(launch, 0, SIGCHLD, &pidfd);
	if (launch->joiner < 0)
		return clone_error(err);
	if (launch->joiner == 0)
		joiner_main(launch);
	fd_close(&launch->init_wire);
	if (wire_expect(launch->wire, WIRE_PID, NULL, NULL, &launch->pid, err) < 0)
		return -1;
	/* Our child, not yet waited for: the pid cannot have become somebody else's. */
	launch->pidfd = sys_pidfd_open(launch->pid, 0);
	if (launch->pidfd < 0)
		return err_sys(err, "pidfd_open %d", (int)launch->pid);
	return 0;
}

int clone_init(struct launch *launch, struct err *err)
{
	const struct namespaces_plan *plan = &launch->plan->namespaces;
	int ends[2];

	/* What we clone inherits it, and so has it from birth. */
	if (!launch->plan->idmap.unprivileged && become_undumpable(err) < 0)
		return -1;
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

int clone_reap_joiner(struct launch *launch, struct err *err)
{
	(void)err;
	while (waitpid(launch->joiner, NULL, 0) < 0 && errno == EINTR)
		;
	launch->joiner = 0;
	return 0;
}

int clone_kill(int pidfd, pid_t pid, struct err *err)
{
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };
	int ready;

	if (sys_pidfd_send_signal(pidfd, SIGKILL) < 0 && errno != ESRCH)
		return err_sys(err, "kill process %d", (int)pid);
	do
		ready = poll(&ended, 1, KILL_TIMEOUT_MS);
	while (ready < 0 && errno == EINTR);
	return ready == 0 ? err_set(err, ETIMEDOUT, "process %d did not end", (int)pid) : 0;
}

int clone_undo(struct launch *launch, struct err *err)
{
	int status;

	if (launch->joiner > 0)
		clone_reap_joiner(launch, err);
	if (launch->pidfd < 0)
		return 0;
	if (clone_kill(launch->pidfd, launch->pid, err) < 0)
		return -1;
	/* ECHILD: not ours to reap. */
	while (waitpid(launch->pid, &status, 0) < 0 && errno == EINTR)
		;
	fd_close(&launch->pidfd);
	return 0;
}
