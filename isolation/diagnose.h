/*
 * Why the kernel said EPERM or EACCES: a look around after a failed launch, which never changes its
 * outcome.
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
