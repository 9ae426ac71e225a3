/*
 * How much the process counts: OOM score, scheduler, I/O priority, set from outside by pid; memory
 * policy, set inside.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "runtime/base/sys.h"
#include "spec/spec.h"

#define MEMORY_POLICY_NODES_MAX 4096

struct priority_plan {
	bool oom_set;
	char oom_score_adj[8]; /* text for /proc/PID/oom_score_adj */
	bool scheduler_set;
	struct sys_sched_attr scheduler;
	bool io_set;
	int io_priority; /* for ioprio_set(2) */
	bool memory_set;
	int memory_mode; /* with its flags, for set_mempolicy(2) */
	unsigned long memory_nodes[MEMORY_POLICY_NODES_MAX / (8 * sizeof(unsigned long))];
	unsigned long memory_nodes_max; /* bits, as set_mempolicy(2) counts them; 0: no mask */
};

int priority_plan(const struct spec *spec, const struct spec_process *process,
		  struct priority_plan *plan, struct err *err);

/* To another process, through its file below `proc`. */
int priority_apply_oom(const struct priority_plan *plan, int proc, pid_t pid, struct err *err);

/* To another process; and the I/O priority. */
int priority_apply_scheduler(const struct priority_plan *plan, pid_t pid, struct err *err);

/* In init, to itself. */
int priority_apply_memory(const struct priority_plan *plan, struct err *err);
