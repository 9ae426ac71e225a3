/*
 * Landlock (landlock(7)): rules from the configuration, cut to the kernel's ABI, made into a
 * ruleset, enforced.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "isolation/host.h"
#include "isolation/mounts.h"
#include "spec/spec.h"

struct landlock_rule {
	uint64_t allowed;
	const char *path;
};
struct landlock_port {
	uint64_t allowed, port;
};

struct landlock_plan {
	bool wanted;
	bool best_effort;
	uint64_t fs, net, scoped; /* handled, after cutting */
	uint32_t flags;		  /* of landlock_restrict_self(2) */
	struct landlock_rule *rules;
	size_t rules_len;
	struct landlock_port *ports;
	size_t ports_len;
	int abi;	    /* of the kernel, as planned for */
	const char **notes; /* what bestEffort dropped: one sentence each */
	size_t notes_len;
};

/*
 * Enforce: what the kernel lacks is an error. Best effort: it is dropped and noted; unwanted if
 * nothing is left. A kernel below minimumAbi is an error in both. Pure.
 */
int landlock_plan(const struct spec_process *process, const struct host *host, struct arena *arena,
		  struct landlock_plan *plan, struct err *err);

/*
 * In init, after pivot_root and while it may still reach every path: makes the ruleset and adds the
 * rules, each on a descriptor, found as mounts_open_path() does. Rights that only directories have
 * are cut for other files. A path that does not exist is an error, with best effort a warning.
 * *ruleset is to be given to landlock_apply().
 */
int landlock_prepare(const struct landlock_plan *plan, const struct mounts_plan *mounts,
		     const int fds[], int *ruleset, struct err *err);

/* landlock_restrict_self(2); needs no_new_privs or CAP_SYS_ADMIN. Closes nothing, allocates
 * nothing. */
int landlock_apply(const struct landlock_plan *plan, int ruleset, struct err *err);
