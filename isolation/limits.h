/*
 * Resource limits of the process (setrlimit(2)): hard limits are raised from outside, where the
 * privilege is; the limits themselves are set by init on itself when everything is built, because a
 * low RLIMIT_NOFILE or RLIMIT_FSIZE must not disturb the building.
 */
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include "spec/spec.h"

struct limits_plan {
	struct {
		int type;
		struct rlimit limit;
		const char *name;
	} row[RLIM_NLIMITS];
	size_t len;
	bool raise_files; /* the soft limit of descriptors is likely too low for the mounts */
};

int limits_plan(const struct spec *spec, const struct spec_process *process,
		struct limits_plan *plan, struct err *err);

/* In the parent, before clone: raises the soft RLIMIT_NOFILE to the hard one if the plan needs it
 * and keeps the old for limits_apply(). */
int limits_raise_files(const struct limits_plan *plan, struct rlimit *before, struct err *err);

/*
 * From outside, before init has another user's id (prlimit(2), "Permissions"): raises the hard
 * limits that must be raised, which needs CAP_SYS_RESOURCE.
 */
int limits_raise(const struct limits_plan *plan, pid_t pid, struct err *err);

/* In init, when nothing is opened or made any more: all limits. Needs no privilege after
 * limits_raise(). */
int limits_apply(const struct limits_plan *plan, const struct rlimit *files_before,
		 struct err *err);
