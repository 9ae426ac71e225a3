/*
 * The judgements that rows have of their own, by the files that they are in. A row names one by its
 * number (JUDGE_memory for judge_memory()), for rows hold no pointers: see cases.h. Whoever writes
 * a new one adds its name to the list.
 *
 * A judgement looks at the target itself. true: contained. It says what it saw in result->observed
 * either way. One that finds that the row can prove nothing here (the configuration grants it, the
 * kernel has no such thing) sets result->verdict and reason, and that stands: judge_undecided().
 */
#pragma once

#include "selftest/cases.h"

/* clang-format off */
#define JUDGES(JUDGE)										\
	/* judge.c */ JUDGE(limitation)								\
	/* liveness */ JUDGE(nonce)								\
	/* mounts */ JUDGE(namespaces) JUDGE(interfaces) JUDGE(hostname) JUDGE(user_map)	\
		JUDGE(propagation)								\
	/* kernel */ JUDGE(threads) JUDGE(filter)						\
	/* credentials */ JUDGE(sets) JUDGE(ruling) JUDGE(no_new_privs) JUDGE(low_port)		\
		JUDGE(parent)									\
	/* files */ JUDGE(flag) JUDGE(identity) JUDGE(bound) JUDGE(root) JUDGE(size)		\
		JUDGE(file_size) JUDGE(hardlinks) JUDGE(owner)					\
	/* landlock */ JUDGE(right) JUDGE(gap) JUDGE(ring) JUDGE(handled) JUDGE(abi)		\
	/* procfs */ JUDGE(masked) JUDGE(protected) JUDGE(path) JUDGE(own_filesystem)		\
		JUDGE(network_settings) JUDGE(first_process) JUDGE(program) JUDGE(magic)	\
		JUDGE(devices) JUDGE(console)							\
	/* limits */ JUDGE(membership) JUDGE(processes) JUDGE(memory) JUDGE(swap) JUDGE(cpu)	\
		JUDGE(cpuset) JUDGE(io) JUDGE(huge_pages) JUDGE(rlimits)			\
	/* network */ JUDGE(route) JUDGE(families) JUDGE(netlink_route) JUDGE(landlock)		\
		JUDGE(own_network) JUDGE(policy)						\
	/* history */ JUDGE(dirty_pipe) JUDGE(dirty_cow) JUDGE(inheritable)			\
	/* hygiene */ JUDGE(fds) JUDGE(environment) JUDGE(directory) JUDGE(umask)		\
		JUDGE(groups) JUDGE(personality) JUDGE(signals) JUDGE(terminal) JUDGE(core)	\
		JUDGE(inherited)

#define JUDGE_NUMBER(name) JUDGE_##name,
enum { JUDGE_NONE, JUDGES(JUDGE_NUMBER) };
#undef JUDGE_NUMBER

#define JUDGE_FUNCTION(name) bool judge_##name(const struct evidence *evidence, struct result *result);
JUDGES(JUDGE_FUNCTION)
#undef JUDGE_FUNCTION
/* clang-format on */

/* Lets the row's own judgement decide, or judge_errno() where it has none. */
bool judge_row(const struct evidence *evidence, struct result *result);
