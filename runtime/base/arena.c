/*
 * The arena, see arena.h: a chain of blocks, each filled from both ends: objects from its start,
 * texts, which need no alignment, from its end. The only place that takes memory.
 *
 * A block is mapped, not allocated: memory from the kernel is zero already, and a page that nobody
 * has touched costs nothing. A page that is touched costs more than a microsecond, in the kernel
 * that clears it, accounts for it and takes it back; clearing it again would touch them all.
 */
#include "runtime/base/arena.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BLOCK_SIZE (512u << 10)
#define ALIGNMENT _Alignof(max_align_t)
#define GROW_MIN 16 /* objects; from then on there is room for a power of two */

struct block {
	struct block *next;
	size_t size;
	size_t start, end; /* of what is free: offsets from the block */
};

struct arena {
	struct block *blocks;
	size_t left, limit;
};

static void give_up(const char *why)
{
	fprintf(stderr, "agentd: %s\n", why);
	exit(1);
}

static size_t align(size_t size)
{
	return (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

/* A block with `size` bytes free. The sizes are bounded: those of an arena by its limit. */
static struct block *block_new(size_t size)
{
	const size_t head = align(sizeof(struct block));
	size_t total = head + size > BLOCK_SIZE ? head + size : BLOCK_SIZE;
	struct block *block =
		mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (block == MAP_FAILED)
		give_up("out of memory");
	*block = (struct block){ .size = total, .start = head, .end = total };
	return block;
}

/* The arena itself is in its first block. */
struct arena *arena_new(size_t limit)
{
	struct block *block = block_new(sizeof(struct arena));
	struct arena *arena = (struct arena *)((char *)block + block->start);

	block->start += align(sizeof(*arena));
	*arena = (struct arena){ .blocks = block, .left = limit, .limit = limit };
	return arena;
}

/* The newest block, with `size` bytes free. */
static struct block *block_with(struct arena *arena, size_t size)
{
	struct block *block = arena->blocks;

	if (size > arena->left)
		give_up("the configuration needs more memory than a command may use");
	arena->left -= size;
	if (block->end - block->start < size) {
		block = block_new(size);
		block->next = arena->blocks;
		arena->blocks = block;
	}
	return block;
}

void *arena_alloc(struct arena *arena, size_t count, size_t size)
{
	struct block *block;
	size_t total;
	void *memory;

	if (__builtin_mul_overflow(count, size, &total) || total > SIZE_MAX - ALIGNMENT)
		total = SIZE_MAX - ALIGNMENT; /* more than any limit */
	total = align(total);
	block = block_with(arena, total);
	memory = (char *)block + block->start;
	block->start += total;
	return memory;
}

void *arena_grow(struct arena *arena, void *array, size_t len, size_t size)
{
	void *larger;

	if (array && (len < GROW_MIN || len & (len - 1)))
		return array;
	larger = arena_alloc(arena, len < GROW_MIN ? GROW_MIN : 2 * len, size);
	if (array)
		memcpy(larger, array, len * size);
	return larger;
}

char *arena_copy(struct arena *arena, const char *text, size_t size)
{
	struct block *block = block_with(arena, size + 1);
	char *copy = (char *)block + (block->end -= size + 1);

	if (size)
		memcpy(copy, text, size);
	return copy;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
	struct block *block = arena->blocks;
	size_t left = block->end - block->start;
	va_list args;
	char *text;
	int len;

	/* where the next object goes; if the text is too long for what is left, nothing else will
	 * ever go there */
	va_start(args, format);
	len = vsnprintf((char *)block + block->start, left, format, args);
	va_end(args);
	if (len < 0)
		give_up("a text could not be formatted");
	text = arena_alloc(arena, (size_t)len + 1, 1);
	if (align((size_t)len + 1) <= left)
		return text;
	va_start(args, format);
	vsnprintf(text, (size_t)len + 1, format, args);
	va_end(args);
	return text;
}

/* The first block stays. Where another was needed, arena_format() may have written into what was
 * free of it. */
void arena_clear(struct arena *arena)
{
	const size_t start = align(sizeof(struct block)) + align(sizeof(*arena));
	struct block *block = arena->blocks, *next;
	bool full = block->next;

	for (; block->next; block = next) {
		next = block->next;
		munmap(block, block->size);
	}
	memset((char *)block + start, 0, (full ? block->end : block->start) - start);
	memset((char *)block + block->end, 0, block->size - block->end);
	block->start = start;
	block->end = block->size;
	arena->blocks = block;
	arena->left = arena->limit;
}

void arena_free(struct arena *arena)
{
	struct block *block = arena->blocks, *next;

	for (; block; block = next) {
		next = block->next;
		munmap(block, block->size);
	}
}
