/*
 * The device access program (BPF_PROG_TYPE_CGROUP_DEVICE): linux.resources.devices as eBPF on the
 * container's cgroup.
 */
#pragma once

#include <linux/bpf.h>
#include <stdbool.h>

#include "isolation/host.h"
#include "spec/spec.h"

struct devices_bpf_plan {
	bool wanted;
	bool must; /* some rule denies, and we are not rootless: not to attach it is an error */
	struct bpf_insn *program;
	size_t len;
};

/*
 * The last rule that speaks of an access decides on it; none does: deny; the default devices are
 * always allowed. Wanted if the configuration has rules or we have the privilege; the caller has to
 * have made a cgroup besides. Pure.
 */
int devices_bpf_plan(const struct spec *spec, const struct host *host, struct arena *arena,
		     struct devices_bpf_plan *plan, struct err *err);

/* Loads the program and attaches it to the cgroup `dir`. Unless it must, failure is a warning. */
int devices_bpf_attach(const struct devices_bpf_plan *plan, int dir, struct err *err);
