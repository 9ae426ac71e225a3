/*
 * Limits as selftest tries them: the bombs of attempts_limits.c are bounded, so the configuration's
 * limits have to be below those bounds where they are tried.
 */
#pragma once

#include "runtime/base/arena.h"
#include "spec/spec.h"

/*
 * A merge patch that lowers the limits which a configuration sets (16 processes, 32 MiB, a quarter
 * of a processor) and sets none that it does not: what is missing shall be found missing.
 */
const char *limits_patch(const struct spec *spec, struct arena *arena);
