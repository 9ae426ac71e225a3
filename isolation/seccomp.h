/*
 * System call filters. The home of libseccomp.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "isolation/host.h"
#include "runtime/base/names.h"
#include "spec/spec.h"

/* The tables of the specification's words, for decoding and for `features`. */
extern const struct name seccomp_action_names[], seccomp_operator_names[],
	seccomp_architecture_names[], seccomp_flag_names[];

struct scmp_arg_cmp; /* libseccomp's comparison of an argument */

/* One entry of linux.seccomp.syscalls. */
struct seccomp_rule {
	uint32_t action; /* SCMP_ACT_X with its errno */
	const char **names;
	size_t names_len;
	struct scmp_arg_cmp *args;
	size_t args_len;
	bool alternatives; /* one comparison is enough, else all must hold */
};

struct seccomp_plan {
	bool wanted;
	uint32_t flags;		 /* SECCOMP_FILTER_FLAG_X */
	uint32_t default_action; /* SCMP_ACT_X with its errno */
	uint32_t *architectures; /* SCMP_ARCH_X; the native one first */
	size_t architectures_len;
	struct seccomp_rule *rules;
	size_t rules_len;
	const char *cache_key; /* all that the filter depends on, in full */
	size_t cache_key_size;
};

/*
 * Checks every word and number of the profile. Pure, but that the cache key says which libseccomp
 * this is and what it finds the kernel able to do. A profile without flags gets none (runc adds
 * SPEC_ALLOW, which lifts a mitigation of speculation).
 */
int seccomp_plan(const struct spec *spec, const struct host *host, struct arena *arena,
		 struct seccomp_plan *plan, struct err *err);

/*
 * Compiles the profile into BPF and writes it to `fd`, a file, as an array of struct
 * sock_filter. System calls newer than every one that the profile names answer ENOSYS where the
 * default action is an errno, so that programs fall back.
 */
int seccomp_compile(const struct seccomp_plan *plan, int fd, struct err *err);

/* The same through a cache of compiled filters in the directory `cache` (-1: none); a damaged or
 * foreign entry is compiled anew. seccomp_cache.c */
int seccomp_compile_cached(const struct seccomp_plan *plan, int cache, int fd, struct err *err);

/* The filter as libseccomp's pseudo code, without what seccomp_compile() puts in front of it. */
int seccomp_print(const struct seccomp_plan *plan, int fd, struct err *err);

/* The name that the profile has for a system call's number, or NULL. The architecture is the
 * kernel's AUDIT_ARCH_X, which SCMP_ARCH_X are. */
const char *seccomp_call_name(const struct seccomp_plan *plan, uint32_t architecture,
			      uint32_t call);

/* The size of the filter in `fd`, in bytes; an error if the kernel would not take so much. */
int seccomp_filter_size(int fd, size_t *size, struct err *err);

/* In init: loads the filter from `fd`. Needs no_new_privs or CAP_SYS_ADMIN. Allocates nothing, and
 * makes no system call after the one that loads. */
int seccomp_apply(const struct seccomp_plan *plan, int fd, struct err *err);

/* libseccomp's version, "2.5.4". */
const char *seccomp_library_version(struct arena *arena);

/* Whether the running kernel knows a filter flag of seccomp_flag_names[]. */
bool seccomp_flag_supported(uint32_t flag);
