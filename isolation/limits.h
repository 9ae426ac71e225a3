/*
 * Resource limits of the process (setrlimit(2)), set from outside by prlimit(2) after everything is
 * built: a low RLIMIT_NOFILE or RLIMIT_FSIZE must not disturb the building.
 */
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include "isolation/host.h"
#include "spec/spec.h"

/* Bind mounts up to this many need no more descriptors than any soft limit allows. */
#define LIMITS_FILES_EASY 512

struct limits_plan {
	struct {
		int type;
		struct rlimit limit;
		const char *name;
	} row[RLIM_NLIMITS];
	size_t len;
	bool raise_files; /* the plan needs more descriptors than the soft limit is likely to allow
			   */
};

int limits_plan(const struct spec *spec, const struct spec_process *process,
		struct limits_plan *plan, struct err *err);

/* In the parent, before clone: raises the soft RLIMIT_NOFILE to the hard one if the plan needs it
 * and keeps the old for limits_apply(). */
int limits_raise_files(const struct limits_plan *plan, struct rlimit *before, struct err *err);

int limits_apply(const struct limits_plan *plan, const struct rlimit *files_before, pid_t pid,
		 struct err *err);
