/*
 * The inside list: what init does between clone and exec.
 */
#pragma once

#include "runtime/launch.h"

extern const struct step inside_steps[];
extern const size_t inside_steps_len;

/* Runs the inside list and becomes the program. On failure sends the error over the wire and exits
 * with 1. */
void init_main(struct launch *launch) __attribute__((noreturn));
