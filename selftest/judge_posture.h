/*
 * Judgements of what the host reads of the process itself: groups 2, 4 and 10.
 */
#pragma once

#include <sys/stat.h>

#include "selftest/judge.h"

#define judge_say(result, ...) snprintf((result)->observed, sizeof((result)->observed), __VA_ARGS__)

/* Whether the host could read the process; else the row is undecided. */
bool judge_has_posture(const struct evidence *evidence, struct result *result);

/*
 * Whether the process has what its configuration says of a property ("linux.namespaces"): no more,
 * no less. Says the first difference.
 */
bool judge_as_configured(const struct evidence *evidence, const char *property,
			 struct result *result);

/* Whether the process is in another namespace of a kind ("net") than we are. */
bool judge_own_namespace(const struct posture *posture, const char *kind);

/* The root directory of the process's mount namespace, which a process that was put into a mere
 * chroot(2) does not have. -1: the host cannot look. */
int judge_namespace_root(const struct posture *posture, struct stat *st);
