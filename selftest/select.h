/*
 * Which cases a run is of: profile, --only, --skip, --group; and what must be there (--require) or
 * may be missing (--allow-skip). All of it is pure.
 *
 * Each option may be given several times, and each time with several words between commas. Ids and
 * groups are glob(7) patterns.
 */
#pragma once

#include "selftest/selftest.h"

enum selection { SELECT_NOT, SELECT_RUN, SELECT_SKIP };

/* Words that mean nothing (no case has this id) are wrong usage: a typing error must not make a
 * test smaller. */
int select_check(const struct selftest_options *options, struct err *err);

/* SELECT_SKIP: it would run, but for --skip. With --only the profile does not matter. */
enum selection select_case(const struct selftest_options *options, const struct selftest_case *row);

/* The layers that --allow-skip names. */
unsigned select_allowed(const struct selftest_options *options);

/* What --require may ask for. */
struct select_facts {
	int landlock_abi;		    /* in force for the target; 0: none */
	bool seccomp;			    /* the target has a filter */
	bool userns, netns, cgroup, mounts; /* can be had here */
};

/* The first requirement that is not met, from word number *at on, or NULL; *at moves behind it. */
const char *select_unmet(const struct selftest_options *options, const struct select_facts *facts,
			 size_t *at, struct arena *arena);
