/*
 * System call filters. The home of libseccomp.
 */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "isolation/host.h"
#include "runtime/base/names.h"
#include "spec/spec.h"

/* The tables of the specification's words, for decoding and for `features`. */
extern const struct name seccomp_action_names[], seccomp_operator_names[],
	seccomp_architecture_names[], seccomp_flag_names[];

enum seccomp_operator {
	SECCOMP_EQ,
	SECCOMP_GE,
	SECCOMP_GT,
	SECCOMP_LE,
	SECCOMP_LT,
	SECCOMP_MASKED_EQ,
	SECCOMP_NE,
};

/* Of the bits of `mask` in an argument (all, but for MASKED_EQ) with `value`. */
struct seccomp_comparison {
	unsigned argument;
	enum seccomp_operator operator;
	uint64_t mask, value;
};

/* One entry of linux.seccomp.syscalls. */
struct seccomp_rule {
	uint32_t action; /* SECCOMP_RET_X with its errno */
	const char **names;
	size_t names_len;
	struct seccomp_comparison *args;
	size_t args_len;
	bool alternatives; /* one comparison is enough, else all must hold */
};

struct seccomp_plan {
	bool wanted;
	uint32_t flags;		 /* SECCOMP_FILTER_FLAG_X */
	uint32_t default_action; /* SECCOMP_RET_X with its errno */
	uint32_t *architectures; /* SCMP_ARCH_X; the native one first */
	size_t architectures_len;
	struct seccomp_rule *rules;
	size_t rules_len;
};

/*
 * Checks every word of the profile. Pure. A profile without flags gets none (runc adds
 * SPEC_ALLOW, which lifts a mitigation of speculation).
 */
int seccomp_plan(const struct spec *spec, const struct host *host, struct arena *arena,
		 struct seccomp_plan *plan, struct err *err);

/* An error if nothing in the profile lets execve(2) through: init, which is under the filter then,
 * could start no program, and perhaps not even say so. */
int seccomp_check_exec(const struct seccomp_plan *plan, struct err *err);

/*
 * Compiles the profile into BPF; an error if the kernel would not take so much. What is decided for
 * which call is told in seccomp_rules.h. seccomp_filter.c
 */
int seccomp_compile(const struct seccomp_plan *plan, struct arena *arena,
		    struct sock_fprog *program, struct err *err);

/* In init: loads the filter. Needs no_new_privs or CAP_SYS_ADMIN. Allocates nothing, and makes no
 * system call after the one that loads. seccomp_load.c */
int seccomp_apply(const struct seccomp_plan *plan, const struct sock_fprog *program,
		  struct err *err);

/* The number of a system call; negative: it has none on this architecture, or libseccomp gives it
 * one of its own; -1: libseccomp does not know it at all. */
int seccomp_call_number(uint32_t architecture, const char *name);

/* The name of a number, or NULL. */
const char *seccomp_call_name(uint32_t architecture, uint32_t call, struct arena *arena);

/* libseccomp's version, "2.5.4". */
const char *seccomp_library_version(struct arena *arena);

/* Whether the running kernel knows a filter flag of seccomp_flag_names[]. */
bool seccomp_flag_supported(uint32_t flag);
