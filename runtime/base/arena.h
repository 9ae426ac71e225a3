/*
 * Memory: one arena for a command, filled by bumping a pointer and freed all at once. There is no
 * free().
 *
 * An arena ends the program (exit status 1, a line on stderr) when its limit is reached or the
 * machine has no memory, so its functions never return NULL. The child allocates nothing between
 * clone and exec.
 */
#pragma once

#include <stddef.h>

#define ARENA_LIMIT (64u << 20) /* bytes, for one command */

struct arena;

/* A new arena that gives out at most `limit` bytes. */
struct arena *arena_new(size_t limit);

/* Zeroed memory for `count` objects of `size` bytes (checked product), aligned for any type. */
void *arena_alloc(struct arena *arena, size_t count, size_t size);

/* Room for one more behind the `len` objects of an array that only this made larger: the array, or
 * a larger copy of it, which is zeroed behind them. NULL is an array without room. */
void *arena_grow(struct arena *arena, void *array, size_t len, size_t size);

/* A NUL-terminated copy of `size` bytes. */
char *arena_copy(struct arena *arena, const char *text, size_t size);

/* A string made by printf. */
char *arena_format(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Ends the life of everything that came from the arena, which is as good as new then. */
void arena_clear(struct arena *arena);

/* The same, and of the arena. */
void arena_free(struct arena *arena);

#define arena_new_object(arena, type) ((type *)arena_alloc(arena, 1, sizeof(type)))
#define arena_new_array(arena, type, count) ((type *)arena_alloc(arena, count, sizeof(type)))
