/*
 * Capabilities (capabilities(7)): five masks. The home of libcap.
 */
#pragma once

#include <stdint.h>

#include "isolation/host.h"
#include "spec/spec.h"

struct caps_plan {
	uint64_t bounding, effective, inheritable, permitted, ambient;
	int last_cap;
};

/* Cuts to what the kernel knows, warns in the log of what it does not. */
int caps_plan(const struct spec_process *process, const struct host *host, struct caps_plan *plan,
	      struct err *err);

/* Whether caps_apply_bounding() can: without CAP_SETPCAP, only where there is nothing to drop. */
bool caps_can_apply_bounding(const struct caps_plan *plan);

/* Drops from the bounding set what is not in the plan. Allocates nothing. */
int caps_apply_bounding(const struct caps_plan *plan, struct err *err);

/* Raises the effective set to the permitted one again, after setresuid(2) emptied it. */
int caps_raise_effective(struct err *err);

/*
 * The other four sets, ambient last. What cannot be granted (not in our own permitted set) is left
 * out with a warning: the specification forbids failing on it.
 */
int caps_apply(const struct caps_plan *plan, struct err *err);

/* The newest capability of the kernel, as a bit number. */
int caps_last(void);

/* Whether a capability (bit number) is in the effective set of the caller. */
bool caps_have(int cap);

/* A text of names "CAP_CHOWN CAP_KILL" for explain. */
const char *caps_text(uint64_t mask, struct arena *arena);
