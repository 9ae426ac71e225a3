/*
 * Trials: what this process may do here, found out by doing it in throw-away children. Files that
 * tell that we are in somebody else's container can lie; the kernel's answer does not.
 */
#pragma once

#include "isolation/host.h"

enum trial {
	TRIAL_USERNS, /* and to mount in it: some systems take the capabilities away */
	TRIAL_MOUNTS,
	TRIAL_NETNS,
	TRIAL_NAMES, /* and to set a name in it: filters of builders know sethostname(2) */
	TRIAL_CGROUP,
	TRIAL_LANDLOCK,
	TRIAL_SECCOMP,
	TRIALS_LEN
};

struct trials {
	int error[TRIALS_LEN]; /* 0: it can be done */
};

void trials_make(const struct host *host, struct trials *trials);

/* "user namespaces: yes; mounts: no (Operation not permitted); ..." */
const char *trials_text(const struct trials *trials, struct arena *arena);
