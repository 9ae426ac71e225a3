/*
 * The verbs that only look, see container.h. They take no lock: a hook may call them while the verb
 * that runs it holds the lock.
 */
#include <errno.h>

#include "isolation/cgroup.h"
#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/found.h"

int container_state(const struct settings *settings, const char *id, struct state **state,
		    enum state_status *status, struct err *err)
{
	autofound struct found found;

	if (found_open(settings, id, false, &found, err) < 0)
		return -1;
	*state = found.state;
	*status = found.status;
	return 0;
}

int container_config(const struct settings *settings, const char *id, struct spec **spec,
		     struct err *err)
{
	autofound struct found found;

	return found_open(settings, id, false, &found, err) < 0
		       ? -1
		       : found_config(settings, &found, spec, err);
}

int container_list(const struct settings *settings, struct spec_strings *ids, struct err *err)
{
	autoclose int root = -1;

	if (found_open_root(settings, false, &root, err) < 0)
		return err->code == ENOENT ? 0 : -1;
	return state_ids(root, settings->arena, ids, err);
}

int container_each(const struct settings *settings,
		   void (*visit)(const struct state *state, enum state_status status,
				 struct arena *arena, void *data),
		   void *data, struct err *err)
{
	struct cgroup_top top = { .fd = -1 };
	struct spec_strings ids = { 0 };
	autoclose int root = -1;
	struct arena *arena;

	if (found_open_root(settings, false, &root, err) < 0)
		return err->code == ENOENT ? 0 : -1;
	if (state_ids(root, settings->arena, &ids, err) < 0)
		return -1;
	arena = arena_new(ARENA_LIMIT);
	for (size_t i = 0; i < ids.len; i++) {
		struct state *state;
		struct err why;

		if (state_load(root, ids.item[i], arena, &state, &why) == 0)
			visit(state, state_status(root, &top, state), arena, data);
		else if (why.code != ENOENT)
			log_warn("list: %s", why.text);
		arena_clear(arena);
	}
	arena_free(arena);
	fd_close(&top.fd);
	return 0;
}

int container_pids(const struct settings *settings, const char *id, pid_t **pids, size_t *len,
		   struct err *err)
{
	autoclose int cgroup = -1;
	autofound struct found found;

	if (found_open(settings, id, false, &found, err) < 0)
		return -1;
	*len = 0;
	if (found.state->cgroup_path) {
		if (cgroup_open(found.state->cgroup_root, found.state->cgroup_path, &cgroup, err) <
		    0)
			return err->code == ENOENT ? 0 : -1;
		return cgroup_pids(cgroup, settings->arena, pids, len, err);
	}
	*pids = arena_new_object(settings->arena, pid_t);
	**pids = (pid_t)found.state->pid;
	*len = found.status == STATUS_CREATED || found.status == STATUS_RUNNING;
	return 0;
}
