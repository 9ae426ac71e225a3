/*
 * What the judgements of several groups share: errnos in words, facts of the canary's text, mounts
 * as the kernel lists them.
 */
#pragma once

#include "selftest/cases.h"

/*
 * The errnos of the row decide: this is the judgement of every row that has none of its own. False
 * alone is a leak; where it cannot be told, or nothing was answered, it says so by
 * judge_undecided(). Writes result->observed.
 */
bool judge_errno(const struct evidence *evidence, struct result *result);

/* The row cannot prove anything here, and why: sets verdict and reason. Returns false. */
bool judge_undecided(struct result *result, enum verdict verdict, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The allowed half of the attempt itself worked ("pair=ok"); else the row is inconclusive. */
bool judge_paired(const struct evidence *evidence, struct result *result);

/* As judge_errno(); but what gets through is one of our known limits: not applicable. */
bool judge_limitation(const struct evidence *evidence, struct result *result);

/* Whether an errno is in a row's list. */
bool judge_lists(const int errnos[CASE_ERRNOS_MAX], int error);

/* It got through: by its value, or by an errno that comes after the check of permission. */
bool judge_through(const struct selftest_case *row, const struct observation *seen);

/* Killed by this signal before it answered. */
bool judge_killed(const struct observation *seen, int signal);

/* Seen without any layer: the kernel, or the host, has no such thing. `seen` may be NULL. */
bool judge_absent(const struct selftest_case *row, const struct observation *seen);

/* "EPERM", "returned 3", "killed by SIGSYS", "no answer". No system call has ECANCELED: an attempt
 * says so that it did not get as far as its own. */
void judge_describe(const struct observation *seen, char *text, size_t size);

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
