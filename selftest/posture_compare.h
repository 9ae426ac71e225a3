/*
 * What the two halves of posture_compare() share: posture_compare.c, and posture_mounts.c for the
 * filesystem.
 */
#pragma once

#include "selftest/posture.h"

struct comparison {
	const struct posture *posture;
	const struct spec *spec;
	struct arena *arena;
	struct posture_findings *findings;
	int root;   /* /proc/PID/root, or -1 */
	bool *seen; /* for each mount: the configuration accounts for it */
};

#define NAMESPACE_USER 0 /* in posture_namespace_names */
#define NAMESPACE_MOUNT 7

void posture_add(struct comparison *with, bool weaker, const char *what, const char *expected,
		 const char *found);

/* The rows of posture_mounts.c. */
void posture_compare_filesystem(struct comparison *with);
void posture_compare_descriptors(struct comparison *with);
