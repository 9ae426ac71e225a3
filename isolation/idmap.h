/*
 * User namespaces: the maps of user and group ids (user_namespaces(7)).
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "isolation/host.h"
#include "spec/spec.h"

struct idmap_plan {
	bool unprivileged;   /* so is the caller: he can write the maps of what is dumpable alone */
	bool write;	     /* a user namespace is created: write its maps */
	bool become_root;    /* init is to become 0:0 of its user namespace */
	bool deny_setgroups; /* it is, or must be before the gid map is written (CVE-2014-8989) */
	bool helpers;	     /* through newuidmap(1) and newgidmap(1): we have no right to */
	const char *uid_map, *gid_map; /* texts for the files of these names */
	/* Of the helpers; [1] is filled in with the pid when they run. */
	const char **uid_argv, **gid_argv;
};

/* Decides from linux.uidMappings and gidMappings. Errors: mappings without a user namespace, and
 * the reverse. */
int idmap_plan(const struct spec *spec, const struct host *host, struct arena *arena,
	       struct idmap_plan *plan, struct err *err);

/* From outside: writes the maps of `pid`. */
int idmap_write(const struct idmap_plan *plan, int proc, pid_t pid, struct err *err);

/* In init: uid 0, gid 0 and no supplementary groups where setgroups(2) is allowed. */
int idmap_become_root(const struct idmap_plan *plan, struct err *err);

/* The subordinate ids of the caller (/etc/subuid, /etc/subgid): one mapping of himself and one of
 * each range. */
void idmap_subordinate(const struct host *host, struct arena *arena, struct spec_id_mappings *uids,
		       struct spec_id_mappings *gids);
