/*
 * What the judgements of several groups share: errnos in words, facts of the canary's text, mounts
 * as the kernel lists them.
 */
#pragma once

#include "selftest/cases.h"

/* The errnos of the row decide. Writes result->observed. */
bool judge_errno(const struct evidence *evidence, struct result *result);

/* The row cannot prove anything here, and why: sets verdict and reason. Returns false. */
bool judge_undecided(struct result *result, enum verdict verdict, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* "EPERM", or a number where it has no name. */
const char *judge_error(int error, char text[32]);

/* The value of "key=value" in what the canary said, cut to fit; "" if it said none. */
void judge_fact(const struct observation *observation, const char *key, char *value, size_t size);

/* Whether a word is in a list with commas. */
bool judge_option(const char *list, const char *word);

/* Whether `path` is `parent` or beneath it. */
bool judge_beneath(const char *path, const char *parent);

/* The mount that holds a path of the container, or NULL. */
const struct posture_mount *judge_mount(const struct posture *posture, const char *path);

/* Whether there is such a path on the host, and, if it is a directory, something in it. */
bool judge_host_has(const char *path);
