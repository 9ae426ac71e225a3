/*
 * Any bytes: json_parse() refuses them or gives a tree whose text is read as the same tree. A
 * second text behind the first newline is merged into the first.
 */
#include <stdlib.h>
#include <string.h>

#include "spec/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const struct json *value, struct arena *arena)
{
	for (int pretty = 0; pretty < 2; pretty++) {
		struct json *again;
		struct err err;
		size_t size;
		char *text = json_print(value, pretty, arena, &size);

		if (json_parse(text, size, arena, &again, &err) < 0 ||
		    strcmp(json_print(again, pretty, arena, NULL), text) != 0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	const char *text = arena_copy(arena, (const char *)data, size), *end;
	struct json *base, *patch;
	size_t base_size;
	struct err err;

	if (json_parse(text, size, arena, &base, &err) == 0)
		check_round_trip(base, arena);
	end = memchr(text, '\n', size);
	base_size = end ? (size_t)(end - text) : size;
	if (json_parse(text, base_size, arena, &base, &err) == 0 &&
	    json_parse(text + base_size, size - base_size, arena, &patch, &err) == 0)
		check_round_trip(json_merge(base, patch, arena), arena);
	arena_free(arena);
	return 0;
}
