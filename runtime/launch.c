/*
 * The life of a launch, see launch.h. What is done to make a container is in outside.c and init.c.
 */
#include "runtime/launch.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "isolation/diagnose.h"
#include "runtime/base/array.h"
#include "runtime/base/clock.h"
#include "runtime/base/fd.h"
#include "runtime/hooks.h"
#include "runtime/outside.h"

static void launch_clear(struct launch *launch, int root, struct arena *arena)
{
	memset(launch, 0, sizeof(*launch));
	launch->arena = arena;
	launch->root = root;
	launch->state = launch->cgroup = launch->start = launch->console = -1;
	launch->proc = launch->wire = launch->init_wire = launch->pidfd = -1;
	launch->rootfs = launch->dev = launch->landlock = -1;
	for (size_t i = 0; i < NAMESPACES_MAX; i++)
		launch->joins[i] = -1;
}

static const char *now_text(struct arena *arena)
{
	char text[CLOCK_TEXT_SIZE];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	clock_text(now.tv_sec, text);
	return arena_format(arena, "%s.%09ldZ", text, now.tv_nsec);
}

void launch_init(struct launch *launch, const struct plan *plan, const struct request *request,
		 int root, struct arena *arena)
{
	launch_clear(launch, root, arena);
	launch->plan = plan;
	launch->request = request;
	launch->hooks = &plan->hooks;
	launch->mounts = arena_new_array(arena, int, plan->mounts.len + 1);
	for (size_t i = 0; i < plan->mounts.len; i++)
		launch->mounts[i] = -1;
	launch->record = (struct state){
		.id = plan->id,
		.bundle = plan->bundle,
		.rootfs = plan->rootfs.path,
		.created = now_text(arena),
		.owner = geteuid() == 0 ? "root" : arena_format(arena, "%u", (unsigned)geteuid()),
		.cgroup_root = plan->cgroup.wanted ? plan->cgroup.root : NULL,
		.cgroup_path = plan->cgroup.wanted ? plan->cgroup.path : NULL,
		.creating = true,
		.run = plan->run,
		.poststart = plan->hooks.poststart.len > 0,
		.poststop = plan->hooks.poststop.len > 0,
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
	size_t reached;
	struct err undo;

	if (steps_run(outside_steps, outside_steps_len, launch, &reached, err) == 0)
		return 0;
	diagnose_memory(launch->cgroup, err); /* which will be gone */
	steps_undo(outside_steps, reached, launch, &undo);
	return -1;
}

int launch_undo(struct launch *launch, struct err *err)
{
	return steps_undo(outside_steps, outside_steps_len, launch, err);
}

int launch_hooks(const struct spec_hook_list *hooks, const char *kind, const struct state *state,
		 enum state_status status, bool stop_on_failure, struct arena *arena,
		 struct err *err)
{
	size_t size;
	char *text;

	if (!hooks->len)
		return 0;
	text = state_oci(state, status, arena, &size);
	return hooks_run(hooks, kind, text, size, stop_on_failure, err);
}

int launch_keep_notes(int dir, struct state *state, struct wire_notes *notes, struct arena *arena,
		      struct err *err)
{
	struct spec_strings *known = &state->notes;
	const char **item;

	if (!notes->len)
		return 0;
	item = arena_new_array(arena, const char *, known->len + notes->len + 1);
	for (size_t i = 0; i < known->len; i++)
		item[i] = known->item[i];
	for (size_t i = 0; i < notes->len; i++)
		item[known->len + i] = arena_copy(arena, notes->text[i], strlen(notes->text[i]));
	known->item = item;
	known->len += notes->len;
	notes->len = 0;
	return state_save(dir, state, arena, err);
}

void launch_close(struct launch *launch)
{
	int *own[] = { &launch->state, &launch->cgroup,	   &launch->start, &launch->proc,
		       &launch->wire,  &launch->init_wire, &launch->pidfd, &launch->console };

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		fd_close(own[i]);
	for (size_t i = 0; i < NAMESPACES_MAX; i++)
		fd_close(&launch->joins[i]);
	if (launch->hook_state)
		munmap(launch->hook_state, launch->hook_state_max);
	if (launch->filter)
		munmap(launch->filter, sizeof(*launch->filter));
	launch->hook_state = NULL;
	launch->filter = NULL;
}
