/*
 * Namespaces: which to create, which to join, in which order.
 */
#pragma once

#include <stdint.h>

#include "isolation/host.h"
#include "spec/spec.h"

#define NAMESPACES_MAX 8

struct namespace_join {
	uint64_t types; /* several: from a process, not from a file */
	const char *path;
};

struct namespaces_plan {
	uint64_t clone; /* CLONE_NEWX of clone3(2) */
	/* CLONE_NEWX that init unshares: cgroup (after its birth in its own), time with offsets. */
	uint64_t unshare;
	uint64_t all; /* created or joined */
	uint64_t own; /* of these all that are not the caller's, joined by their path */
	struct namespace_join join[NAMESPACES_MAX]; /* in the order of joining */
	size_t join_len;
	const char *time_offsets; /* the text for timens_offsets, or NULL */
};

/* Decides for a new container; of the machine, only whose the files to join are is looked at.
 * Errors: time offsets without a time namespace of its own. */
int namespaces_plan(const struct spec *spec, const struct host *host, struct arena *arena,
		    struct namespaces_plan *plan, struct err *err);

/*
 * Decides for exec: joins all that the process `pid` (seen in /proc of the caller) has, at once,
 * and by a pidfd that the caller opens. `own` is namespaces_plan.all of the container.
 */
int namespaces_plan_exec(pid_t pid, uint64_t own, struct namespaces_plan *plan, struct err *err);

/* Opens the files to join into fds[join_len] and checks that each is a namespace of its type
 * (NS_GET_NSTYPE). */
int namespaces_open(const struct namespaces_plan *plan, int fds[], struct err *err);

/* Joins them, in the joiner, and closes them. A pid or time namespace takes effect for its children
 * only. Allocates nothing. */
int namespaces_join(const struct namespaces_plan *plan, int fds[], struct err *err);

/* In init: a cgroup namespace of which the root is the cgroup that init was born in. */
int namespaces_unshare_cgroup(const struct namespaces_plan *plan, struct err *err);

/* In init: a time namespace with offsets: unshare, write them, enter (time_namespaces(7)). */
int namespaces_enter_time(const struct namespaces_plan *plan, int proc, struct err *err);
