/*
 * The verbs, see container.h: which status allows what, and in which order a verb uses the launch,
 * the state and the cgroup. How any of them works is theirs.
 *
 * Verbs that act on a process through its pidfd (kill, exec) take no lock: a hook may call them
 * while the verb that runs it holds the lock. Those that only look are in container_look.c.
 */
#include "runtime/container.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "isolation/diagnose.h"
#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/sys.h"
#include "runtime/clone.h"
#include "runtime/console.h"
#include "runtime/exec.h"
#include "runtime/found.h"
#include "runtime/launch.h"
#include "runtime/start.h"

#define FREEZE_TIMEOUT_MS 10000

#define IN(status) (1u << STATUS_##status)

enum verb { VERB_START, VERB_KILL, VERB_EXEC, VERB_PAUSE, VERB_RESUME, VERB_DELETE };

/* What may be done when. The texts are those that callers of runc look for. */
static const struct {
	unsigned allowed;
	const char *refusal;
} verbs[] = {
	[VERB_START] = { IN(CREATED), "cannot start the container" },
	[VERB_KILL] = { IN(CREATED) | IN(RUNNING) | IN(PAUSED), "container not running" },
	[VERB_EXEC] = { IN(RUNNING), "container not running" },
	[VERB_PAUSE] = { IN(CREATED) | IN(RUNNING), "container not running" },
	[VERB_RESUME] = { IN(PAUSED), "container not paused" },
	[VERB_DELETE] = { IN(CREATED) | IN(STOPPED), "cannot delete a container that is not "
						     "stopped; stop it with kill, or use --force" },
};

static int check_verb(const struct found *found, enum verb verb, struct err *err)
{
	if (verbs[verb].allowed & (1u << found->status))
		return 0;
	return err_set(err, EINVAL, "%s: container %s is %s", verbs[verb].refusal, found->state->id,
		       state_status_text(found->status));
}

/* found_open() and check_verb(), for verbs that need both and nothing between. */
static int find_for(const struct settings *settings, const char *id, enum verb verb, bool lock,
		    struct found *found, struct err *err)
{
	return found_open(settings, id, lock, found, err) < 0 ? -1 : check_verb(found, verb, err);
}

/* --- create, run ----------------------------------------------------------------------------- */

static int make_plan(const struct settings *settings, const struct request *request,
		     const struct host *host, struct plan **plan, const char **config, size_t *size,
		     struct err *err)
{
	struct spec *spec;

	if (spec_load_bundle(request->bundle, settings->arena, &spec, config, size, err) < 0)
		return -1;
	return plan_make(spec, host, request, settings->arena, plan, err);
}

int container_plan(const struct settings *settings, const struct request *request,
		   struct plan **plan, struct err *err)
{
	struct host host;

	if (host_probe(&host, settings->rootless, settings->arena, err) < 0)
		return -1;
	return make_plan(settings, request, &host, plan, NULL, NULL, err);
}

static int run_launch(struct launch *launch, const struct host *host, struct err *err)
{
	for (size_t i = 0; i < launch->plan->notes_len; i++)
		log_warn("%s", launch->plan->notes[i]);
	if (launch_run(launch, err) == 0)
		return 0;
	diagnose(launch->plan, host, err);
	launch_close(launch);
	return -1;
}

/* A created container. *root is borrowed by the launch. */
static int create(const struct settings *settings, const struct request *request,
		  struct launch *launch, int *root, struct err *err)
{
	struct host host;
	struct plan *plan;
	const char *config;
	size_t size;

	if (state_id_check(request->id, err) < 0 ||
	    host_probe(&host, settings->rootless, settings->arena, err) < 0 ||
	    found_open_root(settings, true, root, err) < 0 ||
	    make_plan(settings, request, &host, &plan, &config, &size, err) < 0)
		return -1;
	launch_init(launch, plan, request, *root, settings->arena);
	launch->seal = settings->seal;
	launch->config = config;
	launch->config_size = size;
	return run_launch(launch, &host, err);
}

int container_create(const struct settings *settings, const struct request *request,
		     struct err *err)
{
	autoclose int root = -1;
	struct launch launch;

	if (create(settings, request, &launch, &root, err) < 0)
		return -1;
	launch_close(&launch);
	return 0;
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* The cgroup of a container that only just ran knows of no other end. */
static void tell_of_memory(const struct launch *launch, int status)
{
	struct err why;

	if (launch->plan->exec || !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		return;
	err_set(&why, EPIPE, "the program was killed");
	if (diagnose_memory(launch->cgroup, &why))
		log_warn("%s", why.text);
}

/* For a new container, whose program runs now. */
static int finish_start(struct launch *launch, struct err *err)
{
	if (launch_keep_notes(launch->state, &launch->record, &launch->notes, launch->arena, err) <
	    0)
		return -1;
	return launch_hooks(&launch->hooks->poststart, "poststart", &launch->record, STATUS_RUNNING,
			    true, launch->arena, err);
}

/* Lets the program go and, unless detached, stays until it ends. A signal that comes meanwhile
 * waits to be forwarded. */
static int start_and_wait(struct launch *launch, int *status, struct err *err)
{
	*status = 0;
	if (!launch->request->detach && console_block_signals(err) < 0)
		return -1;
	if (start_by_wire(launch, err) < 0)
		return -1;
	if (!launch->plan->exec && finish_start(launch, err) < 0)
		return -1;
	if (launch->request->detach)
		return 0;
	if (launch->state >= 0)
		state_unlock(launch->state); /* others may look, kill, exec and delete meanwhile */
	if (console_foreground(launch->console, launch->pid, launch->pidfd, status, err) < 0)
		return -1;
	tell_of_memory(launch, *status);
	*status = exit_status(*status);
	return 0;
}

/* The end of a run: what create did is undone, unless somebody was quicker and deleted it. */
static int undo_run(struct launch *launch, struct err *err)
{
	struct err gone;

	if (state_lock(launch->state, launch->record.id, &gone) < 0 && gone.code == ENOENT)
		return 0;
	return launch_undo(launch, err);
}

int container_run(const struct settings *settings, const struct request *request, int *status,
		  struct err *err)
{
	struct request wire = *request;
	autoclose int root = -1;
	struct launch launch;
	struct err undo;
	int result;

	wire.run = true;
	if (create(settings, &wire, &launch, &root, err) < 0)
		return -1;
	result = start_and_wait(&launch, status, err);
	if (result < 0)
		undo_run(&launch, &undo); /* what failed first is told */
	else if (!request->detach && !request->keep)
		result = undo_run(&launch, err);
	launch_close(&launch);
	return result;
}

/* --- start ----------------------------------------------------------------------------------- */

/* Kills the very process that was recorded, and waits until it has ended. */
static void stop(const struct state *state)
{
	autoclose int pidfd = state_open_pid(state);
	struct err ignored;

	if (pidfd >= 0)
		clone_kill(pidfd, (pid_t)state->pid, &ignored);
}

static int start(const struct settings *settings, const struct found *found, struct err *err)
{
	struct wire_notes notes = { .len = 0 };
	struct spec *spec = NULL;
	autoclose int answer = -1;

	if (found->state->poststart && found_config(settings, found, &spec, err) < 0)
		return -1;
	answer = start_by_socket(found->dir, err);
	if (answer < 0)
		return -1;
	if (wire_expect_end(answer, &notes, err) == 0 &&
	    launch_keep_notes(found->dir, found->state, &notes, settings->arena, err) == 0 &&
	    (!spec || launch_hooks(&spec->hooks.poststart, "poststart", found->state,
				   STATUS_RUNNING, true, settings->arena, err) == 0))
		return 0;
	/* runtime-spec 1.3, lifecycle, steps 7 to 9; and callers delete it at once. */
	stop(found->state);
	return -1;
}

int container_start(const struct settings *settings, const char *id, struct err *err)
{
	autofound struct found found;

	if (find_for(settings, id, VERB_START, true, &found, err) < 0)
		return -1;
	return start(settings, &found, err);
}

/* --- exec ------------------------------------------------------------------------------------ */

static int exec_launch(const struct settings *settings, const struct request *request,
		       const struct found *found, const struct exec_process *flags,
		       struct launch *launch, struct err *err)
{
	struct spec_process process;
	struct host host;
	struct spec *spec;
	struct plan *plan;

	if (host_probe(&host, settings->rootless, settings->arena, err) < 0 ||
	    found_config(settings, found, &spec, err) < 0 ||
	    exec_process_make(flags, spec, settings->arena, &process, err) < 0 ||
	    plan_make_exec(spec, &process, &host, request, settings->arena, &plan, err) < 0)
		return -1;
	launch_init(launch, plan, request, found->root, settings->arena);
	launch->seal = settings->seal;
	launch->record = *found->state;
	return run_launch(launch, &host, err);
}

int container_exec(const struct settings *settings, const struct request *request,
		   const struct exec_process *process, int *status, struct err *err)
{
	struct request inside = *request;
	autofound struct found found;
	struct launch launch;
	struct err undo;
	int result;

	if (found_open(settings, request->id, false, &found, err) < 0)
		return -1;
	if (!(request->ignore_paused && found.status == STATUS_PAUSED) &&
	    check_verb(&found, VERB_EXEC, err) < 0)
		return -1;
	inside.init = (pid_t)found.state->pid;
	inside.in_cgroup = found.state->cgroup_path != NULL;
	inside.bundle = found.state->bundle;
	if (exec_launch(settings, &inside, &found, process, &launch, err) < 0)
		return -1;
	result = start_and_wait(&launch, status, err);
	if (result < 0)
		launch_undo(&launch, &undo);
	launch_close(&launch);
	return result;
}

/* --- kill, pause, delete --------------------------------------------------------------------- */

static int open_cgroup(const struct state *state, int *cgroup, struct err *err)
{
	if (!state->cgroup_path)
		return err_set(err, EINVAL,
			       "container %s has no cgroup, which pausing needs; the notes of "
			       "agentd state say why",
			       state->id);
	return cgroup_open(state->cgroup_root, state->cgroup_path, cgroup, err);
}

static int kill_init(const struct found *found, int signal, struct err *err)
{
	autoclose int pidfd = -1;

	if (check_verb(found, VERB_KILL, err) < 0)
		return -1;
	pidfd = state_open_pid(found->state);
	if (pidfd < 0 || sys_pidfd_send_signal(pidfd, signal) < 0) {
		if (errno == ESRCH)
			return err_set(err, ESRCH, "container not running: %s", found->state->id);
		return err_sys(err, "send signal %d to container %s", signal, found->state->id);
	}
	return 0;
}

/* Without an error where there is nobody left: callers do it to make sure. */
static int kill_all(const struct found *found, int signal, struct err *err)
{
	autoclose int cgroup = -1;

	if (!found->state->cgroup_path)
		return found->status == STATUS_STOPPED ? 0 : kill_init(found, signal, err);
	if (open_cgroup(found->state, &cgroup, err) < 0)
		return err->code == ENOENT ? 0 : -1;
	return signal == SIGKILL ? cgroup_kill(cgroup, err) : cgroup_signal(cgroup, signal, err);
}

int container_kill(const struct settings *settings, const char *id, int signal, bool all,
		   struct err *err)
{
	autofound struct found found;

	if (found_open(settings, id, false, &found, err) < 0)
		return -1;
	return all ? kill_all(&found, signal, err) : kill_init(&found, signal, err);
}

int container_pause(const struct settings *settings, const char *id, bool pause, struct err *err)
{
	autoclose int cgroup = -1;
	autofound struct found found;

	if (find_for(settings, id, pause ? VERB_PAUSE : VERB_RESUME, true, &found, err) < 0 ||
	    open_cgroup(found.state, &cgroup, err) < 0)
		return -1;
	return cgroup_freeze(cgroup, pause, FREEZE_TIMEOUT_MS, err);
}

/* NULL: there are none to run. Those that cannot be read any more must not keep a container from
 * being deleted. */
static const struct spec_hooks *poststop_of(const struct settings *settings,
					    const struct found *found)
{
	struct spec *spec;
	struct err err;

	if (!found->state->poststop)
		return NULL;
	if (found_config(settings, found, &spec, &err) == 0)
		return &spec->hooks;
	log_warn("no poststop hooks for container %s: %s", found->state->id, err.text);
	return NULL;
}

static int undo(const struct settings *settings, struct found *found, struct err *err)
{
	const struct spec_hooks *hooks = poststop_of(settings, found);
	struct launch launch;
	int result;

	launch_init_existing(&launch, found->state, fd_take(&found->dir), found->root, hooks,
			     settings->arena);
	result = launch_undo(&launch, err);
	launch_close(&launch);
	return result;
}

/* A container whose state cannot be read (the machine went down while it was written): with --force
 * the id becomes free again. */
static int remove_damaged(const struct settings *settings, const char *id, struct err *err)
{
	autoclose int root = -1, dir = -1;

	log_warn("%s", err->text);
	if (found_open_root(settings, false, &root, err) < 0 ||
	    state_open(root, id, true, &dir, err) < 0)
		return -1;
	return state_remove(root, id, dir, err);
}

int container_delete(const struct settings *settings, const char *id, bool force, struct err *err)
{
	autofound struct found found;

	if (found_open(settings, id, true, &found, err) < 0) {
		if (force && err->code == ENOENT)
			return 0;
		return force && err->code == EBADMSG ? remove_damaged(settings, id, err) : -1;
	}
	if (!force && check_verb(&found, VERB_DELETE, err) < 0)
		return -1;
	return undo(settings, &found, err);
}
