/*
 * The machine, looked at once. Planning takes it as an argument, so that tests can invent machines.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "runtime/base/arena.h"
#include "runtime/base/err.h"

struct host {
	uid_t uid; /* effective ids of the caller */
	gid_t gid;
	bool privileged;       /* CAP_SYS_ADMIN is effective, in whichever user namespace */
	bool initial_user_ns;  /* the caller is in the machine's first user namespace */
	bool setgroups_denied; /* in the caller's, and so in all below it (user_namespaces(7)) */
	bool rootless; /* not both privileged and in the first user namespace, or --rootless=true */
	int last_cap;  /* the newest capability of the kernel, as a bit number */
	int landlock_abi;	 /* 0: none */
	int landlock_errno;	 /* why: ENOSYS not built, EOPNOTSUPP not enabled, others refused */
	const char *cgroup_root; /* where cgroup v2 is mounted; NULL: nowhere */
	bool cgroup_hybrid;	 /* v2 beside v1 hierarchies, which may own controllers */
	const char *cgroup_own;	 /* the caller's own cgroup v2 path, "/" first; NULL: unknown, or he
				    may make cgroups at the top */
	bool apparmor, selinux;	 /* enabled in the kernel */
	const char *machine;	 /* uname -m */
};

/* Whether the caller is one: the only thing that many commands need to know. Arguments as below. */
int host_rootless(int rootless, bool *result, struct err *err);

/* Looks at the machine. Cheap: some twenty small system calls. `rootless` is forced to true or
 * false, or -1: find out. */
int host_probe(struct host *host, int rootless, struct arena *arena, struct err *err);
