/*
 * The commands of this folder that are not in the file of their table, commands.c.
 */
#pragma once

#include "runtime/cmd.h"

extern const struct option_row selftest_options[];
int cmd_selftest(const struct options *options, const struct settings *settings, struct err *err);
