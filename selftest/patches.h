/*
 * Changes to the configuration under test, on trees: a site that leaves layers out differs from the
 * target in those and nothing else.
 */
#pragma once

#include "selftest/site.h"

/* A merge with a patch of our own, whose text is right. A new tree. */
struct json *patch_merge(const struct json *config, const char *patch, struct arena *arena);

/* Without layers: a mask of those that a container can do without. */
struct json *patch_leave_out(const struct stage *stage, struct json *config, unsigned layers);

/* Refusals of the filter become MARKER_ERRNO. */
void patch_mark(struct json *config, struct arena *arena);

/* The configuration of a twin: root of a user namespace. */
const struct json *patch_twin(const struct stage *stage);

/* The canary for a program, and nothing that two containers cannot both have. */
struct json *patch_process(struct json *config, const char *canary, struct arena *arena);

/* One more bind mount; `access`: "ro" or "rw". */
void patch_bind(struct json *config, const char *source, const char *destination,
		const char *access, struct arena *arena);

/* The rules of the bundle may let nobody execute the canary: lets it. */
void patch_allow(struct json *config, const char *path, struct arena *arena);

void patch_root(struct json *config, const char *path);
