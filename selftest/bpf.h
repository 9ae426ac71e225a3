/*
 * Compiled system call filters (classic BPF as of seccomp(2)): as text, and what they answer.
 *
 * Questions about a profile are put to the compiled filter, which is what the kernel runs, not to
 * the words of the profile.
 */
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>

#include "isolation/seccomp.h"

struct bpf_program {
	struct sock_filter *instructions;
	size_t len;
};

/* Compiles the plan of a profile. */
int bpf_compile(const struct seccomp_plan *plan, struct arena *arena, struct bpf_program *program,
		struct err *err);

/* The answer, SECCOMP_RET_X with its data. A program that the kernel would refuse kills. */
uint32_t bpf_answer(const struct bpf_program *program, const struct seccomp_data *data);

/* One line an instruction, with the names of fields, architectures, calls and actions. */
void bpf_print(const struct bpf_program *program, const struct seccomp_plan *plan,
	       struct arena *arena, FILE *to);
