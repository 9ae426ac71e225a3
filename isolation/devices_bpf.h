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
	bool must; /* some rule denies: being unable to attach is an error */
	struct bpf_insn *program;
	size_t len;
};

/* The last rule that matches decides; nothing matches: deny; the default devices are always
 * allowed. Pure. */
int devices_bpf_plan(const struct spec *spec, const struct host *host, struct arena *arena,
		     struct devices_bpf_plan *plan, struct err *err);

/* Loads the program and attaches it to the cgroup `dir`. */
int devices_bpf_attach(const struct devices_bpf_plan *plan, int dir, struct err *err);
