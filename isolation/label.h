/*
 * Labels of the security modules for the next exec, and the session keyring.
 */
#pragma once

#include <stdbool.h>

#include "isolation/host.h"
#include "spec/spec.h"

struct label_plan {
	const char *apparmor; /* "exec PROFILE", as the kernel wants it written; NULL: leave */
	const char *selinux;  /* NULL: leave */
	bool keyring;	      /* a new session keyring; else the caller's is kept */
};

int label_plan(const struct spec_process *process, const struct host *host, bool new_keyring,
	       struct arena *arena, struct label_plan *plan, struct err *err);

/* A new session keyring with nothing of the caller's or of another container's. */
int label_apply_keyring(const struct label_plan *plan, struct err *err);

/* Writes the profile and the label to attr/apparmor/exec (or attr/exec) of this thread in the
 * trusted procfs. */
int label_apply_exec(const struct label_plan *plan, int proc, struct err *err);
