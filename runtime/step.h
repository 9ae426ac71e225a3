/*
 * Lists of steps: the design of a launch as data. A row says its name, whether it is wanted, what
 * it does, how to undo it, and why it stands where it stands. `agentd explain` prints the rows.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "runtime/base/err.h"

struct plan;
struct launch;

enum { FOR_CREATE = 1, FOR_EXEC = 2, FOR_BOTH = FOR_CREATE | FOR_EXEC };

struct step {
	const char *name;
	unsigned in;				 /* FOR_CREATE, FOR_EXEC or FOR_BOTH */
	bool (*wanted)(const struct plan *plan); /* NULL: always */
	int (*run)(struct launch *launch, struct err *err);
	int (*undo)(struct launch *launch, struct err *err); /* NULL: nothing to undo */
	const char *why; /* why here, not earlier and not later */
};

/* For rows of both lists, where one side waits for what the other sends. */
bool step_wants_runtime_hooks(const struct plan *plan);
bool step_wants_terminal(const struct plan *plan);

/* Whether the row is part of this launch. */
bool step_wanted(const struct step *step, const struct plan *plan);

/* Runs the rows in order. If one fails, its name is put in front of the error; *reached: the number
 * of rows that have something to be undone, the failed one among them: it may have done a part.
 * NULL: nothing is to be undone, as in init, whose namespaces end with it. */
int steps_run(const struct step *steps, size_t len, struct launch *launch, size_t *reached,
	      struct err *err);

/* Runs the undo column backward; errors are logged and do not stop it. 0, or -1 if any failed (err:
 * the first). */
int steps_undo(const struct step *steps, size_t len, struct launch *launch, struct err *err);
