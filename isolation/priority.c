/*
 * OOM score, scheduler, I/O priority and memory policy, see priority.h. What the configuration is
 * silent about is never touched: the process keeps what its caller had.
 */
#include "isolation/priority.h"

#include <errno.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <stdlib.h>

#include "isolation/proc.h"
#include "runtime/base/array.h"

#define BITS_PER_WORD (8 * sizeof(unsigned long))

/* Linux 6.9; MPOL_MAX stands here in older headers */
#define MEMORY_POLICY_WEIGHTED_INTERLEAVE 6

/* set_mempolicy(2), "Memory Policy Modes": which need nodes and which must have none */
enum nodes_rule { NODES_NONE, NODES_MAY, NODES_MUST };
/* clang-format off */
static const struct {
	uint64_t mode;
	enum nodes_rule nodes;
} memory_modes[] = {
	{ MPOL_DEFAULT,                      NODES_NONE },
	{ MPOL_LOCAL,                        NODES_NONE },
	{ MPOL_PREFERRED,                    NODES_MAY },
	{ MPOL_PREFERRED_MANY,               NODES_MUST },
	{ MPOL_BIND,                         NODES_MUST },
	{ MPOL_INTERLEAVE,                   NODES_MUST },
	{ MEMORY_POLICY_WEIGHTED_INTERLEAVE, NODES_MUST },
};
/* clang-format on */

/* A number of a node list; false if there is none or it is beyond the mask. */
static bool parse_node(const char **at, unsigned long *node)
{
	char *end;

	if (**at < '0' || **at > '9')
		return false;
	*node = strtoul(*at, &end, 10);
	*at = end;
	return *node < MEMORY_POLICY_NODES_MAX;
}

/* cpuset(7), "List format": "0-3,7". One bit more than the highest is counted: the kernel takes one
 * off. */
static bool parse_nodes(const char *at, struct priority_plan *plan)
{
	for (;;) {
		unsigned long first, last;

		if (!parse_node(&at, &first))
			return false;
		last = first;
		if (*at == '-') {
			at++;
			if (!parse_node(&at, &last) || last < first)
				return false;
		}
		for (unsigned long node = first; node <= last; node++)
			plan->memory_nodes[node / BITS_PER_WORD] |= 1ul << (node % BITS_PER_WORD);
		if (last + 2 > plan->memory_nodes_max)
			plan->memory_nodes_max = last + 2;
		if (!*at)
			return true;
		if (*at++ != ',')
			return false;
	}
}

static int plan_memory(const struct spec_memory_policy *policy, struct priority_plan *plan,
		       struct err *err)
{
	bool nodes = policy->nodes && *policy->nodes;
	size_t i = 0;

	while (i < ARRAY_LEN(memory_modes) && memory_modes[i].mode != policy->mode)
		i++;
	if (i == ARRAY_LEN(memory_modes))
		return err_set(err, EINVAL, "linux.memoryPolicy.mode: unknown mode");
	if (nodes && memory_modes[i].nodes == NODES_NONE)
		return err_set(err, EINVAL, "linux.memoryPolicy.nodes: this mode takes no nodes");
	if (!nodes && memory_modes[i].nodes == NODES_MUST)
		return err_set(err, EINVAL, "linux.memoryPolicy.nodes: this mode needs nodes");
	if (nodes && !parse_nodes(policy->nodes, plan))
		return err_set(err, EINVAL,
			       "linux.memoryPolicy.nodes: '%.64s' is not a list of nodes below %d "
			       "like \"0-3,7\"",
			       policy->nodes, MEMORY_POLICY_NODES_MAX);
	plan->memory_set = true;
	plan->memory_mode = (int)(policy->mode | policy->flags);
	return 0;
}

int priority_plan(const struct spec *spec, const struct spec_process *process,
		  struct priority_plan *plan, struct err *err)
{
	const struct spec_scheduler *scheduler = &process->scheduler;
	const struct spec_io_priority *io = &process->io_priority;

	*plan = (struct priority_plan){
		.oom_set = process->oom_score_adj.set,
		.scheduler_set = scheduler->set,
		.scheduler = {
			.size = sizeof(plan->scheduler),
			.sched_policy = (uint32_t)scheduler->policy,
			.sched_flags = scheduler->flags,
			.sched_nice = (int32_t)scheduler->nice,
			.sched_priority = (uint32_t)scheduler->priority,
			.sched_runtime = scheduler->runtime,
			.sched_deadline = scheduler->deadline,
			.sched_period = scheduler->period,
		},
		.io_set = io->set,
		.io_priority = (int)IOPRIO_PRIO_VALUE(io->class, io->priority),
	};
	snprintf(plan->oom_score_adj, sizeof(plan->oom_score_adj), "%d",
		 (int)process->oom_score_adj.value);
	if (spec->linux.memory_policy.set && plan_memory(&spec->linux.memory_policy, plan, err) < 0)
		return -1;
	return 0;
}

/* proc_pid_oom_score_adj(5): going below the caller's own minimum needs CAP_SYS_RESOURCE */
int priority_apply_oom(const struct priority_plan *plan, int proc, pid_t pid, struct err *err)
{
	char path[64];

	if (!plan->oom_set)
		return 0;
	snprintf(path, sizeof(path), "%d/oom_score_adj", (int)pid);
	if (proc_write(proc, path, plan->oom_score_adj, err) == 0)
		return 0;
	err_wrap(err, "process.oomScoreAdj");
	return err->code == EACCES
		       ? err_hint(err, "a score below the caller's own needs CAP_SYS_RESOURCE")
		       : -1;
}

int priority_apply_scheduler(const struct priority_plan *plan, pid_t pid, struct err *err)
{
	if (plan->scheduler_set && sys_sched_setattr(pid, &plan->scheduler) < 0) {
		err_sys(err, "process.scheduler: sched_setattr");
		return err->code == EPERM
			       ? err_hint(err,
					  "a realtime policy or a nice value below the caller's "
					  "needs CAP_SYS_NICE")
			       : -1;
	}
	if (plan->io_set && sys_ioprio_set(IOPRIO_WHO_PROCESS, pid, plan->io_priority) < 0) {
		err_sys(err, "process.ioPriority: ioprio_set");
		return err->code == EPERM ? err_hint(err, "IOPRIO_CLASS_RT needs CAP_SYS_NICE")
					  : -1;
	}
	return 0;
}

int priority_apply_memory(const struct priority_plan *plan, struct err *err)
{
	const unsigned long *nodes = plan->memory_nodes_max ? plan->memory_nodes : NULL;

	if (!plan->memory_set)
		return 0;
	if (sys_set_mempolicy(plan->memory_mode, nodes, plan->memory_nodes_max) < 0)
		return err_sys(err, "linux.memoryPolicy: set_mempolicy");
	return 0;
}
