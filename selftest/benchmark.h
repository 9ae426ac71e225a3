/*
 * agentd selftest --benchmark: what each layer costs, as ratios. Judges nothing.
 */
#pragma once

#include <stdio.h>

#include "selftest/selftest.h"

int benchmark(const struct settings *settings, const struct selftest_options *options, FILE *to,
	      struct err *err);
