/*
 * The clone of init, and its end: rows of the outside list.
 */
#pragma once

#include "runtime/launch.h"

/* Makes init, in its cgroup and namespaces from birth: launch->pid, pidfd and wire. */
int clone_init(struct launch *launch, struct err *err);

/* Waits for the end of the joiner, which has nothing to do any more. */
int clone_reap_joiner(struct launch *launch, struct err *err);

/* Kills a process by its pidfd, never by number, and waits for its end. */
int clone_kill(int pidfd, pid_t pid, struct err *err);

/* Kills init, wherever it is in its life, and reaps it if it is a child of ours. */
int clone_undo(struct launch *launch, struct err *err);
