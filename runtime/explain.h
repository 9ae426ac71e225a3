/*
 * `agentd explain`: a plan and the two lists of steps as text, deterministic, and nothing done.
 */
#pragma once

#include <stdio.h>

#include "isolation/plan.h"

void explain_print(const struct plan *plan, struct arena *arena, FILE *to);
