/*
 * System call filters. The home of libseccomp.
 */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

#include "isolation/host.h"
#include "runtime/base/names.h"
#include "spec/spec.h"

/* The tables of the specification's words, for decoding and for `features`. */
extern const struct name seccomp_action_names[], seccomp_operator_names[],
	seccomp_architecture_names[], seccomp_flag_names[];

struct seccomp_plan {
	bool wanted;
	const struct spec_seccomp *profile; /* checked; seccomp_compile() hands it to libseccomp */
	uint32_t flags;			    /* SECCOMP_FILTER_FLAG_X */
	const char *cache_key;		    /* canonical text of all that the filter depends on */
	size_t cache_key_size;
};

/* Checks every word and number of the profile. Pure. */
int seccomp_plan(const struct spec *spec, const struct host *host, struct arena *arena,
		 struct seccomp_plan *plan, struct err *err);

/*
 * Compiles the profile into BPF and writes it to `fd` (an array of struct sock_filter). System
 * calls newer than every one that the profile names answer ENOSYS where the default action is an
 * errno, so that programs fall back.
 */
int seccomp_compile(const struct seccomp_plan *plan, int fd, struct err *err);

/* The same through a cache of compiled filters in the directory `cache` (-1: none); a damaged entry
 * is compiled anew. */
int seccomp_compile_cached(const struct seccomp_plan *plan, int cache, int fd, struct err *err);

/* In init: loads the filter from `fd`. Needs no_new_privs or CAP_SYS_ADMIN. Allocates nothing. */
int seccomp_apply(const struct seccomp_plan *plan, int fd, struct err *err);

/* libseccomp's version, "2.5.4". */
const char *seccomp_library_version(struct arena *arena);

/* Whether the running kernel knows a filter flag of seccomp_flag_names[]. */
bool seccomp_flag_supported(uint32_t flag);
