/*
 * Making the plan: the sum of the parts, see plan.h. The order of the calls is the order in which
 * the parts know of each other: namespaces first, because most decisions depend on what the
 * container has of its own.
 */
#include "isolation/plan.h"

#include <errno.h>
#include <sched.h>

static int check_terminal(const struct spec_process *process, const struct request *request,
			  struct err *err)
{
	if (process->terminal && request->detach && !request->console_socket)
		return err_set(
			err, EINVAL,
			"process.terminal: cannot allocate tty if agentd will detach without "
			"setting console socket; give --console-socket, or run without --detach");
	if (request->console_socket && !(request->detach && process->terminal))
		return err_set(
			err, EINVAL,
			"--console-socket: cannot use console socket if agentd will not detach "
			"or allocate tty; set process.terminal");
	return 0;
}

/* What concerns the process alone, for create and exec alike: one path, so that exec forgets no
 * layer (CVE-2019-10144). */
static int plan_process(const struct spec *spec, const struct spec_process *process,
			const struct host *host, const struct request *request, struct arena *arena,
			struct plan *plan, struct err *err)
{
	uint64_t own = plan->namespaces.own;

	plan->id = request->id;
	plan->no_new_privileges = process->no_new_privileges;
	if (check_terminal(process, request, err) < 0 ||
	    process_plan(spec, process, own, request->keep_fds, arena, &plan->process, err) < 0 ||
	    identity_plan(spec, process, &plan->idmap, &plan->identity, err) < 0 ||
	    caps_plan(process, host, &plan->caps, err) < 0 ||
	    limits_plan(spec, process, &plan->limits, err) < 0 ||
	    priority_plan(spec, process, &plan->priority, err) < 0 ||
	    label_plan(process, host, !request->no_new_keyring, arena, &plan->label, err) < 0 ||
	    landlock_plan(process, host, arena, &plan->landlock, err) < 0 ||
	    seccomp_plan(spec, host, arena, &plan->seccomp, err) < 0 ||
	    seccomp_check_exec(&plan->seccomp, err) < 0)
		return -1;
	return 0;
}

/*
 * The device rules need a cgroup to be attached to. Without one a caller who is root could still
 * open nodes of the rootfs and of what is bound; a rootless one opens nothing that he could not
 * open outside.
 */
static int check_device_rules(const struct plan *plan, const struct request *request,
			      struct err *err)
{
	bool asked = request->best_effort_cgroup ||
		     request->cgroup_manager == CGROUP_MANAGER_DISABLED;

	if (!plan->devices_bpf.must || plan->cgroup.wanted || asked)
		return 0;
	return err_set(err, EOPNOTSUPP,
		       "linux.resources.devices: the rules need a cgroup, and the container has "
		       "none: %s, or run with --best-effort cgroup to go without them",
		       plan->cgroup.lack);
}

/* Such a hook has all of our privileges, and its program would be a file of whoever lives in the
 * mount namespace that is joined. */
static int check_create_container_hooks(const struct plan *plan, struct err *err)
{
	const struct namespaces_plan *namespaces = &plan->namespaces;

	if (!plan->hooks.create_container.len ||
	    !(namespaces->own & ~namespaces->clone & CLONE_NEWNS))
		return 0;
	err_set(err, EINVAL,
		"hooks.createContainer: the programs would be found in the mount namespace that is "
		"joined, and run with all privileges");
	return err_hint(err, "use hooks.createRuntime, whose programs are the host's, or "
			     "hooks.startContainer");
}

static void collect_notes(const struct spec *spec, struct plan *plan, struct arena *arena)
{
	const struct cgroup_plan *cgroup = &plan->cgroup;
	const struct landlock_plan *landlock = &plan->landlock;

	plan->notes =
		arena_new_array(arena, const char *, cgroup->notes_len + landlock->notes_len + 2);
	if (spec->linux.resources.devices.len && !cgroup->wanted && !plan->exec)
		plan->notes[plan->notes_len++] =
			"linux.resources.devices is not enforced: the container has no cgroup";
	for (size_t i = 0; i < cgroup->notes_len; i++)
		plan->notes[plan->notes_len++] = cgroup->notes[i];
	for (size_t i = 0; i < landlock->notes_len; i++)
		plan->notes[plan->notes_len++] = landlock->notes[i];
}

int plan_make(const struct spec *spec, const struct host *host, const struct request *request,
	      struct arena *arena, struct plan **out, struct err *err)
{
	struct plan *plan = arena_new_object(arena, struct plan);
	uint64_t own;

	plan->bundle = request->bundle;
	plan->run = request->run;
	plan->hooks = spec->hooks;
	plan->annotations = spec->annotations;
	if (namespaces_plan(spec, host, arena, &plan->namespaces, err) < 0)
		return -1;
	own = plan->namespaces.own;
	if (check_create_container_hooks(plan, err) < 0 ||
	    idmap_plan(spec, host, arena, &plan->idmap, err) < 0 ||
	    cgroup_plan(spec, host, request->cgroup_manager, request->best_effort_cgroup,
			request->id, arena, &plan->cgroup, err) < 0 ||
	    devices_bpf_plan(spec, host, arena, &plan->devices_bpf, err) < 0 ||
	    check_device_rules(plan, request, err) < 0 ||
	    sysctl_plan(spec, own, arena, &plan->sysctl, err) < 0 ||
	    rootfs_plan(spec, own, request->bundle, request->no_pivot, arena, &plan->rootfs, err) <
		    0 ||
	    mounts_plan(spec, host, own, request->bundle, arena, &plan->mounts, err) < 0 ||
	    devices_plan(spec, host, own, arena, &plan->devices, err) < 0 ||
	    plan_process(spec, &spec->process, host, request, arena, plan, err) < 0)
		return -1;
	collect_notes(spec, plan, arena);
	*out = plan;
	return 0;
}

/*
 * The container's user namespace decides which ids exist and whether groups can be set; its maps
 * are written already, and so is everything that is not of the process.
 */
int plan_make_exec(const struct spec *spec, const struct spec_process *process,
		   const struct host *host, const struct request *request, struct arena *arena,
		   struct plan **out, struct err *err)
{
	struct plan *plan = arena_new_object(arena, struct plan);
	struct namespaces_plan created = { 0 };

	if (request->exec_cgroup && !request->in_cgroup)
		return err_set(err, EINVAL, "--cgroup: container %s has no cgroup", request->id);
	plan->exec = true;
	plan->run = true;
	plan->cgroup.wanted = request->in_cgroup;
	plan->bundle = request->bundle;
	if (namespaces_plan(spec, host, arena, &created, err) < 0 ||
	    namespaces_plan_exec(request->init, created.all, &plan->namespaces, err) < 0 ||
	    idmap_plan(spec, host, arena, &plan->idmap, err) < 0 ||
	    plan_process(spec, process, host, request, arena, plan, err) < 0)
		return -1;
	plan->idmap.write = false;
	plan->process.hostname = plan->process.domainname = NULL;
	collect_notes(spec, plan, arena);
	*out = plan;
	return 0;
}
