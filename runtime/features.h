/*
 * `agentd features`: what this build knows, in the form of the runtime specification (features.md),
 * from the very tables that decode a configuration.
 */
#pragma once

#include "isolation/host.h"
#include "spec/json.h"

struct json *features(const struct host *host, struct arena *arena);
