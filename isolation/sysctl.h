/*
 * linux.sysctl: which keys belong to which namespace, and writing them through the host's procfs,
 * which reaches the namespaces of the writer (sysctl(7), namespaces(7)).
 */
#pragma once

#include "spec/spec.h"

struct sysctl_row {
	const char *path; /* below /proc: "sys/net/ipv4/ip_forward" */
	const char *value;
	const char *key; /* as in the configuration */
};

struct sysctl_plan {
	struct sysctl_row *row;
	size_t len;
};

/* `own` are the namespaces (CLONE_NEWX) of the container's own. A key of a namespace that is shared
 * is refused. */
int sysctl_plan(const struct spec *spec, uint64_t own, struct arena *arena,
		struct sysctl_plan *plan, struct err *err);

/* In init, through the host's procfs. */
int sysctl_apply(const struct sysctl_plan *plan, int proc, struct err *err);
