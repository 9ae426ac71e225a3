/*
 * The arena, see arena.h: a chain of blocks, each filled from its start. The only malloc() and
 * free() of the program.
 */
#include "runtime/base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE (32u << 10)
#define ALIGNMENT _Alignof(max_align_t)

struct block {
	struct block *next;
	size_t used, size;
	_Alignas(max_align_t) char data[];
};

struct arena {
	struct block *blocks;
	size_t left;
};

static void give_up(const char *why)
{
	fprintf(stderr, "agentd: %s\n", why);
	exit(1);
}

struct arena *arena_new(size_t limit)
{
	struct arena *arena = calloc(1, sizeof(*arena));

	if (!arena)
		give_up("out of memory");
	arena->left = limit;
	return arena;
}

static struct block *block_add(struct arena *arena, size_t size)
{
	struct block *block = calloc(1, sizeof(*block) + size);

	if (!block)
		give_up("out of memory");
	block->size = size;
	block->next = arena->blocks;
	arena->blocks = block;
	return block;
}

void *arena_alloc(struct arena *arena, size_t count, size_t size)
{
	struct block *block = arena->blocks;
	size_t total;
	void *memory;

	if (__builtin_mul_overflow(count, size, &total) || total > arena->left)
		give_up("the configuration needs more memory than a command may use");
	total = (total + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
	arena->left -= total < arena->left ? total : arena->left;
	if (!block || block->size - block->used < total)
		block = block_add(arena, total > BLOCK_SIZE ? total : BLOCK_SIZE);
	memory = block->data + block->used;
	block->used += total;
	return memory;
}

char *arena_copy(struct arena *arena, const char *text, size_t size)
{
	char *copy = arena_alloc(arena, size + 1, 1);

	if (size)
		memcpy(copy, text, size);
	return copy;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		give_up("a text could not be formatted");
	text = arena_alloc(arena, (size_t)len + 1, 1);
	va_start(args, format);
	vsnprintf(text, (size_t)len + 1, format, args);
	va_end(args);
	return text;
}

void arena_free(struct arena *arena)
{
	struct block *block, *next;

	if (!arena)
		return;
	for (block = arena->blocks; block; block = next) {
		next = block->next;
		free(block);
	}
	free(arena);
}
