/*
 * Cases of the group of hygiene whose attempt is a whole bundle; see history.h.
 */
#pragma once

#include "selftest/scene.h"

int history_parent_death(struct scene *scene, struct err *err);
int history_orphans(struct scene *scene, struct err *err);
