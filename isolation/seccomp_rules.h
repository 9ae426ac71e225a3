/*
 * What a profile decides, call by call: the meaning of its rules.
 *
 * - A call without a rule gets the default action; where that is an errno, ordinary calls newer
 *   than all that the profile names get ENOSYS, so that programs fall back.
 * - The first rule without comparisons decides its calls for all arguments, wherever it stands.
 * - Else the rules are tried in the order of the file, and the first that matches decides.
 * - A rule with the default action says nothing: the others decide as if it were not there.
 * - socketcall(2) and ipc(2), where they exist, decide by their first argument, which says the call
 *   that they lead to. Its arguments are in memory or elsewhere: where rules compare them, the
 *   strictest of what could be decided is.
 * - Where the kernel has several ABIs under one number (x86-64 and x32), and for the others, an
 *   architecture that the profile does not name kills the thread.
 */
#pragma once

#include "isolation/seccomp.h"

/* The calls from `first` to the next range's, or to the last number of all. */
struct seccomp_range {
	uint32_t first;
	const struct seccomp_rule **rules; /* for some arguments, in the order of trying */
	size_t rules_len;
	uint32_t otherwise; /* SECCOMP_RET_X, if none matches */
	bool wide;	    /* arguments have 64 bits, else the lower 32 count */
};

/* What is decided under one of the kernel's architectures, in the order of the numbers, from 0. */
struct seccomp_table {
	uint32_t architecture; /* AUDIT_ARCH_X */
	struct seccomp_range *ranges;
	size_t len;
};

struct seccomp_tables {
	struct seccomp_table *item;
	size_t len;
};

/* The architecture (SCMP_ARCH_X) whose call a number is, under the kernel's AUDIT_ARCH_X: of x86-64
 * and x32 the same. */
uint32_t seccomp_architecture_of(uint32_t architecture, uint32_t call);

#define SECCOMP_OTHER_ARCHITECTURES SECCOMP_RET_KILL_THREAD

/* Decides. Rules that never have an effect are told to the log. */
void seccomp_decide(const struct seccomp_plan *plan, struct arena *arena,
		    struct seccomp_tables *tables);
