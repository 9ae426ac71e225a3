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

/* The answer, SECCOMP_RET_X with its data. A program that the kernel would refuse kills. */
uint32_t bpf_answer(const struct sock_fprog *program, const struct seccomp_data *data);

/* One line an instruction, with the names of fields, architectures, calls and actions. */
void bpf_print(const struct sock_fprog *program, struct arena *arena, FILE *to);

/* What is decided for which call, as of seccomp_rules.h. */
void bpf_print_decisions(const struct seccomp_plan *plan, struct arena *arena, FILE *to);
