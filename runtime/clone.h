/*
 * The clone of init, and its end: a row of the outside list.
 */
#pragma once

#include "runtime/launch.h"

/* Makes init, in its cgroup and namespaces from birth: launch->pid, pidfd and wire. */
int clone_init(struct launch *launch, struct err *err);

/* Kills init by its pidfd, never by number, and waits for its end: a child of ours is reaped,
 * another's pidfd becomes readable. */
int clone_undo(struct launch *launch, struct err *err);
