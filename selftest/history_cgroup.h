/*
 * Cases of the group of limits whose attempt is a whole bundle; see history.h.
 */
#pragma once

#include "selftest/scene.h"

int history_cgroup_kill(struct scene *scene, struct err *err);
int history_cgroup_freeze(struct scene *scene, struct err *err);
int history_cgroup_oom(struct scene *scene, struct err *err);
int history_processes(struct scene *scene, struct err *err);
