/*
 * Cases whose attempt is a whole bundle: a hostile root filesystem or configuration is launched as
 * `agentd run` would do it, and the host looks at what came of it.
 */
#pragma once

#include "selftest/selftest.h"

/* Whether the case is of this kind: it is tried by history_run() and at no site. */
bool history_has(const char *id);

/*
 * Tries one, and writes verdict, observed and reason of the result, whose row is set. `canary` is
 * its path in the bundles that are made ("/canary"). Nothing is left behind on any way out. -1: the
 * harness broke.
 */
int history_run(const struct settings *settings, const char *canary, const char *id,
		struct arena *arena, struct result *result, struct err *err);
