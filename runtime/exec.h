/*
 * What exec is asked to run, made into a process object: from a file, or from the container's own
 * process and what the command line says otherwise.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "spec/spec.h"

/* How exec describes its process where no file does. */
struct exec_process {
	const char *file; /* --process: the whole of it; the rest then counts for nothing */
	struct spec_strings args, env;
	const char *cwd, *apparmor_profile, *selinux_label; /* NULL: as the container's */
	bool terminal, no_new_privileges;
	bool user_set, gid_set;
	uint32_t uid, gid;
	struct spec_u32s additional_gids;
	uint64_t capabilities; /* added to the bounding, effective and permitted set */
};

/* `spec` is the container's. The result has been checked as a process of a configuration. */
int exec_process_make(const struct exec_process *flags, const struct spec *spec,
		      struct arena *arena, struct spec_process *process, struct err *err);
