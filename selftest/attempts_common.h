/*
 * What the attempts of mounts, credentials and hygiene share.
 */
#pragma once

#include <stddef.h>

#include "selftest/attempt.h"

/* Refused, with an errno that no call has left. */
void attempt_fail(struct attempt_result *result, int error);

/*
 * Runs a program and takes what it prints, cut to fit. -1 and errno if it could not be run, printed
 * nothing and failed, or was killed (EINTR).
 */
int attempt_program(char *const args[], char *text, size_t size);
