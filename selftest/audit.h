/*
 * What a running container has, and how that differs from its configuration: `agentd audit`.
 */
#pragma once

#include <stdio.h>

#include "runtime/state.h"
#include "selftest/posture.h"

struct audit {
	const struct state *state;
	const struct spec *spec;
	struct posture posture;
	struct posture_findings findings;
	size_t weaker; /* how many of them are */
};

/* Reads the posture of a running container and compares, its cgroup's limits included. */
int audit_make(const struct state *state, const struct spec *spec, struct arena *arena,
	       struct audit *audit, struct err *err);

/* For people, and as a tree. Neither prints what the container wrote without cleaning it. */
void audit_print(const struct audit *audit, struct arena *arena, FILE *to);
struct json *audit_tree(const struct audit *audit, struct arena *arena);
