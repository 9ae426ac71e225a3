/*
 * Hooks: programs of the configuration that run at fixed points of the life of a container.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "runtime/base/err.h"
#include "spec/spec.h"

/*
 * Runs the hooks of one kind in order, each with the state on its standard input, in a process
 * group of its own, and waits for it. A failure ends the list (stop_on_failure) or is logged as a
 * warning and the next one runs. The error names hook and reason: "hooks.createRuntime[1] /path:
 * exited with 3". Allocates nothing; safe in the child.
 */
int hooks_run(const struct spec_hook_list *hooks, const char *kind, const char *state_json,
	      size_t size, bool stop_on_failure, struct err *err);

struct launch;

/* The same, stopping on failure, for hooks whose programs are the container's files: `confine` is
 * done to the process of each before it becomes the hook. */
int hooks_run_confined(const struct spec_hook_list *hooks, const char *kind, const char *state_json,
		       size_t size, int (*confine)(struct launch *launch, struct err *err),
		       struct launch *launch, struct err *err);
