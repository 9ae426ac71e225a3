/*
 * The commands of the program: their tables, and what they share. main.c dispatches.
 */
#pragma once

#include "runtime/container.h"
#include "runtime/options.h"

/* Each ends with a row without a name, in the order of --help. */
extern const struct command lifecycle_commands[]; /* run create start kill delete */
extern const struct command change_commands[];	  /* exec pause resume */
extern const struct command inspect_commands[];	  /* state list ps spec explain features */
extern const struct command selftest_commands[];  /* audit check-config print-seccomp selftest */

extern const struct option_row bundle_options[]; /* run, create, explain */
extern const struct option_row launch_options[]; /* run, create, exec */

/* The request of create, run and explain. An `id` with a slash is a bundle, whose id is made up. */
int cmd_request(const struct options *options, const char *id, const char *bundle,
		const struct settings *settings, struct request *request, struct err *err);

/* Whether the descriptors of --preserve-fds are there, and nothing but a file where --pid-file is.
 */
int cmd_check_launch(const struct options *options, struct err *err);
