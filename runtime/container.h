/*
 * The verbs: all that the commands and the selftest do with a container (runtime.md, "Operations").
 *
 * Which verb is allowed in which status is one table in container.c. A verb that changes a
 * container holds its lock while it looks and acts, so that two at once are one after the other;
 * kill, exec and those that only look take none. What is given back is from the arena of the
 * settings.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "isolation/plan.h"
#include "runtime/exec.h"
#include "runtime/state.h"

/* What the options in front of the command say. */
struct settings {
	const char *root; /* NULL: the default */
	int rootless;	  /* true, false, or -1: find out */
	enum cgroup_manager cgroup_manager;
	bool best_effort_cgroup;
	int *seal; /* what seal_executable() left open; NULL: it was not called */
	struct arena *arena;
};

/* Reads the bundle, plans, and launches: a created container that waits for `start`. */
int container_create(const struct settings *settings, const struct request *request,
		     struct err *err);

/* Lets the program go and runs the poststart hooks; if one of those fails, the program is killed.
 * An error says why the program could not be executed. */
int container_start(const struct settings *settings, const char *id, struct err *err);

/*
 * create and start; then, unless detached, waits for the program, deletes the container, and gives
 * the exit status: the program's own, 128 + n for signal n.
 */
int container_run(const struct settings *settings, const struct request *request, int *status,
		  struct err *err);

/* A further process in a running container; *status as above, 0 if detached. */
int container_exec(const struct settings *settings, const struct request *request,
		   const struct exec_process *process, int *status, struct err *err);

/* Sends a signal to init; `all`: to every process in the cgroup, where it is no error if there is
 * none left. */
int container_kill(const struct settings *settings, const char *id, int signal, bool all,
		   struct err *err);

/* Undoes what create did, and runs the poststop hooks. `force`: whatever the container does, and
 * also if its state is damaged; that there is none is no error then. */
int container_delete(const struct settings *settings, const char *id, bool force, struct err *err);

/* Freezes the container, or lets it go on, and waits until it has (ten seconds at most). */
int container_pause(const struct settings *settings, const char *id, bool pause, struct err *err);

/* The state of the container, and its status now. */
int container_state(const struct settings *settings, const char *id, struct state **state,
		    enum state_status *status, struct err *err);

/* Its configuration as it was at create. */
int container_config(const struct settings *settings, const char *id, struct spec **spec,
		     struct err *err);

/* The ids of all containers, sorted. */
int container_list(const struct settings *settings, struct spec_strings *ids, struct err *err);

/*
 * Shows all containers that can be read to `visit`, sorted; of the others it warns. One that is
 * deleted while we look is no error: it is no longer there. A state, and what comes from the arena
 * beside it, lives until `visit` returns: all together may be more than a command may have.
 */
int container_each(const struct settings *settings,
		   void (*visit)(const struct state *state, enum state_status status,
				 struct arena *arena, void *data),
		   void *data, struct err *err);

/* The pids of the container's processes. */
int container_pids(const struct settings *settings, const char *id, pid_t **pids, size_t *len,
		   struct err *err);

/* The plan that create would carry out. */
int container_plan(const struct settings *settings, const struct request *request,
		   struct plan **plan, struct err *err);
