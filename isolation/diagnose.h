/*
 * Why a launch failed, where the error alone does not say it: a look around, which never changes
 * the outcome.
 */
#pragma once

#include "isolation/host.h"
#include "isolation/plan.h"

/*
 * Puts a remedy behind the error if a known cause is found: a parent directory closed to the mapped
 * user, user namespaces forbidden by a sysctl or by AppArmor, a masked /proc in a nested container,
 * locked mount flags.
 */
void diagnose(const struct plan *plan, const struct host *host, struct err *err);

/*
 * The same for an init that ended or found no memory (EPIPE, ENOMEM), while its cgroup is there
 * still: `cgroup`, or -1. Whether it was memory.max.
 */
bool diagnose_memory(int cgroup, struct err *err);
