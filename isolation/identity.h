/*
 * Who the process is: groups, gid, uid.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "isolation/idmap.h"
#include "spec/spec.h"

struct identity_plan {
	uid_t uid;
	gid_t gid;
	const gid_t *groups;
	size_t groups_len;
	bool set_groups;
	/* Where a joined user namespace denies setgroups(2), the groups that an ordinary caller has
	 * stay: they are his own. */
	bool may_keep_groups;
};

/* Errors: additionalGids where setgroups(2) is denied, ids that the maps do not have. */
int identity_plan(const struct spec *spec, const struct spec_process *process,
		  const struct idmap_plan *idmap, struct identity_plan *plan, struct err *err);

/* setgroups, setresgid, setresuid, in this order; the permitted capabilities are kept
 * (PR_SET_KEEPCAPS). */
int identity_apply(const struct identity_plan *plan, struct err *err);
