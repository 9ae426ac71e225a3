/*
 * An interpreter for the few eBPF instructions that device programs are made of.
 */
#pragma once

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

/* Runs a device program: what it returns, or -1 for what the kernel's verifier would refuse too. */
int64_t ebpfsim_run(const struct bpf_insn *program, size_t len,
		    const struct bpf_cgroup_dev_ctx *context);
