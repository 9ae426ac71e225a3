/*
 * What most tests begin with: an arena of their own.
 */
#pragma once

#include "runtime/base/arena.h"

static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = arena_new(ARENA_LIMIT);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}
