/*
 * The outside list: what agentd does from the host's namespaces to make a container, or to put one
 * process more into it. Its undo column backward is what `delete` does.
 */
#pragma once

#include "runtime/launch.h"

extern const struct step outside_steps[];
extern const size_t outside_steps_len;
