/*
 * What the attempts of tracing, mounts, credentials and hygiene share.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "selftest/attempt.h"

/* A child that waits to be ended, and ends with us: a filter may kill who would end it. */
pid_t attempt_start_victim(void);
void attempt_end_victim(pid_t pid);

/* Refused, with an errno that no call has left. */
void attempt_fail(struct attempt_result *result, int error);

/*
 * Runs a program and takes what it prints, cut to fit. -1 and errno if it could not be run, printed
 * nothing and failed, or was killed (EINTR).
 */
int attempt_program(char *const args[], char *text, size_t size);
